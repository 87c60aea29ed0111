"""The search of the frontier on a made-up electrode whose best loading is known, without structures."""

from types import SimpleNamespace

import numpy as np
import pytest

from solvers import CellParameters
from studies.config import StudyConfig
from studies.database import open_searches
from studies.frontier_compare import compare_loadings
from studies.frontier_page import frontier_csv, frontier_markdown, frontier_rows, plot_frontier
from studies.frontier_search import FrontierSearch, best_loading, frontier_spaces, search_name
from studies.frontier_table import rate_name
from studies.storage import ARMS, StudyFolder

CELL = CellParameters.named("nmc811-chen2020")
BEST_GRADIENT = -0.1


def plan(**changes):
    data = StudyConfig.from_toml("frontier-nmc811").to_dict()
    data["frontier"] |= {
        "c_rates": [1.0, 4.0],
        "trials": 24,
        "startup_trials": 8,
        "replicates": 1,
        "fresh_seeds": 4,
    }
    data["frontier"] |= changes
    data["constraints"] = {"minimum_volumetric_capacity_mAh_cm3": 300.0}
    return StudyConfig.from_dict(data)


class Numbers(SimpleNamespace):
    def to_dict(self):
        return dict(self.__dict__)


def attain(design, *_, c_rate, target, seed, **__):
    """100 A h m⁻² over the rate, less the square of the distance from the best gradient; particles above 3 µm do not attain."""
    gradient = float(design.porosity_profile(0.0) - design.porosity_profile(1.0))
    noise = 0.2 * np.random.default_rng(seed).normal()
    fine = design.size_classes[0].diameter < 3e-6
    loading = (100 - 500 * (gradient - BEST_GRADIENT) ** 2 + noise) / c_rate if fine else 0.0
    shares = dict.fromkeys(("isolated", "solid_diffusion", "electrolyte", "ohmic_kinetic"), 0.0025)
    return Numbers(
        areal_capacity=loading,
        thickness=1e-4,
        thin_utilization=0.995 if fine else 0.9,
        utilization=target,
        status="CUTOFF_REACHED",
        specific_surface_area=2e6,
        electronic_conductivity=10.0,
        **shares,
    )


class Client:
    """Does at once what it is asked for."""

    def submit(self, function, *args, pure, **kwargs):
        assert not pure
        return SimpleNamespace(result=lambda: function(*args, **kwargs))


@pytest.fixture(autouse=True)
def _no_structures(monkeypatch):
    monkeypatch.setattr("studies.frontier_search.attain", attain)


def run(config, path, *, c_rate=1.0, known=None, stop_after=None):
    """Search one rate; return all trials of both searches, and the winners."""
    spaces = frontier_spaces(config, active_capacity=CELL.active_capacity)
    seen = []

    def on_trial(record):
        seen.append(record)
        if len(seen) == stop_after:
            raise KeyboardInterrupt

    path.mkdir(exist_ok=True)
    names = [search_name(arm, rate) for rate in config.frontier.c_rates for arm in ARMS]
    with open_searches(StudyFolder(path), config, names=names) as searches:
        search = FrontierSearch(config, searches=searches, spaces=spaces, cell=CELL, c_rate=c_rate)
        search.start_from(known or {}, c_rate=1.0 if known else None)
        try:
            search.run(Client(), on_trial=on_trial)
        except KeyboardInterrupt:
            assert stop_after
        return search.records, search.winners


def parameters(records):
    """What was tried, without what was rejected on paper: only a continued search reads that."""
    return {arm: [record.parameters for record in each if record.counts] for arm, each in records.items()}


def test_both_searches_get_their_trials_and_only_one_finds_the_gradient(tmp_path):
    records, winners = run(plan(), tmp_path)
    assert {arm: sum(r.counts for r in each) for arm, each in records.items()} == {
        "structured": 24,
        "uniform": 24,
    }
    assert winners["structured"].mean("areal_capacity") > winners["uniform"].mean("areal_capacity") + 2
    assert winners["uniform"].mean("areal_capacity") == pytest.approx(95, abs=1)


def test_an_interrupted_search_takes_the_same_course(tmp_path):
    config = plan(trials=6, startup_trials=3)
    whole, _ = run(config, tmp_path / "whole")
    run(config, tmp_path / "cut", stop_after=7)
    continued, _ = run(config, tmp_path / "cut")
    assert parameters(continued) == parameters(whole)


def test_both_searches_start_from_the_rate_before(tmp_path):
    """At four times the rate particles of half the size lose as much to diffusion."""
    config = plan()
    _, winners = run(config, tmp_path)
    known = {arm: winner.parameters for arm, winner in winners.items()}
    records, _ = run(config, tmp_path, c_rate=4.0, known=known)
    for arm in ARMS:
        first, second = records[arm][0].parameters, records[arm][1].parameters
        assert first == known[arm]
        diameter = max(0.5 * known[arm]["particle_diameter_um"], 1.0)
        assert second == known[arm] | {"particle_diameter_um": pytest.approx(diameter)}


def test_what_no_design_attains_has_no_winner(tmp_path):
    data = plan().to_dict()
    data["electrode"] |= {"particle_diameter_um": {"low": 4.0, "high": 8.0}, "fine_share": 0.0}
    config = StudyConfig.from_dict(data)
    records, winners = run(config, tmp_path)
    assert winners == dict.fromkeys(ARMS)
    assert best_loading(records["structured"]) is None
    rate = compared(config, winners)
    # Spheres of 4 µm use 1 − R² / (15 D t) = 98.1 % at 1C.
    assert rate["verdict"].startswith("Not attainable")
    assert "| not attainable |" in frontier_markdown(document(config, [rate]))


def compared(config, winners):
    spaces = frontier_spaces(config, active_capacity=CELL.active_capacity)
    return compare_loadings(winners, client=Client(), config=config, spaces=spaces, cell=CELL, c_rate=1.0)


def document(config, rates):
    return {
        "study": config.name,
        "chemistry": "nmc811-chen2020",
        "cutoffs_V": [2.5, 4.2],
        "target": 0.99,
        "counterweights": ["specific surface at most 3 m² cm⁻³"],
        "trials_per_search": 10,
        "fresh_seeds": 4,
        "depth_diameters": None,
        "rates": rates,
        "seconds": 60.0,
    }


def test_winners_are_compared_in_pairs_with_the_better_control(tmp_path):
    """Noise is shared by a seed, so the difference is the gradient's share exactly: 5 A h m⁻² less what is missed of it."""
    config = plan()
    _, winners = run(config, tmp_path)
    rate = compared(config, winners)
    missed = 500 * (winners["structured"].parameters["porosity_gradient"] - BEST_GRADIENT) ** 2
    assert rate["difference"]["mean"] == pytest.approx(5.0 - missed, abs=1e-9)
    assert rate["difference"]["high"] - rate["difference"]["low"] < 1e-9
    assert rate["gain"]["mean"] == pytest.approx((5.0 - missed) / 95, rel=0.01)
    assert "carries more than the control" in rate["verdict"]
    page = document(config, [rate])
    loading = frontier_rows(page)[3]
    assert (loading.name, loading.unit) == ("best structured", "mAh cm⁻²")
    assert float(loading.values[0].split()[0]) == pytest.approx(10.0, abs=0.1)
    assert frontier_csv(page).count("\n") == 4
    assert len(plot_frontier(page).axes) == 2


@pytest.mark.parametrize(("c_rate", "name"), [(0.333, "C/3"), (0.05, "C/20"), (2.0, "2C"), (0.7, "0.7C")])
def test_rates_are_named_as_people_do(c_rate, name):
    assert rate_name(c_rate) == name
