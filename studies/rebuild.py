"""A stored trial made again: its structures and its numbers, compared bit by bit with what is stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from studies.errors import InputError
from studies.evaluation import make_structure
from studies.fingerprints import fingerprint
from studies.packings import evaluate_packing, packing_seed
from studies.space import DesignSpace
from studies.storage import ARMS, STRUCTURED, StudyFolder
from studies.tables import flatten
from studies.workers import compile_kernels, kernel_versions, local_workers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from meso import ElectrodeDesign, Mesostructure
    from studies.config import StudyConfig
    from studies.trials import TrialRecord

_OF_THE_MOMENT = "seconds."
"""Numbers of an evaluation that no two runs share: how long its steps took."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RebuiltTrial:
    """
    A trial that was made again.

    Parameters
    ----------
    record : TrialRecord
        As stored.
    structure : Mesostructure
        The structure of its first packing.
    differences : tuple of str
        What is not as stored, with both values; empty where all bits agree.
    """

    record: TrialRecord
    structure: Mesostructure
    differences: tuple[str, ...]


def find_trial(folder: StudyFolder, *, arm: str, number: int) -> TrialRecord:
    """
    Read one trial of a study.

    Parameters
    ----------
    folder : StudyFolder
        The study folder.
    arm : str
        "structured" or "uniform".
    number : int
        Number within the search.

    Returns
    -------
    TrialRecord
        The trial.

    Raises
    ------
    InputError
        If there is none.
    """
    if arm not in ARMS:
        raise InputError(f"--arm must be one of {', '.join(ARMS)}, got {arm!r}")
    records = [record for record in folder.read_records() if record.arm == arm]
    found = [record for record in records if record.number == number]
    if not found:
        last = max((record.number for record in records), default=-1)
        raise InputError(
            f"--trial must be the number of a trial of the {arm} search, 0 to {last}, got {number}; meso status shows the "
            "best, trials.csv all"
        )
    return found[0]


def rebuild_trial(folder: StudyFolder, *, number: int, arm: str = STRUCTURED) -> RebuiltTrial:
    """
    Make a stored trial again, in a worker as the study did.

    Parameters
    ----------
    folder : StudyFolder
        The study folder.
    number : int
        Number of the trial within its search.
    arm : str, default "structured"
        The search.

    Returns
    -------
    RebuiltTrial
        Structure, and what differs.

    Raises
    ------
    InputError
        If there is no such trial, or none that was evaluated.
    """
    record, config = find_trial(folder, arm=arm, number=number), folder.read_config()
    if not record.evaluations:
        raise InputError(
            f"--trial {number} of the {arm} search is {record.state}: nothing was evaluated to compare with"
        )
    design, evaluations = _evaluate_again(record, config, folder)
    structure = make_structure(design, seed=packing_seed(config, 0), **config.structure.model_dump())
    differences = _differences(record.evaluations, evaluations)
    if fingerprint(structure) != evaluations[0]["fingerprint"]:
        differences.append("structure of packing 0 (made twice, not the same)")
    return RebuiltTrial(record=record, structure=structure, differences=tuple(differences))


def _evaluate_again(
    record: TrialRecord, config: StudyConfig, folder: StudyFolder
) -> tuple[ElectrodeDesign, list[dict[str, Any]]]:
    """Evaluate all packings of a trial."""
    cell = config.cell.parameters()
    space = DesignSpace.of(config, active_capacity=cell.active_capacity)
    arm_space = space if record.arm == STRUCTURED else space.uniform
    design = arm_space.design(record.parameters)
    if not folder.is_compiled(kernels := kernel_versions()):
        with local_workers(2) as client:
            compile_kernels(client, space=space, cell=cell, c_rate=config.cell.c_rate)
        folder.note_compiled(kernels)
    with local_workers(1) as client:
        futures = [
            client.submit(evaluate_packing, design, cell, config=config, replicate=replicate, pure=False)
            for replicate in range(len(record.evaluations))
        ]
        return design, [future.result().to_dict() for future in futures]


def _differences(stored: Sequence[Mapping[str, Any]], made: Sequence[Mapping[str, Any]]) -> list[str]:
    """List the numbers that are not the same bits; 64-bit numbers survive JSON."""
    found = []
    for packing, (old, new) in enumerate(zip(stored, made, strict=True)):
        there, here = flatten(dict(old)), flatten(dict(new))
        found += [
            f"packing {packing}: {name} was {there.get(name)!r}, is {here.get(name)!r}"
            for name in sorted(there.keys() | here.keys())
            if not name.startswith(_OF_THE_MOMENT) and there.get(name) != here.get(name)
        ]
    return found
