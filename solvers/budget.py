"""Where the capacity goes: utilization and the shares that each loss mechanism takes."""

from dataclasses import dataclass

from solvers.discharge import DischargeResult


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class UtilizationBudget:
    """Utilization and its losses; the shares add up to 1 - utilization.

    Each share is the drop in utilization when one mechanism is switched on in the next counterfactual model, in the
    order of the parameters.

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
    discharge : DischargeResult
        Of the complete model.
    """

    utilization: float
    isolated: float
    solid_diffusion: float
    electrolyte: float
    ohmic_kinetic: float
    limiting: str
    discharge: DischargeResult
