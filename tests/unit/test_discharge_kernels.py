"""Kernels of the discharge: compiled, interpreted and plain NumPy on small grids."""

import dataclasses

import numpy as np
import pytest

from solvers._kernels import discharge as runs
from solvers._kernels import newton as steps
from solvers._kernels import particles
from solvers.cell import CellParameters
from solvers.curves import Curve
from solvers.discretise import chemistry, discretise, radial_mesh
from solvers.electrode import PorousElectrode


def both(kernel):
    """Compiled and interpreted version of a kernel."""
    return pytest.mark.parametrize("kernel", [kernel, kernel.py_func], ids=["compiled", "interpreted"])


@pytest.fixture
def rng():
    return np.random.default_rng(2718)


@pytest.fixture(scope="module")
def case():
    cell = dataclasses.replace(
        CellParameters.named("graphite-ecker2015"),
        transference_number=Curve.from_function(lambda c: 0.5 - 2e-4 * c, lower=0.0, upper=3000.0),
        thermodynamic_factor=Curve.from_function(lambda c: 1.0 + 1e-3 * c, lower=0.0, upper=3000.0),
    )
    active = np.array([[0.3, 0.2], [0.25, 0.3], [0.4, 0.1], [0.2, 0.35]])
    radii = np.array([2e-6, 7e-6])
    electrode = PorousElectrode(
        thickness=60e-6,
        porosity=np.array([0.35, 0.3, 0.33, 0.31]),
        transport_efficiency=np.array([0.2, 0.15, 0.1, 0.18]),
        electronic_conductivity=np.array([5.0, 1.0, 2.0, 0.5]),
        particle_radii=radii,
        active_fractions=active,
        specific_surface_areas=3.0 * active / radii,
        isolated_fractions=np.zeros(4),
    )
    return chemistry(cell), discretise(electrode, cell, separator_cells=2).mesh


# ---------------------------------------------------------------- particles


def test_a_shell_mesh_fills_the_sphere_and_is_exact_for_a_parabola():
    radial = radial_mesh(9)
    assert radial.volumes.sum() == pytest.approx(1.0 / 3.0)
    edges = np.concatenate(([0.0], np.sqrt(radial.faces)))
    means = 0.6 * np.diff(edges**5) / np.diff(edges**3)  # of r² over the shells
    slopes = np.append(np.diff(means), 1.0 - means[-1]) / radial.gaps
    assert slopes == pytest.approx(2.0 * edges[1:])


@both(particles.link)
def test_links_use_the_diffusivity_between_the_shells(kernel, rng):
    radial, x, radii = radial_mesh(5), rng.uniform(0.2, 0.8, (5, 3)), np.array([1e-6, 2e-6, 5e-6])
    diffusivity = Curve.from_function(lambda s: 1e-14 * (1.0 + s**2), lower=0.0, upper=1.0)
    links, drop = np.empty((5, 3)), np.empty(3)
    kernel(x, radii, diffusivity.table, radial, links, drop)
    between = 1e-14 * (1.0 + (0.5 * (x[1:] + x[:-1])) ** 2)
    assert links[:-1] == pytest.approx(between * (radial.faces / radial.gaps)[:-1, None], rel=1e-9)
    assert np.all(links[-1] == 0.0)
    assert drop == pytest.approx(radii * radial.gaps[-1] / (1e-14 * (1.0 + x[-1] ** 2)), rel=1e-9)


@pytest.mark.parametrize("interpreted", [False, True])
def test_diffusion_against_a_dense_solve(interpreted, rng):
    n, p, tau = 6, 3, 20.0
    radial, past = radial_mesh(n), rng.uniform(0.2, 0.8, (n, p))
    radii, gain = np.array([1e-6, 2e-6, 5e-6]), np.array([1e-10, 2e-10, 3e-10])
    links, drop, j = rng.uniform(1e-14, 5e-14, (n, p)), rng.uniform(1e6, 2e6, p), np.array([-1.0, -0.2, 0.4])
    links[-1] = 0.0
    pivots, load, base, slope, x = (np.empty(s) for s in ((n, p), (n, p), p, p, (n, p)))
    eliminate, substitute = (
        k.py_func if interpreted else k for k in (particles.eliminate, particles.substitute)
    )
    eliminate(past, tau, radii, gain, radial, links, drop, pivots, load, base, slope)
    substitute(j, tau, past, radii, gain, radial, links, pivots, load, x)
    for k in range(p):
        store = radial.volumes * radii[k] ** 2 / tau
        matrix = np.diag(store + links[:, k] + np.append(0.0, links[:-1, k]))
        matrix -= np.diag(links[:-1, k], 1) + np.diag(links[:-1, k], -1)
        right = store * past[:, k]
        right[-1] -= gain[k] * radii[k] * j[k]
        exact = np.linalg.solve(matrix, right)
        assert x[:, k] == pytest.approx(exact, rel=1e-12)
        assert base[k] + slope[k] * j[k] == pytest.approx(exact[-1] - gain[k] * drop[k] * j[k], rel=1e-12)


@both(particles.shell_mean)
def test_mean_content(kernel, rng):
    radial, x, mean = radial_mesh(5), rng.uniform(0.0, 1.0, (5, 4)), np.empty(4)
    kernel(x, radial.volumes, mean)
    assert mean == pytest.approx(np.average(x, axis=0, weights=radial.volumes))


# ---------------------------------------------------------------- one step


@both(steps.solve_blocks)
def test_blocks_against_a_dense_solve(kernel, rng):
    n = 7
    blocks, right = rng.uniform(-1.0, 1.0, (n, 3, 2, 2)), rng.uniform(-1.0, 1.0, (n, 2))
    blocks[:, 1] += 5.0 * np.eye(2)
    dense = np.zeros((2 * n, 2 * n))
    for i in range(n):
        for place, k in ((0, i - 1), (1, i), (2, i + 1)):
            if 0 <= k < n:
                dense[2 * i : 2 * i + 2, 2 * k : 2 * k + 2] = blocks[i, place]
    exact = np.linalg.solve(dense, right.ravel())
    kernel(blocks, right)
    assert right.ravel() == pytest.approx(exact, rel=1e-10)


@both(steps.react)
def test_the_linearised_reaction_meets_butler_volmer(kernel, case):
    materials, _ = case
    phi, c, j, base, slope = 0.12, 900.0, -0.5, 0.4, -0.02
    for _ in range(60):
        move, by_phi, by_c = kernel(phi, c, j, base, slope, materials)
        j += move
    x = base + slope * j
    exchange = materials.exchange * np.sqrt(c * x * (1.0 - x))
    over = phi - steps.equilibrium(x, materials.potential)[0]
    assert j == pytest.approx(2.0 * exchange * np.sinh(over / (2.0 * materials.thermal)), rel=1e-9)
    for change, expected in (((1e-6, 0.0), by_phi), ((0.0, 1e-2), by_c)):
        moved = j
        for _ in range(60):
            moved += kernel(phi + change[0], c + change[1], moved, base, slope, materials)[0]
        assert (moved - j) / sum(change) == pytest.approx(expected, rel=1e-4)


@both(steps.assemble)
def test_the_jacobian_against_finite_differences(kernel, case, rng):
    materials, mesh = case
    cells, slices, p = mesh.storage.size, mesh.solid.size, mesh.radii.size
    c, phi = rng.uniform(700.0, 1300.0, cells), rng.uniform(0.10, 0.14, slices)
    base, slope = rng.uniform(0.3, 0.6, p), rng.uniform(-0.02, -0.01, p)
    past, tau, current, j = np.full(cells, 1000.0), 5.0, 30.0, np.full(p, -0.3)
    blocks, right, response = np.empty((cells, 3, 2, 2)), np.empty((cells, 2)), np.empty((p, 3))
    slice_of = np.repeat(np.arange(slices), np.diff(mesh.first))
    for _ in range(60):  # the kinetics hold where the system is linearised
        for k in range(p):
            j[k] += steps.react(
                phi[slice_of[k]], c[mesh.front + slice_of[k]], j[k], base[k], slope[k], materials
            )[0]

    def residual(c, phi):
        kernel(c, phi, j, base, slope, past, tau, current, materials, mesh, blocks, right, response)
        return -right.ravel().copy()

    start = residual(c, phi)
    own, moves = blocks.copy(), response[:, 0].copy()
    dense = np.zeros((2 * cells, 2 * cells))
    for i in range(cells):
        for place, k in ((0, i - 1), (1, i), (2, i + 1)):
            if 0 <= k < cells:
                dense[2 * i : 2 * i + 2, 2 * k : 2 * k + 2] = own[i, place]
    for i in range(cells):
        step = np.zeros(cells)
        step[i] = 1e-3
        column = (residual(c + step, phi) - residual(c - step, phi)) / 2e-3
        assert dense[:, 2 * i] == pytest.approx(column, rel=1e-4, abs=1e-6 * np.abs(column).max())
    for s in range(slices):
        step = np.zeros(slices)
        step[s] = 1e-6
        column = (residual(c, phi + step) - residual(c, phi - step)) / 2e-6
        i = 2 * (mesh.front + s) + 1
        assert dense[:, i] == pytest.approx(column, rel=1e-4, abs=1e-6 * np.abs(column).max())
    # Salt: what enters at the lithium and leaves with the reaction is all there is besides storage.
    stored = mesh.storage / tau * (c - past)
    reacted = materials.salt_per_charge * (np.sum(mesh.area * (j + moves)) + current)
    assert start[0::2].sum() == pytest.approx(stored.sum() - reacted, rel=1e-9)


# ---------------------------------------------------------------- time


def test_backward_differences_are_exact_for_parabolas():
    for kernel in (runs.backward, runs.backward.py_func):
        for dt, dt1 in ((0.3, 0.2), (0.2, 0.2), (0.05, 0.4)):
            b, tau = kernel(dt, dt1)
            y = lambda t: 2.0 - 3.0 * t + 4.0 * t * t  # noqa: E731 (a formula)
            assert y(dt) == pytest.approx(b * y(0.0) + (1.0 - b) * y(-dt1) + tau * (-3.0 + 8.0 * dt))
        assert kernel(0.3, np.inf) == (1.0, 0.3)


@both(runs.extrapolate)
def test_prediction_is_exact_for_parabolas(kernel):
    dt, dt1, dt2 = 0.3, 0.2, 0.4
    states = [runs.new_state(3, 2, 2, 4) for _ in range(4)]
    for state, t in zip(states[1:], (0.0, -dt1, -dt1 - dt2), strict=True):
        for field in state:
            field[...] = 5.0 + t + 2.0 * t * t
    for order, expected in ((0, 5.0), (1, 5.0 + dt * (1.0 - 2.0 * dt1)), (2, 5.0 + dt + 2.0 * dt * dt)):
        kernel(states[0], *states[1:], dt, dt1, dt2, order)
        for field in states[0][:4]:
            assert field == pytest.approx(np.full(field.shape, expected))


@both(runs.error_share)
def test_share_of_the_departure_that_is_error(kernel):
    # Equal steps: 2/9 h³ y''' of the corrector, 1 h³ y''' of the predictor, on opposite sides.
    assert kernel(0.1, 0.1, 0.1, 2) == pytest.approx(2.0 / 11.0)


def test_steps_converge_with_second_order():
    # Equal steps while the contents of large particles rise as the root of time, after a start in small steps.
    cell = CellParameters.named("nmc532-xu2019")
    electrode = PorousElectrode.uniform(
        thickness=60e-6, porosity=0.3, active_fraction=0.6, particle_radius=10e-6, slices=4
    )
    materials, mesh, radial = (
        chemistry(cell),
        discretise(electrode, cell, separator_cells=1).mesh,
        radial_mesh(6),
    )
    current = 1.0 * electrode.theoretical_areal_capacity(cell)
    work = runs.new_work(5, 4, 6)

    def advance(state, duration, count):
        s0, s1, new = (runs.new_state(5, 4, 4, 6) for _ in range(3))
        for target, source in zip(s0, state, strict=True):
            target[...] = source
        dt, dt1 = duration / count, np.inf
        for taken in range(count):
            runs.extrapolate(new, s0, s1, s1, dt, dt1, 1.0, min(taken, 1))
            assert runs.step(new, s0, s1, dt, dt1, current, materials, mesh, radial, work) > 0
            s0, s1, new, dt1 = new, s0, s1, dt
        return s0

    first = runs.new_state(5, 4, 4, 6)
    assert runs.start(first, cell.minimum_stoichiometry, current, materials, mesh, radial, work)
    settled = advance(first, 300.0, 300)
    ends = [advance(settled, 600.0, count) for count in (20, 40, 80, 1280)]
    voltages = [steps.cell_voltage(end.c, end.phi, current, materials, mesh) for end in ends]
    slopes = np.diff(np.log(np.abs(np.array(voltages[:3]) - voltages[3]))) / np.log(2.0)
    assert slopes == pytest.approx([-2.0, -2.0], abs=0.15)
