"""Physical electrodes at random, from easy to hopeless: the same ones for tests of robustness and for timings."""

from typing import Literal, NamedTuple

import numpy as np

from solvers import CellParameters, DischargeResult, PorousElectrode, simulate_discharge


class Run(NamedTuple):
    """One discharge or charge to be tried."""

    electrode: PorousElectrode
    chemistry: str
    c_rate: float
    direction: Literal["discharge", "charge"]


def draw_run(seed: int, index: int) -> Run:
    """Draw thickness 5 to 500 um, B down to 0.01, radii 10 nm to 50 um in up to four classes, rates C/20 to 10C."""
    rng = np.random.default_rng((seed, index))
    names = CellParameters.names()
    slices, classes = int(rng.integers(5, 60)), int(rng.integers(1, 5))
    porosity = rng.uniform(0.1, 0.6, slices)
    share = rng.uniform(0.3, 0.95) * rng.dirichlet(np.ones(classes), size=slices)
    active = (1.0 - porosity)[:, None] * share
    radii = 10.0 ** rng.uniform(-8.0, -4.3, classes)
    isolated = 0.3 * (1.0 - porosity - active.sum(axis=1)) * rng.integers(0, 2)
    electrode = PorousElectrode(
        thickness=10.0 ** rng.uniform(-5.3, -3.3),
        porosity=porosity,
        transport_efficiency=np.clip(
            10.0 ** rng.uniform(-2.0, -0.3) * rng.uniform(0.5, 1.5, slices), 0.01, 1.0
        ),
        electronic_conductivity=10.0 ** rng.uniform(-2.0, 3.0) * rng.uniform(0.5, 1.5, slices),
        particle_radii=radii,
        active_fractions=active,
        specific_surface_areas=3.0 * active / radii * rng.uniform(0.3, 1.2, active.shape),
        isolated_fractions=isolated,
    )
    direction: Literal["discharge", "charge"] = "discharge" if rng.random() < 0.7 else "charge"
    return Run(electrode, names[index % len(names)], 10.0 ** rng.uniform(-1.3, 1.0), direction)


def run(trial: Run) -> DischargeResult:
    """Run a trial."""
    cell = CellParameters.named(trial.chemistry)
    return simulate_discharge(trial.electrode, cell, c_rate=trial.c_rate, direction=trial.direction)
