"""The packings of a trial: their seeds, and their way to the workers and back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from studies.evaluation import evaluate
from studies.objectives import ROBUST
from studies.variations import AS_DESIGNED, robust_of, varied

if TYPE_CHECKING:
    from distributed import Client, Future

    from meso import ElectrodeDesign
    from solvers import CellParameters
    from studies.config import StudyConfig
    from studies.evaluation import Evaluation


class Packings:
    """
    Packings of one design, made by workers as they are asked for.

    Parameters
    ----------
    client : distributed.Client
        The workers.
    design : ElectrodeDesign
        The design.
    cell : CellParameters
        Chemistry and cut-offs.
    config : StudyConfig
        The study.
    name : str
        Name of the trial.
    """

    def __init__(
        self, client: Client, design: ElectrodeDesign, cell: CellParameters, *, config: StudyConfig, name: str
    ) -> None:
        self.client = client
        self.design = design
        self.cell = cell
        self.config = config
        self.name = name
        self._submitted = 0
        self._pending: list[Future[Evaluation]] = []

    def submit(self, count: int) -> None:
        """
        Send more packings to the workers, up to all replicates of the study.

        Parameters
        ----------
        count : int
            How many.
        """
        last = min(self._submitted + count, self.config.replicates)
        self._pending += [
            self.client.submit(
                evaluate_packing,
                self.design,
                self.cell,
                config=self.config,
                replicate=replicate,
                key=f"{self.name}-{replicate}",
                # The coordinator waits for the packings of a trial that has some already.
                priority=int(self._submitted > 0),
                pure=False,
            )
            for replicate in range(self._submitted, last)
        ]
        self._submitted = last

    def results(self) -> list[dict[str, Any]]:
        """
        Wait for the packings that were submitted last.

        Returns
        -------
        list of dict
            Numbers of each, see `Evaluation.to_dict`.
        """
        pending, self._pending = self._pending, []
        return [packing.result().to_dict() for packing in pending]


def packing_seed(config: StudyConfig, replicate: int) -> np.random.SeedSequence:
    """
    Return the seed that all trials of a study share for one packing.

    Parameters
    ----------
    config : StudyConfig
        The study.
    replicate : int
        Number of the packing; those from `StudyConfig.replicates` on are fresh, no trial has seen them.

    Returns
    -------
    numpy.random.SeedSequence
        The seed.
    """
    return np.random.SeedSequence(config.seed, spawn_key=(replicate,))


def evaluate_packing(
    design: ElectrodeDesign, cell: CellParameters, *, config: StudyConfig, replicate: int
) -> Evaluation:
    """
    Evaluate a design on one packing of a study; runs in a worker.

    Parameters
    ----------
    design : ElectrodeDesign
        The design.
    cell : CellParameters
        Chemistry and cut-offs.
    config : StudyConfig
        Gives the rate, the resolution and the seed.
    replicate : int
        Number of the packing, see `packing_seed`.

    Returns
    -------
    Evaluation
        The result; where the study asks for it, judged by all variations of the design on the same packing.
    """
    seed, structure = packing_seed(config, replicate), config.structure.model_dump()
    result = evaluate(design, cell, c_rate=config.cell.c_rates, seed=seed, **structure)
    if ROBUST not in config.objectives.maximize:
        return result
    variations = [made for name, made in varied(design).items() if name != AS_DESIGNED]
    utilizations = [
        evaluate(made, cell, c_rate=config.cell.c_rate, seed=seed, **structure).utilization if made else 0.0
        for made in variations
    ]
    robust = robust_of([result.utilization, *utilizations], k=config.objectives.robust_k)
    return replace(result, robust_utilization=robust)
