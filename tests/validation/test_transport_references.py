"""Transport against published values and independent programs (see ../shared/reference/README.md)."""

import json

import numpy as np
import pytest

from solvers.blocking import electrode_tortuosity
from solvers.transport import solve_transport


@pytest.fixture(scope="module")
def tomogram(reference):
    """Calendered NMC electrode of NREL: 0 pore, 1 NMC, 2 carbon and binder."""
    return np.load(reference / "images" / "nrel_nmc1cal_crop128.npz")["labels"]


@pytest.mark.parametrize(("axis", "pore", "both"), [(0, 3.093, 2.001), (1, 2.857, 1.633), (2, 2.813, 1.602)])
def test_tomogram_tortuosity(tomogram, axis, pore, both, measured):
    """Independent finite volumes, face convention, insulated sides."""
    source = "independent finite volumes, same convention"
    only = solve_transport(tomogram, axis=axis)
    result = solve_transport(tomogram, axis=axis, conductivity={0: 1.0, 2: 1.0})
    name = f"NREL tomogram 1-CAL, 128³, axis {axis}, τ of"
    measured("transport", f"{name} the pores", only.tortuosity_factor, pore, abs=6e-4, source=source)
    measured("transport", f"{name} pores and binder", result.tortuosity_factor, both, abs=6e-4, source=source)


@pytest.mark.parametrize(("sigma", "expected"), [({0: 1.0, 2: 0.2}, 0.16973), ({1: 0.1, 2: 1.0}, 0.061038)])
def test_tomogram_several_phases(tomogram, sigma, expected, measured):
    result = solve_transport(tomogram, conductivity=sigma, tolerance=1e-6)
    what = f"NREL tomogram, axis 0, σ_eff with (pore, active, binder) = {tuple(sigma.get(p, 0) for p in range(3))}"
    source = "independent finite volumes, same convention"
    measured("transport", what, result.effective_conductivity, expected, rel=3e-5, source=source)


@pytest.mark.parametrize(("axis", "expected"), [(0, 2.0772), (1, 2.0766)])
def test_published_by_taufactor(reference, axis, expected, measured):
    """Tortuosity factors that TauFactor publishes for its example electrode."""
    labels = np.load(reference / "images" / "taufactor_electrode_256.npz")["labels"]
    result = solve_transport(labels, axis=axis, tolerance=1e-5)
    what = f"TauFactor's example electrode, 256³, τ of the pores, axis {axis}"
    measured("transport", what, result.tortuosity_factor, expected, rel=5e-4, source="published by TauFactor")


def test_two_dimensional_lattice_of_porespy(reference, measured):
    """PoreSpy 3.2 test suite: potential fixed at the centres of the end layers."""
    cases = {case["id"]: case for case in json.loads((reference / "peer_cases.json").read_text())["cases"]}
    case = cases["ps_lattice2d"]
    y, x = np.ogrid[:200, :200]
    distance = np.full((200, 200), np.inf)
    for centre_y in range(8, 200, 26):
        for centre_x in range(8, 200, 26):
            distance = np.minimum(distance, np.hypot(y - centre_y, x - centre_x))
    result = solve_transport(distance >= 8, axis=1, convention="porespy", tolerance=1e-7)
    what = 'PoreSpy\'s lattice of discs, 200², `convention="porespy"`, τ'
    expected, allowed = case["expected"], case["tolerance"]
    measured(
        "transport", what, result.tortuosity_factor, expected, abs=allowed, source="tests of PoreSpy 3.2"
    )


def test_series_of_openimpala(measured):
    """OpenImpala regression benchmark: 32 alternating layers, length N between the centres."""
    layers = np.arange(32)[:, None, None] % 2 * np.ones((32, 8, 8), int)
    result = solve_transport(layers, conductivity={0: 1.0, 1: 0.5}, convention="openimpala")
    # that benchmark divides a volume fraction of 1, not the mean conductivity, by the effective conductivity
    what = 'OpenImpala\'s 32 layers in series, `convention="openimpala"`, 1/σ_eff'
    source = "benchmark of OpenImpala before 4.5"
    measured("transport", what, 1.0 / result.effective_conductivity, 1.453125, rel=1e-6, source=source)


@pytest.mark.parametrize(("axis", "expected"), [(0, 1.818181818), (1, 5.5), (2, 5.5)])
def test_series_of_pumapy(axis, expected, measured):
    """Test suite of PuMA: 10 x 8 x 14, two halves with conductivities 10 and 1."""
    halves = np.repeat([0, 1], 5)[:, None, None] * np.ones((10, 8, 14), int)
    result = solve_transport(
        halves, conductivity={0: 10.0, 1: 1.0}, axis=axis, convention="pumapy", tolerance=1e-9
    )
    what = f'PuMA\'s two halves, `convention="pumapy"`, σ_eff along axis {axis}'
    measured("transport", what, result.effective_conductivity, expected, abs=1e-8, source="tests of PuMA")


@pytest.mark.parametrize(("axis", "connected", "earlier"), [(0, 2.0729, 2.0852), (1, 2.0658, None)])
def test_electrode_tortuosity_of_taufactor(reference, axis, connected, earlier, measured):
    """Published for the connected pore, from an impedance at finite frequency; hence only about the same."""
    labels = np.load(reference / "images" / "taufactor_electrode_256.npz")["labels"]
    result = electrode_tortuosity(labels, axis=axis)
    what = f"TauFactor's example electrode, τ_e of a blocking cell, axis {axis}"
    source = "published by TauFactor, from an impedance at finite frequency"
    measured("transport", what, result.tortuosity_factor, connected, rel=0.02, source=source)
    assert result.cut_off_area < 0.01
    if earlier is not None:
        # an independent successive over-relaxation of the same definition
        assert result.tortuosity_factor == pytest.approx(earlier, abs=5e-4)
        particles = electrode_tortuosity(labels, axis=axis, onto=[1])
        assert particles.tortuosity_factor == pytest.approx(2.0883, abs=5e-4)
