"""What phases on a face conduct, and whose film a voxel holds: compiled, interpreted, and by hand."""

import numpy as np
import pytest

from meso import Mesostructure, ParticlePacking, Phase
from meso.owners import nearest_particles
from solvers import solve_transport
from solvers._kernels import apertures as kernels
from solvers.network import build_network, count_carrying_only, keep_carrying

BOTH = pytest.mark.parametrize("which", ["compiled", "interpreted"])


def pick(kernel, which):
    return kernel if which == "compiled" else kernel.py_func


def faces(*values):
    return np.array(values, np.uint8).reshape(-1, 1, 1)


def mixed(which, active, binder, table, *, bent=None, dtype=np.float32):
    area = np.empty(active.shape, dtype)
    place = 0, len(area), active, binder, bent
    pick(kernels.mix_faces, which)(*place, np.array(table), dtype is np.uint8, area)
    return area.ravel().tolist()


@BOTH
def test_phases_on_a_face_conduct_side_by_side(which):
    active, binder = faces(0, 255, 100, 100), faces(0, 0, 55, 155)
    assert mixed(which, active, binder, [0.0, 0.5, 1.0]) == pytest.approx([0.0, 127.5, 105.0, 205.0])
    assert mixed(which, active, 0 * binder, [0.0, 0.5, 1.0]) == pytest.approx([0.0, 127.5, 50.0, 50.0])


@BOTH
def test_a_bent_wall_reduces_all_that_lies_beside_it(which):
    """Of 155 that a particle leaves open its curved wall lets through 124: eight tenths of pore and coat."""
    active, binder, bent = faces(100, 255, 0), faces(55, 0, 0), faces(124, 0, 255)
    found = mixed(which, active, binder, [1.0, 0.0, 0.4], bent=bent)
    assert found == pytest.approx([0.8 * (100 + 0.4 * 55), 0.0, 255.0])


@BOTH
def test_what_is_open_stays_open_when_rounded(which):
    active, binder, bent = faces(254, 200, 255), faces(0, 55, 0), faces(1, 40, 0)
    assert mixed(which, active, binder, [1.0, 0.0, 0.0], bent=bent, dtype=np.uint8) == [1, 0, 0]


@BOTH
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_films_of_two_particles_meet_only_where_the_face_is_nearly_filled(which, axis):
    owner = np.moveaxis(np.array([3, 3, 7, -1, 3], np.int32).reshape(5, 1, 1), 0, axis).copy()
    binder = np.moveaxis(faces(9, 9, 60, 60, 9, 9), 0, axis).copy()
    for solid, parted in ((0, True), (200, False)):
        active = np.moveaxis(faces(0, 0, solid, 0, 0, 0), 0, axis).copy()
        area = binder.astype(np.float32)
        pick(kernels.part_films, which)(0, len(area), axis, active, binder, owner, True, 1.0, area)
        expected = binder.astype(float)
        if parted:
            expected[tuple(2 * (np.arange(3) == axis))] = 0.0
        assert np.array_equal(area, expected)


@BOTH
def test_lateral_borders_are_between_the_last_and_the_first_voxel(which):
    owner = np.array([[[1, 1, 2]]], np.int32)
    binder = np.full((1, 1, 4), 20, np.uint8)
    area = binder.astype(np.float32)
    pick(kernels.part_films, which)(0, 1, 2, np.zeros_like(binder), binder, owner, True, 0.5, area)
    assert area.ravel().tolist() == [10.0, 20.0, 10.0, 10.0]
    area = binder.astype(np.float32)
    pick(kernels.part_films, which)(0, 1, 2, np.zeros_like(binder), binder, owner, False, 0.5, area)
    assert area.ravel().tolist() == [20.0, 20.0, 10.0, 20.0]


def two_spheres():
    return ParticlePacking(
        centres=np.array([[0.5, 0.3, 0.5], [0.5, 0.75, 0.5]]),
        radii=np.array([0.2, 0.15]),
        domain=(1.0, 1.0, 1.0),
        aspect_ratios=np.ones(2),
        axes=np.tile([1.0, 0.0, 0.0], (2, 1)),
    )


def test_voxels_belong_to_the_particle_with_the_nearest_surface():
    n = 20
    structure = Mesostructure(
        np.zeros((n, n, n), int), voxel_size=1 / n, periodic=True, particles=two_spheres()
    )
    owner = nearest_particles(structure, reach=0.1)
    middles = (np.arange(n) + 0.5) / n
    z, y, x = np.meshgrid(middles, middles, middles, indexing="ij")
    distances = []
    for centre, radius in zip(two_spheres().centres, two_spheres().radii, strict=True):
        dy = (y - centre[1] + 0.5) % 1 - 0.5
        dx = (x - centre[2] + 0.5) % 1 - 0.5
        distances.append(np.sqrt((z - centre[0]) ** 2 + dy**2 + dx**2) - radius)
    expected = np.where(np.minimum(*distances) < 0.1, np.argmin(distances, axis=0), -1)
    assert np.mean(owner == expected) > 0.999
    assert set(np.unique(owner)) == {-1, 0, 1}


def test_particles_of_a_cut_out_piece_are_not_trusted():
    bare = Mesostructure(np.zeros((4, 4, 4), int), voxel_size=0.25, periodic=True)
    assert nearest_particles(bare, reach=0.1) is None
    piece = Mesostructure(np.zeros((4, 4, 4), int), voxel_size=0.2, periodic=True, particles=two_spheres())
    assert nearest_particles(piece, reach=0.1) is None


def test_unit_is_the_best_conductor_on_the_faces_even_where_no_voxel_shows_it():
    shapes = [(3, 2, 2), (2, 3, 2), (2, 2, 3)]
    none, some = (
        [np.zeros(shape, np.uint8) for shape in shapes],
        [np.zeros(shape, np.uint8) for shape in shapes],
    )
    some[0][:] = 51
    structure = Mesostructure(
        np.zeros((2, 2, 2), int),
        voxel_size=1.0,
        face_fractions={Phase.ACTIVE: tuple(none), Phase.BINDER: tuple(some)},
    )
    network = build_network(structure, conductivity={Phase.BINDER: 8.0}, axis=0, sides=None, voxel_size=None)
    assert network.areas[0].dtype == np.uint8
    assert network.unit * network.areas[0].max() == pytest.approx(8.0 * 0.2)
    mixed = build_network(
        structure, conductivity={Phase.PORE: 2.0, Phase.BINDER: 8.0}, axis=0, sides=None, voxel_size=None
    )
    assert mixed.contrast == 0.25
    assert mixed.unit * mixed.areas[0].max() == pytest.approx(8.0 * 0.2 + 2.0 * 0.8)


def test_faces_of_one_phase_alone_will_do():
    shapes = [(3, 2, 2), (2, 3, 2), (2, 2, 3)]
    half = tuple(np.full(shape, 102, np.uint8) for shape in shapes)
    for phase in (Phase.ACTIVE, Phase.BINDER):
        structure = Mesostructure(np.zeros((2, 2, 2), int), voxel_size=1.0, face_fractions={phase: half})
        assert solve_transport(structure).effective_conductivity == pytest.approx(0.6)
        found = solve_transport(structure, conductivity={Phase.PORE: 1.0, phase: 3.0})
        assert found.effective_conductivity == pytest.approx(0.6 + 3.0 * 0.4)


@pytest.mark.parametrize("surface", ["voxels", "smooth"])
def test_isolated_parts_weigh_by_what_they_conduct(surface):
    """Columns of conductivity 1 and 4 through a quarter of the image each, and a grain of the better that touches none."""
    image = np.zeros((16, 16, 16), np.uint8)
    image[:, :4], image[:, 5:9], image[6:9, 11:14, 6:9] = 1, 2, 2
    network = build_network(
        image, conductivity={1: 1.0, 2: 4.0}, axis=0, sides=None, voxel_size=None, surface=surface
    )
    carrying = keep_carrying(network)[1]
    left = count_carrying_only(network, carrying).mean_conductivity
    assert left == pytest.approx((1.0 + 4.0) / 4, rel=1e-12 if surface == "voxels" else 0.02)
    assert network.mean_conductivity > 1.015 * left
