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
        index = np.uint64(stack[top])
        row = index // np.uint64(nx)
        k = row // np.uint64(ny)
        j, i = row - k * np.uint64(ny), index - row * np.uint64(nx)
        for side in range(6):
            kk, jj, ii = np.int64(k), np.int64(j), np.int64(i)
            if side == 0:
                open_face = through[k, j, i]
                kk -= 1
            elif side == 1:
                kk += 1
                open_face = through[kk, j, i]
            elif side == 2:
                open_face = along_y[k, j, i]
                jj -= 1
            elif side == 3:
                jj += 1
                open_face = along_y[k, jj, i]
            elif side == 4:
                open_face = along_x[k, j, i]
                ii -= 1
            else:
                ii += 1
                open_face = along_x[k, j, ii]
            if not open_face:
                continue
            if jj < 0 or jj == ny or ii < 0 or ii == nx:
                if not periodic:
                    continue
                jj += ny if jj < 0 else (-ny if jj == ny else 0)
                ii += nx if ii < 0 else (-nx if ii == nx else 0)
            if kk >= 0 and kk < nz and not reached[kk, jj, ii]:
                reached[kk, jj, ii] = True
                stack[top] = (kk * ny + jj) * nx + ii
                top += 1
