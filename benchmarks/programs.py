"""One solve of one program in a process of its own: ``python -m benchmarks.programs PROGRAM IMAGE OPTIONS``.

A fresh process keeps the memory of one program apart from another's. Prints one line of JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from time import perf_counter

import numpy as np

from benchmarks.images import fingerprint
from benchmarks.machine import PeakMemory

ROOT = Path(__file__).resolve().parents[1]


def ours(image, *, tolerance=1e-4, convention="face"):
    from solvers.transport import solve_transport

    result = solve_transport(image, tolerance=tolerance, convention=convention)
    return result.tortuosity_factor, result.iterations


def taufactor(image, *, tolerance=1e-2, threads=2):
    import taufactor
    import torch

    torch.set_num_threads(threads)
    solver = taufactor.Solver(image, device="cpu")
    tau = solver.solve(verbose=False, conv_crit=tolerance)
    return float(np.ravel(tau)[0]), solver.iter


def porespy(image, *, tolerance=None):
    from porespy.simulations import tortuosity_fd

    return float(tortuosity_fd(image, axis=0, tol=tolerance).tortuosity), None


PROGRAMS = {
    "ours": (ours, "meso-electrode"),
    "taufactor": (taufactor, "taufactor"),
    "porespy": (porespy, "porespy"),
}


def measure(program, image, **options):
    """Run a program in a fresh process and return its record."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image.npy"
        np.save(path, image)
        command = [sys.executable, "-m", "benchmarks.programs", program, str(path), json.dumps(options)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{program} {options}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def main(program, path, options):
    solve, package = PROGRAMS[program]
    options = json.loads(options)
    image = np.load(path)
    edge = min(48, *image.shape)
    solve(image[:edge, :edge, :edge].copy(), **options)  # imports, compilation, thread pools
    with PeakMemory() as memory:
        start = perf_counter()
        tau, iterations = solve(image, **options)
        seconds = perf_counter() - start
    record = {
        "program": program, "version": version(package), "image": fingerprint(image), "voxels": image.size, **options,
        "seconds": seconds, "bytes": memory.bytes, "tau": tau, "iterations": iterations,
    }  # fmt: skip
    print(json.dumps(record))


if __name__ == "__main__":
    main(*sys.argv[1:])
