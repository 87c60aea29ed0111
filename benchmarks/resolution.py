"""How far the tortuosity factor of one and the same packing moves with the voxel size: python -m benchmarks.resolution."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from meso import ElectrodeDesign, Phase, Profile, SizeClass
from meso.binder import add_binder
from meso.packing import pack_particles
from meso.voxels import voxelize
from solvers import solve_transport

if TYPE_CHECKING:
    from meso.particles import ParticlePacking

D50 = 6e-6
RUNGS = (6, 8, 10, 20, 40)
"""Voxels across `ElectrodeDesign.narrowest_width`, which is the median diameter of spheres of one population."""


class Case(NamedTuple):
    """One packing, about 5 median diameters wide and thick, and how much binder is put in."""

    solid: float
    sizes: tuple[SizeClass, ...]
    seed: int
    binder: float = 0.0
    bridging: float = 0.5


WIDE = (SizeClass(diameter=D50, spread=1.35),)
TWO = (
    SizeClass(diameter=1.4 * D50, spread=1.1, share=0.7),
    SizeClass(diameter=0.6 * D50, spread=1.1, share=0.3),
)
CASES = {
    "log-normal, spread 1.35": Case(0.58, WIDE, 1),
    "nearly equal, spread 1.05": Case(0.62, (SizeClass(diameter=D50, spread=1.05),), 2),
    "two sizes, 2.3 : 1": Case(0.60, TWO, 3),
    "needles 2 : 1": Case(0.55, (SizeClass(diameter=D50, spread=1.2, aspect_ratio=2.0, alignment=0.3),), 4),
    "platelets 1 : 2.5": Case(
        0.52, (SizeClass(diameter=D50, spread=1.1, aspect_ratio=0.4, alignment=0.6),), 5
    ),
    "log-normal, 8 % binder": Case(0.58, WIDE, 1, binder=0.08),
    "log-normal, 8 % bridges": Case(0.50, WIDE, 6, binder=0.08, bridging=0.9),
    "two sizes, 6 % binder": Case(0.60, TWO, 3, binder=0.06),
}


def packing_of(case: Case) -> tuple[ElectrodeDesign, ParticlePacking]:
    """Pack a case."""
    design = ElectrodeDesign(
        thickness=5.2 * D50, porosity=1 - case.solid, binder_fraction=0.0, size_classes=case.sizes
    )
    return design, pack_particles(design, width=5.2 * D50, rng=np.random.default_rng(case.seed))


def tortuosity(case: Case, design: ElectrodeDesign, packing: ParticlePacking, rung: int) -> float:
    """Tortuosity factor of the pores at a number of voxels across the narrowest width."""
    count = round(rung * packing.domain[1] / design.narrowest_width)
    structure = voxelize(packing, voxel_size=packing.domain[1] / count)
    if case.binder:
        structure = add_binder(
            structure,
            fraction=Profile.constant(case.binder),
            bridging=case.bridging,
            reach=0.5 * design.median_diameter,
        )
    return solve_transport(structure, conductivity={Phase.PORE: 1.0}, tolerance=1e-6).tortuosity_factor


def main() -> None:
    """Print the table."""
    sys.stdout.write(
        f"| packing | solid | {' | '.join(map(str, RUNGS[:-1]))} | τ at {RUNGS[-1]} |\n{'|---' * (len(RUNGS) + 2)}|\n"
    )
    for name, case in CASES.items():
        design, packing = packing_of(case)
        *coarse, fine = (tortuosity(case, design, packing, rung) for rung in RUNGS)
        errors = " | ".join(f"{100 * (value / fine - 1):+.2f} %" for value in coarse)
        sys.stdout.write(f"| {name} | {case.solid:.2f} | {errors} | {fine:.4f} |\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
