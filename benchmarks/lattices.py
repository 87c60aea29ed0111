"""Unit cells of equal spheres, whose effective conductivity is known."""

from __future__ import annotations

import numpy as np

from meso.particles import ParticlePacking
from meso.voxels import voxelize

SITES = {
    "SC": [(0.5, 0.5, 0.5)],
    "BCC": [(0.5, 0.5, 0.5), (0.0, 0.0, 0.0), (1.0, 0.0, 0.0)],
    "FCC": [(0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.5, 0.5, 0.0), (0.5, 0.0, 0.5), (0.0, 0.5, 0.5), (1.0, 0.5, 0.5)],
}  # fmt: skip
"""Centres; the block is cut, not wrapped, along axis 0, so the end faces need their copies."""

PER_CELL = {"SC": 1, "BCC": 2, "FCC": 4}

LATTICES = [
    *((name, solid) for name in SITES for solid in (0.1, 0.3, 0.5)),
    ("BCC", 0.65), ("FCC", 0.7), ("FCC", 0.74),
]  # fmt: skip


def lattice(name: str, solid_fraction: float, voxels: int):
    """Voxels with apertures of one unit cell."""
    radius = (3.0 * solid_fraction / (4.0 * np.pi * PER_CELL[name])) ** (1.0 / 3.0)
    centres = np.array(SITES[name])
    packing = ParticlePacking(centres=centres, radii=np.full(len(centres), radius), domain=(1.0, 1.0, 1.0))
    return voxelize(packing, voxel_size=1.0 / voxels)
