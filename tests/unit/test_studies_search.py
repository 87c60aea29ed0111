"""The search itself: samplers, several objectives, pruning, budgets and interruptions, with a cheap function for the physics.

Everything but the worker's `evaluate` is the real thing: database, proposals, constraints, order of telling.
"""

import math
from contextlib import suppress
from types import SimpleNamespace

import numpy as np
import pytest
from sqlalchemy import Engine, event

from solvers import CellParameters, simulate_discharge
from studies import DesignSpace, StudyConfig
from studies.database import open_searches
from studies.errors import ConfigError
from studies.evaluation import delivered
from studies.ladder import rung_document
from studies.objectives import ObjectiveTable, best_of, pareto_of
from studies.packings import packing_seed
from studies.rungs import electrode_of
from studies.search import Search
from studies.storage import ARMS, STRUCTURED, UNIFORM, StudyFolder
from studies.trials import TrialRecord

CELL = CellParameters.named("nmc811-chen2020")
BEST = {"porosity": 0.33, "diameter": 5e-6, "gradient": 0.04}
BASE = {
    "name": "cheap",
    "seed": 8117,
    "trials": 60,
    "startup_trials": 6,
    "replicates": 2,
    "cell": {"chemistry": "nmc811-chen2020", "c_rate": 2.0},
    "electrode": {
        "areal_capacity_mAh_cm2": 3.0,
        "porosity": {"low": 0.2, "high": 0.5},
        "porosity_gradient": {"low": -0.1, "high": 0.1},
        "particle_diameter_um": {"low": 2.0, "high": 12.0, "log": True},
        "binder_fraction": 0.06,
    },
    "constraints": {"minimum_volumetric_capacity_mAh_cm3": 400.0, "maximum_specific_surface_m2_cm3": 1.0},
    # The hill knows nothing of the closed forms.
    "fidelity": {"ceiling": False, "empirical": False},
}


def make(**changes):
    """Return the cheap study with changes."""
    return StudyConfig.from_dict(BASE | changes)


class InlineClient:
    """A client that computes when it is asked."""

    def __init__(self):
        self.submitted = []

    def submit(self, function, *args, key, priority, pure, **kwargs):  # noqa: ARG002  as Dask
        self.submitted.append(key)
        return SimpleNamespace(result=lambda: function(*args, **kwargs))


@pytest.fixture
def cheap(monkeypatch):
    """Replace the physics by a smooth hill with a known top, and packings by noise of a known size."""
    settings = SimpleNamespace(noise=0.0)

    def numbers_of(design, cell):
        return {
            "volumetric_capacity": cell.active_capacity * design.mean_fraction("active"),
            "theoretical_areal_capacity": 30.0,
            "specific_surface_area": 6 * design.mean_fraction("active") / design.median_diameter,
            "electronic_conductivity": 10.0,
            "status": "CUTOFF_REACHED",
            "limiting": "electrolyte",
            "seconds": {"generate": 0.0},
        }

    def evaluate(design, cell, *, seed, **_):
        porosity = design.porosity_profile
        gradient = float(porosity(0.0) - porosity(1.0))
        off = [
            (porosity.mean() - BEST["porosity"]) / 0.1,
            math.log(design.median_diameter / BEST["diameter"]),
            (gradient - BEST["gradient"]) / 0.1,
        ]
        noise = settings.noise * np.random.default_rng(seed).normal()
        utilization = 0.95 - 0.1 * sum(x * x for x in off) + noise
        numbers = numbers_of(design, cell) | {"utilization": utilization}
        return SimpleNamespace(to_dict=lambda: numbers)

    settings.numbers = numbers_of
    monkeypatch.setattr("studies.packings.evaluate", evaluate)

    def without_waiting_for_the_disk(connection, _):
        connection.execute("pragma synchronous = off")

    event.listen(Engine, "connect", without_waiting_for_the_disk)
    yield settings
    event.remove(Engine, "connect", without_waiting_for_the_disk)


def search(config, path, *, stop_after=None):
    """Run a search in a folder, perhaps interrupted after some trials; return its records and the keys it submitted."""
    folder = StudyFolder(path)
    path.mkdir(exist_ok=True)
    client = InlineClient()
    space = DesignSpace.of(config, active_capacity=CELL.active_capacity)

    def watch(progress):
        if stop_after is not None and progress.done >= stop_after:
            raise KeyboardInterrupt

    with open_searches(folder, config, objectives=len(config.objectives.maximize)) as searches:
        searches.requeue_running()
        with suppress(KeyboardInterrupt):
            run = Search(config, searches=searches, on_progress=watch)
            run.run(client, spaces={STRUCTURED: space, UNIFORM: space.uniform}, cell=CELL)
        records = searches.records()
    return records, client.submitted


def shape(records):
    """Return what must not depend on interruptions."""
    return [(r.arm, r.number, r.state, r.parameters, r.constraints, r.evaluations) for r in records]


SAMPLERS = ["tpe", "nsga2", "sobol"]
WITH_PACKAGES = [("cmaes", "cmaes"), ("gp", "torch")]


@pytest.mark.usefixtures("cheap")
@pytest.mark.parametrize("sampler", [*SAMPLERS, *(name for name, _ in WITH_PACKAGES)])
def test_every_sampler_finds_the_top_and_survives_a_restart(sampler, tmp_path):
    for name, package in WITH_PACKAGES:
        if name == sampler:
            pytest.importorskip(package)
    config = make(search={"sampler": sampler, "population": 6}, trials=24 if sampler == "gp" else 42)
    whole, _ = search(config, tmp_path / "whole")
    counted = [record for record in whole if record.counts]
    assert len(counted) == config.trials
    best = best_of((r for r in whole if r.arm == STRUCTURED), config.objectives)
    # The hill's top is 0.95; an even sprinkle of 30 points in three dimensions comes within 0.05.
    assert best.utilization > (0.90 if sampler == "sobol" else 0.93)
    cut = tmp_path / "cut"
    search(config, cut, stop_after=config.trials // 3)
    search(config, cut, stop_after=2 * config.trials // 3)
    continued, _ = search(config, cut)
    assert shape(continued) == shape(whole)


@pytest.mark.usefixtures("cheap")
def test_learning_samplers_learn(tmp_path):
    """The later half of a search that learns is better than its random start."""
    for sampler in ("tpe", "nsga2"):
        config = make(search={"sampler": sampler, "population": 6}, trials=60)
        records, _ = search(config, tmp_path / sampler)
        values = [r.utilization for r in records if r.arm == STRUCTURED and r.counts]
        assert np.median(values[-12:]) > np.median(values[:6]) + 0.01


@pytest.mark.usefixtures("cheap")
@pytest.mark.parametrize("sampler", ["tpe", "nsga2", "nsga3"])
def test_several_objectives_give_a_front_and_a_winner_by_rule(sampler, tmp_path):
    config = make(
        objectives={"maximize": ["utilization", "volumetric_capacity"]},
        constraints={},
        search={"sampler": sampler, "population": 6},
        trials=36,
    )
    assert config.objectives.winner == "knee"
    records, _ = search(config, tmp_path / "whole")
    for arm in ARMS:
        front = pareto_of((r for r in records if r.arm == arm), config.objectives)
        ordered = sorted(front, key=lambda r: r.mean("volumetric_capacity"))
        assert len(front) > 2
        # Along a front, what one objective gains the other loses.
        utilizations = [record.utilization for record in ordered]
        assert utilizations == sorted(utilizations, reverse=True)
    search(config, tmp_path / "cut", stop_after=20)
    continued, _ = search(config, tmp_path / "cut")
    assert shape(continued) == shape(records)


@pytest.mark.usefixtures("cheap")
def test_constraints_hold_in_the_winner(tmp_path):
    records, _ = search(make(), tmp_path)
    best = best_of(records, make().objectives)
    # 6 a / d ≤ 1 m² cm⁻³ excludes diameters below 3 µm or so.
    assert best.mean("specific_surface_area") <= 1e6
    broken = [r for r in records if r.counts and not r.is_feasible]
    assert broken
    assert all(any(value > 0 for value in record.constraints.values()) for record in broken)


def test_worse_designs_are_stopped_early(cheap, tmp_path):
    cheap.noise = 0.01
    config = make(replicates=12, trials=28)
    records, submitted = search(config, tmp_path / "pruned")
    pruned = [record for record in records if record.state == "pruned"]
    assert len(pruned) >= 6
    assert sum(record.counts for record in records) == 28
    packings = sum(len(record.evaluations) for record in records)
    assert packings == len(submitted) < 0.8 * 12 * 28
    for arm in ARMS:
        best = best_of((r for r in records if r.arm == arm), config.objectives)
        assert (best.state, len(best.evaluations)) == ("complete", 12)
        for record in pruned:
            assert not record.is_feasible
            # Common random numbers: what was stopped is worse by more than its noise.
            if record.arm == arm and all(value <= 0 for value in record.constraints.values()):
                assert record.utilization < best.utilization
    search(config, tmp_path / "cut", stop_after=17)
    continued, _ = search(config, tmp_path / "cut")
    assert shape(continued) == shape(records)


def test_few_replicates_are_never_cut(cheap, tmp_path):
    cheap.noise = 0.01
    records, submitted = search(make(replicates=4, trials=12), tmp_path)
    assert {record.state for record in records} <= {"complete", "rejected"}
    assert len(submitted) == 48


@pytest.mark.usefixtures("cheap")
def test_hours_end_a_search_with_equal_shares(tmp_path, monkeypatch):
    clock = iter(np.arange(0.0, 1e6, 1.0))
    monkeypatch.setattr("studies.search.monotonic", lambda: next(clock))
    data = {key: value for key, value in BASE.items() if key != "trials"}
    config = StudyConfig.from_dict(data | {"hours": 0.05})
    records, _ = search(config, tmp_path)
    counted = {arm: sum(r.arm == arm and r.counts for r in records) for arm in ARMS}
    assert counted[STRUCTURED] == counted[UNIFORM] > 2
    again, submitted = search(config, tmp_path)
    # The time is spent; continuing starts nothing.
    assert (len(again), submitted) == (len(records), [])


def test_a_sampler_without_its_package_is_refused_with_the_remedy(tmp_path, monkeypatch):
    monkeypatch.setattr("studies.samplers.find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"needs the package torch.*pip install 'meso-electrode\[gp\]'"):
        search(make(search={"sampler": "gp"}), tmp_path)


def test_the_ladder_rejects_nothing_that_would_have_won(cheap, tmp_path, monkeypatch):
    """Voxels stand in as an electrode with other transport than the rung's: biased and noisy, but ranked alike."""

    def numbers_of(design, seed):
        electrode = electrode_of(design, CELL, efficiency=lambda pores: 0.8 * pores**1.7)
        run = simulate_discharge(electrode, CELL, c_rate=2.0, separator_cells=5, shells=12, tolerance=1e-3)
        noise = 0.002 * np.random.default_rng(seed).normal()
        return cheap.numbers(design, CELL) | {"utilization": run.utilization + noise}

    monkeypatch.setattr(
        "studies.packings.evaluate",
        lambda design, _, *, seed, **__: SimpleNamespace(to_dict=lambda: numbers_of(design, seed)),
    )
    electrode = BASE["electrode"] | {"areal_capacity_mAh_cm2": 5.0}
    config = make(trials=56, replicates=1, electrode=electrode, fidelity={"calibration_trials": 16})
    records, submitted = search(config, tmp_path / "whole")
    assert len(submitted) == 56
    space = DesignSpace.of(config, active_capacity=CELL.active_capacity)
    spaces = {STRUCTURED: space, UNIFORM: space.uniform}
    reasons = dict.fromkeys(("can reach", "estimated"), 0)
    for arm, within in spaces.items():
        best = best_of((r for r in records if r.arm == arm), config.objectives)
        for each in records:
            if each.arm == arm and each.state == "rejected" and each.is_possible:
                reasons[next(reason for reason in reasons if each.failure.startswith(reason))] += 1
                truth = numbers_of(within.design(each.parameters), packing_seed(config, 0))
                assert truth["utilization"] < best.utilization
    assert reasons["estimated"] >= 5
    document = rung_document(records, config)
    assert document["rejected"] == sum(reasons.values())
    assert document["empirical"]["rank_correlation"] > 0.8
    search(config, tmp_path / "cut", stop_after=31)
    continued, _ = search(config, tmp_path / "cut")
    assert shape(continued) == shape(records)


def test_the_ladder_rejects_nothing_that_would_have_joined_the_front(cheap, tmp_path, monkeypatch):
    """Two objectives: what is rejected falls short of a trial of its own search in both."""

    def numbers_of(design):
        # Pores within what Hashin and Shtrikman allow, so that the ceiling is one.
        electrode = electrode_of(design, CELL, efficiency=lambda pores: pores**1.5)
        run = simulate_discharge(electrode, CELL, c_rate=2.0, separator_cells=5, shells=12, tolerance=1e-3)
        return cheap.numbers(design, CELL) | {"utilization": run.utilization} | delivered(run)

    monkeypatch.setattr(
        "studies.packings.evaluate",
        lambda design, *_, **__: SimpleNamespace(to_dict=lambda: numbers_of(design)),
    )
    objectives = {"maximize": ["utilization", "energy_density"]}
    electrode = BASE["electrode"] | {
        "areal_capacity_mAh_cm2": 5.0,
        "porosity": {"low": 0.25, "high": 0.6},
        "particle_diameter_um": {"low": 2.0, "high": 14.0, "log": True},
    }
    config = make(trials=60, replicates=1, electrode=electrode, objectives=objectives, fidelity={})
    records, _ = search(config, tmp_path)
    space = DesignSpace.of(config, active_capacity=CELL.active_capacity)
    rejected = 0
    for arm, within in ((STRUCTURED, space), (UNIFORM, space.uniform)):
        found = [config.objectives.values(r.evaluations) for r in records if r.arm == arm and r.is_feasible]
        for each in records:
            if each.arm == arm and each.state == "rejected" and each.is_possible:
                rejected += 1
                truth = config.objectives.values([numbers_of(within.design(each.parameters))])
                assert any(all(t < f for t, f in zip(truth, has, strict=True)) for has in found)
    assert rejected >= 5
    assert rung_document(records, config)["rejected"] == rejected


def record(number, **numbers):
    """Return a feasible trial with these numbers."""
    return TrialRecord(
        arm=STRUCTURED, number=number, state="complete", parameters={}, constraints={"percolation": -1.0},
        evaluations=[numbers], estimates={}, failure="",
    )  # fmt: skip


def test_front_and_knee_by_hand():
    objectives = ObjectiveTable(maximize=("utilization", "energy_density"))
    trials = [
        record(number, utilization=u, energy_density=e)
        for number, (u, e) in enumerate([(0.9, 1.0), (0.8, 1.9), (0.5, 2.0), (0.7, 1.8), (0.9, 1.0)])
    ]
    front = pareto_of(trials, objectives)
    assert [each.number for each in front] == [0, 1, 2]
    # Distances to the best of both, each scaled to the span 0.4 and 1: 1, (0.25, 0.1) and 1.
    assert best_of(trials, objectives).number == 1
    by_energy = ObjectiveTable(maximize=("utilization", "energy_density"), winner="energy_density")
    assert best_of(trials, by_energy).number == 2


def test_a_named_rate_is_an_objective():
    objectives = ObjectiveTable(maximize=("utilization@0.5C",))
    rates = [{"c_rate": 2.01, "utilization": 0.6}, {"c_rate": 0.498, "utilization": 0.97}]
    assert objectives.values([{"rates": rates}]) == (0.97,)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"constraints": {}}, "constraints must hold at least one"),
        ({"objectives": {"maximize": "utilisation"}}, "got 'utilisation'"),
        ({"objectives": {"maximize": "utilization@1C"}}, "names 1C"),
        ({"objectives": {"maximize": "volumetric_capacity"}}, "that a discharge decides"),
        ({"objectives": {"maximize": "delivered_areal_capacity"}}, "must be a range"),
        ({"objectives": {"maximize": ["utilization", "energy_density"], "winner": "best"}}, "winner must be"),
        (
            {
                "objectives": {"maximize": ["utilization", "energy_density"]},
                "search": {"sampler": "cmaes"},
            },
            "must not be cmaes",
        ),
        ({"search": {"sampler": "tpee"}}, "search.sampler"),
        ({"search": {"samplr": "tpe"}}, "did you mean sampler?"),
        ({"constraints": {"maximum_thickness_mm": 0.1}}, "did you mean maximum_thickness_um?"),
    ],
)
def test_contradictions_are_refused_in_one_line(changes, rule):
    with pytest.raises(ValueError, match=rule) as caught:
        make(**changes)
    assert "\n" not in str(caught.value)
