"""What active materials are made of: metals for each lithium site of the built-in parameter sets."""

from collections.abc import Mapping
from types import MappingProxyType

MOLAR_MASSES: Mapping[str, float] = MappingProxyType(
    {"Li": 6.94e-3, "Ni": 58.693e-3, "Co": 58.933e-3, "Mn": 54.938e-3}
)
"""Standard atomic weights [kg.mol-1] (IUPAC 2021, abridged), of the metals that are counted."""

LITHIUM_SITES: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "nmc811-chen2020": {"Li": 1.0, "Ni": 0.8, "Co": 0.1, "Mn": 0.1},
        "nmc532-xu2019": {"Li": 1.0, "Ni": 0.5, "Co": 0.2, "Mn": 0.3},
        "lfp-prada2013": {"Li": 1.0},
        "graphite-chen2020": {},
        "graphite-ecker2015": {},
    }
)
"""Atoms for each lithium site, by name of the set: formulas LiNi0.8Co0.1Mn0.1O2, LiNi0.5Co0.2Mn0.3O2, LiFePO4, LiC6.

Graphite brings none of these metals along: its lithium comes from the other electrode.
"""

CRYSTAL_DENSITIES: Mapping[str, float] = MappingProxyType(
    {"nmc811-chen2020": 4780.0, "nmc532-xu2019": 4750.0, "lfp-prada2013": 3600.0}
)
"""X-ray densities [kg.m-3], from layered cells of a = 2.87 Å, c = 14.2 Å with three formula units (NMC) and the olivine cell of
10.33 × 6.01 × 4.69 Å with four (LFP): what a maximum concentration can be checked against."""

FORMULA_MASSES: Mapping[str, float] = MappingProxyType(
    {"nmc811-chen2020": 97.28e-3, "nmc532-xu2019": 96.55e-3, "lfp-prada2013": 157.76e-3}
)
"""Mass of a formula unit, oxygen and phosphate included [kg.mol-1]."""


def metal_concentrations(name: str, *, maximum_concentration: float) -> dict[str, float] | None:
    """Mass of each metal in a volume of active material.

    Parameters
    ----------
    name : str
        Name of a built-in parameter set.
    maximum_concentration : float
        Lithium sites in a volume of active material [mol.m-3].

    Returns
    -------
    dict of str to float, or None
        Li, Ni, Co and Mn [kg.m-3], those that there are; None where the composition is not known (sets read from files).

    Notes
    -----
    Counted by lithium sites, not by density: the charge of a model comes from its sites, and so must the metals that go
    with it. A published set may hold more sites than the crystal; masses by density would then be too small for its charge.

    Examples
    --------
    >>> metals = metal_concentrations("nmc811-chen2020", maximum_concentration=49137.0)
    >>> round(metals["Ni"]), round(metals["Li"])
    (2307, 341)
    """
    if name not in LITHIUM_SITES:
        return None
    return {
        metal: atoms * MOLAR_MASSES[metal] * maximum_concentration
        for metal, atoms in LITHIUM_SITES[name].items()
    }
