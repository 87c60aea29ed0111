"""Binder as level sets: films and bridges against closed forms."""

import numpy as np
import pytest

from meso import ParticlePacking, Phase, Profile
from meso._kernels import binder as kernels
from meso._kernels import covering
from meso.binder import add_binder
from meso.voxels import voxelize

CELL = 1e-5


def balls(centres, radius):
    return ParticlePacking(
        centres=np.array(centres) * CELL,
        radii=np.full(len(centres), radius * CELL),
        domain=(CELL, CELL, CELL),
    )


@pytest.mark.parametrize("n", [16, 32])
def test_film_on_a_sphere_is_a_larger_sphere(n):
    """
    Bridging 0: binder fills the shell up to the radius that holds its volume; every face against the exact discs.

    A long reach leaves no freedom between the two faces of the box, and by symmetry the threshold is one number.
    """
    fraction, radius = 0.06, 0.3
    outer = (radius**3 + 3 * fraction / (4 * np.pi)) ** (1 / 3)
    inner = voxelize(balls([(0.5, 0.47, 0.52)], radius), voxel_size=CELL / n)
    shell = voxelize(balls([(0.5, 0.47, 0.52)], outer), voxel_size=CELL / n)
    structure = add_binder(inner, fraction=Profile.constant(fraction), bridging=0.0, reach=0.45 * CELL)
    assert structure.volume_fraction(Phase.BINDER) == pytest.approx(fraction, rel=1e-3)
    for axis in range(3):
        exact = (
            shell.face_fractions[Phase.ACTIVE][axis].astype(float) - inner.face_fractions[Phase.ACTIVE][axis]
        )
        error = (structure.face_fractions[Phase.BINDER][axis] - exact) / 255
        assert np.abs(error).max() < 0.12 * 16 / n
        assert abs(error.mean()) < 1.5e-3 * 16 / n


def test_bridge_between_two_spheres_is_an_ellipsoid_of_revolution():
    """Bridging 1: the sum of the distances to the two centres is the same all over the outer surface."""
    n, radius = 40, 0.22
    centres = np.array([(0.5 - radius, 0.5, 0.5), (0.5 + radius, 0.5, 0.5)])
    structure = add_binder(
        voxelize(balls(centres, radius), voxel_size=CELL / n),
        fraction=Profile((0, 0.45, 0.5, 0.55, 1), (0.0, 0.02, 0.02, 0.02, 0.0)),
        bridging=1.0,
        reach=radius * CELL,
    )
    middle = (np.arange(n) + 0.5) / n
    points = np.stack(np.meshgrid(middle, middle, middle, indexing="ij"), axis=-1)
    total = sum(np.linalg.norm(points - centre, axis=-1) for centre in centres)
    waist = np.abs(points[..., 0] - 0.5) < 1.5 / n
    binder, pore = structure.labels == Phase.BINDER, structure.labels == Phase.PORE
    assert total[binder & waist].max() <= total[pore & waist].min() + 0.02
    assert np.count_nonzero(binder & (total > 4 * radius + 0.2)) == 0


def test_more_bridging_gathers_binder_in_the_gap():
    radius = 0.2
    packing = balls([(0.3, 0.5, 0.5), (0.71, 0.5, 0.5)], radius)
    base = voxelize(packing, voxel_size=CELL / 24)
    near = []
    for bridging in (0.0, 0.5, 1.0):
        structure = add_binder(base, fraction=Profile.constant(0.02), bridging=bridging, reach=radius * CELL)
        near.append(np.count_nonzero(structure.labels[11:13] == Phase.BINDER))
    assert near[0] < near[1] <= near[2]


def test_binder_that_does_not_fit_and_structures_that_do_not_suit_are_refused():
    base = voxelize(balls([(0.5, 0.5, 0.5)], 0.2), voxel_size=CELL / 10)
    with pytest.raises(ValueError, match="what fits within reach"):
        add_binder(base, fraction=Profile.constant(0.5), bridging=0.5, reach=0.05 * CELL)
    bare = type(base)(base.labels, voxel_size=1e-6)
    with pytest.raises(ValueError, match="make it with voxelize"):
        add_binder(bare, fraction=Profile.constant(0.1), bridging=0.5, reach=1e-6)
    assert add_binder(base, fraction=Profile.constant(0.0), bridging=0.5, reach=1e-6) is base


@pytest.mark.parametrize("compiled", [True, False])
def test_nearest_two_against_all_distances(compiled):
    rng = np.random.default_rng(8808)
    centres, radii, edges = rng.random((7, 3)), rng.uniform(0.1, 0.3, 7), np.array([0.25, 0.2, 0.0625])
    shape, reach = (5, 6, 17), 0.35
    first, second = np.empty(shape, np.float32), np.empty(shape, np.float32)
    nearest, follower = np.full(shape, -1, np.int32), np.full(shape, -1, np.int32)
    kernel = kernels.nearest_two if compiled else kernels.nearest_two.py_func
    shapes, inverses = radii[:, None, None] ** 2 * np.eye(3), radii[:, None, None] ** -2 * np.eye(3)
    kernel(0, 5, centres, radii, shapes, inverses, reach, edges, 0.0, first, second, nearest, follower)
    points = np.stack(
        np.meshgrid(*(np.arange(n) * e for n, e in zip(shape, edges, strict=True)), indexing="ij"), axis=-1
    )
    distances = np.linalg.norm(points[..., None, :] - centres, axis=-1) - radii
    ranked = np.minimum(np.sort(distances, axis=-1), reach)
    assert first == pytest.approx(ranked[..., 0], abs=1e-6)
    assert second == pytest.approx(ranked[..., 1], abs=1e-6)
    order = np.argsort(distances, axis=-1)
    for rank, found in enumerate((nearest, follower)):
        assert np.array_equal(found, np.where(ranked[..., rank] < reach, order[..., rank], -1))


@pytest.mark.parametrize("kernel", [covering.negative_area, covering.negative_area.py_func])
def test_marching_squares_are_exact_for_planes(kernel):
    """Area below a straight line across the unit square, in closed form, and length of the line over the steepness."""
    assert kernel(-0.25, 0.75, 0.75, -0.25) == pytest.approx((0.25, 1.0))
    assert kernel(-0.5, 0.5, 1.5, 0.5) == pytest.approx((0.125, 0.5))
    assert kernel(-1.5, -0.5, 0.5, -0.5) == pytest.approx((0.875, 0.5))
    assert kernel(1.0, 2.0, 3.0, 0.0)[0] == 0.0
    assert kernel(-1.0, -2.0, -3.0, 0.0)[0] == 1.0


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_interpreted_cover_agrees_with_the_compiled_one(axis):
    n, reach = 5, 0.4
    packing = balls([(0.3, 0.5, 0.45), (0.72, 0.52, 0.5)], 0.2)
    edges, points = np.full(3, 1 / n), (n + 1, n + 1, n + 1)
    first, second = np.full(points, reach, np.float32), np.full(points, reach, np.float32)
    nearest, follower = np.full(points, -1, np.int32), np.full(points, -1, np.int32)
    centres, radii = packing.centres / CELL, packing.radii / CELL
    shapes, inverses = radii[:, None, None] ** 2 * np.eye(3), radii[:, None, None] ** -2 * np.eye(3)
    kernels.nearest_two(
        0, n + 1, centres, radii, shapes, inverses, reach, edges, 0.0, first, second, nearest, follower
    )
    active = voxelize(packing, voxel_size=CELL / n).face_fractions[Phase.ACTIVE][axis]
    level = np.linspace(0.1, 0.2, n + 1)
    field = first + np.float32(0.5) * second
    above = field - level.astype(np.float32)[:, None, None]
    results, where = [], (first, field, above, nearest, follower)
    for kernel in (covering.cover_faces, covering.cover_faces.py_func):
        faces, growth = np.zeros(active.shape, np.uint16), np.zeros(active.shape, np.int16)
        kernel(
            0, len(faces), centres, radii, inverses, reach, 0.5, edges, axis, *where, active, faces, growth
        )
        results.append((faces / covering.FINE, growth / covering.COARSE))
    for compiled, interpreted in zip(*results, strict=True):
        assert np.abs(compiled - interpreted).max() <= 1
    assert 0 < results[0][0].mean() < 128
    assert (results[0][0] + active).max() <= 255


@pytest.mark.parametrize("bridging", [0.0, 0.6])
def test_faces_grow_with_the_threshold_as_foretold(bridging):
    """Areas at a threshold 1 % larger against those drawn ahead from the smaller one."""
    from meso.binder import _Field

    base = voxelize(balls([(0.3, 0.5, 0.45), (0.72, 0.52, 0.5)], 0.2), voxel_size=CELL / 20)
    field = _Field(base, bridging=bridging, reach=0.3 * CELL, waves=None, cube=False)
    level = np.full(21, 0.08 * CELL)
    for axis in range(3):
        then = field._draw(field._cover(field._above(level * 1.01), axis=axis), 0.0, axis=axis).astype(int)
        now = field._draw(field._cover(field._above(level), axis=axis), 0.0, axis=axis).astype(int)
        ahead = field._draw(field._cover(field._above(level), axis=axis), 0.01, axis=axis)
        assert np.abs(then - now).sum() > 5 * np.abs(then - ahead).sum()
        assert np.count_nonzero(np.abs(then - ahead) > 2) <= 8  # where a sphere only just reaches a face
