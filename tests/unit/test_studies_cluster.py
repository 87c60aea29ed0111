"""Workers elsewhere: job scripts as the batch systems read them, and a Dask scheduler in a process of its own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from studies import StudyConfig, frontier, run_study
from studies.cluster import ClusterTable, job_cluster, scheduler_workers
from studies.errors import ConfigError, InputError
from studies.space import DesignSpace
from studies.storage import StudyFolder, write_json
from studies.tolerance import tolerance

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


@pytest.fixture(scope="module")
def dask():
    """Start a scheduler and its only worker, in processes of their own; return address and process of the worker."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "dask"]
    with subprocess.Popen(
        [*command, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"],
        stderr=subprocess.PIPE, text=True, env=environment,
    ) as scheduler:  # fmt: skip
        address = next(
            found[0] for line in scheduler.stderr if (found := re.findall(r"tcp://127\.0\.0\.1:\d+", line))
        )
        with subprocess.Popen(
            [*command, "worker", address, "--nthreads", "1", "--no-dashboard"],
            stderr=subprocess.DEVNULL, env=environment,
        ) as worker:  # fmt: skip
            try:
                yield address, worker.pid
            finally:
                worker.terminate()
                worker.wait()
                scheduler.terminate()
                scheduler.stderr.read()


@pytest.fixture
def nothing_here(monkeypatch):
    """Let processes on this machine be an error: all work must go where it is sent."""

    def refuse(count):
        raise AssertionError(f"{count} processes were to start on this machine")

    monkeypatch.setattr("studies.workers.local_workers", refuse)


def tiny(**changes):
    """Return a study whose structures take no time."""
    data = StudyConfig.from_toml("quickstart").to_dict()
    data["electrode"] |= {"areal_capacity_mAh_cm2": 1.5, "porosity": {"low": 0.38, "high": 0.42}}
    data["structure"] = {"voxels_per_diameter": 4, "width_diameters": 2.5, "minimum_voxels": 10}
    data["constraints"] = {"minimum_volumetric_capacity_mAh_cm3": 400.0}
    return StudyConfig.from_dict(data | changes)


def test_workers_of_a_running_scheduler_are_used(dask):
    address, worker = dask
    with scheduler_workers(address) as client:
        assert client.submit(os.getppid, pure=False).result() == worker


@pytest.mark.usefixtures("nothing_here")
def test_studies_send_their_trials_to_the_scheduler(dask, tmp_path):
    result = run_study(tiny(trials=2, replicates=1, fresh_seeds=2), folder=tmp_path, scheduler=dask[0])
    assert [record.state for record in result.records] == ["complete"] * 2


@pytest.mark.usefixtures("nothing_here")
def test_frontiers_send_their_trials_to_the_scheduler(dask, tmp_path):
    plan = {"c_rates": [1.0], "trials": 2, "replicates": 1, "fresh_seeds": 2, "final_depth_diameters": 3.0}
    config = tiny()
    config = config.model_copy(update={"frontier": config.frontier.model_copy(update=plan)})
    seen = []
    document = frontier(config, folder=tmp_path, scheduler=dask[0], on_progress=seen.append)
    assert seen[-1].done == 4
    assert document["rates"][0]["c_rate"] == 1.0


@pytest.mark.usefixtures("nothing_here")
def test_tolerances_are_found_by_the_scheduler(dask, tmp_path):
    config, study = tiny(), StudyFolder(tmp_path)
    study.write_config(config)
    study.database.touch()
    active_capacity = config.cell.parameters().active_capacity
    design = DesignSpace.of(config, active_capacity=active_capacity).central()
    designs = {"structured": {"design": design.to_dict()}}
    write_json(study.best / "evaluation.json", {"designs": designs, "control": None})
    document = tolerance(tmp_path, packings=2, scheduler=dask[0])
    utilizations = document["designs"]["structured"]["utilizations"]
    assert all(0.0 < each < 1.0 for made in utilizations.values() for each in made)
    # Thinner diffusion paths: the smaller particles of the same recipe work better.
    assert document["designs"]["structured"]["changes"]["smaller_particles"]["mean"] > 0


@pytest.mark.usefixtures("nothing_here")
def test_jobs_of_a_batch_system_serve_all_commands_alike(tmp_path, monkeypatch):
    """The table [cluster] starts jobs for studies, frontiers and tolerances."""
    config = tiny(cluster={"system": "slurm", "jobs": 2})
    started = []

    def jobs(table):
        started.append(table)
        raise InputError("[cluster] was asked for")

    monkeypatch.setattr("studies.workers.job_workers", jobs)
    study = StudyFolder(tmp_path / "varied")
    study.path.mkdir()
    study.write_config(config)
    study.database.touch()
    write_json(study.best / "evaluation.json", {"designs": {"structured": None}, "control": None})
    with pytest.raises(InputError, match="was asked for"):
        run_study(config, folder=tmp_path / "study")
    with pytest.raises(InputError, match="was asked for"):
        frontier(config, folder=tmp_path / "frontier")
    with pytest.raises(InputError, match="was asked for"):
        tolerance(study.path)
    assert started == [config.cluster] * 3
