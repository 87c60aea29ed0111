"""Measures on structures simple enough to count by hand."""

import numpy as np
import pytest

from meso import Mesostructure, ParticlePacking, Phase, measures
from meso._kernels import measures as kernels
from meso.voxels import voxelize


def image(labels, **keywords):
    return Mesostructure(np.asarray(labels), **({"voxel_size": 1e-6} | keywords))


def test_fractions_and_profile():
    labels = np.zeros((3, 2, 2), dtype=int)
    labels[1], labels[2, 0] = 1, 2
    assert measures.volume_fractions(image(labels)) == pytest.approx(
        {Phase.PORE: 0.5, Phase.ACTIVE: 1 / 3, Phase.BINDER: 1 / 6}
    )
    assert measures.porosity_profile(image(labels)).tolist() == pytest.approx([1.0, 0.0, 0.5])


def test_face_count_of_a_cube():
    labels = np.zeros((4, 4, 4), dtype=int)
    labels[1:3, 1:3, 1:3] = 1
    cube = image(labels, voxel_size=(1e-6, 2e-6, 3e-6))
    area = 2 * (4 * 6 + 2 * 6 + 2 * 4) * 1e-12
    assert measures.specific_surface_area(cube) == pytest.approx(area / (4 * 8 * 12 * 1e-18))
    profile = measures.surface_area_profile(cube)
    assert profile[0] == pytest.approx(12e-12 / (8 * 12 * 1e-18))
    assert profile.mean() == pytest.approx(measures.specific_surface_area(cube))


def test_a_slab_has_its_flat_surface_wherever_it_cuts_the_voxels():
    """A layer of 2.4 voxels, given by its face fractions, wraps around laterally and has two sides."""
    shape = (6, 5, 5)
    depth = np.round(np.clip(2.4 - np.arange(6), 0, 1) * 255)
    active = (
        np.where(np.arange(7) < 2.4, 255, 0)[:, None, None] * np.ones((7, 5, 5)),
        depth[:, None, None] * np.ones((6, 6, 5)),
        depth[:, None, None] * np.ones((6, 5, 6)),
    )
    labels = np.zeros(shape, dtype=int)
    labels[:2] = 1
    slab = image(
        labels, periodic=True, face_fractions={Phase.ACTIVE: tuple(face.astype(np.uint8) for face in active)}
    )
    assert slab.volume_fraction(Phase.ACTIVE) == pytest.approx(0.4, abs=1e-12)
    assert measures.specific_surface_area(slab) == pytest.approx(1 / 6e-6)
    assert measures.specific_surface_area(slab, phase=Phase.PORE) == pytest.approx(1 / 6e-6)


def test_connection_through_faces_only_and_around_periodic_sides():
    labels = np.zeros((4, 3, 3), dtype=int)
    labels[:2, 0, 0] = 1
    labels[2:, 0, 2] = 1
    open_sides, closed_sides = image(labels, periodic=True), image(labels)
    for structure in (open_sides, closed_sides):
        reached = measures.connected_voxels(structure, phases=Phase.ACTIVE, to="collector")
        assert np.count_nonzero(reached) == 2
    labels[2, 0, 0] = 2
    phases = (Phase.ACTIVE, Phase.BINDER)
    assert measures.connected_fraction(image(labels, periodic=True), phases=phases, to="collector") == 1.0
    assert measures.connected_fraction(image(labels), phases=phases, to="collector") == pytest.approx(0.4)
    assert measures.connected_fraction(image(labels), phases=phases, to="separator") == pytest.approx(0.6)
    assert measures.connected_fraction(image(labels), phases=phases, to="separator", of=Phase.ACTIVE) == 0.5
    assert (
        measures.connected_fraction(image(np.zeros((2, 2, 2), int)), phases=Phase.BINDER, to="separator")
        == 1.0
    )
    with pytest.raises(ValueError, match="to must be"):
        measures.connected_voxels(open_sides, phases=Phase.ACTIVE, to="anode")


@pytest.mark.parametrize("kernel", [kernels.flood, kernels.flood.py_func])
def test_flood_does_not_cross_closed_faces(kernel):
    through = np.ones((4, 1, 2), dtype=bool)
    through[2, 0, 0] = False
    reached = np.zeros((3, 1, 2), dtype=bool)
    kernel(through, np.zeros((3, 2, 2), bool), np.zeros((3, 1, 3), bool), False, False, reached)
    assert reached[:, 0, :].tolist() == [[True, True], [True, True], [False, True]]


def test_chords_are_the_runs_inside_the_image():
    labels = np.zeros((9, 1, 1), dtype=int)
    labels[[0, 3, 4, 6, 8]] = 1
    chords = measures.chord_lengths(image(labels), phase=Phase.ACTIVE, axis=0)
    assert chords.tolist() == pytest.approx([2e-6, 1e-6])


def test_two_point_correlation_of_layers_and_of_noise():
    layers = np.repeat([[0, 0, 1, 1] * 4], 12, axis=0).reshape(3, 4, 16)
    periodic = measures.two_point_correlation(image(layers, periodic=True), phase=Phase.ACTIVE, axis=2)
    assert periodic == pytest.approx([0.5, 0.25, 0.0, 0.25] * 2, abs=1e-6)
    noise = np.random.default_rng(404).random((40, 40, 40)) < 0.3
    correlation = measures.two_point_correlation(image(noise.astype(int)), phase=Phase.ACTIVE, axis=0)
    assert correlation[0] == pytest.approx(noise.mean(), abs=1e-6)
    assert correlation[1:] == pytest.approx(0.09, abs=0.01)


def test_contacts_of_a_chain():
    packing = ParticlePacking(
        centres=np.array([(2.0, 5.0, 5.0), (4.0, 5.0, 5.0), (6.1, 5.0, 5.0)]),
        radii=np.ones(3),
        domain=(9.0, 9.0, 9.0),
    )
    structure = voxelize(packing, voxel_size=0.5)
    assert measures.contact_number(structure, gap=0.01) == pytest.approx(2 / 3)
    assert measures.contact_number(structure, gap=0.2) == pytest.approx(4 / 3)
    with pytest.raises(ValueError, match="carry particles"):
        measures.contact_number(image(np.zeros((2, 2, 2), int)), gap=1.0)


def test_local_thickness_of_a_slab():
    labels = np.zeros((20, 12, 12), dtype=int)
    labels[5:14] = 1
    thickness = measures.local_thickness(image(labels), phase=Phase.ACTIVE)
    assert thickness[9].max() == pytest.approx(9e-6, rel=0.15)
    assert thickness[0].max() == 0.0
    with pytest.raises(ValueError, match="same on all axes"):
        measures.local_thickness(image(labels, voxel_size=(1e-6, 2e-6, 2e-6)), phase=Phase.ACTIVE)
