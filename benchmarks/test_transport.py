"""Transport: time, memory, iterations and accuracy, ours and the field's programs on the same images."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import lru_cache

import numpy as np
import pytest

from benchmarks.images import REFERENCE, blobs, fingerprint, tomogram
from benchmarks.lattices import LATTICES, lattice
from benchmarks.programs import ROOT, measure
from solvers.grid import Grid
from solvers.network import build_network, keep_carrying
from solvers.problem import ramp
from solvers.transport import solve_transport

large = pytest.mark.large
SIZES = [64, 100, 128, 200, 256, *(pytest.param(size, marks=large) for size in (400, 512, 768))]
image_of = lru_cache(maxsize=1)(blobs)


def solve(image, convention):
    return solve_transport(image, convention=convention)


@pytest.mark.parametrize("porosity", [0.5, 0.4])
@pytest.mark.parametrize("size", SIZES)
def test_time(benchmark, records, size, porosity):
    time_ours(benchmark, records, size, porosity, "face")


@pytest.mark.parametrize(("size", "porosity"), [(200, 0.5), (200, 0.25)])
def test_time_as_porespy(benchmark, records, size, porosity):
    time_ours(benchmark, records, size, porosity, "porespy")


def time_ours(benchmark, records, size, porosity, convention):
    """Set-up, percolation and solve at the default tolerance."""
    image = image_of(size, porosity)
    rounds = 9 if size <= 128 else 5 if size <= 256 else 1
    result = benchmark.pedantic(solve, (image, convention), rounds=rounds, warmup_rounds=1)
    records.note(
        "ours", f"time {convention} {size} {porosity}", size=size, porosity=porosity, image=fingerprint(image),
        seconds=benchmark.stats.stats.median, iterations=result.iterations, tau=result.tortuosity_factor,
    )  # fmt: skip
    assert result.percolates


@pytest.mark.parametrize("porosity", [0.5, 0.4])
@pytest.mark.parametrize("size", [64, 100, 128, 200, 256])
def test_error(records, size, porosity):
    """True error at the default tolerance, against the other path through the solver: graph, double precision.

    Tolerances of 1e-4 and 1e-6 may well end at the same iteration, so a tighter tolerance alone proves nothing.
    """
    image = image_of(size, porosity)
    result = solve(image, "face")
    tight = solve_transport(image, tolerance=1e-9, precision="double")
    assert tight.iterations > result.iterations
    error = abs(result.tortuosity_factor / tight.tortuosity_factor - 1.0)
    records.note(
        "ours", f"error {size} {porosity}", size=size, error=error, estimate=result.error_estimate,
        tau=tight.tortuosity_factor,
    )  # fmt: skip
    assert error <= 1e-4


@pytest.mark.parametrize("size", SIZES)
def test_memory(records, size):
    record = measure("ours", image_of(size, 0.5))
    records.note(
        "ours", f"memory {size}", size=size, bytes=record["bytes"], per_voxel=record["bytes"] / size**3
    )


@pytest.mark.parametrize(
    ("size", "porosity", "tolerance", "threads"),
    [
        *((size, 0.5, 1e-2, threads) for size in (64, 100, 128, 200) for threads in (1, 2)),
        (200, 0.4, 1e-2, 2),
        (256, 0.5, 1e-3, 2),
    ],
)
def test_taufactor(peer, size, porosity, tolerance, threads):
    image = image_of(size, porosity)
    found = peer(
        f"taufactor {size} {porosity} {tolerance} {threads}",
        lambda: measure("taufactor", image, tolerance=tolerance, threads=threads),
        fingerprint(image),
    )
    assert found["tau"] == pytest.approx(solve(image, "face").tortuosity_factor, rel=tolerance)


@pytest.mark.parametrize(("size", "porosity"), [(64, 0.5), (100, 0.5), (128, 0.5), (200, 0.5), (200, 0.25)])
def test_porespy(peer, size, porosity):
    image = image_of(size, porosity)
    found = peer(f"porespy {size} {porosity}", lambda: measure("porespy", image), fingerprint(image))
    assert found["tau"] == pytest.approx(solve(image, "porespy").tortuosity_factor, rel=5e-3)


@pytest.mark.parametrize(
    ("program", "convention", "options", "agreement"),
    [("taufactor", "face", {"tolerance": 1e-5}, 3e-6), ("porespy", "porespy", {"tolerance": 1e-10}, 1e-6)],
)
def test_agreement(peer, records, program, convention, options, agreement):
    """The same discrete problem, both solved to the end: all digits that the other program has."""
    image = image_of(64, 0.5)
    found = peer(f"{program} converged", lambda: measure(program, image, **options), fingerprint(image))
    ours = solve_transport(image, convention=convention, tolerance=1e-9).tortuosity_factor
    difference = abs(found["tau"] / ours - 1.0)
    records.note("ours", f"agreement {program}", difference=difference, tau=ours)
    assert difference <= agreement


def count_iterations(image, conductivity=None):
    """Iterations until the residual is 1e-6 of the right-hand side, and 1e-6 of the first residual."""
    block = build_network(image, conductivity=conductivity, axis=0, sides=None, voxel_size=None)
    network = keep_carrying(block)[1]
    problem = Grid(network, ramp(network))
    first = problem.potential.copy()
    problem.potential[:] = 0.0
    problem.start()
    load = np.linalg.norm(problem.residual)
    problem.potential[:] = first
    problem.start()
    sizes, before = [np.linalg.norm(problem.residual)], np.inf
    while sizes[-1] > 1e-6 * min(load, sizes[0]) and len(sizes) < 300:
        product = problem.precondition()
        problem.step(product / problem.turn(product / before))
        before = product
        sizes.append(np.linalg.norm(problem.residual))
    sizes = np.array(sizes)
    assert sizes[-1] <= 1e-6 * min(load, sizes[0]), f"not there after {len(sizes) - 1} iterations"
    return [int(np.argmax(sizes <= 1e-6 * goal)) for goal in (load, sizes[0])]


@pytest.mark.parametrize("porosity", [0.5, 0.4])
@pytest.mark.parametrize("growth", ["finer", "larger"])
@pytest.mark.parametrize("size", [64, 100, 128, 200, 256, 400])
def test_iterations(records, size, porosity, growth):
    """Finer: pores as wide as a fortieth of the image. Larger: more of the material of the image of 128³."""
    image = image_of(size, porosity, None if growth == "finer" else 3.2)
    load, first = count_iterations(image)
    records.note("ours", f"iterations {growth} {porosity} {size}", size=size, load=load, first=first)


@pytest.mark.parametrize("active", [1e-1, 1e-3, 1e-5])
def test_contrast(records, active):
    image = tomogram()
    if image is None:
        pytest.skip(f"reference data is not here: {REFERENCE}")
    load, first = count_iterations(image, {1: active, 2: 1.0})
    records.note("ours", f"contrast {active:g}", load=load, first=first)


def test_first_call(records, tmp_path):
    """Compilation in a fresh installation, then the first call of a fresh process that finds it in the cache."""
    np.save(tmp_path / "image.npy", blobs(100, 0.5))
    code = (
        "from time import perf_counter as now; start = now(); import numpy as np; "
        "from solvers import solve_transport; image = np.load('image.npy'); middle = now(); "
        "solve_transport(image); print(middle - start, now() - middle)"
    )
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": str(ROOT)}
    for name in ("ever", "cached"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        imports, call = map(float, done.stdout.split())
        records.note("ours", f"first call {name}", imports=imports, seconds=call)


@pytest.mark.parametrize(("name", "solid"), LATTICES)
def test_lattices(records, name, solid):
    """Against the multipole series where the reference data has it, the extrapolated value of 64 and 128 voxels else."""
    path = REFERENCE / "spheres.json"
    rows = json.loads(path.read_text())["rows"] if path.is_file() else []
    exact = [row["sigma_eff"] for row in rows if (row["lattice"], row["solid_fraction"]) == (name, solid)]
    sigma = {
        voxels: solve_transport(lattice(name, solid, voxels), tolerance=1e-6).effective_conductivity
        for voxels in (16, 32, 64, 128)
    }
    source = "series" if exact else "extrapolated"
    exact = exact[0] if exact else (4.0 * sigma[128] - sigma[64]) / 3.0
    errors = [sigma[voxels] / exact - 1.0 for voxels in (16, 32, 64)]
    order = float(np.log2(abs(errors[0] / errors[2])) / 2.0)
    records.note("ours", f"lattice {name} {solid}", errors=errors, order=order, source=source)
    assert abs(errors[2]) < 0.005
