"""The flooding of connected voxels."""

import numba as nb
import numpy as np

jit = nb.njit(cache=True, nogil=True, error_model="numpy")


@jit
def flood(through, along_y, along_x, periodic, from_collector, reached):
    """
    Mark all voxels that hang together with one outer face through open faces.

    through (nz + 1, ny, nx), along_y (nz, ny + 1, nx), along_x (nz, ny, nx + 1) bool; reached (nz, ny, nx) bool, False on
    entry.
    """
    nz, ny, nx = reached.shape
    stack = np.empty((ny + 8) * (nx + 1), np.int64)
    top = 0
    k = nz - 1 if from_collector else 0
    for j in range(ny):
        for i in range(nx):
            if through[nz if from_collector else 0, j, i]:
                stack[top] = (k * ny + j) * nx + i
                top += 1
    while top > 0:
        top -= 1
        row = stack[top] // nx
        i = stack[top] - row * nx
        k = row // ny
        j = row - k * ny
        if reached[k, j, i]:
            continue
        # The whole stretch of a row that hangs together is marked at once; each stretch of a neighbour is called once.
        low, high = i, i + 1
        while low > 0 and along_x[k, j, low]:
            low -= 1
        while high < nx and along_x[k, j, high]:
            high += 1
        for x in range(low, high):
            reached[k, j, x] = True
        if top + 4 * nx + 2 > len(stack):
            longer = np.empty(2 * len(stack) + 4 * nx, np.int64)
            longer[:top] = stack[:top]
            stack = longer
        if periodic and low == 0 and along_x[k, j, 0] and not reached[k, j, nx - 1]:
            stack[top] = row * nx + nx - 1
            top += 1
        if periodic and high == nx and along_x[k, j, nx] and not reached[k, j, 0]:
            stack[top] = row * nx
            top += 1
        for side in range(4):
            upright, ahead = side < 2, side % 2
            kk, jj = (k + 2 * ahead - 1, j) if upright else (k, j + 2 * ahead - 1)
            if periodic and not upright:
                jj = jj + ny if jj < 0 else (0 if jj == ny else jj)
            if kk < 0 or kk == nz or jj < 0 or jj == ny:
                continue
            called = False
            for x in range(low, high):
                open_face = through[k + ahead, j, x] if upright else along_y[k, j + ahead, x]
                called = called and along_x[kk, jj, x]
                if open_face and not called and not reached[kk, jj, x]:
                    stack[top] = (kk * ny + jj) * nx + x
                    top += 1
                    called = True
