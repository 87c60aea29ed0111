"""Smooth surfaces of images against what the images were made from: sphere series, packings, tomograms made coarse."""

import json

import numpy as np
import pytest

from meso import ElectrodeDesign, Mesostructure, Phase, SizeClass
from meso.packing import ParticlePacking, pack_particles
from meso.smoothing import smooth_surfaces
from meso.voxels import voxelize
from solvers.transport import solve_transport

SITES = {
    "SC": [(0.5, 0.5, 0.5)],
    "BCC": [(0.5, 0.5, 0.5), (0, 0, 0), (1, 0, 0)],
    "FCC": [(0, 0, 0), (1, 0, 0), (0.5, 0.5, 0), (0.5, 0, 0.5), (0, 0.5, 0.5), (1, 0.5, 0.5)],
}
SPHERES = {"SC": 1, "BCC": 2, "FCC": 4}


def image_of(structure):
    """Voxels alone."""
    return Mesostructure(structure.labels, voxel_size=structure.voxel_size, periodic=True)


def exact_conductivity(reference, name, solid):
    """Multipole series for spheres on a cubic lattice."""
    rows = json.loads((reference / "spheres.json").read_text())["rows"]
    return next(r["sigma_eff"] for r in rows if r["lattice"] == name and r["solid_fraction"] == solid)


def lattice(name, solid, voxels):
    """Unit cell of equal spheres in voxels."""
    radius = (3 * solid / (4 * np.pi * SPHERES[name])) ** (1 / 3)
    centres = np.array(SITES[name], float)
    packing = ParticlePacking(centres=centres, radii=np.full(len(centres), radius), domain=(1.0, 1.0, 1.0))
    return image_of(voxelize(packing, voxel_size=1.0 / voxels))


@pytest.mark.parametrize("name", ["SC", "BCC", "FCC"])
@pytest.mark.parametrize("solid", [0.3, 0.5])
def test_tortuosity_around_spheres(reference, name, solid):
    """Tortuosity factors, since voxels miss the volume of so few spheres by up to 6 %."""
    exact = (1 - solid) / exact_conductivity(reference, name, solid)
    errors = []
    for voxels in (16, 32, 64):
        image = lattice(name, solid, voxels)
        errors.append(abs(solve_transport(image, surface="smooth").tortuosity_factor / exact - 1))
        stairs = abs(solve_transport(image).tortuosity_factor / exact - 1)
        assert errors[-1] < stairs / 2
    assert errors[0] < 0.04
    assert errors[2] < 0.0015


@pytest.mark.parametrize(("voxels", "bound", "stairs"), [(10, 0.065, 0.20), (20, 0.033, 0.12)])
def test_packing(voxels, bound, stairs):
    """A random packing against the shares of its own spheres, extrapolated by their second order."""
    size = SizeClass(diameter=1e-6, spread=1.35)
    design = ElectrodeDesign(thickness=4.8e-6, porosity=0.42, binder_fraction=0.0, size_classes=(size,))
    packing = pack_particles(design, width=4.8e-6, rng=np.random.default_rng(2081))
    coarse, fine = (voxelize(packing, voxel_size=1e-6 / n) for n in (10, 20))
    exact = (4 * conductivity(fine) - conductivity(coarse)) / 3
    image = image_of({10: coarse, 20: fine}[voxels])
    assert abs(conductivity(image, surface="smooth") / exact - 1) < bound
    assert conductivity(image) / exact - 1 < -stairs


def conductivity(structure, **options):
    """Effective conductivity of the pores."""
    return solve_transport(structure, **options).effective_conductivity


def coarsen(image, factor):
    """Share of pores in blocks of voxels, nudged off one half where they tie."""
    n = image.shape[0] // factor
    share = image.reshape(n, factor, n, factor, n, factor).mean(axis=(1, 3, 5))
    nudge = np.random.default_rng(17).choice([-1e-3, 1e-3], share.shape)
    return np.where(share == 0.5, share + nudge, share)


@pytest.mark.parametrize("file", ["nrel_nmc1cal_crop128", "taufactor_electrode_256"])
@pytest.mark.parametrize(("factor", "bound"), [(2, 0.04), (4, 0.06)])
def test_coarse_images(reference, file, factor, bound):
    """Majority of 2³ and 4³ voxels against the smooth surface of all voxels: stairs lose 12 to 25 %."""
    pores = np.load(reference / "images" / f"{file}.npz")["labels"][:128, :128, :128] == 0
    finest = conductivity(pores, surface="smooth")
    share = coarsen(pores, factor)
    assert abs(conductivity(share > 0.5, surface="smooth") / finest - 1) < bound
    assert conductivity(share > 0.5) / finest - 1 < -0.12


@pytest.mark.parametrize(("factor", "missing"), [(2, 0.005), (4, 0.02)])
def test_coarse_grey_levels(reference, factor, missing):
    pores = np.load(reference / "images" / "nrel_nmc1cal_crop128.npz")["labels"] == 0
    finest = conductivity(pores, surface="smooth")
    share = coarsen(pores, factor)
    image = Mesostructure((share < 0.5).astype(np.uint8), voxel_size=1e-6)
    grey = smooth_surfaces(image, grey=100 + 50 * share, threshold=125.0)
    assert conductivity(grey) / finest == pytest.approx(1, abs=0.06)
    assert grey.volume_fraction(Phase.PORE) == pytest.approx(pores.mean(), abs=missing)
