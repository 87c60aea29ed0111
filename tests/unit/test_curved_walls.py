"""Open areas of cut faces are corrected for the curvature of particles, and of nothing else."""

import numpy as np
import pytest
from numba import get_num_threads, set_num_threads

from meso import Channels, Mesostructure, ParticlePacking, Phase
from meso.channels import cut_channels
from meso.voxels import voxelize
from solvers import solve_transport
from solvers.apertures import conduct_faces

CELL = 1.0
FREE = np.array([1.0, 0.0, 0.0])


def one(radius=0.4, aspect=1.0, axis=(1.0, 0.0, 0.0), at=(0.5, 0.5, 0.5)):
    """One particle in a periodic box."""
    return ParticlePacking(
        centres=np.array([at]),
        radii=np.array([radius]),
        domain=(CELL, CELL, CELL),
        aspect_ratios=np.array([aspect]),
        axes=np.array([axis]) / np.linalg.norm(axis),
    )


def areas(structure, axis=0, table=FREE):
    return conduct_faces(structure, table, [0, 1, 2], [False, False, False])[axis].astype(int)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_current_along_the_equator_of_a_sphere(axis):
    """
    Flow past a sphere in the plane through its centre: the speed at r is (1 + R³/2r³), that of the open part of a cut face is
    below that of its middle. To first order in the voxel size the exact flux of that flow through the face, over its speed
    at the middle, is the corrected area.
    """
    radius, n = 0.4, 40
    structure = voxelize(one(radius), voxel_size=CELL / n)
    corrected = np.moveaxis(areas(structure, axis), axis, 0)[n // 2] / 255
    fine = (np.arange(32) + 0.5) / 32 / n
    checked = 0
    for j, i in np.argwhere((corrected > 0.1) & (corrected < 0.9)):
        y, x = np.meshgrid(j / n + fine - 0.5, i / n + fine - 0.5, indexing="ij")
        r = np.hypot(y, x)
        middle = np.hypot((j + 0.5) / n - 0.5, (i + 0.5) / n - 0.5)
        flux = np.mean(np.where(r > radius, 1 + radius**3 / (2 * r**3), 0.0))
        # The faces of both structures are rounded to 1/255, and the fine grid is no closed form.
        assert corrected[j, i] == pytest.approx(flux / (1 + radius**3 / (2 * middle**3)), abs=0.006)
        checked += 1
    assert checked > 20


def test_a_far_particle_seen_as_an_ellipsoid_or_as_a_sphere_is_the_same():
    ball, egg = (
        voxelize(one(0.35, aspect, (0.3, 0.5, 0.8)), voxel_size=CELL / 16) for aspect in (1.0, 1.0 + 1e-9)
    )
    for axis in range(3):
        assert np.abs(areas(ball, axis) - areas(egg, axis)).max() <= 2


def test_walls_of_channels_stay_as_they_are():
    pitch, n = 10e-6, 20
    whole = tuple(np.full(tuple(n + (a == b) for b in range(3)), 255, np.uint8) for a in range(3))
    small = ParticlePacking(
        centres=np.full((1, 3), pitch / 2), radii=np.array([0.05 * pitch]), domain=(pitch, pitch, pitch)
    )
    solid = Mesostructure(
        np.ones((n, n, n), int),
        voxel_size=pitch / n,
        periodic=True,
        particle_ids=np.ones((n, n, n), int),
        particles=small,
        face_fractions={Phase.ACTIVE: whole},
    )
    cut = cut_channels(solid, Channels(pitch=pitch, width=0.4 * pitch))
    straight = 255 - cut.face_fractions[Phase.ACTIVE][0].astype(int)
    # A straight hole has the tortuosity factor 1, so none of its open areas may change.
    assert np.array_equal(areas(cut), straight)


def test_what_is_no_particle_and_what_conducts_in_it_is_left_alone():
    structure = voxelize(one(), voxel_size=CELL / 12)
    covered = structure.face_fractions[Phase.ACTIVE][0].astype(int)
    assert np.array_equal(areas(structure, table=np.array([0.0, 1.0, 0.0])), covered)
    bare = Mesostructure(
        structure.labels, voxel_size=CELL / 12, periodic=True, face_fractions=structure.face_fractions
    )
    assert np.array_equal(areas(bare), 255 - covered)
    changed = areas(structure)
    assert not np.array_equal(changed, 255 - covered)
    assert np.array_equal(changed > 0, covered < 255)  # nothing opens or closes


def test_same_bits_for_any_number_of_threads_and_any_lateral_origin():
    threads = get_num_threads()
    first = areas(voxelize(one(at=(0.5, 0.1, 0.95)), voxel_size=CELL / 16), 2)
    set_num_threads(1)
    try:
        second = areas(voxelize(one(at=(0.5, 0.1, 0.95)), voxel_size=CELL / 16), 2)
    finally:
        set_num_threads(threads)
    assert np.array_equal(first, second)
    here, moved = (
        solve_transport(voxelize(one(at=at), voxel_size=CELL / 16), tolerance=1e-8).effective_conductivity
        for at in ((0.5, 0.5, 0.5), (0.5, 0.0, 0.25))
    )
    assert moved == pytest.approx(here, rel=1e-4)
