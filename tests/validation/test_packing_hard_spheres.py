"""
Packings against what is known of random hard spheres.

Conductivity of the matrix around insulating equal spheres: S. Torquato, J. Appl. Phys. 58, 3790 (1985), truncated after the
three-point term; for hard spheres zeta = 0.21068 f - 0.04693 f², which simulation confirms up to f = 0.5 (C. A. Miller &
S. Torquato, J. Appl. Phys. 68, 5486, 1990). Random close packing of equal spheres, 0.64: G. D. Scott & D. M. Kilgour, J. Phys. D 2, 863 (1969).
"""

import numpy as np
import pytest

from meso import ElectrodeDesign, SizeClass, generate
from meso.packing import pack_particles
from solvers import solve_transport

SIZES = (SizeClass(diameter=6e-6),)


def equal_spheres(fraction, thickness):
    return ElectrodeDesign(
        thickness=thickness, porosity=1 - fraction, binder_fraction=0.0, size_classes=SIZES
    )


@pytest.mark.parametrize(("fraction", "tolerance"), [(0.2, 0.01), (0.4, 0.025)])
def test_conductivity_around_random_spheres(fraction, tolerance, measured):
    zeta = 0.21068 * fraction - 0.04693 * fraction**2
    pores = 1 - fraction
    theory = (pores - pores * zeta / 2) / (1 + fraction / 2 - pores * zeta / 2)
    structure = generate(equal_spheres(fraction, 42e-6), voxel_size=0.6e-6, width=42e-6, seed=6121)
    sigma = solve_transport(structure).effective_conductivity
    what = f"random equal spheres, solid fraction {fraction}, one packing, σ_eff"
    measured("lattices", what, sigma, theory, rel=tolerance, source="three-point series of Torquato 1985")


@pytest.mark.parametrize("seed", [211, 212])
def test_equal_spheres_jam_near_random_close_packing(seed):
    loose, dense = (
        pack_particles(equal_spheres(fraction, 60e-6), width=42e-6, rng=np.random.default_rng(seed))
        for fraction in (0.62, 0.66)
    )
    assert loose.overlap == 0.0
    assert 0.01 < dense.overlap < 0.08


def test_a_spread_of_sizes_packs_denser():
    sizes = (SizeClass(diameter=6e-6, spread=1.5),)
    design = ElectrodeDesign(thickness=60e-6, porosity=0.345, binder_fraction=0.0, size_classes=sizes)
    packing = pack_particles(design, width=42e-6, rng=np.random.default_rng(213))
    assert packing.overlap < 5e-3
