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
    stack = np.empty(reached.size, np.int64)
    top = 0
    k = nz - 1 if from_collector else 0
    for j in range(ny):
        for i in range(nx):
            if through[nz if from_collector else 0, j, i]:
                reached[k, j, i] = True
                stack[top] = (k * ny + j) * nx + i
                top += 1
    while top > 0:
        top -= 1
        index = stack[top]
        i, j, k = index % nx, (index // nx) % ny, index // (nx * ny)
        for side in range(6):
            kk, jj, ii = k, j, i
            if side == 0:
                kk, open_face = k - 1, through[k, j, i]
            elif side == 1:
                kk, open_face = k + 1, through[k + 1, j, i]
            elif side == 2:
                jj, open_face = j - 1, along_y[k, j, i]
            elif side == 3:
                jj, open_face = j + 1, along_y[k, j + 1, i]
            elif side == 4:
                ii, open_face = i - 1, along_x[k, j, i]
            else:
                ii, open_face = i + 1, along_x[k, j, i + 1]
            if periodic:
                jj, ii = jj % ny, ii % nx
            if not open_face or kk < 0 or kk >= nz or jj < 0 or jj >= ny or ii < 0 or ii >= nx:
                continue
            if not reached[kk, jj, ii]:
                reached[kk, jj, ii] = True
                stack[top] = (kk * ny + jj) * nx + ii
                top += 1
