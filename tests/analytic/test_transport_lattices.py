"""Conductivity around insulating spheres on cubic lattices, against multipole series."""

import json

import numpy as np
import pytest

from meso.particles import ParticlePacking
from meso.voxels import voxelize
from solvers.transport import solve_transport

SITES = {
    "SC": [(0.5, 0.5, 0.5)],
    "BCC": [(0.5, 0.5, 0.5), (0.0, 0.0, 0.0), (1.0, 0.0, 0.0)],
    "FCC": [
        (0.0, 0.0, 0.0),
        (1.0, 0.0, 0.0),
        (0.5, 0.5, 0.0),
        (0.5, 0.0, 0.5),
        (0.0, 0.5, 0.5),
        (1.0, 0.5, 0.5),
    ],
}
SPHERES = {"SC": 1, "BCC": 2, "FCC": 4}


def lattice(name, solid_fraction, voxels):
    """Unit cell of a lattice of equal spheres."""
    radius = (3 * solid_fraction / (4 * np.pi * SPHERES[name])) ** (1 / 3)
    centres = np.array(SITES[name])
    packing = ParticlePacking(centres=centres, radii=np.full(len(centres), radius), domain=(1.0, 1.0, 1.0))
    return voxelize(packing, voxel_size=1.0 / voxels)


@pytest.mark.parametrize("name", ["SC", "BCC", "FCC"])
@pytest.mark.parametrize("solid_fraction", [0.1, 0.3, 0.5])
def test_lattices_converge_to_second_order(reference, name, solid_fraction, measured):
    rows = json.loads((reference / "spheres.json").read_text())["rows"]
    exact = next(
        row["sigma_eff"] for row in rows if row["lattice"] == name and row["solid_fraction"] == solid_fraction
    )
    counts = np.array([16, 32, 64])
    found = [
        solve_transport(lattice(name, solid_fraction, int(n)), tolerance=1e-7).effective_conductivity
        for n in counts
    ]
    # Second order with one constant for all lattices; without the curvature of the walls it would be three times as large.
    assert np.all(np.abs(np.array(found) / exact - 1) < 0.9 / counts**2 + 2e-5)
    what = f"{name}, solid fraction {solid_fraction}, 64 voxels per cell, σ_eff"
    allowed = 0.9 / 64**2 + 2e-5
    measured("lattices", what, found[-1], exact, rel=allowed, source="multipole series")


def test_touching_lattice_stays_connected(reference):
    """FCC at 0.74: the openings at the contacts are narrower than a voxel; binary voxels lose half the conductivity."""
    del reference
    fine = solve_transport(lattice("FCC", 0.74, 64), tolerance=1e-6).effective_conductivity
    coarse = solve_transport(lattice("FCC", 0.74, 16), tolerance=1e-6).effective_conductivity
    assert coarse == pytest.approx(fine, rel=0.03)
