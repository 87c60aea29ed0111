"""Transport, electrode tortuosity and current densities on images that are small, odd, nearly blocked or oddly stored."""

import numpy as np
import pytest
from numba import get_num_threads, set_num_threads

from meso import ElectrodeDesign, SizeClass, generate
from solvers import Status, current_density, electrode_tortuosity, solve_tensor, solve_transport

STATUSES = {Status.CONVERGED, Status.NOT_PERCOLATING, Status.CUT_OFF, Status.NO_INTERFACE}


def near_threshold(seed):
    """Random image at a porosity where half of all such images percolate, blocks of voxels or single ones."""
    rng = np.random.default_rng(seed)
    grain = int(rng.integers(1, 4))
    shape = tuple(grain * rng.integers(5, 13, size=3))
    noise = rng.random(tuple(n // grain for n in shape))
    for axis in range(3):
        noise = np.repeat(noise, grain, axis=axis)
    return noise < rng.uniform(0.29, 0.36)


@pytest.mark.parametrize("first", range(0, 200, 25))
def test_near_the_percolation_threshold(first):
    found = 0
    for seed in range(first, first + 25):
        image = near_threshold(seed)
        sides = "periodic" if seed % 2 else "insulated"
        result = solve_transport(image, sides=sides, tolerance=1e-3)
        assert result.status in STATUSES
        assert not np.isnan(result.tortuosity_factor)
        assert result.tortuosity_factor >= 1.0
        assert result.iterations < 40
        if result.percolates:
            found += 1
            exact = solve_transport(image, sides=sides, tolerance=1e-10).effective_conductivity
            error = result.effective_conductivity / exact - 1.0
            assert -1e-9 <= error <= result.error_estimate <= 1e-3
            assert result.upper_bound == result.effective_conductivity
        blocking = electrode_tortuosity(image, sides=sides, tolerance=1e-3, throw=False)
        assert blocking.status in STATUSES
        if blocking.status is Status.CONVERGED:
            assert 0.0 < blocking.tortuosity_factor < np.inf
            exact = electrode_tortuosity(image, sides=sides, tolerance=1e-10).tortuosity_factor
            error = 1.0 - blocking.tortuosity_factor / exact
            assert -1e-7 <= error <= blocking.error_estimate <= 1e-3
    assert found > 0


@pytest.mark.parametrize("contrast", [0.5, 1e-2, 1e-4])
@pytest.mark.parametrize("convention", ["face", "porespy"])
@pytest.mark.parametrize(
    ("shape", "size"),
    [((20, 18, 22), (1.0, 1.0, 1.0)), ((17, 15, 13), (2.0, 1.0, 1.0)), ((60, 44), (1.0, 3.0))],
)
def test_reported_errors_are_honest_with_contrast(contrast, convention, shape, size):
    for seed in range(6):
        rng = np.random.default_rng(seed)
        pores = (0.33, 0.5, 0.8)[seed % 3] if len(shape) == 3 else (0.6, 0.7, 0.9)[seed % 3]
        labels = rng.choice([0, 1, 2], size=shape, p=[pores, (1 - pores) / 2, (1 - pores) / 2])
        options = {
            "conductivity": {0: 1.0, 1: contrast},
            "sides": ("insulated", "periodic")[seed % 2],
            "convention": convention,
            "voxel_size": size,
        }
        exact = solve_transport(labels, **options, tolerance=1e-10).effective_conductivity
        for tolerance in (1e-2, 1e-3, 1e-4, 1e-5):
            result = solve_transport(labels, **options, tolerance=tolerance)
            if result.percolates:
                error = result.effective_conductivity / exact - 1.0
                # contrast times single precision leaves 4e-12 / 1e-4
                assert -1e-7 <= error <= result.error_estimate <= tolerance


def test_the_error_estimate_costs_about_two_iterations():
    """The iteration could have stopped where the energy first was within the tolerance of its minimum."""
    extra = []
    for seed in range(12):
        image = np.random.default_rng(seed).random((28, 28, 28)) < (0.36, 0.45, 0.6, 0.8)[seed % 4]
        exact = solve_transport(image, tolerance=1e-10).effective_conductivity
        stopped = solve_transport(image, tolerance=1e-4)
        for limit in range(stopped.iterations, 0, -1):
            early = solve_transport(image, tolerance=1e-4, max_iterations=limit, throw=False)
            if early.effective_conductivity / exact - 1.0 > 1e-4:
                break
        extra.append(stopped.iterations - limit - 1)
    assert np.mean(extra) <= 2.0
    assert max(extra) <= 3


def variants(image):
    """The same image in other memory layouts and types."""
    wide = np.zeros((*image.shape[:-1], 2 * image.shape[-1]), np.uint8)
    wide[..., ::2] = image
    frozen = image.astype(np.int32)
    frozen.setflags(write=False)
    return {
        "non-contiguous": wide[..., ::2],
        "Fortran order": np.asfortranarray(image.astype(np.uint8)),
        "reversed twice": image.astype(np.int64)[::-1][::-1],
        "big-endian": image.astype(">i4"),
        "read-only": frozen,
        "boolean": image == 1,
        "signed": image.astype(np.int8),
        "list": image.tolist(),
    }


def test_storage_does_not_matter_and_nothing_is_modified():
    image = (np.random.default_rng(11).random((9, 8, 7)) < 0.6).astype(int)
    sigma = {1: 1.0}
    transport = solve_transport(image, conductivity=sigma, field=True, flux=True)
    blocking = electrode_tortuosity(image, conductivity=sigma)
    tensor = solve_tensor(image, conductivity=sigma)
    for name, other in variants(image).items():
        before = np.array(other, copy=True)
        again = solve_transport(other, conductivity=sigma, field=True, flux=True)
        assert again.effective_conductivity == transport.effective_conductivity, name
        np.testing.assert_array_equal(again.field, transport.field)
        np.testing.assert_array_equal(again.flux, transport.flux)
        assert electrode_tortuosity(other, conductivity=sigma) == blocking, name
        along = solve_tensor(other, conductivity=sigma).effective_conductivity
        np.testing.assert_array_equal(along, tensor.effective_conductivity)
        flux = current_density(other, transport.field, conductivity=sigma)
        np.testing.assert_array_equal(flux, transport.flux)
        np.testing.assert_array_equal(np.array(other), before)


def test_floats_are_refused():
    for solve in (solve_transport, electrode_tortuosity, solve_tensor):
        with pytest.raises(TypeError, match="booleans or integer labels"):
            solve(np.ones((3, 3, 3)))


@pytest.mark.parametrize("shape", [(1, 1), (1, 1, 1), (1, 4, 3), (5, 1, 1), (2, 2, 2)])
def test_smallest_images(shape):
    pores, solid = np.ones(shape, bool), np.zeros(shape, bool)
    open_block = solve_transport(pores, field=True, flux=True)
    assert open_block.tortuosity_factor == pytest.approx(1.0, abs=1e-10)
    assert open_block.flux == pytest.approx(np.ones(shape), rel=1e-5)
    assert solve_tensor(pores).tortuosity_factor == pytest.approx(np.ones(len(shape)), abs=1e-10)
    assert electrode_tortuosity(pores, throw=False).status is Status.NO_INTERFACE
    assert solve_transport(solid).status is Status.NOT_PERCOLATING
    assert electrode_tortuosity(solid).status is Status.CUT_OFF


@pytest.mark.parametrize("sides", ["insulated", "periodic"])
@pytest.mark.parametrize("shape", [(12, 13), (13, 11, 9), (12, 7, 5), (9, 3, 1)])
@pytest.mark.parametrize("stretch", [1.0, 1.4, 5.0])
def test_odd_widths_and_stretched_voxels(sides, shape, stretch):
    """Laterally shifted by one voxel a periodic structure is the same; insulated, mirrored."""
    image = np.random.default_rng(3).random(shape) < 0.75
    image[:, 0] |= True
    size = (1.0, *[stretch] * (len(shape) - 1))
    moved = np.roll(image, 1, axis=-1) if sides == "periodic" else image[..., ::-1]
    options = {"sides": sides, "voxel_size": size, "tolerance": 1e-6}
    for solve in (solve_transport, electrode_tortuosity):
        one, two = solve(image, **options), solve(moved, **options)
        assert one.status is Status.CONVERGED
        assert one.tortuosity_factor == pytest.approx(two.tortuosity_factor, rel=1e-6)


def test_many_disjoint_channels_do_not_hang():
    image = np.zeros((40, 128, 128), bool)
    image[:, ::2, ::2] = True
    result = solve_transport(image)
    assert result.tortuosity_factor == pytest.approx(1.0, abs=1e-9)
    assert result.iterations < 10
    image[:, 1::2, ::2] = np.arange(40)[:, None, None] % 7 == 3
    assert solve_transport(image, tolerance=1e-9).iterations < 60
    assert electrode_tortuosity(image).iterations < 20


def everything(image, labels, structure):
    """All numbers of all solvers on all their paths."""
    sigma = {0: 1.0, 1: 1e-2}
    numbers = []
    for given, options in (
        (image, {}),
        (image, {"sides": "periodic"}),
        (image, {"convention": "porespy"}),
        (image, {"precision": "double"}),
        (image, {"voxel_size": (1.0, 3.0, 1.0)}),
        (image[:, 0], {}),
        (labels, {"conductivity": sigma}),
        (labels, {"conductivity": sigma, "precision": "double"}),
        (structure, {}),
        (structure, {"conductivity": {0: 1.0, 2: 0.3}}),
    ):
        result = solve_transport(given, field=True, flux=True, throw=False, **options)
        numbers += [result.effective_conductivity, result.error_estimate, result.flux_mismatch]
        numbers += [result.profile, result.field, result.flux]
        options.pop("convention", None)
        blocking = electrode_tortuosity(given, throw=False, **options)
        numbers += [blocking.tortuosity_factor, blocking.cut_off_area, blocking.error_estimate]
    numbers += [electrode_tortuosity(labels, onto=[2]).tortuosity_factor]
    numbers += [solve_tensor(labels, conductivity=sigma).effective_conductivity]
    return numbers


def test_same_bits_for_one_and_two_threads():
    rng = np.random.default_rng(2718)
    image = rng.random((70, 34, 36)) < 0.5
    labels = rng.integers(0, 3, (48, 30, 31))
    design = ElectrodeDesign(
        thickness=20e-6, porosity=0.4, binder_fraction=0.08, size_classes=(SizeClass(diameter=5e-6),)
    )
    structure = generate(design, voxel_size=0.8e-6, width=16e-6, seed=1)
    threads = get_num_threads()
    try:
        set_num_threads(1)
        alone = everything(image, labels, structure)
        set_num_threads(min(2, threads))
        together = everything(image, labels, structure)
    finally:
        set_num_threads(threads)
    for one, two in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, two)
