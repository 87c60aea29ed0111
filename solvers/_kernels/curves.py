"""Kernels of `solvers.curves`: cubic Hermite look-up."""

import numpy as np
from numba import njit

FLAGS = {"cache": True, "error_model": "numpy", "nogil": True}


@njit(**FLAGS)
def lookup(x, table):
    """Value and slope of a curve at one point; constant outside the table."""
    last = table.shape[0] - 2
    s = (x - table[0, 0]) * table[0, 1]
    if not s > 0.0:
        return table[1, 0], 0.0
    if s >= last:
        return table[last + 1, 0], 0.0
    i = int(s)
    t = s - i
    y0 = table[i + 1, 0]
    m0 = table[i + 1, 1]
    dy = table[i + 2, 0] - y0
    # y0 + t m0 + t² q + t³ r, with q and r from the two ends
    r = m0 + table[i + 2, 1] - 2.0 * dy
    q = dy - m0 - r
    return y0 + t * (m0 + t * (q + t * r)), (m0 + t * (2.0 * q + t * 3.0 * r)) * table[0, 1]


@njit(**FLAGS)
def evaluate(x, table):
    """Values of a curve at points x (n,)."""
    y = np.empty_like(x)
    for i in range(x.size):
        y[i] = lookup(x[i], table)[0]
    return y
