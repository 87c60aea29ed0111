"""Electrode tortuosity against a sparse direct solve of the same finite volumes, and its invariances."""

import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers.blocking import electrode_tortuosity
from solvers.status import Status


def direct(labels, sigma, *, onto, periodic, size):
    """Tortuosity factor along axis 0 and share of the interface that is cut off, by a direct solve."""
    conductivity = np.vectorize(lambda label: sigma.get(int(label), 0.0), otypes=[float])(labels)
    number = np.arange(labels.size).reshape(labels.shape)
    volume = np.prod(size)
    matrix = scipy.sparse.lil_matrix((labels.size, labels.size))
    source = np.zeros(labels.size)
    for index in np.ndindex(labels.shape):
        here = conductivity[index]
        i = number[index]
        for axis in range(3):
            for step in (-1, 1):
                after = list(index)
                after[axis] += step
                if not 0 <= after[axis] < labels.shape[axis]:
                    if axis == 0 or not periodic:
                        continue
                    after[axis] %= labels.shape[axis]
                there = conductivity[tuple(after)]
                if here > 0 and there > 0 and tuple(after) != index:
                    conductance = 2 * here * there / (here + there) * volume / size[axis] ** 2
                    matrix[i, i] += conductance
                    matrix[i, number[tuple(after)]] -= conductance
                if here > 0 and labels[tuple(after)] in onto:
                    source[i] += volume / size[axis]
    for i, here in zip(number[0].ravel(), conductivity[0].ravel(), strict=True):
        matrix[i, i] += 2 * here * volume / size[0] ** 2
    _, part = scipy.sparse.csgraph.connected_components(matrix)
    reached = np.isin(part, part[number[0][conductivity[0] > 0]])
    if not source[reached].any():
        return np.inf, 1.0
    potential = scipy.sparse.linalg.spsolve(matrix.tocsc()[np.ix_(reached, reached)], source[reached])
    resistance = np.dot(np.atleast_1d(potential), source[reached]) / source[reached].sum() ** 2
    layers = labels.shape[0]
    straight = layers * size[0] / (conductivity.mean() * labels[0].size * size[1] * size[2])
    tau = 3 * resistance / straight / (1 + 1 / (2 * layers**2))
    return tau, 1 - source[reached].sum() / source.sum()


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.tuples(st.integers(1, 9), st.integers(1, 8), st.integers(1, 7)),
    share=st.floats(0.3, 0.8),
    contrast=st.sampled_from([0.0, 1.0, 0.3, 1e-3]),
    onto=st.sampled_from([None, [9], [5]]),
    periodic=st.booleans(),
    size=st.sampled_from([(1.0, 1.0, 1.0), (2.0, 1.0, 0.5), (0.4, 3.0, 1.0)]),
)
def test_equals_a_direct_solve(seed, shape, share, contrast, onto, periodic, size):
    rng = np.random.default_rng(seed)
    rest = (1 - share) / 3
    labels = rng.choice([3, 7, 9, 5], size=shape, p=[share, rest, rest, rest])
    sigma = {3: 1.0, 7: contrast}
    before = labels.copy()
    result = electrode_tortuosity(
        labels,
        conductivity=sigma,
        onto=onto,
        sides="periodic" if periodic else "insulated",
        voxel_size=size,
        tolerance=1e-9,
        throw=False,
    )
    np.testing.assert_array_equal(labels, before)
    if result.status is Status.NO_INTERFACE:
        assert np.isnan(result.tortuosity_factor)
        return
    charged = onto or ([5, 9] if contrast else [5, 7, 9])
    tau, cut_off = direct(labels, sigma, onto=charged, periodic=periodic, size=np.array(size))
    assert result.cut_off_area == pytest.approx(cut_off, abs=1e-6)
    if np.isinf(tau):
        assert result.status is Status.CUT_OFF
        assert result.effective_conductivity == 0.0
    else:
        assert result.status is Status.CONVERGED
    assert result.tortuosity_factor == pytest.approx(tau, rel=1e-7)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1), share=st.floats(0.3, 0.8), tolerance=st.sampled_from([1e-2, 1e-3, 1e-5])
)
def test_reported_error_is_honest_and_one_sided(seed, share, tolerance):
    image = np.random.default_rng(seed).random((24, 20, 22)) < share
    result = electrode_tortuosity(image, tolerance=tolerance)
    exact = electrode_tortuosity(image, tolerance=1e-10).tortuosity_factor
    error = 1.0 - result.tortuosity_factor / exact
    assert -1e-9 <= error <= result.error_estimate <= tolerance


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_invariance_under_symmetries_of_the_block(seed):
    labels = np.random.default_rng(seed).integers(0, 3, (10, 12, 9))
    options = {"conductivity": {0: 1.0, 1: 0.2}, "onto": [2], "tolerance": 1e-9}
    first = electrode_tortuosity(labels, **options).tortuosity_factor
    for other, axis in (
        (labels[:, ::-1], 0),
        (labels.transpose(0, 2, 1), 0),
        (labels.transpose(2, 1, 0), 2),
        (labels.swapaxes(0, 1), 1),
    ):
        again = electrode_tortuosity(other, axis=axis, **options).tortuosity_factor
        assert again == pytest.approx(first, rel=1e-8)
