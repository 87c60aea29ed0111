"""Labels, faces, surface and particle ids of random designs tell one story, and transport keeps to it."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from meso import Calendering, ElectrodeDesign, Phase, Profile, SizeClass, generate, measures
from solvers import solve_transport

D = 5e-6


@st.composite
def designs(draw):
    """A design of any kind that can be packed, some 4 particles wide and thick."""
    porosity = draw(st.sampled_from([0.34, 0.45, Profile.linear(separator=0.5, collector=0.36)]))
    pressed = draw(st.booleans()) and not isinstance(porosity, Profile)
    aspect = draw(st.sampled_from([0.5, 1.0, 1.0, 1.8]))
    return ElectrodeDesign(
        thickness=4.4 * D,
        porosity=porosity,
        binder_fraction=draw(st.sampled_from([0.0, 0.05, Profile.linear(separator=0.09, collector=0.03)])),
        binder_bridging=draw(st.sampled_from([0.0, 0.5, 1.0])),
        binder_morphology=draw(st.sampled_from([0.0, 0.8])),
        size_classes=(
            SizeClass(
                diameter=D,
                spread=draw(st.sampled_from([1.0, 1.2])),
                aspect_ratio=aspect,
                alignment=draw(st.sampled_from([-0.5, 0.0, 0.6])),
            ),
        ),
        calendering=Calendering(initial_porosity=0.55) if pressed else None,
        separator_face=draw(st.sampled_from(["cut", "wall"])),
    )


@settings(max_examples=5, deadline=None, derandomize=True)
@given(design=designs(), seed=st.integers(0, 2**32 - 1))
def test_structure_and_transport_are_consistent(design, seed):
    structure = generate(design, voxel_size=design.narrowest_width / 7, width=4.4 * D, seed=seed)
    packing, faces = structure.particles, structure.face_fractions
    # Labels are the particles' own: a voxel is active where its centre lies in the particle that its id names.
    inside = structure.labels == Phase.ACTIVE
    assert np.array_equal(inside, structure.particle_ids > 0)
    middle = (np.argwhere(inside) + 0.5) * structure.voxel_size
    owner = structure.particle_ids[inside] - 1
    apart = middle - packing.centres[owner]
    width = np.array(packing.domain[1:])
    apart[:, 1:] -= width * np.round(apart[:, 1:] / width)
    solved = np.linalg.solve(packing.shapes[owner], apart[:, :, None])[:, :, 0]
    assert np.einsum("ni,ni->n", apart, solved).max() <= 1 + 1e-9
    # Faces: what two whole voxels of a phase share is covered by it, what none of them has is mostly open.
    solid = [sum(faces[phase][axis].astype(int) for phase in faces) for axis in range(3)]
    for axis in range(3):
        assert solid[axis].max() <= 255
        front, back = (np.moveaxis(inside, axis, 0)[part] for part in (slice(None, -1), slice(1, None)))
        inner = np.moveaxis(faces[Phase.ACTIVE][axis], axis, 0)[1:-1] / 255
        both, none = inner[front & back], inner[~front & ~back]
        assert both.mean() > 0.9
        assert none.mean() < 0.1
    # Volumes: by faces as asked for, by labels the same within what 7 voxels across a particle can tell.
    for phase in Phase:
        wanted = design.mean_fraction(phase.name.lower())
        assert abs(structure.volume_fraction(phase) - wanted) < 1e-3
        assert abs(np.mean(structure.labels == phase) - wanted) < 0.025
    # Each set of faces integrates to the same volume, by trapezoids from end to end.
    planes = [np.moveaxis(faces[Phase.ACTIVE][axis], axis, 0).mean(axis=(1, 2)) / 255 for axis in range(3)]
    assert np.ptp([np.trapezoid(areas) / (len(areas) - 1) for areas in planes]) < 0.015
    # Surface: no body has less than the sphere of its volume, and overlaps only take away from that of the particles.
    surface = measures.specific_surface_area(structure)
    active = structure.volume_fraction(Phase.ACTIVE)
    least = 3 * active / packing.radii.max()
    free = 3 * active / (4 * np.pi * (packing.radii**3).sum() / packing.surface_areas.sum())
    assert 0.75 * least < surface < 1.1 * free
    # Transport: porosity of the same faces; no isotropic or layered structure beats the parallel bound.
    result = solve_transport(structure)
    assert abs(result.porosity - structure.volume_fraction(Phase.PORE)) < 1e-9
    assert 0 < result.effective_conductivity < structure.volume_fraction(Phase.PORE)
