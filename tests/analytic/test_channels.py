"""Channels against the volumes and areas of cylinders, cones and prisms."""

import numpy as np
import pytest

from meso import Channels, ElectrodeDesign, ParticlePacking, Phase, SizeClass, generate, load, measures, save
from meso.channels import cut_channels
from meso.structure import Mesostructure

PITCH = 20e-6
SIZES = (SizeClass(diameter=4e-6, spread=1.2),)


def solid(n, channels):
    """Cut a block of pure active material."""
    labels = np.ones((n, n, n), dtype=np.uint8)
    whole = tuple(
        np.full(tuple(n + (axis == other) for other in range(3)), 255, dtype=np.uint8) for axis in range(3)
    )
    block = Mesostructure(
        labels,
        voxel_size=PITCH / n,
        periodic=True,
        particle_ids=labels,
        particles=ParticlePacking(
            centres=np.full((1, 3), PITCH / 2), radii=np.array([PITCH / 2]), domain=(PITCH, PITCH, PITCH)
        ),
        face_fractions={Phase.ACTIVE: whole},
    )
    return cut_channels(block, channels)


@pytest.mark.parametrize("taper", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("pattern", ["holes", "lines"])
def test_volume_of_one_channel(pattern, taper):
    """Cylinder, cone and its frustum; prism and wedge: radius r0 to r1 over a depth, pi d (r0² + r0 r1 + r1²) / 3."""
    channels = Channels(pitch=PITCH, width=9e-6, depth=0.55, taper=taper, pattern=pattern)
    top, bottom, deep = 4.5e-6, 4.5e-6 * (1 - taper), 0.55 * PITCH
    volume = np.pi * deep / 3 * (top**2 + top * bottom + bottom**2)
    if pattern == "lines":
        volume = deep * (top + bottom) * PITCH
    assert channels.volume_fraction == pytest.approx(volume / PITCH**3, rel=1e-12)
    left = [solid(n, channels).volume_fraction(Phase.ACTIVE) for n in (20, 40)]
    assert left[1] == pytest.approx(1 - volume / PITCH**3, abs=1.5e-3)
    assert np.mean(solid(40, channels).labels == Phase.PORE) == pytest.approx(volume / PITCH**3, abs=4e-3)


def test_wall_of_a_straight_hole_is_that_of_a_cylinder():
    cut = solid(40, Channels(pitch=PITCH, width=9e-6))
    assert measures.specific_surface_area(cut) == pytest.approx(np.pi * 9e-6 * PITCH / PITCH**3, rel=3e-3)


def test_sections_of_a_hole_are_discs_to_second_order():
    errors, counts = [], np.array([10, 20, 40])
    for n in counts:
        faces = solid(n, Channels(pitch=PITCH, width=8.7e-6)).face_fractions[Phase.ACTIVE][0]
        errors.append(abs(1 - faces[n // 2].mean() / 255 - np.pi / 4 * (8.7 / 20) ** 2))
    assert errors[-1] < 1e-4
    assert errors[0] < 1e-3


@pytest.mark.parametrize("pattern", ["holes", "lines"])
def test_channelled_electrode_holds_the_same_active_material_in_more_thickness(pattern):
    """Equal loading: thickness × mean active fraction is that of the plain electrode; the coating keeps its recipe."""
    recipe = {"porosity": 0.38, "binder_fraction": 0.06, "size_classes": SIZES}
    channels = Channels(pitch=PITCH, width=7e-6, depth=0.8, taper=0.3, pattern=pattern)
    plain = ElectrodeDesign.for_capacity(17.0, 1e6, **recipe)
    drilled = ElectrodeDesign.for_capacity(17.0, 1e6, channels=channels, **recipe)
    assert drilled.thickness > plain.thickness
    structure = generate(drilled, voxel_size=0.5e-6, width=2 * PITCH, seed=4127)
    active = structure.volume_fraction(Phase.ACTIVE) * structure.thickness
    assert active == pytest.approx(plain.thickness * 0.56, rel=1.5e-3)
    assert structure.volume_fraction(Phase.BINDER) == pytest.approx(drilled.mean_fraction("binder"), abs=1e-3)
    assert structure.volume_fraction(Phase.PORE) == pytest.approx(drilled.mean_fraction("pore"), abs=1e-3)
    assert drilled.mean_fraction("active") == pytest.approx(0.56 * (1 - channels.volume_fraction), rel=1e-12)
    for axis in range(3):
        solids = sum(
            structure.face_fractions[phase][axis].astype(int) for phase in (Phase.ACTIVE, Phase.BINDER)
        )
        assert solids.max() <= 255
    assert np.array_equal(structure.labels == Phase.ACTIVE, structure.particle_ids > 0)
    by_label = np.mean(structure.labels == Phase.ACTIVE)
    assert by_label == pytest.approx(structure.volume_fraction(Phase.ACTIVE), abs=0.01)


def test_channels_travel_through_designs_and_files(tmp_path):
    channels = Channels(pitch=PITCH, width=7e-6, depth=0.5)
    design = ElectrodeDesign(
        thickness=20e-6, porosity=0.4, binder_fraction=0.0, size_classes=SIZES, channels=channels
    )
    assert ElectrodeDesign.from_dict(design.to_dict()) == design
    structure = generate(design, voxel_size=1e-6, width=PITCH, seed=2)
    save(structure, tmp_path / "drilled.npz")
    again = load(tmp_path / "drilled.npz")
    assert again.particles.channels == channels
    assert measures.specific_surface_area(again) == measures.specific_surface_area(structure)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"width": 25e-6}, "widen the pitch"),
        ({"pitch": 20.0}, "micrometres"),
        ({"depth": 60e-6 / 1e-6}, "divide it by the thickness"),
        ({"taper": -0.1}, "taper must lie"),
        ({"pattern": "hexagons"}, "'holes' or 'lines'"),
    ],
)
def test_impossible_channels_are_refused(changes, rule):
    with pytest.raises(ValueError, match=rule):
        Channels(**({"pitch": PITCH, "width": 5e-6} | changes))


def test_a_domain_narrower_than_a_pitch_is_refused():
    design = ElectrodeDesign(
        thickness=20e-6,
        porosity=0.4,
        binder_fraction=0.0,
        size_classes=SIZES,
        channels=Channels(pitch=60e-6, width=20e-6),
    )
    with pytest.raises(ValueError, match="whole channel of pitch 6e-05 m, got 2e-05"):
        generate(design, voxel_size=1e-6, width=20e-6, seed=1)
