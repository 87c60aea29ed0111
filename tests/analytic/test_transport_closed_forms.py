"""Transport against closed forms: open blocks, layers, strips, blocked and dead-end structures."""

import numpy as np
import pytest

from solvers.status import Status
from solvers.transport import solve_transport


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 5, 3), (20, 20, 20), (7, 13, 4), (17, 9), (64, 3, 2)])
@pytest.mark.parametrize("sides", ["insulated", "periodic"])
def test_open_block_has_no_tortuosity(shape, sides):
    result = solve_transport(np.ones(shape, bool), sides=sides)
    assert result.tortuosity_factor == pytest.approx(1.0, abs=1e-10)
    assert result.profile == pytest.approx(np.ones(shape[0]), abs=1e-6)


@pytest.mark.parametrize(
    "section", [(slice(0, 10), slice(0, 10)), (slice(3, 4), slice(5, 17)), (slice(0, 20), 1)]
)
def test_straight_channel_has_no_tortuosity(section):
    image = np.zeros((20, 20, 20), bool)
    image[(slice(None), *section)] = True
    result = solve_transport(image)
    assert result.tortuosity_factor == pytest.approx(1.0, abs=1e-10)
    assert result.effective_conductivity == pytest.approx(image.mean(), abs=1e-10)


def test_layers_in_series_and_parallel():
    labels = np.arange(12)[:, None, None] % 3 * np.ones((12, 6, 9), int)
    sigma = {0: 1.0, 1: 0.25, 2: 1e-3}
    values = np.array([1.0, 0.25, 1e-3])
    series = solve_transport(labels, conductivity=sigma, tolerance=1e-11)
    assert series.effective_conductivity == pytest.approx(1 / np.mean(1 / values), rel=1e-10)
    assert series.tortuosity_factor == pytest.approx(values.mean() * np.mean(1 / values), rel=1e-10)
    for axis in (1, 2):
        parallel = solve_transport(labels, conductivity=sigma, axis=axis, tolerance=1e-11)
        assert parallel.effective_conductivity == pytest.approx(values.mean(), rel=1e-10)


def test_profile_of_layers_is_their_resistance():
    labels = np.repeat([0, 1], 10)[:, None, None] * np.ones((20, 3, 3), int)
    result = solve_transport(labels, conductivity={0: 1.0, 1: 0.1}, tolerance=1e-11)
    # linear interpolation between cell centres spreads the interface over its two slices
    assert result.profile[:9] == pytest.approx(np.ones(9), rel=1e-8)
    assert result.profile[11:] == pytest.approx(10 * np.ones(9), rel=1e-8)
    assert result.profile.mean() == pytest.approx(result.macmullin_number, rel=1e-12)
    assert result.macmullin_number == pytest.approx(5.5, rel=1e-10)


def test_slanted_strip(measured):
    """Published by the test suite of TauFactor."""
    image = np.zeros((20, 21, 21), bool)
    for i in range(20):
        image[i, i : i + 2, i : i + 2] = True
    tau = solve_transport(image, tolerance=1e-9).tortuosity_factor
    measured("transport", "slanted strip, τ", tau, 7.516666667, abs=1e-7, source="tests of TauFactor")


@pytest.mark.parametrize(
    "image", [np.zeros((6, 6, 6), bool), np.arange(20)[:, None, None] * np.ones((20, 4, 4)) < 2]
)
def test_blocked_structure_is_an_answer(image):
    result = solve_transport(image, field=True)
    assert result.effective_conductivity == 0.0
    assert result.tortuosity_factor == np.inf
    assert result.macmullin_number == np.inf
    assert not result.percolates
    assert result.status is Status.NOT_PERCOLATING
    assert np.isinf(result.profile).all()
    assert np.isnan(result.field).all()


def test_corner_contacts_do_not_conduct():
    image = np.zeros((4, 4, 4), bool)
    image[:2, :2, :2] = image[2:, 2:, 2:] = True
    assert not solve_transport(image).percolates


def test_parts_without_current_change_only_the_porosity():
    channel = np.zeros((12, 12, 12), bool)
    channel[:, 2:5, 2:5] = True
    cluttered = channel.copy()
    cluttered[:6, 8:10, 8:10] = True
    cluttered[4:8, 8:11, 3] = True
    alone, among = solve_transport(channel), solve_transport(cluttered)
    assert among.effective_conductivity == pytest.approx(alone.effective_conductivity, rel=1e-12)
    assert among.tortuosity_factor == pytest.approx(cluttered.mean() / channel.mean(), rel=1e-10)


def test_anisotropic_voxels_stretch_a_slanted_channel():
    """A zigzag of two straight legs: resistances add up leg by leg."""
    image = np.zeros((3, 1, 3), bool)
    image[0, 0, 0] = image[1, 0, :] = image[2, 0, 2] = True
    height, width = 2.0, 5.0
    result = solve_transport(image, voxel_size=(height, 1.0, width))
    # through-plane: half a voxel, a whole link, a link, half; lateral: two links
    resistance = 3 * height / width + 2 * width / height
    assert result.effective_conductivity == pytest.approx(3 * height / (3 * width) / resistance, rel=1e-10)
