"""Electrode tortuosity against the transmission line: straight pores, dead ends, layers, cut-off parts."""

import numpy as np
import pytest

from meso import Mesostructure, Phase
from meso.structure import WHOLE_FACE
from solvers.blocking import electrode_tortuosity
from solvers.status import SolverError, Status


@pytest.mark.parametrize("layers", [1, 2, 7, 40])
@pytest.mark.parametrize("sides", ["insulated", "periodic"])
def test_straight_pores_have_no_tortuosity(layers, sides):
    image = np.zeros((layers, 6, 8), bool)
    image[:, 1:3, 2:4] = True
    result = electrode_tortuosity(image, sides=sides)
    assert result.tortuosity_factor == pytest.approx(1.0, abs=1e-6)
    assert result.cut_off_area == 0.0
    if layers > 1:
        assert electrode_tortuosity(image[:, 1]).tortuosity_factor == pytest.approx(1.0, abs=1e-6)


def heat(links, fed):
    """Heat in one row of cells, from the currents that pass the links between them and that to the separator."""
    currents = np.cumsum(fed[::-1])[::-1]
    return np.sum(currents**2 / links)


def test_layered_porosity():
    """Straight pores of which half end half-way: each is a transmission line, and their heats add up."""
    layers = 40
    image = np.zeros((layers, 9, 9), bool)
    image[:, 1::4, 1::4] = True
    image[:20, 3::4, 3::4] = True
    links = np.array([2.0, *[1.0] * 39])
    long, short = np.full(40, 4.0), np.array([*[4.0] * 19, 5.0])
    total = heat(links, long) + heat(links[:20], short)
    charge = long.sum() + short.sum()
    expected = 3 * (total / 4) / charge**2 * image.sum() / (layers**2 + 0.5)
    result = electrode_tortuosity(image, tolerance=1e-9)
    assert result.tortuosity_factor == pytest.approx(expected, rel=1e-9)
    # continuous: heats of lengths 1 and 1/2 go with their cubes, charges with themselves, the volume is 3/4
    assert expected == pytest.approx((1 + 1 / 8) / (1 + 1 / 2) ** 2 * (1 + 1 / 2), rel=0.02)


def test_layered_conductivity():
    """Two electrolytes one behind the other in straight pores: the resistances of the slices, weighted with (1 − z)²."""
    layers = 30
    labels = np.full((layers, 3, 4), 2)
    labels[:, :, 1] = np.repeat([0, 1], 15)[:, None]
    links = np.array([2.0, *[1.0] * 14, 2 * 0.25 / 1.25, *[0.25] * 14])
    result = electrode_tortuosity(labels, conductivity={0: 1.0, 1: 0.25}, tolerance=1e-9)
    discrete = 3 * heat(links, np.ones(layers)) / layers**3 / (1 + 1 / (2 * layers**2))
    assert result.tortuosity_factor == pytest.approx(0.625 * discrete, rel=1e-9)
    # the continuous transmission line: 3 ∫ (1 − z)² / σ dz = 7/8 + 4/8
    fine = electrode_tortuosity(np.repeat(labels, 8, axis=0), conductivity={0: 1.0, 1: 0.25}, tolerance=1e-6)
    assert fine.tortuosity_factor == pytest.approx(0.625 * (7 / 8 + 4 / 8), rel=1e-4)


def test_dead_ends_of_a_comb_count():
    """A backbone of one voxel with teeth: every current is known, for there are no loops."""
    layers, tooth = 12, 5
    image = np.zeros((layers, 1, tooth + 1), bool)
    image[:, :, 0] = True
    image[1::3] = True
    heat, charge = 0.0, 0.0
    for z in reversed(range(layers)):
        if z % 3 == 1:
            passing = 2.0 * np.arange(1, tooth + 1)
            heat += np.sum(passing**2)
            charge += passing[-1]
        else:
            charge += 1.0
        heat += charge**2 * (0.5 if z == 0 else 1.0)
    expected = 3 * heat / charge**2 * image.sum() / (layers**2 + 0.5)
    result = electrode_tortuosity(image, tolerance=1e-9)
    assert result.tortuosity_factor == pytest.approx(expected, rel=1e-9)
    assert result.tortuosity_factor > 1.0


def test_parts_cut_off_from_the_separator_are_left_out():
    image = np.zeros((12, 9, 9), bool)
    image[:, 1, 1] = True
    image[6:, 5, 5] = True
    alone = electrode_tortuosity(np.where(np.arange(9) < 4, image, False))
    among = electrode_tortuosity(image)
    # 4 faces a layer and the tip of the isolated pore against the collector that is no interface
    assert among.cut_off_area == pytest.approx(25 / 73, rel=1e-6)
    assert among.tortuosity_factor == pytest.approx(1.5 * alone.tortuosity_factor, rel=1e-6)
    unreached = electrode_tortuosity(image[::-1] & (np.arange(9) > 3)[::-1])
    assert unreached.status is Status.CONVERGED
    lost = electrode_tortuosity(image & (np.arange(9) > 3))
    assert lost.status is Status.CUT_OFF
    assert lost.tortuosity_factor == np.inf
    assert lost.effective_conductivity == 0.0
    assert lost.cut_off_area == 1.0


def test_without_interface_there_is_nothing_to_charge():
    with pytest.raises(SolverError, match="no interface"):
        electrode_tortuosity(np.ones((4, 4, 4), bool))
    result = electrode_tortuosity(np.ones((4, 4, 4), bool), throw=False)
    assert result.status is Status.NO_INTERFACE
    assert electrode_tortuosity(np.zeros((4, 4, 4), bool)).status is Status.CUT_OFF


def test_charged_phases_must_not_conduct():
    with pytest.raises(ValueError, match="onto must name phases that do not conduct"):
        electrode_tortuosity(np.zeros((4, 4, 4), int), onto=[0])


def walls(fraction):
    """Pores between walls of active material and binder whose surfaces cut the voxels at a fraction."""
    shape = (16, 4, 6)
    faces = {}
    for phase, cut in ((Phase.ACTIVE, 0), (Phase.BINDER, 5)):
        covered = np.zeros(6)
        covered[cut] = fraction
        part = np.rint(WHOLE_FACE * covered).astype(np.uint8)
        beside = np.zeros(7, np.uint8)
        beside[0 if phase is Phase.ACTIVE else 6] = WHOLE_FACE
        faces[phase] = (
            np.broadcast_to(part, (17, 4, 6)).copy(),
            np.broadcast_to(part, (16, 5, 6)).copy(),
            np.broadcast_to(beside, (16, 4, 7)).copy(),
        )
    return Mesostructure(np.zeros(shape, int), voxel_size=1e-6, face_fractions=faces)


@pytest.mark.parametrize("fraction", [0.2, 0.6])
def test_straight_pores_with_cut_voxels(fraction):
    """A slit whose two walls are charged alike is one-dimensional but for the voxel nearest to them."""
    structure = walls(fraction)
    result = electrode_tortuosity(structure, tolerance=1e-6)
    assert result.tortuosity_factor == pytest.approx(1.0, abs=0.06)
    one = electrode_tortuosity(structure, onto=[Phase.ACTIVE], tolerance=1e-6)
    assert one.tortuosity_factor > result.tortuosity_factor
    assert one.cut_off_area == 0.0
