"""Masses, volumes and porosities of coatings worked out by hand."""

import pytest

from meso import Channels, ElectrodeDesign, Formulation, Profile, SizeClass
from solvers import CellParameters

SIZES = (SizeClass(diameter=6e-6),)
NMC = {"active_density": 4700.0, "carbon_density": 1900.0, "polymer_density": 1770.0}


def test_90_to_5_to_5_by_hand():
    """100 g: 90/4.7 = 19.149 cm³ NMC, 5/1.9 + 5/1.77 = 2.632 + 2.825 = 5.456 cm³ carbon and PVDF; 1 part in 2 nanopores."""
    mix = Formulation(active=90, carbon=5, polymer=5, **NMC)
    assert mix.solid_density == pytest.approx(100 / 24.605e-3, rel=1e-4)
    assert mix.binder_share == pytest.approx(10.913 / (19.149 + 10.913), rel=1e-4)
    # 40 % of pores of all kinds: 24.605 cm³ of solids fill 60 % of 41.009 cm³; outside the CBD 10.947 cm³ are left.
    porosity = mix.open_porosity(0.4)
    assert porosity == pytest.approx(10.947 / 41.009, rel=2e-4)
    assert mix.binder_fraction(porosity) == pytest.approx(10.913 / 41.009, rel=1e-4)


def test_without_nanopores_volumes_are_those_of_the_solids():
    mix = Formulation(active=0.96, carbon=0.02, polymer=0.02, nanoporosity=0.0, **NMC)
    assert mix.open_porosity(0.3) == pytest.approx(0.3)
    solids = 0.02 / 1900 + 0.02 / 1770
    assert mix.binder_fraction(0.3) == pytest.approx(0.7 * solids / (solids + 0.96 / 4700))


@pytest.mark.parametrize("total", [0.45, Profile((0.0, 0.4, 0.5, 1.0), (0.5, 0.5, 0.35, 0.35))])
@pytest.mark.parametrize("migration", [None, Profile.linear(separator=3.0, collector=1.0)])
@pytest.mark.parametrize("channels", [None, Channels(pitch=80e-6, width=30e-6)])
def test_mass_and_mass_ratio_are_kept(total, migration, channels):
    """Every kilogram weighed in is in the coating, whatever the profile: mass = density × volume of what is not pore."""
    mix = Formulation(active=94, carbon=3.5, polymer=2.5, nanoporosity=0.4, **NMC)
    porosity = mix.open_porosity(total)
    design = ElectrodeDesign.for_capacity(
        35.0,
        8e5,
        porosity=porosity,
        binder_fraction=mix.binder_fraction(porosity, migration=migration),
        size_classes=SIZES,
        channels=channels,
    )
    active = 35.0 / 8e5 * 4700.0
    assert design.mean_fraction("active") * design.thickness * 4700.0 == pytest.approx(active, rel=1e-12)
    assert mix.areal_mass(design) == pytest.approx(active / 0.94, rel=1e-12)
    mean = total.mean() if isinstance(total, Profile) else total
    left = 1 - (0.0 if channels is None else channels.volume_fraction)
    assert mix.areal_mass(design) == pytest.approx(
        design.thickness * left * (1 - mean) * mix.solid_density, rel=1e-12
    )


def test_the_cell_sees_the_porosity_that_was_weighed():
    """Electrolyte of the half-cell: pores and nanopores; with the cell's own nanoporosity that is the total porosity."""
    cell = CellParameters.named("nmc811-chen2020")
    mix = Formulation(active=90, carbon=5, polymer=5, nanoporosity=cell.binder_nanoporosity, **NMC)
    porosity = mix.open_porosity(0.37)
    assert porosity + cell.binder_nanoporosity * mix.binder_fraction(porosity) == pytest.approx(
        0.37, rel=1e-12
    )


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"active": 0.0}, "active must be positive"),
        ({"polymer": -1.0}, "polymer must be 0 or positive"),
        ({"carbon_density": 1.9}, "1 g cm-3 is 1000"),
        ({"nanoporosity": 50.0}, "percent"),
    ],
)
def test_impossible_mixtures_are_refused(changes, rule):
    with pytest.raises(ValueError, match=rule):
        Formulation(**({"active": 90, "carbon": 5, "polymer": 5} | NMC | changes))


def test_impossible_porosities_are_refused():
    mix = Formulation(active=90, carbon=5, polymer=5, **NMC)
    with pytest.raises(
        ValueError, match=r"total must lie in \(0\.1815, 1\).*got 0\.1…0\.1; reduce nanoporosity"
    ):
        mix.open_porosity(0.1)
    with pytest.raises(ValueError, match="migration must be 0 or positive"):
        mix.binder_fraction(0.3, migration=Profile.linear(separator=-1.0, collector=2.0))
    assert Formulation(active=1, carbon=0, polymer=0, **NMC).binder_fraction(0.4) == 0.0
