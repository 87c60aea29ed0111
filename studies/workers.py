"""Worker processes: one per core, one thread each, kernels compiled before they start."""

from __future__ import annotations

import logging
import os
import socket
import tempfile
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from meso import Mesostructure, Phase
from solvers import PorousElectrode, solve_transport, utilization_budget
from studies.cluster import SINGLE_THREADED, job_workers, scheduler_workers
from studies.evaluation import evaluate, make_structure, versions
from studies.signals import ignored
from studies.space import DesignSpace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from distributed import Client

    from solvers import CellParameters
    from studies.config import StudyConfig
    from studies.storage import StudyFolder

LEAST: Mapping[str, int] = {"voxels_per_diameter": 4, "width_diameters": 4, "minimum_voxels": 8}
"""Resolution at which kernels are compiled."""


def kernel_versions() -> dict[str, str]:
    """
    Say which compiled kernels this machine needs.

    Returns
    -------
    dict
        Host, versions and the latest change of a kernel's source: while they stay the same, kernels that were compiled
        once are found on disk.
    """
    import meso
    import solvers

    sources = [
        file for package in (meso, solvers) for file in Path(package.__path__[0]).glob("_kernels/*.py")
    ]
    changed = max(file.stat().st_mtime_ns for file in sources)
    return {"host": socket.gethostname(), "changed": str(changed), **versions()}


MOST_RETRIES = 3
"""How often a task is run again whose worker died."""


def failure_reason(error: BaseException) -> str:
    """
    Say in one line why a task has no result.

    Parameters
    ----------
    error : BaseException
        What it, or the scheduler on its behalf, raised.

    Returns
    -------
    str
        The reason.
    """
    from distributed import KilledWorker

    if isinstance(error, KilledWorker):
        return f"its worker process died {MOST_RETRIES + 1} times; is there enough memory for one structure per worker?"
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def core_count() -> int:
    """
    Count the cores this process may use.

    Returns
    -------
    int
        Cores, after affinity masks and container limits.
    """
    from dask.system import CPU_COUNT

    return int(CPU_COUNT)


@contextmanager
def ready_workers(
    config: StudyConfig, *, folder: StudyFolder, count: int | None, scheduler: str | None
) -> Iterator[Client]:
    """
    Provide the workers that a study asks for, with all kernels compiled.

    Parameters
    ----------
    config : StudyConfig
        The study; its table ``[cluster]`` asks for jobs of a batch system.
    folder : StudyFolder
        Remembers what was compiled on this machine.
    count : int or None
        Number of processes on this machine, where they run here; None: one per core.
    scheduler : str or None
        Address of a Dask scheduler whose workers are to be used instead.

    Yields
    ------
    distributed.Client
        What tasks are submitted to.
    """
    cell = config.cell.parameters()
    space = DesignSpace.of(config, active_capacity=cell.active_capacity)
    warm = partial(compile_kernels, space=space, cell=cell, c_rate=config.cell.c_rate)
    remote: AbstractContextManager[Client] | None = None
    if scheduler is not None:
        remote = scheduler_workers(scheduler)
    elif config.cluster is not None:
        remote = job_workers(config.cluster)
    if remote is not None:
        with remote as client:
            warm(client)
            yield client
        return
    count = count or core_count()
    if not folder.is_compiled(kernels := kernel_versions()):
        # In processes of their own: what one compiles and what it later loads from the cache may differ in the last bit.
        with local_workers(min(count, 2)) as client:
            warm(client)
        folder.note_compiled(kernels)
    with local_workers(count) as client:
        yield client


@contextmanager
def local_workers(count: int) -> Iterator[Client]:
    """
    Start worker processes on this machine and stop them at the end.

    Parameters
    ----------
    count : int
        Number of processes.

    Yields
    ------
    distributed.Client
        What tasks are submitted to. A worker that dies is replaced and its task run again, three times at most.
    """
    from dask import config
    from distributed import Client, LocalCluster

    environment = config.get("distributed.nanny.pre-spawn-environ") | SINGLE_THREADED
    settings = {
        "distributed.nanny.pre-spawn-environ": environment,
        "distributed.comm.timeouts.connect": "60s",
        "distributed.scheduler.allowed-failures": MOST_RETRIES,
        # No task waits inside a worker: it would share the blame when the worker dies of another one.
        "distributed.scheduler.worker-saturation": 1.0,
    }
    with (
        tempfile.TemporaryDirectory(prefix="meso-workers-", ignore_cleanup_errors=True) as scratch,
        config.set(settings),
        _own_environment(environment),
    ):
        with ignored():
            cluster = LocalCluster(
                n_workers=count,
                threads_per_worker=1,
                processes=True,
                host="127.0.0.1",
                # Without an address the scheduler takes port 8787 and complains where another study has it.
                dashboard_address="127.0.0.1:0",
                local_directory=scratch,
                memory_limit=0,
                silence_logs=logging.CRITICAL,
            )
        try:
            with Client(cluster) as client:
                yield client
        finally:
            # Dask stumbles over a worker that is being replaced at this moment; nobody waits for it any more.
            with suppress(AssertionError, RuntimeError, TimeoutError):
                cluster.close()


@contextmanager
def _own_environment(names: Iterable[str]) -> Iterator[None]:
    """Take back what nannies write into the environment of this process for the workers to inherit."""
    before = {name: os.environ.get(name) for name in names}
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def compile_kernels(client: Client, *, space: DesignSpace, cell: CellParameters, c_rate: float) -> None:
    """
    Compile all kernels of an evaluation once, or load them from the cache on disk.

    Parameters
    ----------
    client : distributed.Client
        The workers; two of them share the compilation.
    space : DesignSpace
        Where the trials will come from; the central design is evaluated at the lowest resolution.
    cell : CellParameters
        Chemistry of the trials.
    c_rate : float
        Discharge rate [1/h].

    Notes
    -----
    Before the first trial, so that all workers find the compiled kernels on disk instead of each compiling them. The
    solvers do not need a real structure for that, so theirs are compiled beside those of the structure; the evaluation at
    the end compiles what is left.
    """
    halves = (
        client.submit(_warm_transport, pure=False),
        client.submit(_warm_packing_and_discharge, space, cell, c_rate=c_rate, pure=False),
    )
    for half in halves:
        half.result()
    client.submit(evaluate, space.central(), cell, c_rate=c_rate, seed=8117, **LEAST, pure=False).result()


def _warm_transport() -> None:
    """Solve for transport in a block of random faces."""
    rng = np.random.default_rng(8117)
    along_z, along_y, along_x = (
        rng.integers(0, 120, shape).astype(np.uint8) for shape in ((25, 24, 24), (24, 25, 24), (24, 24, 25))
    )
    block = Mesostructure(
        rng.integers(0, 3, (24, 24, 24)),
        voxel_size=1e-6,
        periodic=True,
        face_fractions={
            Phase.ACTIVE: (along_z, along_y, along_x),
            Phase.BINDER: (along_z, along_y, along_x),
        },
    )
    solve_transport(block, conductivity={Phase.PORE: 1.0, Phase.BINDER: 0.1}, throw=False)


def _warm_packing_and_discharge(space: DesignSpace, cell: CellParameters, *, c_rate: float) -> None:
    """Make the coarsest structure of the central design, and discharge an electrode of given properties."""
    make_structure(space.central(), seed=8117, **LEAST)
    electrode = PorousElectrode.uniform(
        thickness=50e-6, porosity=0.3, active_fraction=0.6, particle_radius=3e-6
    )
    utilization_budget(electrode, cell, c_rate=c_rate)
