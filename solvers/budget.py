"""Where the capacity goes: utilization and the shares that each loss mechanism takes."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from solvers._kernels.newton import Chemistry, Mesh
from solvers.cell import CellParameters
from solvers.constants import FARADAY
from solvers.discharge import DischargeResult, run_protocol, simulate_discharge
from solvers.discretise import Discretisation, chemistry, discretise
from solvers.electrode import PorousElectrode
from solvers.limits import AttainableUtilization, closed_form_limits

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MECHANISMS = ("isolated", "solid_diffusion", "electrolyte", "ohmic_kinetic")

# A mechanism is switched off by making it this many times faster. Beside salt transport fast reactions make a stiff system:
# ten thousand times faster they would move a share of 0.005 by 5e-5 and take a quarter longer.
IDEAL, FAST_REACTION = 1e4, 1e3

# Error allowed in a time step of the model with salt alone, over that of the complete one: moves shares by 2e-5.
COARSER = 3.0


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class UtilizationBudget:
    """Utilization and its losses; the shares add up to 1 - utilization.

    Each share is the drop in utilization when one mechanism is switched on in the next counterfactual model, in the
    order of the parameters. A share may come out negative: resistance evens out the reaction, and so can let an
    electrode use more, by up to some tenths where the potential is flat and the salt is short.

    Parameters
    ----------
    utilization : float
        Of the complete model.
    isolated : float
        Loss to active material that is not connected.
    solid_diffusion : float
        Loss to diffusion inside the particles.
    electrolyte : float
        Loss to salt transport: depletion and concentration overpotential.
    ohmic_kinetic : float
        Loss to the resistances of electrolyte and solid and to the reactions at both electrodes.
    limiting : str
        Name of the largest share: "isolated", "solid_diffusion", "electrolyte" or "ohmic_kinetic"; "none" when
        nothing is lost.
    limits : AttainableUtilization
        Closed-form limits of solid diffusion, electrolyte and resistance for the connected part, to hold beside the
        shares.
    discharge : DischargeResult
        Of the complete model; its end profiles tell where the unused lithium sites are.
    """

    utilization: float
    isolated: float
    solid_diffusion: float
    electrolyte: float
    ohmic_kinetic: float
    limiting: str
    limits: AttainableUtilization
    discharge: DischargeResult

    def plot(self, axes: "Axes | None" = None) -> "Axes":
        """Draw utilization and losses as one bar, with the closed-form limits.

        Parameters
        ----------
        axes : Axes, optional
            Where to draw; a new figure when left out.

        Returns
        -------
        Axes
            Of Matplotlib.
        """
        from solvers.figures import draw_budgets

        return draw_budgets({f"{self.discharge.c_rate:.3g}C": self}, axes=axes)

    def _repr_html_(self) -> str:
        """Show the fields in a notebook."""
        from meso.tables import describe

        return describe(self)


def utilization_budget(
    electrode: PorousElectrode,
    cell: CellParameters,
    *,
    c_rate: float,
    separator_cells: int = 10,
    shells: int = 20,
    tolerance: float = 3e-4,
) -> UtilizationBudget:
    """Split the capacity that a discharge leaves behind into what holds it back.

    Parameters
    ----------
    electrode : PorousElectrode
        The electrode.
    cell : CellParameters
        Materials, separator and cut-off voltages.
    c_rate : float
        Current over the electrode's own theoretical capacity, isolated material included [h-1].
    separator_cells : int, default 10
        Finite volumes in the separator.
    shells : int, default 20
        Finite volumes in each particle.
    tolerance : float, default 3e-4
        Error allowed in a time step; see `simulate_discharge`.

    Returns
    -------
    UtilizationBudget
        Shares that add up to 1 - utilization.

    Notes
    -----
    Four models, each with one mechanism more: connected material at equilibrium; diffusion in the particles; salt
    transport; conductivities and kinetics (the complete model). What a model leaves out is made ten thousand
    times faster, reactions beside salt transport a thousand times, so that one kernel serves all; what remains is of the
    order of ten microvolts.

    Examples
    --------
    >>> cell = CellParameters.named("nmc532-xu2019")
    >>> electrode = PorousElectrode.uniform(
    ...     thickness=42e-6, porosity=0.331, active_fraction=0.518, particle_radius=5.3e-6
    ... )
    >>> budget = utilization_budget(electrode, cell, c_rate=2.0)
    >>> budget.limiting
    'solid_diffusion'
    """
    complete = simulate_discharge(
        electrode, cell, c_rate=c_rate, separator_cells=separator_cells, shells=shells, tolerance=tolerance
    )
    layout = discretise(electrode, cell, separator_cells=separator_cells)
    connected = 1.0 - _isolated(layout, electrode)
    diffusion = electrolyte = 0.0
    if layout.volumes.size:
        materials = chemistry(cell)
        at_rest = _without_resistance(materials, reaction=IDEAL)
        at_rest = at_rest._replace(salt_diffusivity=_faster(materials.salt_diffusivity))
        easy = _without_resistance(materials, reaction=FAST_REACTION)
        models = (
            (_lumped(layout, cell), at_rest, tolerance),
            (_without_solid_resistance(layout), easy, COARSER * tolerance),
        )
        diffusion, electrolyte = (
            run_protocol(
                electrode,
                cell,
                model,
                easier,
                current=complete.current_density,
                stop=abs(complete.current_density),
                shells=shells,
                tolerance=error,
            ).utilization
            for model, easier, error in models
        )
    ladder = np.array([1.0, connected, diffusion, electrolyte, complete.utilization])
    shares = dict(zip(MECHANISMS, (ladder[:-1] - ladder[1:]).tolist(), strict=True))
    largest = max(shares, key=shares.__getitem__)
    return UtilizationBudget(
        utilization=complete.utilization,
        limiting=largest if shares[largest] > 0.0 else "none",
        limits=closed_form_limits(electrode, cell, c_rate=c_rate),
        discharge=complete,
        **shares,
    )


def _isolated(layout: Discretisation, electrode: PorousElectrode) -> float:
    """Share of the active material that takes no part in the model."""
    reacting = np.zeros(electrode.active_fractions.shape, dtype=np.bool_)
    reacting[layout.places] = True
    idle = electrode.isolated_fractions.sum() + electrode.active_fractions[~reacting].sum()
    return float(idle / electrode.active_fraction.sum())


def _faster(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Multiply the values of a curve's table, but not the grid in its first row."""
    faster = table * IDEAL
    faster[0] = table[0]
    faster.setflags(write=False)
    return faster


def _without_resistance(materials: Chemistry, *, reaction: float) -> Chemistry:
    """Speed up the conduction in the electrolyte and both reactions."""
    return materials._replace(
        exchange=materials.exchange * reaction,
        lithium_exchange=materials.lithium_exchange * reaction,
        conductivity=_faster(materials.conductivity),
    )


def _without_solid_resistance(layout: Discretisation) -> Discretisation:
    """Speed up the electronic conduction."""
    return replace(layout, mesh=layout.mesh._replace(solid=layout.mesh.solid / IDEAL))


def _lumped(layout: Discretisation, cell: CellParameters) -> Discretisation:
    """Put all particles in one slice, a particle for each size class: without gradients they are equal anyway."""
    mesh = layout.mesh
    classes, members = np.unique(layout.places[1], return_inverse=True)
    volumes = np.zeros(len(classes))
    np.add.at(volumes, members, layout.volumes)
    radii = np.zeros(len(classes))
    radii[members] = mesh.radii
    lumped = Mesh(
        front=1,
        storage=np.array([mesh.storage[: mesh.front].sum(), mesh.storage[mesh.front :].sum()]),
        ionic=np.full(2, mesh.ionic[: mesh.front].sum() / IDEAL),
        solid=np.array([mesh.solid.min() / IDEAL]),
        first=np.array([0, len(classes)]),
        area=3.0 * volumes / radii,
        radii=radii,
        gain=np.full(len(classes), 1.0 / (FARADAY * cell.maximum_concentration)),
    )
    return Discretisation(mesh=lumped, places=(np.zeros_like(classes), classes), volumes=volumes)
