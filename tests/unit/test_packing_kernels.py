"""Kernels of packing and voxels on tiny cases: compiled, interpreted, and by hand."""

import numpy as np
import pytest

from meso._kernels import neighbours as pair_kernels
from meso._kernels import packing as kernels
from meso._kernels import surfaces as surface_kernels
from meso._kernels import voxels as voxel_kernels

BOTH = pytest.mark.parametrize("which", ["compiled", "interpreted"])


def pick(kernel, which):
    return kernel if which == "compiled" else kernel.py_func


def spheres(radii):
    """Matrices of spheres, their inverses, and that they are spheres."""
    square = np.array(radii)[:, None, None] ** 2 * np.eye(3)
    return square, np.linalg.inv(square), np.ones(len(radii), dtype=bool)


def larger_first(pairs, radii):
    """The larger and the smaller of every pair, as lists of neighbours have them."""
    swap = radii[pairs[:, 0]] < radii[pairs[:, 1]]
    return np.where(swap, pairs[:, 1], pairs[:, 0]), np.where(swap, pairs[:, 0], pairs[:, 1])


def relaxed(which, centres, radii, steps, limit=1e-6, *, balls=True):
    centres, radii = np.array(centres), np.array(radii)
    pairs = np.array([(s, t) for s in range(len(radii)) for t in range(s + 1, len(radii))])
    state = np.array([0.3, 0.1, 0.0, 0.0, np.inf])
    done, going, _ = pick(kernels.relax, which)(
        centres,
        radii,
        radii,
        spheres(radii)[0],
        np.full(3, 10.0),
        False,
        *larger_first(pairs, radii),
        len(pairs) if balls else 0,
        np.zeros_like(centres),
        state,
        limit,
        5.0,
        steps,
    )
    return centres, done, going


@pytest.mark.parametrize("balls", [True, False])
@BOTH
def test_two_overlapping_spheres_part_along_their_axis(which, balls):
    centres, _, going = relaxed(which, [(5.0, 5.0, 4.5), (5.0, 5.0, 5.3)], [1.0, 0.6], 500, balls=balls)
    assert not going
    assert np.linalg.norm(centres[0] - centres[1]) >= 1.6 - 1.2e-6
    assert centres[:, :2] == pytest.approx(5.0)
    assert centres.mean(axis=0) == pytest.approx([5.0, 5.0, 4.9])


@BOTH
def test_spheres_part_across_the_boundary(which):
    centres, _, _ = relaxed(which, [(0.1, 5.0, 5.0), (9.6, 5.0, 5.0)], [0.5, 0.5], 500)
    apart = centres[0, 0] - centres[1, 0]
    assert apart + 10.0 >= 1.0 - 1e-5


@BOTH
def test_relaxation_stops_for_a_new_pair_list_and_when_jammed(which):
    first, second = np.array([0]), np.array([1])
    state = np.array([0.3, 0.1, 0.0, 0.0, np.inf])
    centres = np.array([(5.0, 5.0, 4.9), (5.0, 5.0, 5.1)])
    start = centres.copy()
    done, going, moved = pick(kernels.relax, which)(
        centres,
        np.ones(2),
        np.ones(2),
        spheres(np.ones(2))[0],
        np.full(3, 10.0),
        False,
        first,
        second,
        1,
        np.zeros((2, 3)),
        state,
        1e-6,
        0.1,
        100,
    )
    assert going
    assert done < 100
    assert moved == pytest.approx(np.linalg.norm(centres - start, axis=1).max())
    assert moved > 0.1
    row = [(5.0, 5.0, x) for x in (1.0, 3.0, 5.0, 7.0, 9.0)]
    _, done, going = relaxed(which, row, [1.1] * 5, 1000)
    assert not going
    assert done <= 101


@pytest.mark.parametrize("ball", [True, False])
@BOTH
def test_plane_areas_integrate_to_the_volume_of_a_union(which, ball):
    """Two overlapping spheres: volumes minus the lens, pi (R + r - d)^2 (d^2 + 2dr - 3r^2 + 2dR + 6rR - 3R^2) / 12d."""
    large, small, apart = 2.0, 1.2, 2.5
    direction = np.array([0.6, 0.64, 0.48])
    centres = np.array([(5.0, 5.0, 5.0), (5.0, 5.0, 5.0) + apart * direction])
    areas, radii = np.empty((2, 400)), np.array([large, small])
    shapes, inverses, _ = spheres(radii)
    pick(kernels.plane_areas, which)(
        centres,
        radii,
        shapes,
        inverses,
        np.array([ball, ball]),
        np.full(3, 10.0),
        np.array([0]),
        np.array([1]),
        np.array([0, 1]),
        areas,
    )
    lens = np.pi * (large + small - apart) ** 2 / (12 * apart)
    lens *= apart**2 + 2 * apart * small - 3 * small**2 + 2 * apart * large + 6 * small * large - 3 * large**2
    volume = 4 / 3 * np.pi * (large**3 + small**3) - lens
    assert areas.sum(axis=0).mean() * 10.0 == pytest.approx(volume, rel=1e-4 if ball else 1e-3)


@BOTH
def test_lens_of_equal_discs(which):
    """2 r^2 acos(d / 2r) - d sqrt(4 r^2 - d^2) / 2; nothing apart, the smaller disc inside."""
    lens = pick(kernels.lens_area, which)
    assert lens(1.0, 1.0, 1.0) == pytest.approx(2 * np.arccos(0.5) - 0.5 * np.sqrt(3))
    assert lens(1.0, 1.0, 2.0) == 0.0
    assert lens(4.0, 0.25, 1.0) == pytest.approx(np.pi * 0.25)
    assert lens(-1.0, 1.0, 0.1) == 0.0


@BOTH
def test_interpreted_voxel_kernels_agree_with_compiled_ones(which):
    rng = np.random.default_rng(7919)
    centres, radii = rng.random((4, 3)), np.array([0.4, 0.35, 0.3, 0.25])
    edges, shape = np.array([0.25, 0.2, 1 / 3]), (4, 5, 3)
    start, partner = np.array([0, 3, 5, 6, 6]), np.array([1, 2, 3, 2, 3, 3])
    ids, labels = np.empty(shape, np.int32), np.empty(shape, np.uint8)
    shapes, inverses, _ = spheres(radii)
    pick(voxel_kernels.label_voxels, which)(
        0, 4, centres, shapes, inverses, np.arange(4), edges, np.uint8(1), ids, labels
    )
    middles = np.meshgrid(
        *((np.arange(n) + 0.5) * e for n, e in zip(shape, edges, strict=True)), indexing="ij"
    )
    depth = np.linalg.norm(np.stack(middles, axis=-1)[..., None, :] - centres, axis=-1) - radii
    assert np.array_equal(ids, np.where(depth.min(axis=-1) < 0, depth.argmin(axis=-1) + 1, 0))
    assert np.array_equal(labels, ids > 0)
    faces, begin, member = np.empty((5, 5, 3), np.uint8), np.empty(6, np.int64), np.empty(20, np.int64)
    pick(voxel_kernels.list_members, which)(radii, centres, 0, edges[0], 5, begin, member)
    pick(voxel_kernels.cover_planes, which)(
        0, 5, begin, member, centres, shapes, inverses, start, partner, 0, edges, 1, faces
    )
    fine = (np.arange(120) + 0.5) / 120
    points = np.stack(np.meshgrid([0.5], fine, fine, indexing="ij"), axis=-1)[0]
    inside = np.any(np.linalg.norm(points[..., None, :] - centres, axis=-1) < radii, axis=-1)
    sampled = inside.reshape(5, 24, 3, 40).mean(axis=(1, 3))
    assert faces[2] / 255 == pytest.approx(sampled, abs=0.02)


@BOTH
def test_exposed_area_of_two_overlapping_spheres(which):
    """Each loses the cap beyond the radical plane, 2 pi r h, spread over the slices it lies in."""
    apart, radius = 1.2, 1.0
    centres = np.array([(3.0, 3.0, 3.0), (3.0, 3.0 + apart, 3.0)])
    areas = np.zeros(48)
    pick(surface_kernels.exposed_areas, which)(
        centres, np.full(2, radius), 2, np.array([0, 1, 2]), np.array([1, 0]), 0.125, areas
    )
    cap = 2 * np.pi * radius * (radius - apart / 2)
    assert areas.sum() == pytest.approx(2 * (4 * np.pi * radius**2 - cap), rel=1e-3)
    assert areas[:16].sum() == 0.0
    assert areas[16] == pytest.approx(2 * 2 * np.pi * radius * 0.125, rel=1e-3)


@BOTH
def test_bins_and_pairs(which):
    rng = np.random.default_rng(1301)
    centres, radii = rng.random((12, 3)), rng.uniform(0.05, 0.2, 12)
    bins, lengths = np.array([3, 2, 4]), np.ones(3)
    start, order, place = np.empty(25, np.int64), np.empty(12, np.int64), np.empty((12, 4))
    pick(pair_kernels.sort_bins, which)(centres, radii, lengths, bins, start, order, place)
    assert sorted(order) == list(range(12))
    assert np.array_equal(place, np.column_stack((centres, radii))[order])
    apart = np.linalg.norm(centres[:, None] - centres, axis=-1)
    expected = np.argwhere(np.triu(apart < radii[:, None] + radii + 0.05, 1))
    find = pick(pair_kernels.find_pairs, which)
    binned = bins, start, order, place
    first, second = np.empty(3, np.int64), np.empty(3, np.int64)
    found = find(centres, radii, 0.05, lengths, *binned, False, first, second)
    assert found == len(expected) > 3
    first, second = np.empty(found + 1, np.int64), np.empty(found + 1, np.int64)
    find(centres, radii, 0.05, lengths, *binned, False, first, second)
    first, second = first[:found], second[:found]
    assert np.all(radii[first] >= radii[second])
    assert {frozenset(p) for p in zip(first.tolist(), second.tolist(), strict=True)} == {
        frozenset(p) for p in expected.tolist()
    }


@BOTH
def test_close_pairs_are_those_nearer_than_a_gap_in_their_image(which):
    place = np.array([[5.0, 5.0, 1.0, 1.0], [5.0, 5.0, 3.2, 0.8], [5.0, 5.0, 9.5, 0.4], [5.0, 8.0, 5.0, 0.5]])
    first, second = np.array([0, 0, 0, 1]), np.array([1, 2, 3, 3])
    turns = np.zeros((27, 3))
    turns[12] = (0.0, 0.0, -10.0)
    image = np.array([13, 12, 13, 13], np.uint8)
    close = np.zeros(4, np.int32), np.zeros(4, np.int32), np.zeros(4, np.uint8)
    for gap, wanted in ((0.05, []), (0.2, [(0, 2, 12)]), (0.5, [(0, 1, 13), (0, 2, 12)])):
        count = pick(kernels.select_close, which)(place, first, second, 4, image, turns, gap, close)
        assert list(zip(*(each[:count].tolist() for each in close), strict=True)) == wanted
