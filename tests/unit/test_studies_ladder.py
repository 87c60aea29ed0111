"""The fidelity ladder: what the cheap models must conserve, when they may reject, and that they do not change the winner."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from meso import Channels, ElectrodeDesign, Profile, SizeClass
from solvers import CellParameters, PorousElectrode, simulate_discharge
from studies import StudyConfig
from studies.ladder import CAPACITY_MARGIN, MARGIN, Ladder, reversible_energy, rung_document
from studies.rungs import ceilings, electrode_of, empirical
from studies.standing import Standing, rank_correlation
from studies.storage import STRUCTURED, UNIFORM
from studies.trials import TrialRecord

CELL = CellParameters.named("nmc811-chen2020")


def design(**changes):
    """Return a graded, drilled, bimodal electrode of 40 A h m-2."""
    recipe = {
        "porosity": Profile.linear(separator=0.4, collector=0.25),
        "binder_fraction": 0.06,
        "size_classes": (
            SizeClass(diameter=8e-6, spread=1.3, share=0.7),
            SizeClass(diameter=3e-6, share=0.3),
        ),
        "channels": Channels(pitch=60e-6, width=15e-6, depth=0.6, pattern="lines"),
    }
    return ElectrodeDesign.for_capacity(40.0, CELL.active_capacity, **(recipe | changes))


SPHERES = {"size_classes": (SizeClass(diameter=8e-6),), "channels": None, "porosity": 0.3}


def test_estimates_hold_the_loading_and_the_volume():
    for changes in ({}, SPHERES, {"channels": None}):
        made = design(**changes)
        electrode = electrode_of(made, CELL, efficiency=lambda pores: pores**1.5)
        # The floor of a channel lies inside a slice, hence not exactly.
        assert electrode.theoretical_areal_capacity(CELL) == pytest.approx(40.0, rel=0.01)
        filled = electrode.porosity.mean() + electrode.active_fraction.mean()
        binder = made.mean_fraction("binder")
        assert filled + (1 - CELL.binder_nanoporosity) * binder == pytest.approx(1.0, abs=0.005)
        # Spheres have 3 / r of surface per volume.
        surface = (electrode.specific_surface_areas * electrode.particle_radii / 3).sum()
        assert surface == pytest.approx(electrode.active_fractions.sum())


def test_plain_spheres_are_the_electrode_everyone_writes_down():
    """A uniform design is Bruggeman's electrode; the coarse mesh of the rung costs less than half a per cent."""
    made = design(**SPHERES, binder_fraction=0.0)
    numbers = empirical(made, CELL, c_rates=(2.0,))
    textbook = PorousElectrode.uniform(
        thickness=made.thickness, porosity=0.3, active_fraction=0.7, particle_radius=4e-6,
        electronic_conductivity=CELL.active_conductivity * 0.7**1.5,
    )  # fmt: skip
    expected = simulate_discharge(textbook, CELL, c_rate=2.0)
    assert numbers["utilization"] == pytest.approx(expected.utilization, abs=0.005)
    assert numbers["delivered_areal_capacity"] == pytest.approx(expected.delivered_areal_capacity, rel=0.006)


def test_ceiling_is_that_of_a_sphere_where_nothing_else_limits():
    """A thin electrode in which S = D t / R² = 0.5: constant flux leaves 1 − 0.8667 (series of the sphere)."""
    diffusivity = float(CELL.particle_diffusivity(0.5))
    radius = (diffusivity * 3600 / 0.5) ** 0.5
    thin = ElectrodeDesign.for_capacity(
        2.0, CELL.active_capacity, porosity=0.6, binder_fraction=0.05,
        size_classes=(SizeClass(diameter=2 * radius),),
    )  # fmt: skip
    one_hour, slow = ceilings(thin, CELL, c_rates=(1.0, 0.01))
    assert one_hour == pytest.approx(0.8667, abs=5e-4)
    assert slow > 0.99


@pytest.mark.parametrize("c_rate", [0.5, 2.0, 4.0])
def test_no_electrode_beats_its_ceiling(c_rate):
    """Even the best case of a design, discharged in full, stays below the closed forms and their margin."""
    for porosity in (0.2, 0.35, 0.5):
        made = design(porosity=porosity)
        (ceiling,) = ceilings(made, CELL, c_rates=(c_rate,))
        best = electrode_of(made, CELL, efficiency=lambda pores: 2 * pores / (3 - pores))
        assert simulate_discharge(best, CELL, c_rate=c_rate).utilization < ceiling + MARGIN


def config(**changes):
    """Return the quickstart with changes."""
    return StudyConfig.from_dict(StudyConfig.from_toml("quickstart").to_dict() | changes)


def trial(number, utilization, *, arm=STRUCTURED, **estimates):
    """Return a feasible trial."""
    return TrialRecord(
        arm=arm, number=number, state="complete", parameters={}, constraints={"percolation": -1.0},
        evaluations=[{"utilization": utilization}], estimates=estimates, failure="",
    )  # fmt: skip


def judge(ladder, records, *, arm=STRUCTURED, bounds=(np.inf,), **estimates):
    """Judge a design after these trials."""
    standing = Standing(ladder.config.objectives, records)
    return ladder.judge(estimates, bounds=bounds, arm=arm, standing=standing)


def test_a_ceiling_rejects_only_what_cannot_beat_its_own_search():
    ladder = Ladder(config(), CELL)
    records = [trial(0, 0.80), trial(1, 0.70, arm=UNIFORM)]
    verdict = judge(ladder, records, bounds=(0.78,))
    assert verdict.values == (0.78,)
    assert verdict.reason == "can reach 0.78 at most, trial 0 has 0.8"
    assert judge(ladder, records, arm=UNIFORM, bounds=(0.78,)) is None
    assert judge(ladder, records, bounds=(0.81,)) is None
    assert judge(ladder, [], bounds=(0.1,)) is None


def test_with_several_objectives_only_what_one_trial_beats_in_all_is_rejected():
    """The front (0.8, 1), (0.6, 2), (0.3, 3), by hand; the trial (0.5, 0.5) and the infeasible one are not part of it."""
    ladder = Ladder(config(objectives={"maximize": ["utilization", "energy_density"]}), CELL)
    values = [(0.8, 1.0), (0.5, 0.5), (0.6, 2.0), (0.3, 3.0), (0.99, 9.0)]
    records = [
        TrialRecord(
            **{
                **vars(trial(number, u)),
                "evaluations": [{"utilization": u, "energy_density": e}],
                "constraints": {"percolation": 1.0 if e == 9.0 else -1.0},
            }
        )
        for number, (u, e) in enumerate(values)
    ]
    verdict = judge(ladder, records, bounds=(0.55, 1.9))
    assert verdict.values == (0.55, 1.9)
    assert verdict.reason == "can reach 0.55, 1.9 at most, trial 2 has 0.6, 2"
    assert judge(ladder, records, bounds=(0.6, 1.9)) is not None
    # Equal in all is not beaten; better than each trial in one of the two is not either, though the front surrounds it.
    assert judge(ladder, records, bounds=(0.6, 2.0)) is None
    assert judge(ladder, records, bounds=(0.65, 1.5)) is None
    assert judge(ladder, records, bounds=(0.1, np.inf)) is None
    # A guess is not a bound.
    assert judge(ladder, records, bounds=(np.inf, np.inf), empirical=0.0) is None


def test_the_empirical_rung_is_used_only_once_it_ranks():
    ladder = Ladder(config(), CELL)
    rng = np.random.default_rng(8117)
    truth = rng.uniform(0.6, 0.8, 24)
    good = [trial(n, u, empirical=u + 0.05 + rng.normal(0, 0.005)) for n, u in enumerate(truth)]
    bad = [trial(n, u, empirical=rng.uniform(0.6, 0.8)) for n, u in enumerate(truth)]
    # It reads 0.05 too high with an error of 0.005: 0.65 stands for 0.60.
    assert judge(ladder, good, empirical=0.65).values == pytest.approx((0.60,), abs=0.003)
    assert judge(ladder, good, empirical=0.85) is None
    assert judge(ladder, good[:19], empirical=0.65) is None
    assert judge(ladder, bad, empirical=0.65) is None
    document = rung_document(good, config())
    estimates = [record.estimates["empirical"] for record in good]
    assert document["empirical"]["rank_correlation"] == pytest.approx(spearmanr(estimates, truth).statistic)
    assert document["empirical_is_used"]
    assert not rung_document(bad, config())["empirical_is_used"]


def test_no_rank_without_variation():
    assert rank_correlation(np.ones((5, 2))) is None
    assert rank_correlation(np.zeros((0, 2))) is None


def test_ranks_share_equal_values_as_scipys_do():
    rng = np.random.default_rng(977)
    for levels in (4, 30, 10_000):
        pairs = rng.integers(0, levels, (200, 2)).astype(float)
        pairs[:, 1] += pairs[:, 0]
        assert rank_correlation(pairs) == pytest.approx(spearmanr(*pairs.T).statistic, abs=1e-12)


def bounds_and_estimates(made, **changes):
    ladder = Ladder(config(**changes), CELL)
    bounds = ladder.bounds(made)
    return bounds, ladder.estimates(made, bounds=bounds)


def test_the_ladder_knows_the_objectives_it_can_bound():
    made = design()
    electrode = config().to_dict()["electrode"] | {"areal_capacity_mAh_cm2": {"low": 3.0, "high": 6.0}}
    (limit,) = ceilings(made, CELL, c_rates=(2.0,))
    for name, factor in (
        ("utilization", 1.0),
        ("delivered_areal_capacity", 40.0 * (1 + CAPACITY_MARGIN)),
        ("delivered_volumetric_capacity", 40.0 / made.thickness * (1 + CAPACITY_MARGIN)),
    ):
        changes = {"objectives": {"maximize": name}}
        changes |= {"electrode": electrode} if name == "delivered_areal_capacity" else {}
        (bound,), found = bounds_and_estimates(made, **changes)
        assert bound == found["ceiling"] == pytest.approx(min(1, limit + MARGIN) * factor)
        assert 0 < found["empirical"] < found["ceiling"]
    several = ["utilization", "robust_utilization", "areal_capacity"]
    bounds, _ = bounds_and_estimates(made, objectives={"maximize": several}, electrode=electrode)
    # A variation of a design may be better than the design: its utilization is no bound of theirs.
    assert bounds == pytest.approx((min(1, limit + MARGIN), np.inf, 40.0 * (1 + CAPACITY_MARGIN)))
    off, found = bounds_and_estimates(made, fidelity={"ceiling": False, "empirical": False})
    assert off == (np.inf,)
    assert found == {}


def test_no_discharge_gives_more_than_the_reversible_energy():
    """The second law; a thin electrode of fine particles, discharged within a hundred hours, gives nearly all of it."""
    thin = ElectrodeDesign.for_capacity(
        5.0, CELL.active_capacity, porosity=0.5, binder_fraction=0.05, size_classes=(SizeClass(diameter=2e-6),)
    )  # fmt: skip
    for made, c_rates in ((thin, (0.01, 1.0, 5.0)), (design(), (0.1, 1.0, 3.0))):
        for c_rate in c_rates:
            numbers = empirical(made, CELL, c_rates=(c_rate,))
            charge = numbers["delivered_volumetric_capacity"]
            whole = CELL.active_capacity * made.mean_fraction("active")
            # Slices through the floor of a channel hold up to one per cent more or less than the recipe.
            most = 1.01 * whole * reversible_energy(CELL, charge / (1.01 * whole))
            assert numbers["energy_density"] < most
            if made is thin and c_rate == 0.01:
                assert numbers["energy_density"] > 0.98 * whole * reversible_energy(CELL, charge / whole)
