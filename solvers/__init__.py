"""What an electrode does: voxels → transport → discharge → utilization. The library that notebooks import."""

from solvers.budget import UtilizationBudget, utilization_budget
from solvers.cell import CellParameters
from solvers.discharge import DischargeResult, simulate_discharge
from solvers.electrode import PorousElectrode
from solvers.homogenise import homogenise
from solvers.status import SolverError, Status
from solvers.transport import TransportResult, solve_transport

__all__ = [
    "CellParameters",
    "DischargeResult",
    "PorousElectrode",
    "SolverError",
    "Status",
    "TransportResult",
    "UtilizationBudget",
    "homogenise",
    "simulate_discharge",
    "solve_transport",
    "utilization_budget",
]
