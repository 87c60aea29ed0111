"""Workers elsewhere: job scripts as the batch systems read them, and a Dask scheduler in a process of its own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from studies import StudyConfig
from studies.cluster import ClusterTable, job_cluster, scheduler_workers
from studies.errors import ConfigError, InputError

ROOT = Path(__file__).resolve().parents[2]
JOBS = {
    "slurm": [
        "#SBATCH -p long",
        "#SBATCH -A p1",
        "#SBATCH --cpus-per-task=4",
        "#SBATCH --mem=8G",
        "#SBATCH -t 02:00",
    ],
    "pbs": ["#PBS -q long", "#PBS -A p1", "#PBS -l select=1:ncpus=4:mem=7630MB", "#PBS -l walltime=02:00"],
    "lsf": ["#BSUB -q long", '#BSUB -P "p1"', "#BSUB -n 4", "#BSUB -M 8000000", "#BSUB -W 02:00"],
}


@pytest.mark.parametrize("system", JOBS)
@pytest.mark.filterwarnings("ignore")
def test_job_scripts_say_what_the_table_says(system):
    pytest.importorskip("dask_jobqueue")
    table = ClusterTable(
        system=system, jobs=3, workers_per_job=4, memory_per_job="8GB", walltime="02:00", queue="long", account="p1",
        directives=["--exclusive"], prologue=["module load python"],
    )  # fmt: skip
    with job_cluster(table) as cluster:
        lines = cluster.job_script().splitlines()
    assert set(JOBS[system]) <= set(lines)
    assert any(line.endswith(" --exclusive") for line in lines)
    assert lines.index("export NUMBA_NUM_THREADS=1") < lines.index("module load python")
    assert "--nthreads 1" in lines[-1] + lines[-2]
    assert "--nworkers 4" in lines[-1] + lines[-2]


def test_the_table_is_read_from_toml_and_may_change_later():
    plain = StudyConfig.from_toml("quickstart").to_dict()
    study = StudyConfig.from_dict(
        plain | {"cluster": {"system": "slurm", "jobs": 2, "directives": ["--exclusive"]}}
    )
    assert "[cluster]" in study.to_toml()
    assert study.cluster.directives == ["--exclusive"]
    with pytest.raises(ConfigError, match=r"unknown key cluster.job = 2; did you mean jobs\?"):
        StudyConfig.from_dict(plain | {"cluster": {"system": "slurm", "job": 2}})


def test_no_scheduler_is_one_line():
    with pytest.raises(InputError, match="no Dask scheduler answers"), scheduler_workers("tcp://127.0.0.1:1"):
        pass


def test_workers_of_a_running_scheduler_are_used():
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    dask = [sys.executable, "-m", "dask"]
    with subprocess.Popen(
        [*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"],
        stderr=subprocess.PIPE, text=True, env=environment,
    ) as scheduler:  # fmt: skip
        address = next(
            found[0] for line in scheduler.stderr if (found := re.findall(r"tcp://127\.0\.0\.1:\d+", line))
        )
        with subprocess.Popen(
            [*dask, "worker", address, "--nthreads", "1", "--no-dashboard"],
            stderr=subprocess.DEVNULL, env=environment,
        ) as worker:  # fmt: skip
            try:
                with scheduler_workers(address) as client:
                    assert client.submit(os.getppid, pure=False).result() == worker.pid
            finally:
                worker.terminate()
                worker.wait()
                scheduler.terminate()
                scheduler.stderr.read()
