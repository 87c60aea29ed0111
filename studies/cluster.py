"""Workers on a cluster: as jobs of a batch system, or behind a Dask scheduler that somebody started."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from studies.errors import InputError
from studies.evaluation import versions
from studies.ranges import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from distributed import Client

SINGLE_THREADED = {
    "NUMBA_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}
"""A worker is one process on one core: threads inside it would only compete with the other workers."""

_CLASSES = {"slurm": "SLURMCluster", "pbs": "PBSCluster", "lsf": "LSFCluster"}


class ClusterTable(Table):
    """
    How workers are started as jobs of a batch system; leave the table out to use the cores of this machine.

    Parameters
    ----------
    system : {'slurm', 'pbs', 'lsf'}
        The batch system.
    jobs : int
        Number of jobs.
    workers_per_job : int, default 1
        Worker processes of a job, each on one core.
    memory_per_job : str, default '4GB'
        Memory that a job asks for.
    walltime : str, default '24:00:00'
        Longest running time of a job, as the batch system wants it written. A study outlives its jobs: trials of a job
        that ends are run by the others.
    queue, account : str, optional
        Queue (partition) and account (LSF: project).
    interface : str, optional
        Network interface over which workers and coordinator talk, such as ``ib0``.
    directives : list of str, default []
        More options of the job script, such as ``--constraint=cpu``.
    prologue : list of str, default []
        Lines of shell before the workers start, such as ``module load python``.
    """

    system: Literal["slurm", "pbs", "lsf"]
    jobs: int = Field(ge=1, le=100_000)
    workers_per_job: int = Field(default=1, ge=1, le=1024)
    memory_per_job: str = Field(default="4GB", min_length=1)
    walltime: str = Field(default="24:00:00", min_length=1)
    queue: str | None = None
    account: str | None = None
    interface: str | None = None
    directives: list[str] = Field(default_factory=list)
    prologue: list[str] = Field(default_factory=list)


def job_cluster(table: ClusterTable) -> Any:
    """
    Describe the jobs of a cluster; none is started yet.

    Parameters
    ----------
    table : ClusterTable
        The jobs.

    Returns
    -------
    dask_jobqueue.JobQueueCluster
        The cluster; ``job_script()`` shows what would be submitted.

    Raises
    ------
    InputError
        If dask-jobqueue is not installed.
    """
    try:
        import dask_jobqueue
    except ImportError:
        raise InputError(
            "[cluster] needs dask-jobqueue, which is not installed; run: pip install 'meso-electrode[cluster]'"
        ) from None
    exports = [f"export {name}={value}" for name, value in SINGLE_THREADED.items()]
    options: dict[str, Any] = {"project" if table.system == "lsf" else "account": table.account}
    return getattr(dask_jobqueue, _CLASSES[table.system])(
        cores=table.workers_per_job,
        processes=table.workers_per_job,
        memory=table.memory_per_job,
        walltime=table.walltime,
        queue=table.queue,
        interface=table.interface,
        job_extra_directives=list(table.directives),
        job_script_prologue=[*exports, *table.prologue],
        scheduler_options={"dashboard_address": ":0"},
        **{name: value for name, value in options.items() if value is not None},
    )


@contextmanager
def job_workers(table: ClusterTable) -> Iterator[Client]:
    """
    Start workers as jobs, and cancel the jobs at the end.

    Parameters
    ----------
    table : ClusterTable
        The jobs.

    Yields
    ------
    distributed.Client
        What tasks are submitted to, as soon as the first worker is there.
    """
    from distributed import Client

    with job_cluster(table) as cluster:
        cluster.scale(jobs=table.jobs)
        with Client(cluster) as client:
            client.wait_for_workers(1)
            yield client


@contextmanager
def scheduler_workers(address: str) -> Iterator[Client]:
    """
    Use the workers of a running Dask scheduler.

    Parameters
    ----------
    address : str
        Such as ``tcp://host:8786``; started with ``dask scheduler``, its workers with ``dask worker ADDRESS
        --nthreads 1 --nworkers N``.

    Yields
    ------
    distributed.Client
        What tasks are submitted to, as soon as the first worker is there.

    Raises
    ------
    InputError
        If no scheduler answers, or a worker has other versions of what decides the numbers.
    """
    from distributed import Client

    try:
        client = Client(address, timeout="10s")
    except (OSError, ValueError) as error:
        raise InputError(
            f"--scheduler {address}: no Dask scheduler answers ({' '.join(str(error).split())}); start one with "
            "dask scheduler and give its address, such as tcp://host:8786"
        ) from None
    with client:
        client.wait_for_workers(1)
        for worker, found in client.run(versions).items():
            other = [
                f"{name} {found.get(name)}"
                for name, wanted in versions().items()
                if found.get(name) != wanted
            ]
            if other:
                raise InputError(
                    f"--scheduler {address}: the worker {worker} has {', '.join(other)}, not what this process has; "
                    "start the workers in the same environment"
                )
        yield client
