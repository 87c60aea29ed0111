"""Transport against a sparse direct solve of the same finite volumes, and its invariances."""

import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.linalg
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import get_num_threads, set_num_threads

from solvers.status import Status
from solvers.transport import solve_transport


def direct(labels, sigma, *, periodic, size):
    """Effective conductivity along axis 0 by a direct solve of all voxels that touch an electrode."""
    conductivity = np.vectorize(lambda label: sigma.get(int(label), 0.0), otypes=[float])(labels)
    number = np.arange(labels.size).reshape(labels.shape)
    volume = np.prod(size)
    matrix = scipy.sparse.lil_matrix((labels.size, labels.size))
    source = np.zeros(labels.size)

    def link(i, j, conductance):
        matrix[i, i] += conductance
        matrix[j, j] += conductance
        matrix[i, j] -= conductance
        matrix[j, i] -= conductance

    for index in np.ndindex(labels.shape):
        here = conductivity[index]
        for axis in range(3):
            after = list(index)
            after[axis] += 1
            if after[axis] == labels.shape[axis]:
                if axis == 0 or not periodic:
                    continue
                after[axis] = 0
            there = conductivity[tuple(after)]
            if here > 0 and there > 0 and tuple(after) != index:
                harmonic = 2 * here * there / (here + there)
                link(number[index], number[tuple(after)], harmonic * volume / size[axis] ** 2)
    for layer, potential in ((0, 1.0), (-1, 0.0)):
        for i, here in zip(number[layer].ravel(), conductivity[layer].ravel(), strict=True):
            matrix[i, i] += 2 * here * volume / size[0] ** 2
            source[i] += 2 * here * volume / size[0] ** 2 * potential
    components, part = scipy.sparse.csgraph.connected_components(matrix)
    grounded = np.zeros(components, bool)
    grounded[part[np.concatenate((number[0][conductivity[0] > 0], number[-1][conductivity[-1] > 0]))]] = True
    live = grounded[part]
    if not live.any():
        return 0.0
    potential = np.zeros(labels.size)
    potential[live] = scipy.sparse.linalg.spsolve(matrix.tocsc()[np.ix_(live, live)], source[live])
    inflow = 2 * conductivity[0].ravel() * volume / size[0] ** 2 * (1 - potential[number[0].ravel()])
    return inflow.sum() * labels.shape[0] * size[0] ** 2 / volume / labels[0].size


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.tuples(st.integers(1, 9), st.integers(1, 8), st.integers(1, 7)),
    share=st.floats(0.3, 0.9),
    contrast=st.sampled_from([0.0, 1.0, 0.3, 1e-3]),
    periodic=st.booleans(),
    size=st.sampled_from([(1.0, 1.0, 1.0), (2.0, 1.0, 0.5), (0.4, 3.0, 1.0)]),
)
def test_equals_a_direct_solve(seed, shape, share, contrast, periodic, size):
    rng = np.random.default_rng(seed)
    labels = rng.choice([3, 7, 9], size=shape, p=[share, (1 - share) / 2, (1 - share) / 2])
    sigma = {3: 1.0, 7: contrast}
    before = labels.copy()
    result = solve_transport(
        labels,
        conductivity=sigma,
        sides="periodic" if periodic else "insulated",
        voxel_size=size,
        tolerance=1e-9,
    )
    expected = direct(labels, sigma, periodic=periodic, size=np.array(size))
    if expected < 1e-12:
        assert result.effective_conductivity == 0.0
        assert result.status is Status.NOT_PERCOLATING
    else:
        assert result.effective_conductivity == pytest.approx(expected, rel=2e-8)
        assert result.flux_mismatch < 1e-3
    np.testing.assert_array_equal(labels, before)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1), share=st.floats(0.32, 0.8), tolerance=st.sampled_from([1e-2, 1e-3, 1e-5])
)
def test_reported_error_and_bounds_are_honest(seed, share, tolerance):
    image = np.random.default_rng(seed).random((24, 20, 22)) < share
    result = solve_transport(image, tolerance=tolerance)
    if not result.percolates:
        return
    exact = solve_transport(image, tolerance=1e-10).effective_conductivity
    error = result.effective_conductivity / exact - 1.0
    assert -1e-9 <= error <= result.error_estimate <= tolerance
    assert result.tortuosity_factor >= 1.0


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_invariance_under_symmetries_of_the_block(seed):
    labels = np.random.default_rng(seed).integers(0, 3, (10, 12, 9))
    sigma = {0: 1.0, 1: 0.2}
    first = solve_transport(labels, conductivity=sigma, tolerance=1e-9).effective_conductivity
    for other, axis in (
        (labels[::-1], 0),
        (labels[:, ::-1], 0),
        (labels.transpose(2, 1, 0), 2),
        (labels.swapaxes(0, 1), 1),
    ):
        again = solve_transport(other, conductivity=sigma, axis=axis, tolerance=1e-9).effective_conductivity
        assert again == pytest.approx(first, rel=1e-8)


def test_same_bits_for_one_and_two_threads():
    image = np.random.default_rng(2718).random((40, 40, 40)) < 0.5
    threads = get_num_threads()
    try:
        set_num_threads(1)
        alone = solve_transport(image, field=True)
        set_num_threads(threads)
        together = solve_transport(image, field=True)
    finally:
        set_num_threads(threads)
    assert alone.effective_conductivity == together.effective_conductivity
    assert alone.flux_mismatch == together.flux_mismatch
    np.testing.assert_array_equal(alone.profile, together.profile)
    np.testing.assert_array_equal(alone.field, together.field)
