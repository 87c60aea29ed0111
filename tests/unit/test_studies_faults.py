"""Faults, small: real processes killed, a real PostgreSQL restarted, a disk that is full. Full sizes: benchmarks/faults.py."""

import os
import subprocess
import sys

import pytest

from benchmarks.faults import ROOT, TINY, Coordinator, database, kills
from benchmarks.postgres import PASSWORD, Server, binaries
from studies.database import read_records
from studies.errors import InputError
from studies.patience import place_of, shared_database
from studies.storage import StudyFolder

needs_postgres = pytest.mark.skipif(binaries() is None, reason="PostgreSQL is not installed")


def test_killed_workers_and_coordinators_lose_nothing(tmp_path):
    outcome = kills(tmp_path, trials=12, worker_kills=2, coordinator_kills=2, voxels=4, pause=0.3)
    assert (outcome.trials, outcome.lost, outcome.running, outcome.failed) == (12, 0, 0, 0)
    assert outcome.coordinator_kills == 2
    assert None not in outcome.resumes


@needs_postgres
def test_two_coordinators_outlive_restarts_of_their_database(tmp_path):
    pytest.importorskip("psycopg")
    with Server() as server:
        outcome = database(tmp_path, server, trials=16, restarts=1, outage=2.0, voxels=4)
    assert (outcome.lost, outcome.running, outcome.failed) == (0, 0, 0)
    # Two coordinators that see the last trial missing at the same moment may both start it: four in flight each.
    assert 16 <= outcome.trials <= 16 + 4
    leaks = [
        path for path in tmp_path.rglob("*") if path.is_file() and PASSWORD.encode() in path.read_bytes()
    ]
    assert not leaks


@needs_postgres
def test_the_password_is_in_no_error(tmp_path):
    pytest.importorskip("psycopg")
    (tmp_path / "tiny.toml").write_text(TINY.format(trials=4, voxels=4), "utf-8")
    secret = "Hemlig-7{x}"
    with Server() as server:
        server.stop()
        addresses = [server.address(secret), f"postgresql://meso:{secret}@", f"mysql://meso:{secret}@host/x"]
        for number, address in enumerate(addresses):
            command = [sys.executable, "-m", "studies", "run", "tiny.toml", "--folder", f"f{number}"]
            done = subprocess.run(
                [*command, "--storage", address], cwd=tmp_path, capture_output=True, text=True, check=False,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )  # fmt: skip
            assert done.returncode in {1, 2}
            assert done.stderr.count("\n") == 1, done.stderr
            assert "Hemlig" not in done.stdout + done.stderr
    assert not [p for p in tmp_path.rglob("*") if p.is_file() and b"Hemlig" in p.read_bytes()]


def test_addresses_lose_their_secrets_and_keep_the_rest():
    url = shared_database(
        "postgresql://meso:Hemlig@db.example:5433/studies?sslmode=require&sslpassword=Hemlig"
    )
    assert place_of(url) == "postgresql+psycopg://meso@db.example:5433/studies?sslmode=require"
    with pytest.raises(InputError, match="must be an address"):
        shared_database("Hemlig")


LIMITED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
from studies.cli import main
sys.argv = ["meso", *sys.argv[2:]]
main()
"""


def test_a_full_disk_ends_in_one_line_and_the_study_continues(tmp_path):
    """No file may grow beyond what the empty database takes: as on a full disk, SQLite and all others cannot write."""
    (tmp_path / "tiny.toml").write_text(TINY.format(trials=4, voxels=4), "utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    size = 140_000  # empty tables take 120 kB
    arguments = ["run", "tiny.toml", "--folder", "study", "--workers", "1"]
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(size), *arguments], cwd=tmp_path, env=environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert "free some space" in done.stderr.lower()
    assert not [path for path in (tmp_path / "study").iterdir() if path.name.startswith(".study")]
    before = {(r.arm, r.number) for r in read_records(StudyFolder(tmp_path / "study")) if r.is_complete}
    result = Coordinator(tmp_path, workers=1).finish()
    assert result["trials"] == {"structured": 2, "uniform": 2}
    after = {(r.arm, r.number) for r in read_records(StudyFolder(tmp_path / "study")) if r.is_complete}
    assert before <= after


SUICIDAL = """
import os, signal, sys
from distributed import get_worker
from studies.workers import failure_reason, local_workers

def die(path):
    with open(path, "a") as file:
        file.write("x")
    os.kill(os.getpid(), signal.SIGKILL)

if __name__ == "__main__":
    with local_workers(1) as client:
        future = client.submit(die, sys.argv[1], pure=False)
        print(failure_reason(future.exception(timeout=120)))
"""


def test_a_task_that_kills_its_workers_is_run_again_three_times(tmp_path):
    script = tmp_path / "suicidal.py"
    script.write_text(SUICIDAL)
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path / "runs")], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=tmp_path, timeout=240,
    )  # fmt: skip
    assert (tmp_path / "runs").read_text() == "xxxx"
    assert done.stdout.startswith("its worker process died 4 times")
