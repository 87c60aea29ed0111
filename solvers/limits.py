"""What utilization a design can reach at best, from closed forms: no mesh, no time steps."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from solvers.cell import CellParameters
from solvers.constants import FARADAY
from solvers.electrode import PorousElectrode
from solvers.spheres import mixture_utilization, sphere_utilization

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]

# Where lithium ions carry all of the current, salt never runs out: this stands for none.
TINY = 1e-12

# Nodes of a mean over [0, 1].
MIDPOINTS = (np.arange(200) + 0.5) / 200


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class AttainableUtilization:
    """Closed-form limits of a design; all arrays have the shape that the arguments broadcast to.

    Parameters
    ----------
    utilization : ndarray, float64
        The smaller of the two limits.
    solid_diffusion : ndarray, float64
        Utilization of spheres under constant flux.
    electrolyte : ndarray, float64
        Share of the thickness that salt can supply.
    ohmic_kinetic : ndarray, float64
        Utilization at which the equilibrium potential has come as close to the cut-off as resistance and kinetics
        allow.
    penetration_depth : ndarray, float64
        Depth to which a uniform reaction finds salt in the steady state, at most the thickness [m].
    limiting_current_density : ndarray, float64
        Largest current that a uniform reaction in the whole electrode sustains [A.m-2].
    """

    utilization: Array
    solid_diffusion: Array
    electrolyte: Array
    ohmic_kinetic: Array
    penetration_depth: Array
    limiting_current_density: Array

    def plot(
        self, x: ArrayLike, y: ArrayLike, *, labels: tuple[str, str], axes: "Axes | None" = None
    ) -> "Axes":
        """Draw the attainable utilization as a map over two of its arguments.

        Parameters
        ----------
        x, y : array_like, shapes (n,) and (m,)
            Values of the two arguments, for results of shape (m, n); see `numpy.meshgrid`.
        labels : tuple of str
            What x and y are, with units.
        axes : Axes, optional
            Where to draw; a new figure when left out.

        Returns
        -------
        Axes
            Of Matplotlib.

        Raises
        ------
        ValueError
            If the shapes do not belong together.
        """
        from solvers.figures import draw_attainable

        return draw_attainable(self, x, y, labels=labels, axes=axes)

    def _repr_html_(self) -> str:
        """Show the fields in a notebook."""
        from meso.tables import describe

        return describe(self)


def attainable_utilization(
    cell: CellParameters,
    *,
    c_rate: ArrayLike,
    areal_capacity: ArrayLike,
    thickness: ArrayLike,
    porosity: ArrayLike,
    transport_efficiency: ArrayLike,
    particle_radius: ArrayLike,
) -> AttainableUtilization:
    """Limit the utilization of a design by diffusion in its particles and by salt in its pores.

    Parameters
    ----------
    cell : CellParameters
        Materials and separator.
    c_rate : array_like
        Current over the theoretical areal capacity [h-1].
    areal_capacity : array_like
        Theoretical areal capacity [A.h.m-2].
    thickness : array_like
        Of the electrode [m].
    porosity : array_like
        Electrolyte fraction.
    transport_efficiency : array_like
        Effective over free electrolyte conductivity.
    particle_radius : array_like
        Radius of the particles [m].

    Returns
    -------
    AttainableUtilization
        Limits; arrays on a grid of arguments are a map.

    Raises
    ------
    ValueError
        If an argument is not positive.

    Notes
    -----
    Spheres: `sphere_utilization` of S = D_s t / R², with the diffusivity that a discharge meets at its end. Salt: the
    steady parabola under a uniform reaction to the depth l, with what the separator stores and needs; without separator
    l = (6 F D B c0 L / (I (1 - t+)))^(1/2), and D / (1 - t+) its mean between none and the initial concentration. The limit
    of the salt is an estimate, not a bound: a reaction that fades inwards reaches deeper, one that runs ahead of the salt
    may be cut off earlier.

    Resistance and kinetics: the equilibrium curve, with the cut-off raised by separator, lithium and the porous
    electrode's L / kappa_eff coth(v) / v, v² = a i0 F L² / (R T kappa_eff), at the initial concentration and half-full
    particles; its share of charge transfer follows the inverse hyperbolic sine. The solid is taken to conduct perfectly.

    Examples
    --------
    >>> cell = CellParameters.named("nmc811-chen2020")
    >>> radius = np.array([1.5e-6, 3e-6, 6e-6])
    >>> limits = attainable_utilization(
    ...     cell, c_rate=2.0, areal_capacity=60.0, thickness=80e-6, porosity=0.3, transport_efficiency=0.15,
    ...     particle_radius=radius)
    >>> limits.solid_diffusion.round(3).tolist()
    [0.979, 0.917, 0.677]
    """
    arguments = {
        "c_rate": c_rate,
        "areal_capacity": areal_capacity,
        "thickness": thickness,
        "porosity": porosity,
        "transport_efficiency": transport_efficiency,
        "particle_radius": particle_radius,
    }
    arrays = [np.asarray(value, dtype=np.float64) for value in arguments.values()]
    for name, array in zip(arguments, arrays, strict=True):
        if not (array > 0.0).all():
            raise ValueError(f"{name} must be positive, got {array.min()}; SI units are expected")
    rate, capacity, length, pores, efficiency, radius = np.broadcast_arrays(*arrays)
    surface = 3.0 * capacity / (cell.active_capacity * radius)
    solid = sphere_utilization(_diffusion_times(cell, 3600.0 / rate, radius))
    return _limits(cell, rate * capacity, length, pores, efficiency, surface, solid)


def closed_form_limits(
    electrode: PorousElectrode, cell: CellParameters, *, c_rate: float
) -> AttainableUtilization:
    """Limit the utilization of the connected part of an electrode.

    Parameters
    ----------
    electrode : PorousElectrode
        The electrode; its mean porosity, the resistance of its electrolyte and its size classes enter.
    cell : CellParameters
        Materials and separator.
    c_rate : float
        Current over the electrode's theoretical capacity, isolated material included [h-1].

    Returns
    -------
    AttainableUtilization
        Limits, as arrays without dimensions; of utilization zero where nothing is connected.
    """
    volumes = electrode.active_fractions.sum(axis=0)
    connected = 1.0 - electrode.isolated_share
    if not (volumes.sum() > 0.0 and electrode.transport_efficiency.all()):
        none = np.zeros(())
        return AttainableUtilization(**dict.fromkeys(AttainableUtilization.__slots__, none))
    times = _diffusion_times(cell, np.asarray(3600.0 * connected / c_rate), electrode.particle_radii)
    numbers = (
        c_rate * electrode.theoretical_areal_capacity(cell),
        electrode.thickness,
        electrode.porosity.mean(),
        1.0 / np.mean(1.0 / electrode.transport_efficiency),
        electrode.specific_surface_areas.sum(axis=1).mean() * electrode.thickness,
        mixture_utilization(times, volumes),
    )
    return _limits(cell, *(np.asarray(number, dtype=np.float64) for number in numbers))


def _limits(
    cell: CellParameters,
    current: Array,
    length: Array,
    porosity: Array,
    efficiency: Array,
    surface: Array,
    solid: Array,
) -> AttainableUtilization:
    """Evaluate the other closed forms; the surface is that per electrode area."""
    depth = np.minimum(_penetration(cell, current, length, porosity, efficiency), length)
    electrolyte = depth / length
    drop = _drop(cell, current, length, efficiency, surface)
    resistive = _filled_at(cell, cell.lower_cutoff_voltage + drop)
    return AttainableUtilization(
        utilization=np.minimum(np.minimum(solid, electrolyte), resistive),
        solid_diffusion=solid,
        electrolyte=electrolyte,
        ohmic_kinetic=resistive,
        penetration_depth=depth,
        limiting_current_density=_limiting_current(cell, length, porosity, efficiency),
    )


def _diffusion_times(cell: CellParameters, time: Array, radius: Array) -> Array:
    """Find S = D t / R² with the diffusivity that counts at the end of a discharge.

    Under constant flux a sphere settles into the profile in which the integral of D over x, from the content at r to
    the full one at the surface, is x_window (R² - r²) / (6 t). A constant diffusivity leaves 1 / (15 S) of the window.
    """
    first, last = cell.minimum_stoichiometry, cell.maximum_stoichiometry
    window = last - first
    if cell.particle_diffusivity.is_constant:
        return np.asarray(float(cell.particle_diffusivity(0.0)) * time / radius**2)
    missing = window * np.linspace(0.0, 1.0, 401)
    middle = cell.particle_diffusivity(last - 0.5 * (missing[1:] + missing[:-1]))
    integral = np.append(0.0, np.cumsum(middle) * missing[1])
    shells = np.diff(np.append(0.0, (np.arange(100) + 1.0) / 100.0) ** 3)
    within = np.multiply.outer(window * radius**2 / (6.0 * time), 1.0 - ((np.arange(100) + 0.5) / 100.0) ** 2)
    beyond = np.maximum(within - integral[-1], 0.0) / middle[-1]
    left = np.sum(shells * (np.interp(within, integral, missing) + beyond), axis=-1) / window
    return np.asarray(1.0 / (15.0 * left))


def _salt_mobility(cell: CellParameters) -> float:
    """Mean of D / (1 - t+) between no salt and the initial concentration [m2.s-1]."""
    salt = cell.initial_salt_concentration * MIDPOINTS
    return float(
        np.mean(cell.electrolyte_diffusivity(salt) / np.maximum(1.0 - cell.transference_number(salt), TINY))
    )


def _penetration(
    cell: CellParameters, current: Array, length: Array, porosity: Array, efficiency: Array
) -> Array:
    """Depth at which a uniform reaction runs out of salt [m]."""
    gradient = current / (FARADAY * _salt_mobility(cell))
    stored, gap = cell.separator_porosity, cell.separator_thickness
    salt = cell.initial_salt_concentration * (stored * gap + porosity * length)
    salt = salt - 0.5 * stored * gap**2 * gradient / cell.separator_transport_efficiency
    # porosity a l² / 3 + stored gap a l = salt, with the content a l at the front
    a = 0.5 * gradient / efficiency
    half = 1.5 * stored * gap / porosity
    return np.asarray(
        np.where(salt > 0.0, np.sqrt(half**2 + 3.0 * np.maximum(salt, 0.0) / (porosity * a)) - half, 0.0)
    )


def _limiting_current(cell: CellParameters, length: Array, porosity: Array, efficiency: Array) -> Array:
    """Find the current at which the depth of penetration is the thickness [A.m-2]."""
    stored, gap = cell.separator_porosity, cell.separator_thickness
    salt = cell.initial_salt_concentration * (stored * gap + porosity * length)
    per_gradient = (porosity * length / 3.0 + stored * gap) * 0.5 * length / efficiency
    per_gradient = per_gradient + 0.5 * stored * gap**2 / cell.separator_transport_efficiency
    return np.asarray(FARADAY * _salt_mobility(cell) * salt / per_gradient)


def _drop(cell: CellParameters, current: Array, length: Array, efficiency: Array, surface: Array) -> Array:
    """Estimate the voltage that resistance and kinetics take, with salt at rest and particles half full [V]."""
    thermal, conductivity = (
        cell.thermal_voltage,
        float(cell.electrolyte_conductivity(cell.initial_salt_concentration)),
    )
    # F k c_max (c / 4)^(1/2), the largest exchange-current density
    exchange = 0.5 * FARADAY * cell.reaction_rate_constant * cell.maximum_concentration
    exchange = exchange * surface * cell.initial_salt_concentration**0.5
    pores = length / (conductivity * efficiency)
    number = np.sqrt(exchange * pores / thermal)
    ohmic = pores / (np.tanh(number) * number) - thermal / exchange
    gap = cell.separator_thickness / (conductivity * cell.separator_transport_efficiency)
    reactions = np.arcsinh(0.5 * current / exchange) + np.arcsinh(
        0.5 * current / cell.lithium_exchange_current_density
    )
    return np.asarray(current * (ohmic + gap) + 2.0 * thermal * reactions)


def _filled_at(cell: CellParameters, voltage: Array) -> Array:
    """Utilization of a slow discharge when it passes a voltage."""
    first, last = cell.minimum_stoichiometry, cell.maximum_stoichiometry
    low, high = np.full(voltage.shape, first), np.full(voltage.shape, last)
    for _ in range(50):
        middle = 0.5 * (low + high)
        above = cell.open_circuit_potential(middle) > voltage
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.asarray((low - first) / (last - first))
