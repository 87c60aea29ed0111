"""Current densities and conductivity tensors against layers, laminates and the conservation of charge."""

import numpy as np
import pytest

from meso import ElectrodeDesign, SizeClass, generate
from solvers.flux import current_density
from solvers.tensor import solve_tensor
from solvers.transport import solve_transport

LAYERS = np.repeat([0, 1, 2], 4)[:, None, None] * np.ones((12, 5, 6), int)
SIGMA = {0: 1.0, 1: 0.25, 2: 0.01}
VALUES = np.repeat([1.0, 0.25, 0.01], 4)


def test_layers_in_series_carry_the_same_current():
    result = solve_transport(LAYERS, conductivity=SIGMA, tolerance=1e-9, flux=True)
    assert result.flux == pytest.approx(np.full(LAYERS.shape, 1 / np.mean(1 / VALUES)), rel=1e-4)


@pytest.mark.parametrize("axis", [1, 2])
def test_parallel_layers_share_the_current_by_their_conductivity(axis):
    result = solve_transport(LAYERS, conductivity=SIGMA, axis=axis, tolerance=1e-9, flux=True)
    assert result.flux == pytest.approx(np.broadcast_to(VALUES[:, None, None], LAYERS.shape), rel=1e-4)


@pytest.mark.parametrize("convention", ["face", "porespy", "openimpala", "pumapy"])
@pytest.mark.parametrize(("shape", "axis"), [((18, 14, 16), 0), ((18, 14, 16), 2), ((30, 22), 1)])
@pytest.mark.parametrize("size", [1.0, 2.0])
def test_every_plane_carries_the_effective_conductivity(convention, shape, axis, size):
    rng = np.random.default_rng(5)
    labels = rng.choice([0, 1, 2], size=shape, p=[0.6, 0.3, 0.1])
    voxel = (size, *[1.0] * (len(shape) - 1))
    options = {
        "conductivity": {0: 1.0, 1: 0.1},
        "axis": axis,
        "convention": convention,
        "sides": "periodic",
        "voxel_size": voxel,
    }
    result = solve_transport(labels, **options, tolerance=1e-9, field=True, flux=True)
    along = current_density(labels, result.field, component=axis, **options)
    across = tuple(other for other in range(len(shape)) if other != axis)
    # the field is given in single precision
    assert along.mean(axis=across) == pytest.approx(
        np.full(shape[axis], result.effective_conductivity), rel=1e-3
    )
    parts = [current_density(labels, result.field, component=k, **options) for k in range(len(shape))]
    np.testing.assert_allclose(result.flux, np.linalg.norm(parts, axis=0), rtol=1e-4, atol=1e-6)
    for k in across:
        assert abs(parts[k].mean()) < 0.2 * result.effective_conductivity
    assert (result.flux[labels == 2] == 0).all()


def test_a_bend_turns_the_current():
    """Straight, a corner, sideways: one channel, so the current is the same everywhere but halved in the corner's parts."""
    image = np.zeros((9, 1, 9), bool)
    image[:5, 0, 2] = image[4, 0, 2:7] = image[4:, 0, 6] = True
    result = solve_transport(image, tolerance=1e-10, field=True, flux=True)
    current = result.effective_conductivity * 9
    assert result.flux[:4, 0, 2] == pytest.approx(np.full(4, current), rel=1e-4)
    assert result.flux[4, 0, 3:6] == pytest.approx(np.full(3, current), rel=1e-4)
    assert result.flux[4, 0, [2, 6]] == pytest.approx(np.full(2, current / np.sqrt(2)), rel=1e-4)
    sideways = current_density(image, result.field, component=2)
    assert sideways[4, 0, 3:6] == pytest.approx(np.full(3, current), rel=1e-4)


def test_dead_ends_and_blocked_structures_carry_nothing():
    image = np.zeros((8, 5, 8), bool)
    image[:, 2, 2] = True
    image[4, 2, 3:6] = True
    flux = solve_transport(image, tolerance=1e-9, flux=True).flux
    assert flux[4, 2, 3:6] == pytest.approx(np.zeros(3), abs=1e-4)
    blocked = solve_transport(np.zeros((4, 4, 4), bool), flux=True)
    assert not blocked.flux.any()


def test_planes_of_cut_voxels_carry_the_effective_conductivity():
    design = ElectrodeDesign(
        thickness=14e-6, porosity=0.4, binder_fraction=0.05, size_classes=(SizeClass(diameter=5e-6),)
    )
    structure = generate(design, voxel_size=1e-6, width=14e-6, seed=3)
    result = solve_transport(structure, tolerance=1e-8, field=True)
    along = current_density(structure, result.field, component=0)
    assert along.mean(axis=(1, 2)) == pytest.approx(
        np.full(len(along), result.effective_conductivity), rel=1e-3
    )


def test_bad_arguments_say_so():
    with pytest.raises(ValueError, match="field must have the shape"):
        current_density(LAYERS, np.zeros((3, 3, 3)))
    with pytest.raises(ValueError, match="component must lie"):
        current_density(LAYERS, np.zeros(LAYERS.shape), component=3)
    with pytest.raises(ValueError, match="convention must be"):
        current_density(LAYERS, np.zeros(LAYERS.shape), convention="faces")


def test_tensor_of_layers():
    tensor = solve_tensor(LAYERS, conductivity=SIGMA, tolerance=1e-9)
    expected = np.array([1 / np.mean(1 / VALUES), VALUES.mean(), VALUES.mean()])
    assert tensor.effective_conductivity == pytest.approx(expected, rel=1e-8)
    assert tensor.tortuosity_factor == pytest.approx(VALUES.mean() / expected, rel=1e-8)
    assert tensor.macmullin_number == pytest.approx(1 / expected, rel=1e-8)
    assert tensor.anisotropy == pytest.approx(expected[1] / expected[0], rel=1e-8)
    assert tensor.porosity == 1.0


def test_tensor_in_two_dimensions_and_without_a_path():
    stripes = np.arange(12)[:, None] % 3 * np.ones((12, 10), int)
    tensor = solve_tensor(stripes, conductivity={0: 1.0, 1: 0.5})
    assert tensor.tortuosity_factor.tolist() == [np.inf, pytest.approx(1.0, rel=1e-6)]
    assert tensor.anisotropy == np.inf
    assert len(solve_tensor(stripes.tolist(), conductivity={0: 1.0}).axes) == 2
