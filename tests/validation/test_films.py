"""Coats and films thinner than a voxel against closed forms, and against finer voxels where there is none."""

from math import atan, cos, pi

import numpy as np
import pytest

from meso import ElectrodeDesign, Mesostructure, ParticlePacking, Phase, Profile, SizeClass
from meso.binder import add_binder
from meso.packing import pack_particles
from meso.voxels import voxelize
from solvers import solve_transport


def inclined_film(slope, thickness, *, height=24, width=24, conducting=Phase.BINDER):
    """A film of `thickness` voxels in nothing, y = slope × z, in a box that repeats itself along y."""
    across = thickness * np.sqrt(1 + slope**2)
    fine = 400

    def share(shape, z, y):
        """Of every face, from points z and y of it (faces, points)."""
        offset = (y - slope * z + 0.371 + width / 2) % width - width / 2
        return np.round(255 * np.mean(np.abs(offset) < across / 2, axis=-1).reshape(shape)).astype(np.uint8)

    part = (np.arange(fine) + 0.5) / fine
    z, y = np.meshgrid(np.arange(height + 1), np.arange(width), indexing="ij")
    through = share((height + 1, width, 1), z.reshape(-1, 1), y.reshape(-1, 1) + part)
    z, y = np.meshgrid(np.arange(height), np.arange(width + 1), indexing="ij")
    lateral = share((height, width + 1, 1), z.reshape(-1, 1) + part, y.reshape(-1, 1))
    side = np.zeros((height, width, 2), np.uint8)
    covered, nothing = (through, lateral, side), tuple(np.zeros_like(a) for a in (through, lateral, side))
    return Mesostructure(
        np.zeros((height, width, 1), np.uint8),
        voxel_size=1e-6,
        periodic=True,
        face_fractions={
            phase: covered if phase is conducting else nothing for phase in (Phase.ACTIVE, Phase.BINDER)
        },
    )


@pytest.mark.parametrize("slope", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("thickness", [0.15, 0.4, 1.7])
def test_an_inclined_film_carries_what_its_length_and_thickness_say(slope, thickness, measured):
    """A film of thickness t at an angle α to the current, one per width W: σ t cos α / W."""
    structure = inclined_film(slope, thickness)
    found = solve_transport(structure, conductivity={Phase.BINDER: 7.0}, tolerance=1e-6)
    expected = 7.0 * thickness * cos(atan(slope)) / structure.shape[1]
    what = f"film {thickness:g} voxels thick at a slope of {slope:g}, σ_eff"
    measured("films", what, found.effective_conductivity, expected, rel=0.03, source="σ t cos α / W")


def curved_film(voxels, thickness):
    """A film of even thickness on Schwarz's primitive surface, cos x + cos y + cos z = 0, one period in a cube."""
    fine = 24
    part = (np.arange(fine) + 0.5) / fine

    def covered(*places):
        x = [2 * pi / voxels * place for place in places]
        height = sum(np.cos(each) for each in x)
        steep = 2 * pi / voxels * np.sqrt(sum(np.sin(each) ** 2 for each in x))
        return np.abs(height) < 0.5 * thickness * steep

    faces = []
    for axis in range(3):
        shape = tuple(voxels + (axis == other) for other in range(3))
        share = np.zeros(shape)
        lines = [np.arange(n, dtype=float) for n in shape]
        for u in part:
            for v in part:
                moved = iter((u, v))
                grid = np.meshgrid(
                    *(line if axis == other else line + next(moved) for other, line in enumerate(lines)),
                    indexing="ij",
                )
                share += covered(*grid) / fine**2
        faces.append(np.round(255 * share).astype(np.uint8))
    return Mesostructure(
        np.zeros((voxels,) * 3, np.uint8),
        voxel_size=1.0,
        periodic=True,
        face_fractions={
            Phase.ACTIVE: tuple(np.zeros_like(each) for each in faces),
            Phase.BINDER: tuple(faces),
        },
    )


@pytest.mark.parametrize("voxels", [8, 12, 20])
def test_a_film_on_a_minimal_surface_conducts_two_thirds_of_its_volume(voxels, measured):
    """
    Thin films on triply periodic minimal surfaces attain the upper bound of Hashin and Shtrikman, 2 φ / (3 − φ); the primitive
    surface has an area of 2.3451 in a cube of edge 1.
    """
    thickness = 0.2
    volume = 2.3451 * thickness / voxels
    found = solve_transport(curved_film(voxels, thickness), conductivity={Phase.BINDER: 1.0}, tolerance=1e-6)
    what = f"film of a fifth of a voxel on Schwarz's primitive surface, {voxels} voxels a period, σ_eff/σ"
    source = "Hashin and Shtrikman's upper bound"
    expected = 2 * volume / (3 - volume)
    measured("films", what, found.effective_conductivity, expected, rel=0.015, source=source)


def coated_sphere(core, shell, voxels):
    """Core and coat of a sphere in a periodic cube of edge 1, from the sections of both."""

    def ball(radius):
        packing = ParticlePacking(
            centres=np.full((1, 3), 0.5),
            radii=np.array([radius]),
            domain=(1.0, 1.0, 1.0),
            aspect_ratios=np.ones(1),
            axes=np.array([[1.0, 0.0, 0.0]]),
        )
        return voxelize(packing, voxel_size=1.0 / voxels)

    inner, outer = ball(core), ball(shell)
    faces = [each.face_fractions[Phase.ACTIVE] for each in (inner, outer)]
    labels = np.where(inner.labels == Phase.ACTIVE, Phase.ACTIVE, np.where(outer.labels, Phase.BINDER, 0))
    return Mesostructure(
        labels.astype(np.uint8),
        voxel_size=1.0 / voxels,
        periodic=True,
        particle_ids=np.where(labels == Phase.ACTIVE, 1, 0),
        particles=inner.particles,
        face_fractions={
            Phase.ACTIVE: faces[0],
            Phase.BINDER: tuple(b - a for a, b in zip(*faces, strict=True)),
        },
    )


@pytest.mark.parametrize("coat", [0.1, 0.35, 0.8])
@pytest.mark.parametrize("voxels", [12, 20])
def test_a_coated_insulator_in_a_liquid(coat, voxels, measured):
    """
    Core and coat act as one sphere of conductivity σ_c (2 − 2f) / (2 + f), f being the core's share of their volume, and the
    cubic array of these follows Maxwell (the next term is of the order of the volume fraction to the power 10/3).
    """
    core, shell = 0.25, 0.27
    structure = coated_sphere(core, shell, voxels)
    f = (core / shell) ** 3
    sphere = coat * (2 - 2 * f) / (2 + f)
    strength = 4 / 3 * pi * shell**3 * (sphere - 1) / (sphere + 2)
    expected = (1 + 2 * strength) / (1 - strength)
    found = solve_transport(structure, conductivity={Phase.PORE: 1.0, Phase.BINDER: coat}, tolerance=1e-6)
    # Of the 10 % by which the sphere lowers the conductivity, 3 % at six voxels across it, 1 % at ten.
    within = 0.03 if voxels == 12 else 0.012
    what = f"coated sphere, coat {coat:g}, {voxels / 2:g} voxels across the core, 1 − σ_eff/σ"
    measured("films", what, 1 - found.effective_conductivity, 1 - expected, rel=within, source="Maxwell")


def coated_packing(voxels, *, porosity, binder, bridging):
    """One packing of particles of 6 µm with binder, at so many voxels across a particle."""
    design = ElectrodeDesign(
        thickness=30e-6,
        porosity=porosity + binder,
        binder_fraction=0.0,
        size_classes=(SizeClass(diameter=6e-6, spread=1.2),),
    )
    packing = pack_particles(design, width=18e-6, rng=np.random.default_rng(3))
    return add_binder(
        voxelize(packing, voxel_size=6e-6 / voxels),
        fraction=Profile.constant(binder),
        bridging=bridging,
        reach=3e-6,
    )


@pytest.mark.parametrize("bridging", [0.2, 0.8])
@pytest.mark.parametrize(
    ("sigma", "porosity", "voxels", "within"),
    [
        pytest.param({Phase.PORE: 1.0, Phase.BINDER: 0.35}, 0.22, (6, 18), 0.008, id="ions"),
        # Films on neighbours share voxels without touching.
        pytest.param({Phase.ACTIVE: 0.2, Phase.BINDER: 100.0}, 0.19, (8, 24), 0.25, id="electrons"),
    ],
)
def test_finer_voxels_change_little(sigma, porosity, voxels, within, bridging):
    coarse, fine = (
        solve_transport(
            coated_packing(count, porosity=porosity, binder=0.06, bridging=bridging), conductivity=sigma
        ).effective_conductivity
        for count in voxels
    )
    assert coarse == pytest.approx(fine, rel=within)
