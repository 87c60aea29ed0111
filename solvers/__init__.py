"""What an electrode does: voxels → transport → discharge → utilization. The library that notebooks import."""

from solvers.blocking import ElectrodeTortuosity, electrode_tortuosity
from solvers.bpx_export import bpx_document, pybamm_parameters, write_bpx
from solvers.budget import UtilizationBudget, utilization_budget
from solvers.cell import CellParameters
from solvers.discharge import DischargeResult, DischargeStatus, simulate_discharge
from solvers.discharge_files import write_discharge
from solvers.electrode import PorousElectrode
from solvers.flux import current_density
from solvers.homogenise import homogenise
from solvers.limits import AttainableUtilization, attainable_utilization
from solvers.rates import RateSweep, sweep_rates
from solvers.status import SolverError, Status
from solvers.tensor import TensorResult, solve_tensor
from solvers.transport import TransportResult, solve_transport

__all__ = [
    "AttainableUtilization",
    "CellParameters",
    "DischargeResult",
    "DischargeStatus",
    "ElectrodeTortuosity",
    "PorousElectrode",
    "RateSweep",
    "SolverError",
    "Status",
    "TensorResult",
    "TransportResult",
    "UtilizationBudget",
    "attainable_utilization",
    "bpx_document",
    "current_density",
    "electrode_tortuosity",
    "homogenise",
    "pybamm_parameters",
    "simulate_discharge",
    "solve_tensor",
    "solve_transport",
    "sweep_rates",
    "utilization_budget",
    "write_bpx",
    "write_discharge",
]
