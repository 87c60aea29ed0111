"""What surrounds the pores: active material, electrolyte, separator and lithium counter-electrode, in the words of BPX."""

from dataclasses import dataclass, fields
from functools import cached_property
from os import PathLike
from typing import TYPE_CHECKING, Self

import numpy as np

from solvers._kernels.newton import equilibrium
from solvers.chemistries import SETS
from solvers.constants import FARADAY, GAS_CONSTANT, STANDARD_TEMPERATURE
from solvers.curves import Curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes

IDEAL_SOLUTION = Curve.constant(1.0)


@dataclass(frozen=True, eq=False, kw_only=True)
class CellParameters:
    """Parameters of a half-cell: one porous electrode against lithium metal.

    The electrode's own geometry (thickness, volume fractions, transport) is not here: it comes from the structure.

    Parameters
    ----------
    name : str
        Name of the set.
    lower_cutoff_voltage : float
        Voltage against lithium at which a discharge ends [V].
    upper_cutoff_voltage : float
        Voltage against lithium at which a discharge starts from equilibrium [V].
    maximum_concentration : float
        Lithium concentration of the full active material [mol.m-3].
    open_circuit_potential : Curve
        Against lithium, over the stoichiometry, falling [V].
    particle_diffusivity : Curve
        Of lithium in the active material, over the stoichiometry [m2.s-1].
    reaction_rate_constant : float
        k in the exchange-current density F k (c c_s (c_max - c_s))^(1/2) [m2.5.mol-0.5.s-1].
    initial_salt_concentration : float
        Of the electrolyte at rest [mol.m-3].
    electrolyte_diffusivity : Curve
        Of the salt in the free electrolyte, over its concentration [m2.s-1].
    electrolyte_conductivity : Curve
        Of the free electrolyte, over the salt concentration [S.m-1].
    transference_number : Curve
        Of the lithium ion, with respect to the solvent, over the salt concentration.
    thermodynamic_factor : Curve, default 1
        1 + d ln f / d ln c, over the salt concentration.
    separator_thickness : float
        Thickness [m].
    separator_porosity : float
        Porosity.
    separator_transport_efficiency : float
        Effective over free electrolyte conductivity.
    lithium_exchange_current_density : float
        Of the lithium electrode at the initial salt concentration [A.m-2].
    lithium_reaction_order : float, default 0.3
        Exponent of the salt concentration in the exchange-current density of lithium.
    active_conductivity : float, default 0.1
        Electronic, of the active material [S.m-1].
    binder_conductivity : float, default 100.0
        Electronic, of the carbon-binder domain [S.m-1].
    binder_nanoporosity : float, default 0.5
        Electrolyte fraction inside the carbon-binder domain.
    binder_transport_efficiency : float, default 0.5**1.5
        Effective over free electrolyte conductivity inside the carbon-binder domain.
    temperature : float, default 298.15
        Of the whole cell [K].

    Raises
    ------
    ValueError
        If a number is outside its physical range, or the open-circuit potential never reaches the upper cut-off.
    TypeError
        If a property that may vary is not a `Curve`.

    Notes
    -----
    Lithium metal follows Butler-Volmer kinetics with transfer coefficients of 1/2 and the exchange-current density of
    Xu et al., J. Electrochem. Soc. 166, A3456 (2019), F · 3.5e-8 m s⁻¹ · c_Li^0.7 c^0.3, unless a set says otherwise.

    Examples
    --------
    >>> cell = CellParameters.named("nmc532-xu2019")
    >>> round(cell.minimum_stoichiometry, 4)
    0.096
    """

    name: str
    lower_cutoff_voltage: float
    upper_cutoff_voltage: float
    maximum_concentration: float
    open_circuit_potential: Curve
    particle_diffusivity: Curve
    reaction_rate_constant: float
    initial_salt_concentration: float
    electrolyte_diffusivity: Curve
    electrolyte_conductivity: Curve
    transference_number: Curve
    thermodynamic_factor: Curve = IDEAL_SOLUTION
    separator_thickness: float
    separator_porosity: float
    separator_transport_efficiency: float
    lithium_exchange_current_density: float
    lithium_reaction_order: float = 0.3
    active_conductivity: float = 0.1
    binder_conductivity: float = 100.0
    binder_nanoporosity: float = 0.5
    binder_transport_efficiency: float = 0.5**1.5
    temperature: float = STANDARD_TEMPERATURE

    def __post_init__(self) -> None:
        """Check ranges."""
        for field in fields(self):
            value = getattr(self, field.name)
            if field.type is Curve:
                _check_curve(field.name, value)
            elif field.type is float:
                _check_number(field.name, value)
        if not self.lower_cutoff_voltage < self.upper_cutoff_voltage:
            raise ValueError(
                f"upper_cutoff_voltage must exceed lower_cutoff_voltage = {self.lower_cutoff_voltage}, "
                f"got {self.upper_cutoff_voltage}; swap them?"
            )
        if not self.maximum_stoichiometry - self.minimum_stoichiometry > 1e-3:
            raise ValueError(
                "open_circuit_potential must pass through a voltage between the cut-offs "
                f"{self.lower_cutoff_voltage} and {self.upper_cutoff_voltage} V while falling; "
                "check both against the curve"
            )

    @classmethod
    def named(cls, name: str) -> Self:
        """Return a published parameter set.

        Parameters
        ----------
        name : str
            One of `CellParameters.names`.

        Returns
        -------
        CellParameters
            The set; its source is cited in `solvers.chemistries`.

        Raises
        ------
        ValueError
            If there is no such set.
        """
        if name not in SETS:
            raise ValueError(f"name must be one of {', '.join(SETS)}, got {name!r}")
        return cls(name=name, **SETS[name]())

    @classmethod
    def from_bpx(cls, path: str | PathLike[str], *, electrode: str = "positive") -> Self:
        """Read a half-cell from a BPX file (Battery Parameter eXchange); needs the extra ``bpx``.

        Parameters
        ----------
        path : path-like
            JSON file with a porous-electrode (DFN) set, or a partial one with electrolyte and separator.
        electrode : {"positive", "negative"}, default "positive"
            Which electrode works against lithium metal. A negative electrode takes lithium up in discharge, as any
            electrode does against lithium.

        Returns
        -------
        CellParameters
            At the file's initial temperature. The cut-offs are the equilibrium potentials at the stoichiometric limits of
            the electrode, or those of the file where it has that electrode only; `dataclasses.replace` sets others, as is
            wise where such a limit lies on a plateau. `PorousElectrode.from_bpx` reads the rest.

        Raises
        ------
        ValueError
            If the file is not valid BPX, or lacks what a half-cell needs.
        ModuleNotFoundError
            If the package bpx is not installed.

        Notes
        -----
        Properties of the electrolyte stay constant where their formula turns negative. The conductivity of the active
        material is that of the electrode over (1 − porosity)^1.5.
        """
        from solvers.bpx_files import cell_arguments

        return cls(**cell_arguments(path, electrode=electrode))

    @staticmethod
    def names() -> tuple[str, ...]:
        """List the built-in sets.

        Returns
        -------
        tuple of str
            Names for `CellParameters.named`.
        """
        return tuple(SETS)

    @cached_property
    def minimum_stoichiometry(self) -> float:
        """Equilibrium stoichiometry at the upper cut-off, where a discharge starts."""
        return self._stoichiometry_at(self.upper_cutoff_voltage)

    @cached_property
    def maximum_stoichiometry(self) -> float:
        """Equilibrium stoichiometry at the lower cut-off; 1 - 1e-6 where the curve never falls so low."""
        return self._stoichiometry_at(self.lower_cutoff_voltage)

    @property
    def active_capacity(self) -> float:
        """Charge that a volume of active material takes up between the cut-offs at equilibrium [A.h.m-3].

        Notes
        -----
        F c_max (x_hi - x_lo) / 3600.
        """
        window = self.maximum_stoichiometry - self.minimum_stoichiometry
        return FARADAY * self.maximum_concentration * window / 3600.0

    @property
    def thermal_voltage(self) -> float:
        """R T / F [V]."""
        return GAS_CONSTANT * self.temperature / FARADAY

    def plot(self, axes: "Axes | None" = None) -> "Axes":
        """Draw the open-circuit potential between the cut-offs.

        Parameters
        ----------
        axes : Axes, optional
            Where to draw; a new figure when left out.

        Returns
        -------
        Axes
            Of Matplotlib.
        """
        from solvers.figures import draw_potential

        return draw_potential(self, axes=axes)

    def _repr_html_(self) -> str:
        """Show the fields in a notebook."""
        from meso.tables import describe

        return describe(self)

    def _stoichiometry_at(self, voltage: float) -> float:
        """Invert the falling equilibrium potential by bisection."""
        low, high = 1e-9, 1.0 - 1e-9
        for _ in range(60):
            middle = 0.5 * (low + high)
            if equilibrium(middle, self.open_circuit_potential.table)[0] > voltage:
                low = middle
            else:
                high = middle
        return 0.5 * (low + high)


FRACTIONS = {"separator_porosity", "separator_transport_efficiency"}
FROM_ZERO = {"binder_nanoporosity", "binder_transport_efficiency"}
ANY_SIGN = {"lithium_reaction_order", "lower_cutoff_voltage", "upper_cutoff_voltage"}


def _check_number(name: str, value: float) -> None:
    """Refuse a number outside its physical range."""
    if name in ANY_SIGN:
        return
    if name in FRACTIONS and not 0 < value <= 1:
        raise ValueError(f"{name} must lie in (0, 1], got {value}; did you pass percent?")
    if name in FROM_ZERO and not 0 <= value <= 1:
        raise ValueError(f"{name} must lie in [0, 1], got {value}; did you pass percent?")
    if name not in FRACTIONS | FROM_ZERO and not 0 < value < np.inf:
        raise ValueError(f"{name} must be positive and finite, got {value}; SI units are expected")


def _check_curve(name: str, curve: object) -> None:
    """Refuse what is no curve, and values outside their physical range."""
    if not isinstance(curve, Curve):
        raise TypeError(
            f"{name} must be a Curve, got {curve!r}; Curve.constant, Curve.from_function and Curve.from_points make one"
        )
    low, high = curve.table[1:, 0].min(), curve.table[1:, 0].max()
    # Measured numbers of concentrated electrolytes do fall below zero.
    if name == "transference_number" and not -1 <= low <= high <= 1:
        raise ValueError(f"{name} must lie in [-1, 1], got {low} to {high}; did you pass percent?")
    if name not in {"transference_number", "open_circuit_potential"} and not (low >= 0 < high):
        raise ValueError(f"{name} must not be negative, got {low} to {high}; where does the fit hold?")
