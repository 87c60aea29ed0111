"""Structures: packing, voxels with face fractions and binder, beside PoreSpy's generators at the same size (warm)."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from time import perf_counter

import numpy as np
import pytest

from benchmarks.machine import PeakMemory
from meso import ElectrodeDesign, Phase, SizeClass, generate
from meso.binder import add_binder
from meso.packing import pack_particles
from meso.voxels import voxelize

large = pytest.mark.large
VOXEL = 0.5e-6
DIAMETER, SPREAD = 10 * VOXEL, 1.35
REACH = DIAMETER / 2


def design(thickness, *, solid=0.6, binder=0.05):
    return ElectrodeDesign(
        thickness=thickness,
        porosity=1 - solid - binder,
        binder_fraction=binder,
        size_classes=(SizeClass(diameter=DIAMETER, spread=SPREAD),),
    )


@cache
def packing(voxels):
    """Log-normal spheres, ten voxels a median diameter, that fill 60 % of a cube."""
    length = voxels * VOXEL
    return pack_particles(design(length), width=length, rng=np.random.default_rng(4217))


def width_of(count, solid):
    """Edge of the cube that holds about so many particles: the mean volume from the median by volume."""
    mean_volume = np.pi / 6 * DIAMETER**3 * np.exp(-4.5 * np.log(SPREAD) ** 2)
    return (count * mean_volume / solid) ** (1 / 3)


def note(benchmark, records, name, **record):
    records.note("ours", f"structure {name}", seconds=benchmark.stats.stats.median, **record)


@pytest.mark.parametrize("count", [10_000, pytest.param(100_000, marks=large)])
def test_packing(benchmark, records, count):
    width = width_of(count, 0.64)
    recipe = design(width, solid=0.64, binder=0.0)
    packed = benchmark.pedantic(
        lambda: pack_particles(recipe, width=width, rng=np.random.default_rng(5413)),
        rounds=1,
        warmup_rounds=1,
    )
    note(benchmark, records, f"packing {count}", particles=packed.count, overlap=packed.overlap)
    assert packed.count == pytest.approx(count, rel=0.25)


@pytest.mark.parametrize("voxels", [200, 256, pytest.param(512, marks=large)])
def test_voxels(benchmark, records, voxels):
    packed = packing(voxels)
    structure = benchmark.pedantic(voxelize, (packed,), {"voxel_size": VOXEL}, rounds=5, warmup_rounds=1)
    solid = structure.volume_fraction(Phase.ACTIVE)
    note(benchmark, records, f"voxels {voxels}", solid=solid)
    del structure
    with PeakMemory() as memory:
        voxelize(packed, voxel_size=VOXEL)
    records.note("ours", f"structure memory {voxels}", per_voxel=memory.bytes / voxels**3)
    assert solid == pytest.approx(0.6, abs=2e-3)


@pytest.mark.parametrize("bridging", [0.0, 0.3, 1.0])
def test_binder(benchmark, records, bridging):
    recipe, bare = design(256 * VOXEL), voxelize(packing(256), voxel_size=VOXEL)
    filled = benchmark.pedantic(
        add_binder,
        (bare,),
        {"fraction": recipe.binder_profile, "bridging": bridging, "reach": REACH},
        rounds=3,
        warmup_rounds=1,
    )
    error = filled.volume_fraction(Phase.BINDER) - 0.05
    note(benchmark, records, f"binder {bridging}", error=error)
    assert abs(error) <= 1e-3


def test_whole_structure(benchmark, records):
    """From the recipe to voxels: packing, face fractions and binder of 200³."""
    length = 200 * VOXEL
    benchmark.pedantic(
        lambda: generate(design(length), voxel_size=VOXEL, width=length, seed=61), rounds=1, warmup_rounds=1
    )
    note(benchmark, records, "whole 200")


@pytest.mark.parametrize("name", ["pseudo_gravity_packing", "polydisperse_spheres"])
def test_porespy(peer, name):
    """200³ with spheres as large as ours; one radius for the first, log-normal in bins for the second."""
    peer(f"porespy {name}", lambda: spheres_of_porespy(name))


def spheres_of_porespy(name):
    import porespy
    from scipy.stats import lognorm

    def make(voxels):
        shape = [voxels] * 3
        if name == "pseudo_gravity_packing":
            return porespy.generators.pseudo_gravity_packing(shape=shape, r=5, maxiter=20_000, seed=3)
        sizes = lognorm(s=np.log(SPREAD), scale=5.0)
        return ~porespy.generators.polydisperse_spheres(shape, porosity=0.4, dist=sizes, r_min=2, seed=3)

    make(40)  # imports and compilation
    start = perf_counter()
    image = make(200)
    seconds = perf_counter() - start
    return {
        "program": "porespy",
        "version": version("porespy"),
        "seconds": seconds,
        "solid": float(np.mean(image)),
    }
