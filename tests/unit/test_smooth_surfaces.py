"""Smooth surfaces of segmented images: shares of faces, connections, and one clear line for what makes no sense."""

from itertools import product

import numba
import numpy as np
import pytest
from scipy import ndimage

from meso import Mesostructure, Phase
from meso.smoothing import smooth_faces, smooth_surfaces
from solvers.network import build_network
from solvers.transport import solve_transport

MODES = {True: "wrap", False: "edge"}


def blobs(shape, fraction, seed, width=2.0):
    """Smoothed noise, cut at a quantile."""
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal(shape), width, mode="wrap")
    return noise > np.quantile(noise, 1 - fraction)


def plain_shares(inside, wraps, axis):
    """Shares by counting voxels face by face, without any care for connections."""
    padded = inside
    for direction in range(3):
        room = [(int(direction == other), int(direction == other)) for other in range(3)]
        padded = np.pad(padded, room, mode=MODES[wraps[direction]])
    across = np.moveaxis(padded.astype(int), axis, 0)
    kernel = np.array([[1, 3, 1], [3, 8, 3], [1, 3, 1]])
    planes = np.array([ndimage.correlate(plane, kernel, mode="constant")[1:-1, 1:-1] for plane in across])
    share = np.clip(0.5 + (planes[:-1] + planes[1:] - 24) / 32, 0, 1)
    return np.moveaxis(share, 0, axis)


@pytest.mark.parametrize("wraps", list(product([False, True], repeat=3)))
def test_shares_are_those_of_counting_or_closed(wraps):
    inside = blobs((9, 8, 11), 0.5, seed=31, width=1.0)
    for axis, faces in enumerate(smooth_faces(inside.astype(np.uint8), wraps=wraps)):
        expected = plain_shares(inside, wraps, axis)
        wrong = np.abs(faces / 255 - expected) > 0.51 / 255
        assert not faces[wrong].any()
        assert wrong.mean() < 0.1
        if wraps[axis]:
            assert np.array_equal(faces.take(0, axis), faces.take(-1, axis))


def test_flat_surfaces_keep_their_area():
    """A wall along an axis: every section parallel to the flow has as much open area as the voxels say."""
    inside = np.zeros((5, 12, 7), np.uint8)
    inside[:, 3:8] = 1
    across_z, _, across_x = smooth_faces(inside)
    for faces in (across_z, across_x):
        assert np.allclose(faces.sum(axis=1) / 255, 5, atol=0.02)


@pytest.mark.parametrize("seed", range(6))
def test_connections_are_those_of_the_voxels(seed):
    """Small random images near the percolation threshold: open where the voxels are, closed where they are."""
    rng = np.random.default_rng(seed)
    answers = set()
    for _ in range(60):
        image = rng.random(rng.integers(1, 9, 3)) < rng.uniform(0.25, 0.6)
        sides, axis = rng.choice(["insulated", "periodic"]), int(rng.integers(3))
        image.flat[0] = True
        voxels = solve_transport(image, sides=sides, axis=axis)
        smooth = solve_transport(image, sides=sides, axis=axis, surface="smooth")
        assert smooth.percolates == voxels.percolates
        assert smooth.tortuosity_factor > 1 - 1e-6
        answers.add(voxels.percolates)
    assert answers == {False, True}


def test_parts_are_those_of_the_voxels():
    """Every connected part of the network lies in one part of the image: no wall leaks, whatever its inclination."""
    for seed in range(8):
        image = blobs((16, 16, 16), 0.5, seed, width=0.7)
        parts, _ = ndimage.label(image)
        faces = smooth_faces(image.astype(np.uint8))
        number = np.arange(image.size).reshape(image.shape)
        first, second = [], []
        for axis, face in enumerate(faces):
            inner = np.moveaxis(face, axis, 0)[1:-1] > 0
            beyond = np.moveaxis(number, axis, 0)
            first.append(beyond[:-1][inner])
            second.append(beyond[1:][inner])
        graph = np.concatenate(first), np.concatenate(second)
        found = connected(image.size, *graph).reshape(image.shape)[image]
        pairs = np.unique(np.stack([found, parts[image]]), axis=1)
        assert pairs.shape[1] == np.unique(found).size == np.unique(parts[image]).size


def connected(count, first, second):
    """Label the connected parts of a graph."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    return connected_components(coo_array((np.ones(first.size), (first, second)), shape=(count, count)))[1]


@pytest.mark.parametrize("normal", [(1, 0, 0), (1, 1, 0), (1, 1, 1), (2, 1, 0), (3, 2, 1)])
def test_walls_of_one_voxel_stay_closed(normal):
    """The thinnest digital plane that separates its two sides, standing across the flow."""
    height = sum(n * g for n, g in zip(normal, np.ogrid[-20:20, -6:6, -6:6], strict=True))
    image = (height < 0) | (height >= max(normal))
    assert ndimage.label(image)[1] == 2
    assert not solve_transport(image, surface="smooth").percolates


def test_wire_of_one_voxel_stays_open():
    image = np.zeros((6, 5, 5), bool)
    image[:, 2, 2] = True
    result = solve_transport(image, surface="smooth")
    assert result.tortuosity_factor == pytest.approx(1, abs=1e-6)


def test_straight_pores_and_open_blocks():
    square = np.zeros((6, 9, 9), bool)
    square[:, 2:6, 3:8] = True
    for image in (square, np.ones((4, 5, 6), bool), np.ones((4, 5), bool), np.ones((7, 1, 3), bool)):
        assert solve_transport(image, surface="smooth").tortuosity_factor == pytest.approx(1, abs=1e-6)


def test_shares_of_three_phases_add_up():
    labels = blobs((12, 12, 12), 0.5, 3).astype(int) + blobs((12, 12, 12), 0.4, 4)
    smooth = smooth_surfaces(Mesostructure(labels, voxel_size=1e-6, periodic=True))
    pores = smooth_faces((labels == Phase.PORE).astype(np.uint8), wraps=(False, True, True))
    for axis in range(3):
        solid = [smooth.face_fractions[phase][axis].astype(int) for phase in (Phase.ACTIVE, Phase.BINDER)]
        assert np.array_equal(sum(solid) + pores[axis], np.full_like(solid[0], 255))
    for phase in Phase:
        assert smooth.volume_fraction(phase) == pytest.approx((labels == phase).mean(), abs=0.03)


def test_both_ways_agree():
    labels = (~blobs((16, 16, 16), 0.5, 8)).astype(np.uint8)
    image = Mesostructure(labels, voxel_size=1e-6, periodic=True)
    inline = solve_transport(image, surface="smooth")
    carried = solve_transport(smooth_surfaces(image))
    assert inline.effective_conductivity == pytest.approx(carried.effective_conductivity, rel=1e-6)


def test_several_conductors_in_layers():
    """Layers across the flow keep their harmonic mean, whatever the surface; the phase that blocks lies beside."""
    labels = np.repeat([1, 2, 3], 4)[:, None, None] * np.ones((12, 6, 8), int)
    labels[:, :, 5:] = 0
    result = solve_transport(labels, conductivity={1: 1.0, 2: 0.1, 3: 0.01}, surface="smooth")
    expected = 3 / (1 + 10 + 100) * 5 / 8
    assert result.effective_conductivity == pytest.approx(expected, rel=1e-3)


def test_same_bits_for_any_number_of_threads():
    inside = blobs((20, 21, 22), 0.4, 12).astype(np.uint8)
    before = numba.get_num_threads()
    try:
        numba.set_num_threads(1)
        alone = smooth_faces(inside)
    finally:
        numba.set_num_threads(before)
    for one, two in zip(alone, smooth_faces(inside), strict=True):
        assert np.array_equal(one, two)


def test_image_is_left_alone():
    image = blobs((8, 8, 8), 0.5, 2)
    image.setflags(write=False)
    given = image.copy()
    solve_transport(image, surface="smooth")
    assert np.array_equal(image, given)


BALL = Mesostructure(np.pad(np.ones((2, 2, 2), int), 2), voxel_size=1e-6)


def test_bad_surfaces_are_refused():
    with pytest.raises(ValueError, match="surface must be 'voxels' or 'smooth', got 'soft'"):
        solve_transport(np.ones((2, 2), bool), surface="soft")
    carrying = smooth_surfaces(BALL)
    with pytest.raises(ValueError, match="carries its own face fractions"):
        solve_transport(carrying, surface="smooth")
    with pytest.raises(ValueError, match="carries face fractions"):
        smooth_surfaces(carrying)


@pytest.mark.parametrize(
    ("grey", "threshold", "text"),
    [
        (None, 0.5, "belong together"),
        (BALL.labels, None, "belong together"),
        (np.zeros((2, 2, 2)), 0.5, "shape of labels"),
        (np.where(BALL.labels > 0, np.nan, 0.0), 0.5, "finite"),
        (BALL.labels, 7.0, "exactly on one side"),
    ],
)
def test_bad_grey_levels_are_refused(grey, threshold, text):
    with pytest.raises(ValueError, match=text):
        smooth_surfaces(BALL, grey=grey, threshold=threshold)


@pytest.mark.parametrize("sign", [1, -1])
def test_grey_levels_place_a_flat_surface(sign):
    """A ramp through the surface: open area to the place where it crosses the threshold, not to the next voxel."""
    centre = np.arange(12) + 0.5
    grey = sign * (np.broadcast_to(centre, (4, 4, 12)) - 5.7)
    labels = np.broadcast_to(centre >= 5.7, (4, 4, 12)).astype(int)
    smooth = smooth_surfaces(Mesostructure(labels, voxel_size=1.0), grey=grey + 40.0, threshold=40.0)
    section = smooth.face_fractions[Phase.ACTIVE][0][2]
    assert np.allclose((255 - section.astype(float)).sum(axis=1) / 255, 5.7, atol=0.02)


def test_network_takes_the_surface():
    image = blobs((8, 8, 8), 0.5, 5)
    network = build_network(image, conductivity=None, axis=0, sides=None, voxel_size=None, surface="smooth")
    assert network.areas is not None
    assert network.unit == pytest.approx(1 / 255)
