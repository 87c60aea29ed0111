"""Half-cells from BPX files, made and validated with the bpx package (extra ``bpx``).

The set is that of Chen et al., J. Electrochem. Soc. 167, 080534 (2020), written once more in the words of BPX.
"""

import copy
import dataclasses
import json
import sys

import numpy as np
import pytest

from solvers.cell import CellParameters
from solvers.constants import FARADAY
from solvers.discharge import simulate_discharge
from solvers.electrode import PorousElectrode
from solvers.expressions import formula

NMC811 = (
    "-0.8090 * x + 4.4875 - 0.0428 * tanh(18.5138 * (x - 0.5542)) - 17.7326 * tanh(15.7890 * (x - 0.3117))"
    " + 17.5842 * tanh(15.9308 * (x - 0.3120))"
)
GRAPHITE = (
    "1.9793 * exp(-39.3631 * x) + 0.2482 - 0.0909 * tanh(29.8538 * (x - 0.1234))"
    " - 0.04478 * tanh(14.9159 * (x - 0.2769)) - 0.0205 * tanh(30.4444 * (x - 0.6103))"
)


def particle(*, radius, fraction, rate, concentration, window, diffusivity, potential):
    """A material; BPX normalises rates by full sites and the salt at rest."""
    return {
        "Particle radius [m]": radius,
        "Surface area per unit volume [m-1]": 3.0 * fraction / radius,
        "Diffusivity [m2.s-1]": diffusivity,
        "OCP [V]": potential,
        "Minimum stoichiometry": window[0],
        "Maximum stoichiometry": window[1],
        "Maximum concentration [mol.m-3]": concentration,
        "Reaction rate constant [mol.m-2.s-1]": rate / FARADAY * concentration * 1000.0**0.5,
        "Reaction rate constant activation energy [J.mol-1]": 17800,
    }


CATHODE = particle(
    radius=5.22e-6,
    fraction=0.665,
    rate=3.42e-6,
    concentration=63104.0,
    window=(0.2661, 0.9084),
    diffusivity=4e-15,
    potential=NMC811,
)
ANODE = particle(
    radius=5.86e-6,
    fraction=0.75,
    rate=6.48e-7,
    concentration=33133.0,
    window=(0.0279, 0.9014),
    diffusivity=3.3e-14,
    potential=GRAPHITE,
)


def contact(thickness, porosity):
    return {"Thickness [m]": thickness, "Porosity": porosity, "Transport efficiency": porosity**1.5}


def document():
    return {
        "Header": {"BPX": "1.1.0", "Title": "LG M50", "Model": "DFN"},
        "Parameterisation": {
            "Cell": {
                "Electrode area [m2]": 0.1027,
                "External surface area [m2]": 5.31e-3,
                "Volume [m3]": 2.42e-5,
                "Number of electrode pairs connected in parallel to make a cell": 1,
                "Lower voltage cut-off [V]": 2.5,
                "Upper voltage cut-off [V]": 4.2,
                "Nominal cell capacity [A.h]": 5.0,
                "Reference temperature [K]": 298.15,
            },
            "Electrolyte": {
                "Cation transference number": 0.2594,
                "Diffusivity [m2.s-1]": "8.794e-11 * (x / 1000)**2 - 3.972e-10 * (x / 1000) + 4.862e-10",
                "Conductivity [S.m-1]": "0.1297 * (x / 1000)**3 - 2.51 * (x / 1000)**1.5 + 3.329 * (x / 1000)",
                "Conductivity activation energy [J.mol-1]": 17100,
            },
            "Negative electrode": contact(85.2e-6, 0.25) | {"Conductivity [S.m-1]": 215 * 0.75**1.5} | ANODE,
            "Positive electrode": contact(75.6e-6, 0.335)
            | {"Conductivity [S.m-1]": 0.18 * 0.665**1.5}
            | CATHODE,
            "Separator": contact(12e-6, 0.47),
        },
        "State": {
            "Initial conditions": {
                "Initial temperature [K]": 298.15,
                "Initial electrolyte concentration [mol.m-3]": 1000.0,
            }
        },
    }


@pytest.fixture
def write(tmp_path):
    pytest.importorskip("bpx", reason="install the extra bpx to read BPX files")

    def write(content=None, **changes):
        """Write a file with entries changed (`Section__Key`)."""
        content = copy.deepcopy(content or document())
        for where, value in changes.items():
            section, key = where.split("__")
            target = content["Parameterisation"][section.replace("_", " ")]
            del_key = next(name for name in target if name.startswith(key.replace("_", " ")))
            if value is None:
                del target[del_key]
            else:
                target[del_key] = value
        path = tmp_path / "cell.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize(
    ("electrode", "name"), [("positive", "nmc811-chen2020"), ("negative", "graphite-chen2020")]
)
def test_a_file_says_what_the_built_in_set_says(write, electrode, name):
    ours, theirs = CellParameters.named(name), CellParameters.from_bpx(write(), electrode=electrode)
    for number in (
        "maximum_concentration",
        "reaction_rate_constant",
        "initial_salt_concentration",
        "separator_thickness",
        "separator_porosity",
        "separator_transport_efficiency",
        "lithium_exchange_current_density",
        "active_conductivity",
        "temperature",
    ):
        assert getattr(theirs, number) == pytest.approx(getattr(ours, number), rel=1e-12), number
    x, salt = np.linspace(0.01, 0.99, 50), np.linspace(1.0, 2500.0, 50)
    for curve in ("open_circuit_potential", "particle_diffusivity"):
        assert getattr(theirs, curve)(x) == pytest.approx(getattr(ours, curve)(x), rel=1e-6), curve
    # Where the salt diffusivity of the fit is positive.
    for curve in ("electrolyte_diffusivity", "electrolyte_conductivity", "transference_number"):
        assert getattr(theirs, curve)(salt) == pytest.approx(getattr(ours, curve)(salt), rel=1e-6), curve


@pytest.mark.parametrize(
    ("electrode", "window"), [("positive", (0.2661, 0.9084)), ("negative", (0.0279, 0.9014))]
)
def test_both_electrodes_take_lithium_up_in_discharge(write, electrode, window):
    path = write()
    cell = CellParameters.from_bpx(path, electrode=electrode)
    assert (cell.minimum_stoichiometry, cell.maximum_stoichiometry) == pytest.approx(window, abs=1e-6)
    assert cell.lower_cutoff_voltage < cell.upper_cutoff_voltage
    block = PorousElectrode.from_bpx(path, electrode=electrode)
    # The window of graphite ends on a plateau, where any resistance would end the discharge long before.
    lower = {"positive": cell.lower_cutoff_voltage, "negative": 0.0}[electrode]
    result = simulate_discharge(block, dataclasses.replace(cell, lower_cutoff_voltage=lower), c_rate=0.02)
    assert np.all(np.diff(result.voltage) < 0.0)
    assert np.nanmean(result.stoichiometry) > window[0] + 0.9 * (window[1] - window[0])
    # F c_max (x_hi - x_lo) of the active material, in the volume of the file.
    material = {"positive": 63104.0 * 0.665 * 75.6e-6, "negative": 33133.0 * 0.75 * 85.2e-6}[electrode]
    full = FARADAY * material * (window[1] - window[0]) / 3600.0
    assert block.theoretical_areal_capacity(cell) == pytest.approx(full, rel=1e-5)


def test_an_electrode_alone_brings_its_own_cut_offs(write):
    content = document()
    content["Header"]["Model"] = "Partial"
    del content["Parameterisation"]["Negative electrode"]
    cell = CellParameters.from_bpx(write(content))
    assert (cell.lower_cutoff_voltage, cell.upper_cutoff_voltage) == (2.5, 4.2)
    assert cell.active_capacity == pytest.approx(
        CellParameters.named("nmc811-chen2020").active_capacity, rel=1e-9
    )


def test_sizes_of_one_material_are_size_classes(write):
    content = document()
    common = contact(75.6e-6, 0.335) | {"Conductivity [S.m-1]": 0.1}
    large = CATHODE | {"Particle radius [m]": 8e-6, "Surface area per unit volume [m-1]": 2e4}
    small = CATHODE | {"Surface area per unit volume [m-1]": 3e5}
    content["Parameterisation"]["Positive electrode"] = common | {
        "Particle": {"Large": large, "Small": small}
    }
    block = PorousElectrode.from_bpx(write(content))
    assert block.particle_radii == pytest.approx([8e-6, 5.22e-6])
    assert block.active_fractions[0] == pytest.approx([8e-6 * 2e4 / 3.0, 5.22e-6 * 3e5 / 3.0])
    content["Parameterisation"]["Positive electrode"]["Particle"]["Large"]["Diffusivity [m2.s-1]"] = 1e-14
    with pytest.raises(ValueError, match="got a blend of Large, Small that differ in diffusivity"):
        PorousElectrode.from_bpx(write(content))


def test_tables_are_met_in_any_order(write):
    x = np.linspace(0.2, 1.0, 9)
    table = {"x": x[::-1].tolist(), "y": (4.4 - 0.9 * x[::-1]).tolist()}
    cell = CellParameters.from_bpx(write(Positive_electrode__OCP=table))
    assert cell.open_circuit_potential([0.3, 0.55]) == pytest.approx([4.13, 3.905])


def test_temperature_follows_arrhenius_and_the_entropic_change(write):
    content = document()
    content["State"]["Initial conditions"]["Initial temperature [K]"] = 318.15
    content["Parameterisation"]["Positive electrode"]["Entropic change coefficient [V.K-1]"] = -1e-4
    cold, warm = CellParameters.from_bpx(write()), CellParameters.from_bpx(write(content))
    inverse = (1.0 / 298.15 - 1.0 / 318.15) / 8.314462618
    assert warm.reaction_rate_constant == pytest.approx(
        cold.reaction_rate_constant * np.exp(17800 * inverse), rel=1e-9
    )
    ratio = warm.electrolyte_conductivity(900.0) / cold.electrolyte_conductivity(900.0)
    assert ratio == pytest.approx(np.exp(17100 * inverse), rel=1e-9)
    assert warm.open_circuit_potential(0.5) - cold.open_circuit_potential(0.5) == pytest.approx(
        -2e-3, abs=1e-9
    )
    assert warm.temperature == 318.15


def test_an_electrolyte_stays_constant_where_its_fit_turns_negative(write):
    cell = CellParameters.from_bpx(write(Electrolyte__Conductivity="1e-3 * x * (1 - x / 2500)"))
    assert cell.electrolyte_conductivity.upper == pytest.approx(2500.0)
    assert cell.electrolyte_conductivity(3900.0) == pytest.approx(0.0, abs=1e-12)
    # Without salt there is no Nernst-Einstein diffusivity.
    cell = CellParameters.from_bpx(write(Electrolyte__Diffusivity="1e-7 * x / x / (x + 1)"))
    assert cell.electrolyte_diffusivity(0.0) == pytest.approx(1e-7 / 11.0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"Electrolyte__Conductivity": None}, r"Electrolyte → Conductivity \[S.m-1\]: Field required"),
        ({"Separator__Porosity": "half"}, "Separator → Porosity: 'half' is not allowed in a formula"),
        (
            {"Positive_electrode__OCP": "4 - exit(x)"},
            r"Positive electrode → OCP \[V\]: 'exit\(x\)' is not allowed",
        ),
        ({"Positive_electrode__OCP": "4 - "}, "'4 - ' is not a formula of x"),
        ({"Positive_electrode__OCP": "1 / x"}, r"OCP \[V\]: table must be finite"),
        ({"Electrolyte__Conductivity": "0.5 - x / 1000"}, "must be positive at 1000.0 mol.m-3"),
    ],
)
def test_files_that_cannot_be(write, changes, message):
    path = write(**changes)
    with pytest.raises(ValueError, match=message) as refusal:
        CellParameters.from_bpx(path)
    assert str(path) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_what_a_half_cell_needs(write, tmp_path):
    content = document()
    content["Header"]["Model"] = "Partial"
    del content["Parameterisation"]["Separator"]
    with pytest.raises(ValueError, match="must have the section 'Separator'"):
        CellParameters.from_bpx(write(content))
    content = document()
    del content["State"]
    with pytest.raises(ValueError, match=r"must give 'Initial electrolyte concentration \[mol.m-3\]'"):
        CellParameters.from_bpx(write(content))
    with pytest.raises(ValueError, match="electrode must be 'positive' or 'negative', got 'cathode'"):
        CellParameters.from_bpx(write(), electrode="cathode")
    (tmp_path / "note.json").write_text("hello", encoding="utf-8")
    with pytest.raises(ValueError, match=r"note.json must be a JSON file"):
        CellParameters.from_bpx(tmp_path / "note.json")
    (tmp_path / "note.json").write_text("[]", encoding="utf-8")
    with pytest.raises(ValueError, match=r"note.json is not valid BPX"):
        CellParameters.from_bpx(tmp_path / "note.json")


def test_without_the_package_the_remedy_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "bpx", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'meso-electrode\[bpx\]'"):
        CellParameters.from_bpx(tmp_path / "cell.json")


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')",
        "x.real",
        "exp",
        "exp(x, x)",
        "exp(a=x)",
        "[x]",
        "x if x else 1",
        "'x'",
        "1 < x",
        "y",
        "x @ x",
        "",
    ],
)
def test_formulas_hold_arithmetic_only(text):
    with pytest.raises(ValueError, match="formula"):
        formula(text)


def test_formulas_follow_the_rules_of_arithmetic():
    x = np.linspace(0.1, 2.0, 7)
    assert formula("-x**2 + 2 ** -x ** 0.5 * (3 - +x) / cosh(x)")(x) == pytest.approx(
        -(x**2) + 2 ** -(x**0.5) * (3 - x) / np.cosh(x)
    )
    assert formula("7")(x) == pytest.approx(np.full(7, 7.0))
