"""Published parameter sets, as functions of one variable and numbers, each with its source.

Diffusivities and conductivities are those of the free electrolyte at the temperature of the set. The conductivity of
the active material is the one published for the electrode's solid.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solvers.constants import FARADAY, GAS_CONSTANT, STANDARD_TEMPERATURE
from solvers.curves import Curve

Array = NDArray[np.float64]

# Solubility: tables of the electrolyte end here and stay constant beyond.
MAXIMUM_SALT = 4000.0  # [mol.m-3]
LITHIUM_CONCENTRATION = 1.0 / 1.3e-5  # of the metal [mol.m-3]


def _over_stoichiometry(function: Callable[[Array], Array]) -> Curve:
    """Tabulate on [0, 1]."""
    return Curve.from_function(function, lower=0.0, upper=1.0)


def _over_salt(function: Callable[[Array], Array]) -> Curve:
    """Tabulate over the salt concentration [mol.m-3] of a function of the molarity [mol.l-1]."""
    return Curve.from_function(lambda c: function(c / 1000.0), lower=0.0, upper=MAXIMUM_SALT)


def lithium_exchange(salt: float) -> float:
    """Estimate the exchange-current density of lithium metal after Xu et al. 2019.

    Parameters
    ----------
    salt : float
        Concentration of the electrolyte [mol.m-3].

    Returns
    -------
    float
        F · 3.5e-8 m s⁻¹ · c_Li^0.7 c^0.3 [A.m-2].
    """
    return float(FARADAY * 3.5e-8 * LITHIUM_CONCENTRATION**0.7 * salt**0.3)


def _nyman() -> dict[str, Any]:
    """LiPF6 in EC:EMC 3:7, Nyman, Behm and Lindbergh, Electrochim. Acta 53, 6356 (2008), as used by Chen et al. 2020."""
    return {
        "initial_salt_concentration": 1000.0,
        "electrolyte_diffusivity": _over_salt(lambda m: 8.794e-11 * m**2 - 3.972e-10 * m + 4.862e-10),
        "electrolyte_conductivity": _over_salt(lambda m: 0.1297 * m**3 - 2.51 * m**1.5 + 3.329 * m),
        "transference_number": Curve.constant(0.2594),
        "lithium_exchange_current_density": lithium_exchange(1000.0),
    }


def _valoen_conductivity(molarity: Array) -> Array:
    """LiPF6 in PC/EC/DMC at 298.15 K, Valøen and Reimers, J. Electrochem. Soc. 152, A882 (2005), equation 17 [S.m-1]."""
    t = 298.15
    bracket = (
        -10.5
        + 0.0740 * t
        - 6.96e-5 * t**2
        + molarity * (0.668 - 0.0178 * t + 2.80e-5 * t**2)
        + molarity**2 * (0.494 - 8.86e-4 * t)
    )
    return np.asarray(0.1 * molarity * bracket**2)


def _valoen_diffusivity(molarity: Array) -> Array:
    """Salt diffusivity of the same electrolyte, equation 14 [m2.s-1]."""
    exponent = -4.43 - 54.0 / (298.15 - 229.0 - 5.0 * molarity) - 0.22 * molarity
    return np.asarray(1e-4 * 10.0**exponent)


def _nmc811_ocp(x: Array) -> Array:
    """Fit of Chen et al. 2020 [V]."""
    return np.asarray(
        -0.8090 * x
        + 4.4875
        - 0.0428 * np.tanh(18.5138 * (x - 0.5542))
        - 17.7326 * np.tanh(15.7890 * (x - 0.3117))
        + 17.5842 * np.tanh(15.9308 * (x - 0.3120))
    )


def _nmc532_ocp(x: Array) -> Array:
    """Fit of Mohtat et al. 2020, as used for the set of Xu et al. 2019 [V]."""
    polynomial = 4.3452 + x * (-1.6518 + x * (1.6225 + x * (-2.0843 + x * (3.5146 - 2.2166 * x))))
    return np.asarray(polynomial - 0.5623e-4 * np.exp(109.451 * x - 100.006))


def nmc811_chen2020() -> dict[str, Any]:
    """NMC811 of the LG M50 cell: Chen et al., J. Electrochem. Soc. 167, 080534 (2020).

    Returns
    -------
    dict
        Arguments of `CellParameters`. The lower cut-off is that of the paper; the fitted potential stays above it,
        so the material counts as full at the stoichiometry 1.
    """
    return {
        "lower_cutoff_voltage": 2.5,
        "upper_cutoff_voltage": 4.2,
        "maximum_concentration": 63104.0,
        "open_circuit_potential": _over_stoichiometry(_nmc811_ocp),
        "particle_diffusivity": Curve.constant(4e-15),
        "reaction_rate_constant": 3.42e-6 / FARADAY,
        "separator_thickness": 12e-6,
        "separator_porosity": 0.47,
        "separator_transport_efficiency": 0.47**1.5,
        "active_conductivity": 0.18,
        **_nyman(),
    }


def nmc532_xu2019() -> dict[str, Any]:
    """NMC532 against lithium: Xu et al., J. Electrochem. Soc. 166, A3456 (2019); electrolyte of Valøen and Reimers 2005.

    Returns
    -------
    dict
        Arguments of `CellParameters`.
    """
    return {
        "lower_cutoff_voltage": 3.5,
        "upper_cutoff_voltage": 4.2,
        "maximum_concentration": 48230.0,
        "open_circuit_potential": _over_stoichiometry(_nmc532_ocp),
        "particle_diffusivity": Curve.constant(1e-14),
        "reaction_rate_constant": 5.76e-11,
        "initial_salt_concentration": 1000.0,
        "electrolyte_diffusivity": _over_salt(_valoen_diffusivity),
        "electrolyte_conductivity": _over_salt(_valoen_conductivity),
        "transference_number": Curve.constant(0.38),
        "separator_thickness": 25e-6,
        "separator_porosity": 0.39,
        "separator_transport_efficiency": 0.39**1.5,
        "lithium_exchange_current_density": lithium_exchange(1000.0),
        "active_conductivity": 100.0,
    }


def _graphite_chen_ocp(x: Array) -> Array:
    """Fit of Chen et al. 2020, lithiation [V]."""
    return np.asarray(
        1.9793 * np.exp(-39.3631 * x)
        + 0.2482
        - 0.0909 * np.tanh(29.8538 * (x - 0.1234))
        - 0.04478 * np.tanh(14.9159 * (x - 0.2769))
        - 0.0205 * np.tanh(30.4444 * (x - 0.6103))
    )


def _graphite_ecker_ocp(x: Array) -> Array:
    """Fit of Richardson et al., Electrochim. Acta 339, 135862 (2020), to the data of Ecker et al. 2015 [V]."""
    return np.asarray(
        0.716502 * np.exp(-369.028 * x)
        + 0.12193 * np.exp(-35.6478 * (x - 0.0530947))
        - 0.0189193 * np.tanh(21.1967 * (x - 0.196176))
        - 0.0169644 * np.tanh(27.1365 * (x - 0.312832))
        - 0.0199313 * np.tanh(28.5697 * (x - 0.614221))
        - 0.931153 * np.exp(36.328 * (x - 1.10743))
        + 0.140031
    )


def _lfp_ocp(x: Array) -> Array:
    """Fit of Afshar, arXiv:1709.03970 (2017) [V]."""
    return np.asarray(3.4077 - 0.020269 * x + 0.5 * np.exp(-150.0 * x) - 0.9 * np.exp(-30.0 * (1.0 - x)))


def _prada_conductivity(molarity: Array) -> Array:
    """LiPF6 in EC:EMC, Prada et al. 2013 [S.m-1]."""
    c = molarity / 1000.0
    return np.asarray(0.41253 + c * (5007.0 + c * (-4721.2e3 + c * (1.5094e9 - 1.6018e11 * c))))


def _ecker_conductivity(molarity: Array) -> Array:
    """LiPF6 in EC:EMC, Ecker et al. 2015, as fitted by Richardson et al. 2020, from 296 to 298.15 K [S.m-1]."""
    polynomial = 0.1726 + molarity * (1.7919 + molarity * (-1.2983 + 0.2667 * molarity))
    return np.asarray(polynomial * 296.0 / STANDARD_TEMPERATURE * _arrhenius(1.71e4, 296.0))


def _ecker_diffusivity(molarity: Array) -> Array:
    """Salt diffusivity of the same electrolyte, from its conductivity (Nernst-Einstein) [m2.s-1]."""
    mobility = GAS_CONSTANT * STANDARD_TEMPERATURE / FARADAY**2
    return np.asarray(mobility * _ecker_conductivity(molarity) / (1000.0 * molarity))


def _arrhenius(activation_energy: float, reference: float) -> float:
    """Factor from the reference temperature to 298.15 K."""
    return float(np.exp(activation_energy / GAS_CONSTANT * (1.0 / reference - 1.0 / STANDARD_TEMPERATURE)))


def lfp_prada2013() -> dict[str, Any]:
    """LFP: Prada et al., J. Electrochem. Soc. 160, A616 (2013); kinetics of Kashkooli et al., J. Appl. Electrochem. 47, 281 (2017).

    Returns
    -------
    dict
        Arguments of `CellParameters`. The two phases of LFP are lumped into one diffusion coefficient, as in the source.
    """
    return {
        "lower_cutoff_voltage": 2.0,
        "upper_cutoff_voltage": 3.6,
        "maximum_concentration": 22806.0,
        "open_circuit_potential": _over_stoichiometry(_lfp_ocp),
        "particle_diffusivity": Curve.constant(5.9e-18),
        "reaction_rate_constant": 6e-7 / FARADAY,
        "initial_salt_concentration": 1200.0,
        "electrolyte_diffusivity": Curve.constant(2e-10),
        "electrolyte_conductivity": _over_salt(_prada_conductivity),
        "transference_number": Curve.constant(0.36),
        "separator_thickness": 25e-6,
        "separator_porosity": 0.45,
        "separator_transport_efficiency": 0.45**1.5,
        "lithium_exchange_current_density": lithium_exchange(1200.0),
        "active_conductivity": 0.33795074,
        "temperature": 298.0,
    }


def graphite_chen2020() -> dict[str, Any]:
    """Graphite of the LG M50 cell against lithium: Chen et al., J. Electrochem. Soc. 167, 080534 (2020).

    Returns
    -------
    dict
        Arguments of `CellParameters`. Discharge is lithiation. Cut-offs 0 and 1.5 V, as usual for graphite half-cells.
    """
    return {
        "lower_cutoff_voltage": 0.0,
        "upper_cutoff_voltage": 1.5,
        "maximum_concentration": 33133.0,
        "open_circuit_potential": _over_stoichiometry(_graphite_chen_ocp),
        "particle_diffusivity": Curve.constant(3.3e-14),
        "reaction_rate_constant": 6.48e-7 / FARADAY,
        "separator_thickness": 12e-6,
        "separator_porosity": 0.47,
        "separator_transport_efficiency": 0.47**1.5,
        "active_conductivity": 215.0,
        **_nyman(),
    }


def graphite_ecker2015() -> dict[str, Any]:
    """Graphite of a Kokam cell against lithium: Ecker et al., J. Electrochem. Soc. 162, A1836 and A1849 (2015), at 298.15 K.

    Returns
    -------
    dict
        Arguments of `CellParameters`. Discharge is lithiation. The diffusivity falls a hundredfold over the stoichiometry.
    """

    def diffusivity(x: Array) -> Array:
        return np.asarray((8.4e-13 * np.exp(-11.3 * x) + 8.2e-15) * _arrhenius(3.03e4, 296.0))

    return {
        "lower_cutoff_voltage": 0.0,
        "upper_cutoff_voltage": 1.5,
        "maximum_concentration": 31920.0,
        "open_circuit_potential": _over_stoichiometry(_graphite_ecker_ocp),
        "particle_diffusivity": _over_stoichiometry(diffusivity),
        "reaction_rate_constant": 1.11e-10 * _arrhenius(5.34e4, 296.15),
        "initial_salt_concentration": 1000.0,
        # The Nernst-Einstein diffusivity grows without bound as the salt runs out; below 0.02 mol/l it is kept.
        "electrolyte_diffusivity": Curve.from_function(
            lambda c: _ecker_diffusivity(c / 1000.0), lower=20.0, upper=MAXIMUM_SALT
        ),
        "electrolyte_conductivity": _over_salt(_ecker_conductivity),
        "transference_number": Curve.constant(0.26),
        "separator_thickness": 20e-6,
        "separator_porosity": 0.508,
        "separator_transport_efficiency": 0.508**1.9804586773134945,
        "lithium_exchange_current_density": lithium_exchange(1000.0),
        "active_conductivity": 14.0,
    }


SETS: dict[str, Callable[[], dict[str, Any]]] = {
    "nmc811-chen2020": nmc811_chen2020,
    "nmc532-xu2019": nmc532_xu2019,
    "lfp-prada2013": lfp_prada2013,
    "graphite-chen2020": graphite_chen2020,
    "graphite-ecker2015": graphite_ecker2015,
}
