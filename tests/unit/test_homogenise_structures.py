"""From voxels to slices: structures whose averages are known exactly."""

import numpy as np
import pytest

from meso import ElectrodeDesign, Phase, SizeClass, generate
from meso.structure import Mesostructure
from solvers.budget import utilization_budget
from solvers.cell import CellParameters
from solvers.discharge import DischargeStatus
from solvers.homogenise import homogenise

VOXEL = 0.5e-6


@pytest.fixture(scope="module")
def cell():
    return CellParameters.named("nmc811-chen2020")


def columns(nz=24):
    """Straight columns through the thickness: 4 pore, 3 active and 1 binder in every row of eight."""
    row = np.array([0, 0, 1, 1, 1, 2, 0, 0])
    return np.broadcast_to(row, (nz, 8, 8)).copy()


def test_columns_conduct_in_parallel(cell):
    electrode = homogenise(Mesostructure(columns(), voxel_size=VOXEL), cell, slices=6)
    nano, inside = cell.binder_nanoporosity, cell.binder_transport_efficiency
    assert electrode.porosity == pytest.approx(np.full(6, 0.5 + nano / 8))
    assert electrode.transport_efficiency == pytest.approx(np.full(6, 0.5 + inside / 8), rel=1e-4)
    solid = (3 * cell.active_conductivity + cell.binder_conductivity) / 8
    assert electrode.electronic_conductivity == pytest.approx(np.full(6, solid), rel=1e-4)
    assert electrode.active_fraction == pytest.approx(np.full(6, 3 / 8))
    assert electrode.isolated_share == 0.0
    # Two walls of every row, and 2/3 of their voxel faces as for a smooth surface without preferred direction.
    assert electrode.specific_surface_areas.sum(axis=1) == pytest.approx(np.full(6, 2 / (8 * VOXEL) / 1.5))


def test_layers_conduct_in_series(cell):
    labels = columns()
    labels[:12, :, 6] = 1  # a narrower pore in the front half
    electrode = homogenise(Mesostructure(labels, voxel_size=VOXEL), cell, slices=4)
    assert electrode.active_fraction == pytest.approx([0.5, 0.5, 3 / 8, 3 / 8])
    assert electrode.transport_efficiency[0] < electrode.transport_efficiency[-1]
    assert electrode.thickness == pytest.approx(24 * VOXEL)


def test_the_whole_resistance_survives_smoothing(cell):
    from solvers.transport import solve_transport

    rng = np.random.default_rng(3)
    labels = (rng.random((30, 12, 12)) < 0.35).astype(np.uint8)
    structure = Mesostructure(labels, voxel_size=VOXEL)
    free = {Phase.PORE: 1.0, Phase.BINDER: cell.binder_transport_efficiency}
    ionic = solve_transport(structure, conductivity=free)
    for slices in (4, 7, 30):
        electrode = homogenise(structure, cell, slices=slices, ionic=ionic)
        assert np.mean(1.0 / electrode.transport_efficiency) == pytest.approx(
            1.0 / ionic.effective_conductivity, rel=1e-9
        )


def test_a_floating_block_and_a_walled_in_pore_are_isolated(cell):
    labels = columns()
    labels[4:7, 3:5, 0] = 1  # touches nothing solid
    electrode = homogenise(Mesostructure(labels, voxel_size=VOXEL), cell, slices=24)
    expected = np.zeros(24)
    expected[4:7] = 2 / 64
    assert electrode.isolated_fractions == pytest.approx(expected, abs=1e-12)
    volume = np.count_nonzero(labels == 1) / labels.size
    assert electrode.theoretical_areal_capacity(cell) == pytest.approx(
        cell.active_capacity * volume * electrode.thickness
    )


def test_a_block_that_hangs_together_around_the_side_is_connected(cell):
    labels = np.zeros((12, 8, 8), np.uint8)
    labels[:, 0, 0] = 1  # a column on the edge
    labels[3:5, 7, 0] = 1  # beside it across the periodic side only
    apart = homogenise(Mesostructure(labels, voxel_size=VOXEL), cell)
    joined = homogenise(Mesostructure(labels, voxel_size=VOXEL, periodic=True), cell)
    assert apart.isolated_share == pytest.approx(2 / 14, rel=1e-6)
    assert joined.isolated_share == 0.0


def test_a_blocked_pore_network_is_an_answer(cell):
    labels = columns()
    labels[10] = 1
    budget = utilization_budget(homogenise(Mesostructure(labels, voxel_size=VOXEL), cell), cell, c_rate=1.0)
    assert budget.utilization == 0.0
    assert budget.limiting == "isolated"
    assert budget.discharge.status is DischargeStatus.NOT_CONNECTED


def test_no_active_material_is_refused(cell):
    with pytest.raises(ValueError, match="must hold active material"):
        homogenise(Mesostructure(np.zeros((4, 4, 4), int), voxel_size=VOXEL), cell)


@pytest.fixture(scope="module")
def design():
    return ElectrodeDesign(
        thickness=36e-6,
        porosity=0.38,
        binder_fraction=0.08,
        size_classes=(SizeClass(diameter=4e-6, share=0.5), SizeClass(diameter=7e-6, share=0.5)),
    )


def test_a_generated_electrode(cell, design):
    structure = generate(design, voxel_size=0.75e-6, width=24e-6, seed=1931)
    electrode = homogenise(structure, cell, slices=12, size_classes=2)
    assert electrode.particle_radii == pytest.approx([2e-6, 3.5e-6], rel=1e-2)
    by_class = electrode.active_fractions.mean(axis=0)
    assert by_class.sum() + electrode.isolated_fractions.mean() == pytest.approx(0.54, abs=2e-3)
    assert by_class / by_class.sum() == pytest.approx([0.5, 0.5], abs=0.05)
    # Spheres that hardly overlap keep their area.
    spheres = 3.0 * (by_class / electrode.particle_radii).sum()
    assert electrode.specific_surface_areas.sum(axis=1).mean() == pytest.approx(spheres, rel=0.03)
    whole = cell.active_capacity * structure.volume_fraction(Phase.ACTIVE) * structure.thickness
    assert electrode.theoretical_areal_capacity(cell) == pytest.approx(whole, rel=1e-9)
    assert homogenise(structure, cell, size_classes=1).particle_radii == pytest.approx(
        [2 / (1 / 2e-6 + 1 / 3.5e-6)], rel=0.05
    )
