"""Sizes that were asked for are placed; films that are pressed or lie against walls look like it."""

from dataclasses import replace

import numpy as np
import pytest

from meso import Calendering, ElectrodeDesign, Phase, Profile, SizeClass, generate, measures, read_sizes
from meso.neighbours import neighbour_pairs
from meso.packing import pack_particles

SIEVED = "diameter / um; volume / %\n2;0\n4;20\n6;50\n9;30\n"


def placed(radii, wanted, *, over=None):
    """Largest difference of the cumulated volume from the requested one over a set of diameters."""
    volumes = radii**3
    diameters = np.linspace(wanted.smallest_diameter, wanted.largest_diameter, 60) if over is None else over
    below = np.array([volumes[2 * radii <= d].sum() for d in diameters]) / volumes.sum()
    return np.max(np.abs(below - [wanted.volume_below(d) for d in diameters]))


def test_measured_histogram_is_read(tmp_path):
    (tmp_path / "sizes.csv").write_text(SIEVED, encoding="utf-8")
    sizes = read_sizes(tmp_path / "sizes.csv")
    assert [sizes.volume_below(d * 1e-6) for d in (2, 4, 6, 9)] == pytest.approx([0.0, 0.2, 0.7, 1.0])
    # Half of the volume: 0.3 of the bin 4…6 µm of 0.5, uniform in the logarithm.
    assert sizes.diameter == pytest.approx(4e-6 * 1.5**0.6)
    assert SizeClass.from_dict(sizes.to_dict()) == sizes
    (tmp_path / "empty.csv").write_text("diameter,volume\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"empty.csv: must hold at least two rows"):
        read_sizes(tmp_path / "empty.csv")
    (tmp_path / "falling.csv").write_text("4,0\n2,1\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"falling.csv: diameters must be positive and increase"):
        read_sizes(tmp_path / "falling.csv")


@pytest.mark.parametrize("spread", [1.2, 1.5])
def test_drawn_sizes_follow_the_log_normal_by_volume(spread):
    sizes = SizeClass(diameter=6e-6, spread=spread)
    radii = sizes.radii_of(600 * np.pi / 6 * 6e-6**3)
    assert np.sum(4 / 3 * np.pi * radii**3) == pytest.approx(600 * np.pi / 6 * 6e-6**3, rel=1e-12)
    assert placed(radii, sizes) < 0.01


def test_placed_sizes_are_within_two_per_cent_by_volume(tmp_path):
    """The histogram of what lies in the electrode, every particle with the part of it that does."""
    (tmp_path / "sizes.csv").write_text(SIEVED, encoding="utf-8")
    sizes = read_sizes(tmp_path / "sizes.csv")
    design = ElectrodeDesign(thickness=60e-6, porosity=0.42, binder_fraction=0.0, size_classes=(sizes,))
    packing = pack_particles(design, width=60e-6, rng=np.random.default_rng(4001))
    z, r = packing.centres[:, 0], packing.radii
    low, high = np.clip(-z / r, -1, 1), np.clip((60e-6 - z) / r, -1, 1)
    parts = 0.75 * ((high - high**3 / 3) - (low - low**3 / 3)) * r**3
    diameters = np.array([4e-6, 5e-6, 6e-6, 7.5e-6])
    below = np.array([parts[2 * r <= d].sum() for d in diameters]) / parts.sum()
    assert below == pytest.approx([sizes.volume_below(d) for d in diameters], abs=0.02)


def test_sizes_may_differ_through_the_thickness():
    fine = SizeClass(diameter=4e-6, share=Profile.linear(separator=0.9, collector=0.1))
    coarse = SizeClass(diameter=8e-6, share=Profile.linear(separator=0.1, collector=0.9))
    design = ElectrodeDesign(thickness=80e-6, porosity=0.42, binder_fraction=0.0, size_classes=(fine, coarse))
    structure = generate(design, voxel_size=0.8e-6, width=40e-6, seed=991)
    found = np.where(
        structure.particle_ids > 0, structure.particles.size_class[structure.particle_ids - 1], -1
    )
    share = [np.mean(part[part >= 0] == 0) for part in np.array_split(found, 4)]
    assert share == pytest.approx([0.8, 0.6, 0.4, 0.2], abs=0.06)
    assert structure.volume_fraction(Phase.ACTIVE) == pytest.approx(0.58, abs=1e-3)
    assert ElectrodeDesign.from_dict(design.to_dict()) == design
    with pytest.raises(ValueError, match=r"add up to 1, got \[0.9, 0.9\] at relative depth 0"):
        ElectrodeDesign(thickness=80e-6, porosity=0.4, binder_fraction=0.0, size_classes=(fine, fine))


def contacts_along(packing):
    """Mean squared cosine of the contacts to the through-plane direction, weighted by depth: 1/3 if isotropic; depth."""
    inside = (packing.centres[:, 0] > 0) & (packing.centres[:, 0] < packing.domain[0])
    centres, radii = packing.centres[inside], packing.radii[inside]
    lengths = np.array([10 * packing.domain[0], *packing.domain[1:]])
    first, second = neighbour_pairs(centres, radii, lengths=lengths, periodic=True)
    apart = centres[second] - centres[first]
    apart -= lengths * np.round(apart / lengths)
    distance = np.linalg.norm(apart, axis=1)
    depth = radii[first] + radii[second] - distance
    return np.sum(depth * (apart[:, 0] / distance) ** 2) / depth.sum(), depth.mean() / radii.mean()


def test_a_pressed_film_has_its_contacts_along_the_pressure():
    """Packed at the final porosity, contacts point anywhere (1/3); pressed, more of them point through-plane."""
    recipe = {"thickness": 60e-6, "porosity": 0.3, "binder_fraction": 0.0}
    sizes = (SizeClass(diameter=5e-6, spread=1.2),)
    direct = ElectrodeDesign(size_classes=sizes, **recipe)
    pressed = ElectrodeDesign(size_classes=sizes, calendering=Calendering(initial_porosity=0.5), **recipe)
    stiff = replace(pressed, calendering=Calendering(initial_porosity=0.5, rearrangement=0.0))
    along, depths = [], []
    for design in (direct, pressed, stiff):
        packing = pack_particles(design, width=40e-6, rng=np.random.default_rng(808))
        along.append(contacts_along(packing)[0])
        depths.append(contacts_along(packing)[1])
        assert packing.overlap > 0
    assert along[0] == pytest.approx(1 / 3, abs=0.02)
    assert along[0] + 0.01 < along[1] < along[2]
    assert depths[0] < depths[1] < depths[2]
    structure = generate(pressed, voxel_size=0.6e-6, width=30e-6, seed=5)
    assert structure.volume_fraction(Phase.ACTIVE) == pytest.approx(0.7, abs=1e-3)
    assert ElectrodeDesign.from_dict(pressed.to_dict()) == pressed


def test_a_film_cannot_be_pressed_to_more_pores():
    with pytest.raises(
        ValueError, match=r"initial_porosity must be above the porosity after calendering, 0.4, got 0.35"
    ):
        ElectrodeDesign(
            thickness=60e-6,
            porosity=0.4,
            binder_fraction=0.0,
            size_classes=(SizeClass(diameter=5e-6),),
            calendering=Calendering(0.35),
        )


@pytest.mark.parametrize(("front", "back"), [("wall", "wall"), ("cut", "wall"), ("cut", "cut")])
def test_particles_lie_against_walls_and_are_cut_by_cuts(front, back):
    """At a wall of hard spheres the area fraction rises linearly from 0; at a cut it is that of the bulk."""
    design = ElectrodeDesign(
        thickness=60e-6,
        porosity=0.42,
        binder_fraction=0.0,
        size_classes=(SizeClass(diameter=5e-6, spread=1.2),),
        separator_face=front,
        collector_face=back,
    )
    structure = generate(design, voxel_size=0.5e-6, width=40e-6, seed=303)
    packing = structure.particles
    reach = {
        "wall": (
            (packing.centres[:, 0] - packing.radii).min(),
            (packing.centres[:, 0] + packing.radii).max() - 60e-6,
        )
    }["wall"]
    faces = structure.face_fractions[Phase.ACTIVE][0].mean(axis=(1, 2)) / 255
    for face, beyond, area in ((front, -reach[0], faces[0]), (back, reach[1], faces[-1])):
        if face == "wall":
            assert beyond < 0.1e-6
            assert area < 0.05
        else:
            assert beyond > 1e-6
            assert area == pytest.approx(0.58, abs=0.08)
    assert structure.volume_fraction(Phase.ACTIVE) == pytest.approx(0.58, abs=1e-3)


def test_contact_number_of_platelets_counts_ellipsoids_and_not_their_spheres():
    sizes = (SizeClass(diameter=6e-6, aspect_ratio=0.3, alignment=1.0),)
    design = ElectrodeDesign(thickness=40e-6, porosity=0.4, binder_fraction=0.0, size_classes=sizes)
    structure = generate(design, voxel_size=0.6e-6, width=40e-6, seed=9)
    number = measures.contact_number(structure, gap=0.1e-6)
    assert 4 < number < 9  # an affine image of a sphere packing: near-contacts of dense spheres
