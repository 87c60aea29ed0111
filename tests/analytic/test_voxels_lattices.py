"""Spheres and their lattices on the voxel grid against closed forms."""

import numpy as np
import pytest

from meso import Mesostructure, ParticlePacking, Phase, measures
from meso._kernels import voxels as kernels
from meso.voxels import voxelize

BASES = {
    "SC": [(0, 0, 0)],
    "BCC": [(0, 0, 0), (0.5, 0.5, 0.5)],
    "FCC": [(0, 0, 0), (0.5, 0.5, 0), (0.5, 0, 0.5), (0, 0.5, 0.5)],
}
CELL = 1e-5


def lattice(kind, fraction):
    basis = np.array(BASES[kind], dtype=float)
    radius = (3 * fraction / (4 * np.pi * len(basis))) ** (1 / 3)
    centres = np.concatenate([basis + np.array([shift, 0, 0]) for shift in (-1, 0, 1, 2)])
    centres = centres[(centres[:, 0] > -radius) & (centres[:, 0] < 1 + radius)]
    return ParticlePacking(
        centres=centres * CELL, radii=np.full(len(centres), radius * CELL), domain=(CELL, CELL, CELL)
    )


def random_spheres(seed, count):
    rng = np.random.default_rng(seed)
    centres = rng.random((count, 3)) * CELL
    return ParticlePacking(
        centres=centres, radii=rng.uniform(0.05, 0.2, count) * CELL, domain=(CELL, CELL, CELL)
    )


@pytest.mark.parametrize(("kind", "fraction"), [("SC", 0.5), ("BCC", 0.65), ("FCC", 0.7), ("FCC", 0.74)])
def test_lattice_volume_and_surface(kind, fraction):
    structure = voxelize(lattice(kind, fraction), voxel_size=CELL / 40)
    radius = structure.particles.radii[0]
    surface = len(BASES[kind]) * 4 * np.pi * radius**2 / CELL**3
    assert structure.volume_fraction(Phase.ACTIVE) == pytest.approx(fraction, rel=1e-3)
    assert measures.specific_surface_area(structure) == pytest.approx(surface, rel=1e-9)


def test_lattice_faces_have_the_symmetry_of_the_cube():
    faces = voxelize(lattice("BCC", 0.6), voxel_size=CELL / 12).face_fractions[Phase.ACTIVE]
    assert np.array_equal(faces[0], faces[1].transpose(1, 0, 2))
    assert np.array_equal(faces[0], faces[2].transpose(2, 1, 0))
    for axis, face in enumerate(faces):
        assert np.array_equal(face.take(0, axis=axis), face.take(-1, axis=axis))


def test_volume_converges_at_second_order():
    """Cavalieri's sum over a hundred randomly placed spheres, rounding to 1/255 included."""
    rng = np.random.default_rng(9176)
    radius, voxels, errors = 0.3, np.array([6, 12, 24]), []
    for n in voxels:
        got = [
            voxelize(
                ParticlePacking(
                    centres=rng.random((1, 3)) * 0.3 + 0.35, radii=np.array([radius]), domain=(1.0, 1.0, 1.0)
                ),
                voxel_size=1 / n,
            ).volume_fraction(Phase.ACTIVE)
            for _ in range(100)
        ]
        errors.append(np.sqrt(np.mean((np.array(got) / (4 / 3 * np.pi * radius**3) - 1) ** 2)))
    slope = np.polyfit(np.log(1 / voxels), np.log(errors), 1)[0]
    assert slope > 1.8
    assert errors[-1] < 1e-3


def test_surface_from_cut_faces_converges_at_second_order():
    """The vector of opposite face differences, where particles are unknown."""
    errors, voxels = [], np.array([10, 20, 40])
    for n in voxels:
        known = voxelize(lattice("SC", 0.3), voxel_size=CELL / n)
        unknown = Mesostructure(
            known.labels, voxel_size=known.voxel_size, periodic=True, face_fractions=known.face_fractions
        )
        exact = measures.specific_surface_area(known)
        errors.append(1 - measures.specific_surface_area(unknown) / exact)
    assert np.polyfit(np.log(1 / voxels), np.log(np.abs(errors)), 1)[0] > 1.7
    assert abs(errors[-1]) < 1e-3


def test_faces_of_overlapping_spheres_against_point_sampling():
    packing, n, fine = random_spheres(6203, 50), 20, 24
    faces = voxelize(packing, voxel_size=CELL / n).face_fractions[Phase.ACTIVE]
    grid = (np.arange(n * fine) + 0.5) / (n * fine) * CELL
    for axis in range(3):
        others = [other for other in range(3) if other != axis]
        points = np.zeros((n * fine, n * fine, 3))
        points[..., others[0]], points[..., others[1]] = grid[:, None], grid
        points[..., axis] = 7 * CELL / n
        inside = np.zeros(points.shape[:2], dtype=bool)
        for centre, radius in zip(packing.centres, packing.radii, strict=True):
            apart = points - centre
            apart[..., 1:] -= CELL * np.round(apart[..., 1:] / CELL)
            inside |= (apart**2).sum(axis=-1) < radius**2
        sampled = inside.reshape(n, fine, n, fine).mean(axis=(1, 3))
        got = faces[axis].take(7, axis=axis) / 255
        assert np.abs(got - sampled).max() < 0.05
        assert got.mean() == pytest.approx(sampled.mean(), abs=1e-3)


def test_union_surface_against_sampled_spheres():
    packing = random_spheres(2719, 40)
    step = np.pi * (3 - np.sqrt(5))
    index = np.arange(4000) + 0.5
    height = 1 - 2 * index / 4000
    ring = np.sqrt(1 - height**2)
    directions = np.stack((height, ring * np.cos(step * index), ring * np.sin(step * index)), axis=1)
    total = 0.0
    for s in range(packing.count):
        points = packing.centres[s] + packing.radii[s] * directions
        free = (points[:, 0] > 0) & (points[:, 0] < CELL)
        for t in range(packing.count):
            apart = points - packing.centres[t]
            apart[:, 1:] -= CELL * np.round(apart[:, 1:] / CELL)
            free &= ((apart**2).sum(axis=1) >= packing.radii[t] ** 2) | (t == s)
        total += 4 * np.pi * packing.radii[s] ** 2 * free.mean()
    got = measures.specific_surface_area(voxelize(packing, voxel_size=CELL / 16))
    assert got == pytest.approx(total / CELL**3, rel=2e-3)


def test_labels_and_ids_name_the_sphere_in_which_the_centre_lies_deepest():
    packing, n = random_spheres(4451, 30), 15
    structure = voxelize(packing, voxel_size=CELL / n)
    middle = (np.arange(n) + 0.5) * CELL / n
    points = np.stack(np.meshgrid(middle, middle, middle, indexing="ij"), axis=-1)[..., None, :]
    apart = points - packing.centres
    apart[..., 1:] -= CELL * np.round(apart[..., 1:] / CELL)
    depth = np.sqrt((apart**2).sum(axis=-1)) - packing.radii
    expected = np.where(depth.min(axis=-1) < 0, depth.argmin(axis=-1) + 1, 0)
    assert np.array_equal(structure.particle_ids, expected)
    assert np.array_equal(structure.labels, expected > 0)


def test_voxels_fill_the_thickness_exactly():
    ball = ParticlePacking(
        centres=np.full((1, 3), 5e-6), radii=np.array([4e-6]), domain=(10.3e-6, 10e-6, 10e-6)
    )
    structure = voxelize(ball, voxel_size=1e-6)
    assert structure.shape == (10, 10, 10)
    assert structure.thickness == pytest.approx(10.3e-6)
    with pytest.raises(ValueError, match="smaller than the electrode"):
        voxelize(ball, voxel_size=1.0)


@pytest.mark.parametrize("kernel", [kernels.quadrant_area, kernels.quadrant_area.py_func])
def test_disc_and_quadrant(kernel):
    half = kernels.half_segment
    area = np.pi * 0.49

    def covered(u, v):
        return kernel(u, v, half(u, 0.7), half(v, 0.7), 0.7)

    assert covered(1.0, 1.0) == pytest.approx(area)
    assert covered(0.0, 2.0) == pytest.approx(area / 2)
    assert covered(2.0, 0.0) == pytest.approx(area / 2)
    assert covered(0.0, 0.0) == pytest.approx(area / 4)
    assert covered(-0.6, -0.6) == 0.0
    assert covered(0.6, 0.6) == pytest.approx(area - 2 * (area / 2 - 2 * half(0.6, 0.7)))
