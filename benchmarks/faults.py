"""What a study survives: real processes, real kills, a real PostgreSQL that restarts and goes away.

``python -m benchmarks.faults kills`` and ``python -m benchmarks.faults database`` run the full sizes (minutes) and print what
they found; the tests run small ones.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep

from benchmarks.postgres import Server
from studies.storage import StudyFolder

ROOT = Path(__file__).resolve().parents[1]
TINY = """
name = "faults"
seed = 977
trials = {trials}
startup_trials = 1000
trials_in_flight = 4
replicates = 2
fresh_seeds = 2
[cell]
chemistry = "nmc811-chen2020"
c_rate = 2.0
[electrode]
areal_capacity_mAh_cm2 = 1.5
porosity = {{low = 0.35, high = 0.45}}
porosity_gradient = {{low = -0.1, high = 0.1}}
particle_diameter_um = {{low = 7.0, high = 10.0}}
particle_spread = 1.1
binder_fraction = 0.06
[constraints]
minimum_volumetric_capacity_mAh_cm3 = 500.0
[structure]
voxels_per_diameter = {voxels}
width_diameters = 2.5
minimum_voxels = 10
"""


class Coordinator:
    """``meso run`` in a process of its own; its events as they come."""

    def __init__(self, home, folder="study", *, workers=2, address=None):
        command = [sys.executable, "-m", "studies", "run", "tiny.toml", "--folder", folder, "--json"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        if address is not None:
            environment["MESO_STORAGE_URL"] = address
        self.started = monotonic()
        self.process = subprocess.Popen(
            [*command, "--workers", str(workers)], cwd=home, env=environment, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.events: queue.Queue[dict | None] = queue.Queue()
        self.lines: list[str] = []
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self):
        for line in self.process.stderr:
            self.lines.append(line)
            with suppress(json.JSONDecodeError):
                self.events.put(json.loads(line))
        self.events.put(None)

    def wait_for_trials(self, count, timeout=300.0):
        """Wait until it has finished so many trials; returns False where it ended before."""
        while count:
            event = self.events.get(timeout=timeout)
            if event is None:
                return False
            count -= "trial" in event
        return True

    def first_trial(self):
        """Time from its start to its first finished trial [s]."""
        alive = self.wait_for_trials(1)
        return monotonic() - self.started if alive else None

    @property
    def is_alive(self):
        return self.process.poll() is None

    def workers(self):
        """Processes of its workers: what its nannies spawned, found by their parents."""
        children = _children()
        return [p for p in _descendants(self.process.pid, children) if not children.get(p) and _is_worker(p)]

    def kill_worker(self):
        found = self.workers()
        if found:
            with suppress(ProcessLookupError):
                os.kill(found[0], signal.SIGKILL)
        return bool(found)

    def kill(self):
        """SIGKILL, as the kernel does when memory runs out; its workers find out by themselves."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self._close()

    def finish(self, timeout=900):
        out = self.process.stdout.read()
        code = self.process.wait(timeout)
        self._close()
        if code:
            raise AssertionError(f"ended with {code}: {''.join(self.lines)[-3000:]}")
        return json.loads(out)

    def _close(self):
        self.process.stdout.close()
        self._listener.join(30)
        self.process.stderr.close()


def _children():
    tree: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, IndexError, ValueError):
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
                tree.setdefault(parent, []).append(int(entry.name))
    return tree


def _descendants(root, children):
    found = []
    for child in children.get(root, []):
        found += [child, *_descendants(child, children)]
    return found


def _is_worker(process):
    with suppress(OSError):
        return b"spawn_main" in Path(f"/proc/{process}/cmdline").read_bytes()
    return False


@dataclass
class Outcome:
    """What was lost, what was left, how long it took."""

    trials: int = 0
    lost: int = 0
    running: int = 0
    failed: int = 0
    worker_kills: int = 0
    coordinator_kills: int = 0
    outages: int = 0
    resumes: list[float] = field(default_factory=list)


def _finished(file):
    """Finished trials with their values, straight from SQLite."""
    query = (
        "select t.study_id, t.number, t.state, v.value from trials t left join trial_values v using (trial_id) "
        "where t.state = 'COMPLETE'"
    )
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=30) as database:
        return set(database.execute(query))


def kills(home, *, trials=200, worker_kills=30, coordinator_kills=10, voxels=28, pause=2.0):
    """Kill workers every few seconds and the coordinator now and then; count what that costs."""
    (home / "tiny.toml").write_text(TINY.format(trials=trials, voxels=voxels), "utf-8")
    outcome, known = Outcome(), set()
    for _ in range(coordinator_kills):
        coordinator = Coordinator(home)
        seconds = coordinator.first_trial()
        outcome.resumes.append(seconds)
        for _ in range(worker_kills // coordinator_kills):
            sleep(pause)
            outcome.worker_kills += coordinator.kill_worker()
        if not coordinator.is_alive:
            raise AssertionError(f"ended too early: {''.join(coordinator.lines)[-3000:]}")
        coordinator.kill()
        outcome.coordinator_kills += 1
        found = _finished(home / "study" / "study.db")
        outcome.lost += len(known - found)
        known = found
    Coordinator(home).finish()
    outcome.lost += len(known - _finished(home / "study" / "study.db"))
    return _count(outcome, home / "study")


def database(home, server, *, trials=60, restarts=5, outage=20.0, voxels=8, coordinators=2):
    """Restart the database of several coordinators, then switch it off for a while."""
    (home / "tiny.toml").write_text(TINY.format(trials=trials, voxels=voxels), "utf-8")
    team = [Coordinator(home, f"study{i}", workers=1, address=server.address()) for i in range(coordinators)]
    outcome = Outcome()
    for coordinator in team:
        outcome.resumes.append(coordinator.first_trial())
    for downtime in [*[0.0] * restarts, outage]:
        for coordinator in team:
            coordinator.wait_for_trials(1)
        server.stop("immediate" if outcome.outages % 2 else "fast")
        sleep(downtime)
        server.start()
        outcome.outages += 1
        if not all(coordinator.is_alive for coordinator in team):
            lines = "".join(line for coordinator in team for line in coordinator.lines[-5:])
            raise AssertionError(f"a coordinator died of outage {outcome.outages}: {lines}")
    told = {
        (event["trial"]["arm"], event["trial"]["number"])
        for coordinator in team
        if coordinator.finish()
        for event in map(json.loads, coordinator.lines)
        if "trial" in event
    }
    os.environ["MESO_STORAGE_URL"] = server.address()
    try:
        _count(outcome, home / "study0")
        stored = {(r.arm, r.number) for r in StudyFolder(home / "study0").read_records() if r.counts}
    finally:
        del os.environ["MESO_STORAGE_URL"]
    outcome.lost = len(told - stored)
    return outcome


def _count(outcome, folder):
    records = StudyFolder(folder).read_records()
    outcome.trials = sum(record.counts for record in records)
    outcome.failed = sum(record.state == "failed" for record in records)
    outcome.running = sum(record.state in {"running", "waiting"} for record in records)
    return outcome


def main(what):
    with tempfile.TemporaryDirectory() as name:
        if what == "kills":
            print(kills(Path(name)))
        else:
            with Server() as server:
                print(database(Path(name), server))


if __name__ == "__main__":
    main(*sys.argv[1:])
