"""Worker processes: one per core, one thread each, kernels compiled before they start."""

from __future__ import annotations

import logging
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

from studies.signals import ignored

if TYPE_CHECKING:
    from collections.abc import Iterator

    from distributed import Client

    from solvers import CellParameters
    from studies.space import DesignSpace

# A worker is one process on one core: threads inside it would only compete with the other workers.
SINGLE_THREADED = {
    "NUMBA_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}


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


def warm_kernels(space: DesignSpace, cell: CellParameters, *, c_rate: float) -> None:
    """
    Compile all kernels of an evaluation, or load them from the cache on disk.

    Parameters
    ----------
    space : DesignSpace
        Where the trials will come from; the central design is evaluated at the lowest resolution.
    cell : CellParameters
        Chemistry of the trials.
    c_rate : float
        Discharge rate [1/h].

    Notes
    -----
    Called once before the workers start, so that they find the compiled kernels on disk instead of each compiling them.
    """
    from studies.evaluation import evaluate

    evaluate(
        space.central(),
        cell,
        c_rate=c_rate,
        seed=8117,
        voxels_per_diameter=4,
        width_diameters=4,
        minimum_voxels=8,
    )


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
    }
    with (
        tempfile.TemporaryDirectory(prefix="meso-workers-", ignore_cleanup_errors=True) as scratch,
        config.set(settings),
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
        with cluster, Client(cluster) as client:
            yield client
