"""Binder that grows fingers, and cubes that stand for a uniform electrode."""

from dataclasses import replace

import numpy as np
import pytest

from meso import Channels, ElectrodeDesign, ParticlePacking, Phase, Profile, SizeClass, generate, measures
from meso.binder import add_binder
from meso.voxels import voxelize

DESIGN = ElectrodeDesign(
    thickness=48e-6,
    porosity=0.42,
    binder_fraction=0.1,
    size_classes=(SizeClass(diameter=6e-6, spread=1.2),),
    binder_bridging=0.0,
)


def covered(structure):
    """Share of the active voxels' faces with something else that are faces with binder."""
    active = structure.labels == Phase.ACTIVE
    counts = np.zeros(2)
    for axis in (1, 2):
        other = np.roll(structure.labels, 1, axis=axis)
        counts += [np.sum(active & (other == phase)) for phase in (Phase.PORE, Phase.BINDER)]
    return counts[1] / counts.sum()


def test_fingers_leave_active_surface_free_at_the_same_volume():
    """Mistry et al. 2018: towards fingers the binder covers less of the active material and grows into the pores."""
    cover, surface = [], []
    for morphology in (0.0, 0.5, 1.0):
        structure = generate(
            replace(DESIGN, binder_morphology=morphology), voxel_size=0.5e-6, width=32e-6, seed=77
        )
        assert structure.volume_fraction(Phase.BINDER) == pytest.approx(0.1, abs=1e-3)
        assert structure.volume_fraction(Phase.PORE) == pytest.approx(0.42, abs=1e-3)
        cover.append(covered(structure))
        depth = measures.surface_area_profile(structure, phase=Phase.BINDER)
        surface.append(depth.mean())
        for axis in (1, 2):
            faces = structure.face_fractions[Phase.BINDER][axis]
            assert np.array_equal(faces.take(0, axis=axis), faces.take(-1, axis=axis))
    assert cover[0] > cover[1] > cover[2]
    assert cover[2] < 0.85 * cover[0]


def test_fingers_are_the_same_at_every_voxel_size():
    finger = replace(DESIGN, binder_morphology=1.0, thickness=24e-6)
    coarse, fine = (generate(finger, voxel_size=h, width=24e-6, seed=12) for h in (0.8e-6, 0.4e-6))
    mean = [
        structure.face_fractions[Phase.BINDER][0][:-1]
        .reshape(6, -1, 6, s // 6, 6, s // 6)
        .mean(axis=(1, 3, 5))
        for structure, s in ((coarse, 30), (fine, 60))
    ]
    assert np.corrcoef(mean[0].ravel(), mean[1].ravel())[0, 1] > 0.97


def test_the_short_search_for_second_particles_changes_nothing():
    from meso import binder

    packing = generate(replace(DESIGN, binder_fraction=0.0), voxel_size=1e-6, width=32e-6, seed=3).particles
    bare = voxelize(packing, voxel_size=1e-6)
    whole = {}
    for safe in (binder.SAFE, 100.0):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(binder, "SAFE", safe)
            whole[safe] = binder.add_binder(bare, fraction=Profile.constant(0.04), bridging=0.7, reach=3e-6)
    short, long = whole.values()
    differ = short.face_fractions[Phase.BINDER][0].astype(int) - long.face_fractions[Phase.BINDER][0]
    assert np.mean(np.abs(differ) > 3) < 1e-4
    assert (
        np.mean(short.labels != long.labels) < 3e-4
    )  # bins of the counts are as wide as the search goes far


def test_a_cube_is_periodic_and_holds_the_recipe():
    cube = generate(DESIGN, voxel_size=0.6e-6, width=24e-6, seed=40, cube=True)
    assert cube.shape == (40, 40, 40)
    assert cube.volume_fraction(Phase.ACTIVE) == pytest.approx(0.48, abs=1e-3)
    faces = cube.face_fractions[Phase.ACTIVE][0]
    assert np.array_equal(faces[0], faces[-1])


def test_binder_of_a_cube_does_not_know_where_its_faces_are():
    """Particles moved through-plane by half the cube, those that leave coming in again: the same binder, moved."""
    n, rng = 24, np.random.default_rng(1215)
    centres, shift = rng.random((14, 3)), np.array([0.5, 0.0, 0.0])
    results = []
    for move in (0.0, 1.0):
        here = (centres + move * shift) % 1.0
        copies = [here + np.array((d, 0, 0)) for d in (-1, 0, 1)]
        placed = np.concatenate([c[(c[:, 0] > -0.15) & (c[:, 0] < 1.15)] for c in copies])
        packing = ParticlePacking(centres=placed, radii=np.full(len(placed), 0.15), domain=(1.0, 1.0, 1.0))
        structure = add_binder(
            voxelize(packing, voxel_size=1 / n),
            fraction=Profile.constant(0.08),
            bridging=0.4,
            reach=0.15,
            cube=True,
        )
        binder = structure.face_fractions[Phase.BINDER]
        assert np.array_equal(binder[0][0], binder[0][-1])
        assert binder[0][0].any()
        results.append(structure)
    for axis, (there, moved) in enumerate(
        zip(*(structure.face_fractions[Phase.BINDER] for structure in results), strict=True)
    ):
        rolled = np.roll(there[:n], n // 2, axis=0).astype(int)
        assert np.abs(rolled - moved[:n]).max() <= 2, axis
    assert np.mean(np.roll(results[0].labels, n // 2, axis=0) != results[1].labels) < 1e-3


def test_fingers_of_a_cube_go_on_through_its_faces():
    """Across the seam the binder changes no more from plane to plane than inside."""
    cube = generate(
        replace(DESIGN, binder_morphology=1.0), voxel_size=0.6e-6, width=24e-6, seed=40, cube=True
    )
    binder = cube.face_fractions[Phase.BINDER][1].astype(float)
    steps = np.abs(binder - np.roll(binder, 1, axis=0)).mean(axis=(1, 2))
    assert steps[0] < 1.3 * steps[1:].mean()


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"porosity": Profile.linear(separator=0.5, collector=0.4)}, "porosity depends on the depth"),
        ({"channels": Channels(pitch=20e-6, width=5e-6)}, "channels depends on the depth"),
        ({"collector_face": "wall"}, "collector_face depends on the depth"),
    ],
)
def test_only_uniform_electrodes_are_represented_by_a_cube(changes, rule):
    with pytest.raises(ValueError, match=rule):
        generate(replace(DESIGN, **changes), voxel_size=0.6e-6, width=24e-6, seed=40, cube=True)
