"""Images as PoreSpy (Gostick et al., J. Open Source Softw. 4, 1296, 2019) and TauFactor take them: axis 0, True conducts."""

import numpy as np
import pytest

from meso import Mesostructure, Phase, load, save
from solvers import solve_transport


@pytest.fixture(scope="module")
def slanted():
    """Pores in slits across a lateral axis, closing with depth: every axis has another answer."""
    labels = np.ones((24, 20, 20), dtype=np.uint8)
    labels[:, :, ::4] = 0
    labels[::3, :, 1::4] = 0
    labels[12:, :, 8:12] = 2
    return Mesostructure(labels, voxel_size=(2e-6, 1e-6, 1e-6))


def test_porespy_sees_the_same_profile_along_the_same_axis(slanted):
    porespy = pytest.importorskip("porespy")
    mask = slanted.mask(Phase.PORE)
    assert (mask.dtype, mask.shape) == (np.bool_, slanted.shape)
    assert porespy.metrics.porosity(mask) == pytest.approx(slanted.volume_fraction(Phase.PORE), abs=1e-12)
    profile = porespy.metrics.porosity_profile(mask, axis=0)
    assert np.asarray(profile.porosity) == pytest.approx(slanted.fraction_profile(Phase.PORE), abs=1e-12)


def test_taufactor_has_the_same_tortuosity_along_axis_0(slanted):
    taufactor = pytest.importorskip("taufactor", reason="install the extra bench to run TauFactor itself")
    image = slanted.mask(Phase.PORE).astype("uint8")
    solver = taufactor.Solver(image, device="cpu")
    solver.solve(conv_crit=1e-4, verbose=False)
    # It knows cubes only.
    assert solve_transport(image == 1).tortuosity_factor == pytest.approx(np.ravel(solver.tau)[0], rel=2e-3)


def test_maps_of_a_solve_go_into_files(slanted, tmp_path):
    from scipy.io import netcdf_file

    result = solve_transport(slanted, field=True, flux=True)
    assert set(result.maps) == {"potential [1]", "current_density [1]"}
    assert solve_transport(slanted).maps == {}
    save(slanted, tmp_path / "slits.nc", fields=result.maps)
    assert np.array_equal(load(tmp_path / "slits.nc").labels, slanted.labels)
    with netcdf_file(tmp_path / "slits.nc", mmap=False) as file:
        potential = file.variables["potential"][:]
    # Half a voxel from the outer faces, whose potentials are 1 and 0.
    straight = potential[:, 0, 4]
    assert np.nanmax(np.abs(potential - result.field)) == 0.0
    assert 0.9 < straight[0] < 1.0
    assert 0.0 < straight[-1] < 0.1
