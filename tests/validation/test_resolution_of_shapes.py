"""Ten voxels across the shortest width of a particle are enough for transport, whatever its shape (one packing, two grids)."""

import numpy as np
import pytest

from meso import Channels, ElectrodeDesign, Profile, SizeClass
from meso.binder import add_binder
from meso.channels import cut_channels
from meso.packing import pack_particles
from meso.voxels import voxelize
from solvers import solve_transport

WIDTH = 30e-6


@pytest.mark.parametrize(
    ("shape", "coarse", "binder", "channels", "bound"),
    [
        ({}, 50, 0.0, None, 0.004),
        ({"aspect_ratio": 0.4, "alignment": 0.5}, 92, 0.0, None, 0.004),
        ({"aspect_ratio": 2.2, "alignment": 0.3}, 66, 0.0, None, 0.004),
        ({}, 50, 0.08, None, 0.015),
        ({}, 50, 0.0, Channels(pitch=WIDTH, width=10e-6, depth=0.6, taper=0.3), 0.006),
    ],
    ids=["spheres", "platelets", "needles", "fingers", "channels"],
)
def test_tortuosity_factor_at_ten_voxels(shape, coarse, binder, channels, bound):
    design = ElectrodeDesign(
        thickness=WIDTH,
        porosity=0.42 - binder,
        binder_fraction=binder,
        size_classes=(SizeClass(diameter=6e-6, spread=1.2, **shape),),
    )
    packing = pack_particles(design, width=WIDTH, rng=np.random.default_rng(1))
    found = []
    for voxels in (coarse, 2 * coarse):
        structure = voxelize(packing, voxel_size=WIDTH / voxels)
        if binder:
            structure = add_binder(
                structure,
                fraction=Profile.constant(binder),
                bridging=0.5,
                reach=3e-6,
                morphology=1.0,
                rng=np.random.default_rng(5),
            )
        if channels is not None:
            structure = cut_channels(structure, channels)
        found.append(solve_transport(structure).tortuosity_factor)
    # At second order the error of the coarse one is four thirds of the difference.
    assert 4 / 3 * abs(found[0] / found[1] - 1) < bound
