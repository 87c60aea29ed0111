"""Channels on a voxel grid: which voxel lies in one, and how much of each voxel face."""

import math

import numba as nb
import numpy as np

from meso._kernels.covering import negative_area

jit = nb.njit(cache=True, nogil=True, error_model="numpy")

PARTS = 4


@jit
def wall_distance(z, y, x, lines, pitch, half, slope, depth):
    """
    Distance to the wall of the nearest channel, negative inside.

    lines: grooves along axis 1 instead of holes; the axes lie at (index + 1/2) × pitch. half − slope × z is half the width.
    """
    across = x - pitch * (math.floor(x / pitch) + 0.5)
    if lines:
        away = abs(across)
    else:
        along = y - pitch * (math.floor(y / pitch) + 0.5)
        away = math.sqrt(across * across + along * along)
    return max(away - half + slope * z, z - depth)


@jit
def inside(first, last, lines, pitch, half, slope, depth, edges, found):
    """Write into found (nz, ny, nx) bool, planes first…last − 1, whether the voxel's centre lies in a channel."""
    for k in range(first, last):
        for j in range(found.shape[1]):
            for i in range(found.shape[2]):
                z, y, x = (k + 0.5) * edges[0], (j + 0.5) * edges[1], (i + 0.5) * edges[2]
                found[k, j, i] = wall_distance(z, y, x, lines, pitch, half, slope, depth) < 0.0


@jit
def open_faces(first, last, lines, pitch, half, slope, depth, axis, edges, faces):
    """
    Area fraction of the faces normal to axis that lies in a channel, by marching squares on PARTS² parts of a face.

    edges (3,) float64; faces float32, axes in their natural order, rows first…last − 1 are overwritten.
    """
    du, dv = np.zeros(3), np.zeros(3)
    du[1 if axis == 0 else 0] = 1.0
    dv[1 if axis == 2 else 2] = 1.0
    middle = 0.5 * (du + dv)
    away = 0.75 * max(edges[0], edges[1], edges[2]) * (1.0 + slope)
    value = np.empty((PARTS + 1, PARTS + 1))
    for k in range(first, last):
        for j in range(faces.shape[1]):
            for i in range(faces.shape[2]):
                z, y, x = (k + middle[0]) * edges[0], (j + middle[1]) * edges[1], (i + middle[2]) * edges[2]
                distance = wall_distance(z, y, x, lines, pitch, half, slope, depth)
                if abs(distance) > away:
                    faces[k, j, i] = 1.0 if distance < 0.0 else 0.0
                    continue
                for g in range(PARTS + 1):
                    for h in range(PARTS + 1):
                        a, b = g / PARTS, h / PARTS
                        z = (k + a * du[0] + b * dv[0]) * edges[0]
                        y = (j + a * du[1] + b * dv[1]) * edges[1]
                        x = (i + a * du[2] + b * dv[2]) * edges[2]
                        value[g, h] = wall_distance(z, y, x, lines, pitch, half, slope, depth)
                total = 0.0
                for g in range(PARTS):
                    for h in range(PARTS):
                        area, _ = negative_area(
                            value[g, h], value[g, h + 1], value[g + 1, h + 1], value[g + 1, h]
                        )
                        total += area
                faces[k, j, i] = total / PARTS**2
