"""Published parameter sets, as functions of one variable and numbers, each with its source.

Diffusivities and conductivities are those of the free electrolyte at the temperature of the set.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solvers.curves import Curve

Array = NDArray[np.float64]

# Solubility: tables of the electrolyte end here and stay constant beyond.
MAXIMUM_SALT = 4000.0  # [mol.m-3]
FARADAY = 96485.33212331  # [C.mol-1]
LITHIUM_CONCENTRATION = 1.0 / 1.3e-5  # of the metal [mol.m-3]


def _over_stoichiometry(function: Callable[[Array], Array]) -> Curve:
    """Tabulate on [0, 1]."""
    return Curve.from_function(function, lower=0.0, upper=1.0)


def _over_salt(function: Callable[[Array], Array]) -> Curve:
    """Tabulate over the salt concentration [mol.m-3] of a function of the molarity [mol.l-1]."""
    return Curve.from_function(lambda c: function(c / 1000.0), lower=0.0, upper=MAXIMUM_SALT)


def _lithium_exchange(salt: float) -> float:
    """Exchange-current density of lithium metal, Xu et al. 2019 [A.m-2]."""
    return float(FARADAY * 3.5e-8 * LITHIUM_CONCENTRATION**0.7 * salt**0.3)


def _nyman() -> dict[str, Any]:
    """LiPF6 in EC:EMC 3:7, Nyman, Behm and Lindbergh, Electrochim. Acta 53, 6356 (2008), as used by Chen et al. 2020."""
    return {
        "initial_salt_concentration": 1000.0,
        "electrolyte_diffusivity": _over_salt(lambda m: 8.794e-11 * m**2 - 3.972e-10 * m + 4.862e-10),
        "electrolyte_conductivity": _over_salt(lambda m: 0.1297 * m**3 - 2.51 * m**1.5 + 3.329 * m),
        "transference_number": 0.2594,
        "lithium_exchange_current_density": _lithium_exchange(1000.0),
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
        "transference_number": 0.38,
        "separator_thickness": 25e-6,
        "separator_porosity": 0.39,
        "separator_transport_efficiency": 0.39**1.5,
        "lithium_exchange_current_density": _lithium_exchange(1000.0),
    }


SETS: dict[str, Callable[[], dict[str, Any]]] = {
    "nmc811-chen2020": nmc811_chen2020,
    "nmc532-xu2019": nmc532_xu2019,
}
