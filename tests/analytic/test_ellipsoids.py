"""
Ellipsoids of revolution against closed forms: contact, sections, volumes, surfaces, orientations.

Surfaces: 2 pi a² (1 + (1 − e²)/e artanh e) of a platelet, 2 pi a² (1 + c/(a e) arcsin e) of a needle. Order parameter of
planes embedded in a medium that is compressed from random orientation: A. March, Z. Kristallogr. 81, 285 (1932).
"""

import numpy as np
import pytest

from meso import ElectrodeDesign, ParticlePacking, Phase, SizeClass, generate, measures
from meso._kernels import neighbours as kernels
from meso.orientations import draw_axes, order_parameter, press_axes
from meso.packing import pack_particles
from meso.particles import unit_shapes
from meso.voxels import voxelize

CELL = 1e-5
TILTED = np.array([0.48, 0.6, 0.64])


def one(aspect, radius=0.3, axis=TILTED):
    return ParticlePacking(
        centres=np.array([(0.49, 0.52, 0.47)]) * CELL,
        radii=np.array([radius]) * CELL,
        aspect_ratios=np.array([aspect]),
        axes=axis[None],
        domain=(CELL, CELL, CELL),
    )


def surface(aspect, radius):
    wide, tall = radius * aspect ** (-1 / 3), radius * aspect ** (2 / 3)
    if aspect < 1:
        e = np.sqrt(1 - aspect**2)
        return 2 * np.pi * wide**2 * (1 + (1 - e**2) / e * np.arctanh(e))
    e = np.sqrt(1 - aspect**-2)
    return 2 * np.pi * wide**2 * (1 + tall / (wide * e) * np.arcsin(e))


@pytest.mark.parametrize("kernel", [kernels.contact, kernels.contact.py_func])
def test_contact_of_ellipsoids_in_closed_forms(kernel):
    """Two spheres; two parallel ellipsoids (spheres after an affine map); two end to end and crossed along an axis."""

    def factor(d, s, t):
        out = np.array([0.0, 0.4, 0.0, 0.0, 0.0])
        kernel(*d, s, t, out)
        return np.sqrt(out[0])

    near = 0.7 * np.array([0.6, 0.64, 0.48])
    assert factor(near, 0.25 * np.eye(3), 0.81 * np.eye(3)) == pytest.approx(0.7 / 1.4, rel=1e-7)
    flat = unit_shapes(np.array([0.25]), TILTED[None])[0]
    direction = np.array([0.3, -0.5, 0.2])
    parallel = np.sqrt(direction @ np.linalg.solve(flat, direction)) / 2
    assert factor(direction, flat, flat) == pytest.approx(parallel, rel=1e-7)
    upright, lying = np.diag([4.0, 1.0, 1.0]), np.diag([1.0, 9.0, 1.0])
    assert factor((0.0, 0.0, 1.6), upright, lying) == pytest.approx(1.6 / 2, rel=1e-6)
    assert factor((1.5, 0.0, 0.0), upright, lying) == pytest.approx(1.5 / (2 + 1), rel=1e-6)


def test_contact_of_tilted_ellipsoids_against_their_distance_by_sampling():
    """At the factor the scaled surfaces touch: slightly smaller ones share no point, slightly larger ones do."""
    rng = np.random.default_rng(4409)
    points = rng.normal(size=(200_000, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    for _ in range(4):
        axes = rng.normal(size=(2, 3))
        axes /= np.linalg.norm(axes, axis=1, keepdims=True)
        s, t = unit_shapes(np.array([0.4, 2.5]), axes)
        d = rng.normal(size=3)
        d *= 1.5 / np.linalg.norm(d)
        out = np.array([0.0, 0.5, 0.0, 0.0, 0.0])
        kernels.contact(*d, 1e-4 * s, 1e-4 * t, np.copy(out))
        kernels.contact(
            *d, 4 * s, 4 * t, out
        )  # twice as large: surely overlapping, so the search ends at the maximum
        factor = 2 * np.sqrt(out[0])
        on_s = points @ np.linalg.cholesky(s).T
        reached = np.sqrt(
            np.min(np.einsum("pi,ij,pj->p", factor * on_s - d, np.linalg.inv(t), factor * on_s - d))
        )
        assert reached == pytest.approx(factor, rel=4e-3)


@pytest.mark.parametrize("aspect", [0.3, 0.7, 2.5])
def test_volume_surface_and_labels_of_one_ellipsoid(aspect):
    structure = voxelize(one(aspect, radius=0.22), voxel_size=CELL / 40)
    volume = 4 / 3 * np.pi * 0.22**3
    assert structure.volume_fraction(Phase.ACTIVE) == pytest.approx(volume, rel=1e-3)
    assert np.mean(structure.labels == Phase.ACTIVE) == pytest.approx(volume, rel=0.02)
    exact = surface(aspect, 0.22) / CELL
    assert measures.specific_surface_area(structure) == pytest.approx(exact, rel=2e-3)


def test_faces_of_an_ellipsoid_against_point_sampling():
    packing, n, fine = one(0.35), 16, 48
    faces = voxelize(packing, voxel_size=CELL / n).face_fractions[Phase.ACTIVE]
    inverse = np.linalg.inv(packing.shapes[0])
    grid = (np.arange(n * fine) + 0.5) / (n * fine) * CELL
    for axis in range(3):
        others = [other for other in range(3) if other != axis]
        points = np.zeros((n * fine, n * fine, 3))
        points[..., others[0]], points[..., others[1]] = grid[:, None], grid
        points[..., axis] = 7 * CELL / n
        apart = points - packing.centres[0]
        apart[..., 1:] -= CELL * np.round(apart[..., 1:] / CELL)
        inside = np.einsum("abi,ij,abj->ab", apart, inverse, apart) < 1
        sampled = inside.reshape(n, fine, n, fine).mean(axis=(1, 3))
        got = faces[axis].take(7, axis=axis) / 255
        assert np.abs(got - sampled).max() < 0.02
        assert sampled.max() > 0.9


def test_aligned_ellipsoids_are_stretched_spheres():
    """The section of platelets in a cell of half the height is that of spheres in a cube."""
    ball = voxelize(
        ParticlePacking(
            centres=np.array([(0.5, 0.47, 0.5)]) * CELL,
            radii=np.array([0.4 * CELL]),
            domain=(CELL, CELL, CELL),
        ),
        voxel_size=CELL / 20,
    )
    aspect = 0.5
    flat = ParticlePacking(
        centres=np.array([(0.25, 0.47, 0.5)]) * CELL,
        radii=np.array([0.4 * aspect ** (1 / 3) * CELL]),
        aspect_ratios=np.array([aspect]),
        domain=(CELL / 2, CELL, CELL),
    )
    pressed = voxelize(flat, voxel_size=(CELL / 40, CELL / 20, CELL / 20))
    assert np.array_equal(pressed.labels, ball.labels)
    for axis in range(3):
        difference = (
            ball.face_fractions[Phase.ACTIVE][axis].astype(int) - pressed.face_fractions[Phase.ACTIVE][axis]
        )
        assert np.abs(difference).max() <= 6
        assert abs(difference.mean()) < 0.1


@pytest.mark.parametrize(
    ("aspect", "alignment", "order"),
    [
        (0.3, 1.0, 1.0),
        (0.3, 0.6, 0.6),
        (0.3, -0.5, -0.25),
        (3.0, 0.5, -0.25),
        (3.0, -0.8, 0.8),
        (0.3, 0.0, 0.0),
    ],
)
def test_order_parameter_is_the_requested_one(aspect, alignment, order):
    population = SizeClass(diameter=8e-6, aspect_ratio=aspect, alignment=alignment)
    axes = draw_axes(population, 4000, rng=np.random.default_rng(5501))
    assert order_parameter(axes) == pytest.approx(order, abs=2e-3)
    assert np.linalg.norm(axes, axis=1) == pytest.approx(1.0)
    assert abs(np.mean(axes[:, 1] ** 2 - axes[:, 2] ** 2)) < 0.05


def test_thin_platelets_turn_like_planes_in_a_pressed_medium():
    """March: pressed to λ, ⟨cos²θ⟩ = (1 − λ arccos(λ) / √(1 − λ²)) / (1 − λ²) for planes at random before."""
    ratio = 0.6
    axes = draw_axes(SizeClass(diameter=8e-6, aspect_ratio=0.1), 20000, rng=np.random.default_rng(31))
    for _ in range(10):
        axes = press_axes(axes, np.full(len(axes), 1e-6), ratio**0.1)
    # An axis (1, t) becomes (1, λ t): the density of cosθ is λ / (1 − (1 − λ²) cos²θ)^(3/2), with λ the thinning.
    c = (np.arange(200_000) + 0.5) / 200_000
    density = ratio / (ratio**2 * c**2 + (1 - c**2)) ** 1.5 * ratio
    expected = np.sum(density * c**2) / np.sum(density)
    assert 1.5 * expected - 0.5 == pytest.approx(order_parameter(axes), abs=5e-3)


@pytest.mark.parametrize(("aspect", "alignment"), [(0.3, 1.0), (0.4, 0.4), (2.5, 0.5)])
def test_electrode_of_ellipsoids_is_the_requested_one(aspect, alignment):
    sizes = (SizeClass(diameter=6e-6, spread=1.2, aspect_ratio=aspect, alignment=alignment),)
    design = ElectrodeDesign(thickness=40e-6, porosity=0.42, binder_fraction=0.06, size_classes=sizes)
    structure = generate(design, voxel_size=0.6e-6, width=32e-6, seed=733)
    assert structure.volume_fraction(Phase.ACTIVE) == pytest.approx(0.52, abs=1e-3)
    assert structure.volume_fraction(Phase.BINDER) == pytest.approx(0.06, abs=1e-3)
    assert np.array_equal(structure.labels == Phase.ACTIVE, structure.particle_ids > 0)
    assert np.mean(structure.labels == Phase.ACTIVE) == pytest.approx(0.52, abs=0.01)
    # Reported overlap against pairs of scaled ellipsoids found by brute force.
    packing = structure.particles
    worst = 0.0
    for s in range(packing.count):
        for t in range(s):
            d = packing.centres[t] - packing.centres[s]
            d[1:] -= np.array(packing.domain[1:]) * np.round(d[1:] / packing.domain[1:])
            lam = np.linspace(0.02, 0.98, 97)[:, None, None]
            both = (1 - lam) * packing.shapes[s] + lam * packing.shapes[t]
            if np.linalg.norm(d) < packing.reaches[s] + packing.reaches[t]:
                solved = np.linalg.solve(both, np.broadcast_to(d[:, None], (97, 3, 1)))[..., 0]
                square = np.max((lam * (1 - lam))[:, 0, 0] * (solved @ d))
                depth = np.linalg.norm(d) * max(0.0, 1 / np.sqrt(square) - 1)
                worst = max(worst, depth / (2 * min(packing.radii[s], packing.radii[t])))
    assert packing.overlap >= worst - 2e-3


def test_aligned_platelets_pack_as_densely_as_spheres():
    """An affine map turns one into the other, and random close packing of equal spheres is 0.64."""
    sizes = (SizeClass(diameter=6e-6, aspect_ratio=0.4, alignment=1.0),)
    design = ElectrodeDesign(thickness=40e-6, porosity=0.38, binder_fraction=0.0, size_classes=sizes)
    packing = pack_particles(design, width=45e-6, rng=np.random.default_rng(17))
    assert packing.overlap < 0.02  # depth along the centres over the diameter of the sphere of its volume
