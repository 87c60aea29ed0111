"""Studies: a trial, the coordinator, two workers against one, and the script a user would write today.

One core each, unless said otherwise: ``NUMBA_NUM_THREADS=1 OMP_NUM_THREADS=1 python -m pytest benchmarks/test_studies.py``.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from importlib.metadata import version
from statistics import median
from time import perf_counter
from types import SimpleNamespace

import numba
import numpy as np
import pytest

from meso import ElectrodeDesign, SizeClass, generate
from meso.packing import pack_particles
from meso.voxels import voxelize
from solvers import CellParameters, homogenise, solve_transport, utilization_budget
from studies import StudyConfig
from studies.database import open_searches
from studies.evaluation import TOLERANCE, evaluate
from studies.packings import packing_seed
from studies.search import Search
from studies.space import DesignSpace
from studies.storage import STRUCTURED, UNIFORM, StudyFolder
from studies.workers import compile_kernels, local_workers

CELL = CellParameters.named("nmc811-chen2020")


@pytest.fixture(autouse=True)
def _one_thread():
    before = numba.get_num_threads()
    numba.set_num_threads(1)
    yield
    numba.set_num_threads(before)


VOXEL = 0.5e-6


def cube(size):
    """A dense electrode of size³ voxels of half a micrometre, ten across the median particle."""
    return ElectrodeDesign(
        thickness=size * VOXEL,
        porosity=0.3,
        binder_fraction=0.06,
        size_classes=(SizeClass(diameter=5e-6, spread=1.2),),
    )


def packing(size, seed, across=10):
    """What a trial does for one of its packings, so many voxels across the median particle; seconds by step."""
    start = perf_counter()
    structure = generate(cube(size), voxel_size=VOXEL * 10 / across, width=size * VOXEL, seed=seed)
    made = perf_counter()
    electrode = homogenise(structure, CELL, tolerance=TOLERANCE)
    homogenised = perf_counter()
    utilization_budget(electrode, CELL, c_rate=1.0)
    return {
        "generate": made - start,
        "homogenise": homogenised - made,
        "discharge": perf_counter() - homogenised,
    }


def trials(size, count, across=10):
    """Seconds of so many trials of two replicates each, after a warm one."""
    packing(size, 0, across)
    found = []
    for trial in range(count):
        steps = [packing(size, 1 + 2 * trial + replicate, across) for replicate in range(2)]
        found.append({name: sum(step[name] for step in steps) for name in steps[0]})
    return found


@pytest.mark.parametrize("size", [100, 128, 200])
def test_trial_of_a_cube(records, size):
    found = trials(size, 3 if size < 200 else 1)
    steps = {name: median(each[name] for each in found) for name in found[0]}
    records.note("ours", f"trial {size}", size=size, seconds=sum(steps.values()), **steps)


def test_default_trial(records):
    """The central design of the bundled study, through its full thickness, two seeds."""
    config = StudyConfig.from_toml("quickstart")
    cell = config.cell.parameters()
    design = DesignSpace.of(config, active_capacity=cell.active_capacity).central()
    found = []
    for trial in range(4):
        evaluations = [
            evaluate(design, cell, c_rate=config.cell.c_rates, seed=packing_seed(config, 2 * trial + replicate),
                     **config.structure.model_dump())
            for replicate in range(2)
        ]  # fmt: skip
        found.append({name: sum(e.seconds[name] for e in evaluations) for name in evaluations[0].seconds})
    steps = {name: median(each[name] for each in found[1:]) for name in found[0]}
    records.note("ours", "trial default", shape=evaluations[0].shape, seconds=sum(steps.values()), **steps)


class _Immediate:
    """Workers that answer at once, so that the coordinator's own time is left."""

    def __init__(self, numbers):
        self.numbers, self.rng = numbers, np.random.default_rng(8117)

    def submit(self, *_, **__):
        answer = {**self.numbers, "utilization": 0.9 + 0.05 * self.rng.random()}
        return SimpleNamespace(result=lambda: SimpleNamespace(to_dict=lambda: answer))


def test_coordinator_with_two_thousand_trials(records, tmp_path):
    """Time per trial beyond the 2,000th: ask, reject on paper, store, tell, note; TPE, SQLite."""
    config = StudyConfig.from_toml("quickstart")
    cell = config.cell.parameters()
    space = DesignSpace.of(config, active_capacity=cell.active_capacity)
    numbers = evaluate(
        space.central(), cell, c_rate=config.cell.c_rates, seed=1, voxels_per_diameter=4, width_diameters=4, minimum_voxels=8
    ).to_dict()  # fmt: skip
    spaces = {STRUCTURED: space, UNIFORM: space.uniform}
    times = []
    # Random trials first: how they came about does not matter to what the coordinator does with them.
    for trials_now, startup in ((2000, 100_000), (2050, 8)):
        step = StudyConfig.from_dict(config.to_dict() | {"trials": trials_now, "startup_trials": startup})
        with open_searches(StudyFolder(tmp_path), step) as searches:

            def note(progress):
                if progress.latest is not None:
                    times.append(perf_counter())

            search = Search(step, searches=searches, on_progress=note)
            search.run(_Immediate(numbers), spaces=spaces, cell=cell)
    steps = np.diff(times[-50:])
    records.note("ours", "coordinator 2000", seconds=float(np.median(steps)), mean=float(np.mean(steps)))


def test_two_workers_against_one(records):
    """The same evaluations with one worker and with two."""
    config = StudyConfig.from_toml("quickstart")
    cell = config.cell.parameters()
    space = DesignSpace.of(config, active_capacity=cell.active_capacity)
    seconds = {}
    for count in (1, 2):
        with local_workers(count) as client:
            compile_kernels(client, space=space, cell=cell, c_rate=config.cell.c_rate)
            for last in (2, 64):  # the first ones load kernels
                start = perf_counter()
                futures = [
                    client.submit(evaluate, space.central(), cell, c_rate=config.cell.c_rates, seed=seed,
                                  **config.structure.model_dump(), pure=False)
                    for seed in range(last)
                ]  # fmt: skip
                for future in futures:
                    future.result()
            seconds[count] = perf_counter() - start
    efficiency = seconds[1] / seconds[2] / 2.0
    records.note("ours", "workers", one=seconds[1], two=seconds[2], efficiency=efficiency)


def naive(size):
    """One packing of equal spheres, its tortuosity factor, a half-cell discharge; no budget, no error bar."""
    import porespy
    import pybamm
    import taufactor
    import torch

    torch.set_num_threads(1)
    solid = np.asarray(
        porespy.generators.pseudo_gravity_packing(shape=(size,) * 3, r=5, maxiter=20_000, seed=3), dtype=bool
    )
    pores = ~solid
    solver = taufactor.Solver(pores, device="cpu")
    tau = float(np.ravel(solver.solve(verbose=False))[0])
    values = pybamm.ParameterValues("Chen2020")
    porosity = float(pores.mean())
    values.update(
        {
            "Positive electrode thickness [m]": size * 0.5e-6,
            "Positive electrode porosity": porosity,
            "Positive electrode active material volume fraction": 1.0 - porosity,
            "Positive electrode Bruggeman coefficient (electrolyte)": 1.0 - np.log(tau) / np.log(porosity),
            "Positive particle radius [m]": 2.5e-6,
        }
    )
    values.update({"Negative electrode thickness [m]": 1e-6}, check_already_exists=False)
    model = pybamm.lithium_ion.DFN({"working electrode": "positive"})
    with suppress(KeyError):
        values.update(
            {"Exchange-current density for lithium metal electrode [A.m-2]": 10.0}, check_already_exists=False
        )
    simulation = pybamm.Simulation(model, parameter_values=values, C_rate=1.0)
    return simulation.solve([0, 4000]), tau


def conductivity_errors(across):
    """Error of our conductivity of the pores at so many voxels across a particle, and of the binary voxels of the script."""
    design = replace(cube(60), binder_fraction=0.0, porosity=0.36)
    packed = pack_particles(design, width=60 * VOXEL, rng=np.random.default_rng(3))

    def conductivity(voxels, *, cut):
        structure = voxelize(packed, voxel_size=10 * VOXEL / voxels)
        return solve_transport(
            structure if cut else structure.labels, sides="periodic"
        ).effective_conductivity

    exact = conductivity(30, cut=True)
    return abs(conductivity(across, cut=True) / exact - 1), abs(conductivity(10, cut=False) / exact - 1)


@pytest.mark.parametrize(
    ("size", "across", "least"), [(100, 10, 10.0), (200, 10, 20.0), (100, 4, 10.0), (200, 4, 20.0)]
)
def test_against_the_naive_script(peer, records, size, across, least):
    """A trial of two packings against the script's one: on as many voxels, and on as few as still beat its error."""

    def measure():
        pytest.importorskip("pybamm")
        naive(50)
        start = perf_counter()
        _, tau = naive(size)
        seconds = perf_counter() - start
        return {
            "program": "script",
            "version": version("porespy"),
            "image": None,
            "seconds": seconds,
            "tau": tau,
        }

    found = peer(f"script {size}", measure)
    steps = trials(size, 3 if across * size <= 1000 else 1, across)
    seconds = sum(median(each[name] for each in steps) for name in steps[0])
    ours, script = conductivity_errors(across)
    assert ours < script
    records.note(
        "ours", f"against script {size} across {across}", seconds=seconds, ratio=found["seconds"] / seconds,
        wanted=least, error=ours, error_of_binary_voxels=script,
    )  # fmt: skip
