"""The machine: its memory bandwidth, and what a process takes of its memory."""

from __future__ import annotations

import ctypes
import datetime as dt
import gc
import os
import platform
import subprocess
from functools import cache
from pathlib import Path
from time import perf_counter

import numpy as np
from numba import get_num_threads, njit

from meso.threads import share

TRIAD_LENGTH = 100_000_000
"""Three such arrays of doubles are 2.4 GB: several times the largest caches."""


@njit(nogil=True, fastmath=True)
def _triad(first, last, a, b, c, s):
    for i in range(first, last):
        a[i] = b[i] + s * c[i]


@cache
def triad_bandwidth(length: int = TRIAD_LENGTH, repeats: int = 8) -> float:
    """Bandwidth of a = b + s·c in bytes per second (24 bytes an element), the best of some repeats (McCalpin's STREAM)."""
    a, b, c = (np.full(length, value) for value in (0.0, 1.0, 2.0))
    share(_triad, length, a, b, c, 3.0)
    best = np.inf
    for _ in range(repeats):
        start = perf_counter()
        share(_triad, length, a, b, c, 3.0)
        best = min(best, perf_counter() - start)
    assert a[0] == a[-1] == 7.0
    return 24.0 * length / best


def describe() -> dict[str, object]:
    """What to write beside a measurement: when and where it was made, and the last commit of the code measured."""
    date = dt.datetime.now(dt.UTC).date().isoformat()
    return {"date": date, "machine": _processor(), "threads": get_num_threads(), "commit": _commit()}


@cache
def _commit() -> str:
    command = ["git", "log", "-1", "--format=%h", "--", "solvers", "meso"]
    root = Path(__file__).resolve().parents[1]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False).stdout.strip()


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").is_file() else []
    numbers = dict(line.split(":", 1) for line in lines if ":" in line)
    numbers = {key.strip(): value.strip() for key, value in numbers.items()}
    name = numbers.get("model name", platform.processor())
    family = f", family {numbers['cpu family']} model {numbers['model']}" if "model" in numbers else ""
    return f"{name}{family}, {os.cpu_count()} cores"


class PeakMemory:
    """Bytes of resident memory that the process takes at most inside the block, beyond what it held before; Linux."""

    def __enter__(self):
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)  # pages that the allocator kept would hide what the block takes
        Path("/proc/self/clear_refs").write_text("5")  # resets the peak to what is held now
        self._before = _status("VmRSS")
        return self

    def __exit__(self, *error):
        self.bytes = _status("VmHWM") - self._before


def _status(key: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key):
            return 1024 * int(line.split()[1])
    raise KeyError(key)
