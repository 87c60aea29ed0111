"""What a coordinator remembers: it must be what the database holds, and what Optuna alone would have chosen."""

import math
import sqlite3

import optuna
import pytest
from optuna.exceptions import UpdateFinishedTrialError
from optuna.samplers import TPESampler
from optuna.storages import RDBStorage
from optuna.trial import TrialState
from sqlalchemy import URL

from studies.errors import StudyError
from studies.memory import KnownStorage
from studies.patience import PatientStorage
from studies.tpe import RememberingTPE, TPEMemory


@pytest.fixture
def file(tmp_path):
    return tmp_path / "study.db"


def opened(file):
    return KnownStorage(PatientStorage(URL.create("sqlite", database=str(file))))


def stored(file):
    """Read all trials with Optuna alone."""
    storage = RDBStorage(f"sqlite:///{file}")
    found = {study.study_name: storage.get_all_trials(study._study_id) for study in storage.get_all_studies()}
    storage.engine.dispose()
    return found


def suggest(trial):
    """Ask for parameters of all kinds, one of them only in some trials."""
    x = trial.suggest_float("x", 0, 1)
    y = trial.suggest_float("y", 0.1, 10, log=True)
    pattern = trial.suggest_categorical("pattern", ["lines", "holes"])
    whole = trial.suggest_int("whole", 0, 6)
    depth = trial.suggest_float("depth", 0, 1) if pattern == "holes" else 0.5
    return x, y, pattern, whole, depth


def search(study, make, *, trials=90):
    """Let samplers choose, some trials in flight, some failed, some infeasible; return what they chose."""
    in_flight, chosen = [], []
    for number in range(trials):
        study.sampler = make(number)
        trial = study.ask()
        x, y, _, whole, depth = chosen_now = suggest(trial)
        chosen.append(chosen_now)
        trial.set_constraint("packing", x - 0.8)
        in_flight.append((trial, [x * y - depth + 0.1 * whole + k * x for k in range(len(study.directions))]))
        if len(in_flight) > 3 or x > 0.7:
            done, values = in_flight.pop(0 if number % 3 else -1)
            if number % 7:
                study.tell(done, values)
            else:
                study.tell(done, state=TrialState.FAIL)
    return chosen


@pytest.mark.parametrize("objectives", [1, 2])
def test_the_sampler_chooses_what_optunas_chooses(objectives):
    """Optuna's own TPE with the same seeds, trial by trial, also where the memory starts in the middle."""
    memories = {False: TPEMemory(), True: TPEMemory()}
    plain, remembering = (
        search(optuna.create_study(directions=["maximize"] * objectives), make)
        for make in (
            lambda number: TPESampler(seed=number, n_startup_trials=8),
            lambda number: RememberingTPE(seed=number, n_startup_trials=8, memory=memories[number > 50]),
        )
    )
    assert plain == remembering


def test_continuous_densities_are_optunas():
    """Where every parameter is continuous, densities are computed in another way: the same choices again."""

    def run(make):
        study = optuna.create_study(direction="maximize")
        for number in range(60):
            study.sampler = make(number)
            trial = study.ask()
            x, y = trial.suggest_float("x", 0, 1), trial.suggest_float("y", 1e-3, 1.0, log=True)
            study.tell(trial, -((x - 0.3) ** 2) - math.log10(y / 0.02) ** 2)
        return [tuple(trial.params.values()) for trial in study.trials]

    memory = TPEMemory()
    assert run(lambda number: TPESampler(seed=number)) == run(
        lambda number: RememberingTPE(seed=number, n_startup_trials=10, memory=memory)
    )


def test_the_database_holds_what_is_remembered(file):
    storage = opened(file)
    first = optuna.create_study(storage=storage, study_name="first", directions=["maximize"])
    second = optuna.create_study(storage=storage, study_name="second", directions=["maximize"] * 2)
    second.enqueue_trial({"x": 0.25})
    search(first, lambda number: TPESampler(seed=number, n_startup_trials=5), trials=12)
    with storage.together():
        search(second, lambda number: TPESampler(seed=number, n_startup_trials=5), trials=12)
        trial = first.ask()
        trial.set_user_attr("evaluations", [{"utilization": 0.9, "shape": (3, 4)}])
        trial.report(0.5, 0)
        trial.report(0.6, 1)
        trial.set_user_attr("evaluations", [{"utilization": 0.8, "shape": (3, 4)}])
        first.tell(trial, math.inf)
    assert second.trials[0].params["x"] == 0.25
    remembered = {study.study_name: study.get_trials() for study in (first, second)}
    found = stored(file)
    assert {name: len(trials) for name, trials in found.items()} == {"first": 13, "second": 12}
    for name, trials in remembered.items():
        for mine, optunas in zip(trials, found[name], strict=True):
            assert vars(mine) | {"constraints": 0} == vars(optunas) | {"constraints": 0}
            assert mine.constraints == optunas.constraints
    # Who opens it later knows the same.
    again = optuna.load_study(storage=opened(file), study_name="first").get_trials()
    assert [vars(trial) for trial in again] == [vars(trial) for trial in found["first"]]
    with pytest.raises(UpdateFinishedTrialError):
        storage.set_trial_user_attr(first.trials[-1]._trial_id, "late", 1)


def test_a_block_is_stored_whole_or_not_at_all(file):
    storage = opened(file)
    study = optuna.create_study(storage=storage, study_name="study", direction="maximize")
    study.tell(study.ask(), 1.0)

    def broken():
        with storage.together():
            study.tell(study.ask(), 2.0)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken()
    assert [trial.value for trial in study.trials] == [1.0]
    # A disk without space for a trial.
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("CREATE TRIGGER full BEFORE INSERT ON trials BEGIN SELECT RAISE(FAIL, 'disk is full'); END")
    with pytest.raises(StudyError, match="no complete trial is lost"), storage.together():
        study.tell(study.ask(), 3.0)
    assert [trial.value for trial in study.trials] == [1.0]
    other.execute("DROP TRIGGER full")
    other.close()
    study.tell(study.ask(), 4.0)
    assert [trial.value for trial in stored(file)["study"]] == [1.0, 4.0]
