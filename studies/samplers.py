"""Optuna's samplers, seeded for each trial so that a study does not depend on interruptions."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np

from studies.errors import ConfigError
from studies.storage import ARMS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from optuna.samplers import BaseSampler

    from studies.config import StudyConfig
    from studies.tpe import TPEMemory

NEEDED = {"gp": ("torch", "gp"), "cmaes": ("cmaes", "cmaes")}
"""Package that a sampler needs, and the extra that brings it."""


def check_sampler(config: StudyConfig) -> None:
    """
    Refuse a sampler whose package is not installed.

    Parameters
    ----------
    config : StudyConfig
        The study.

    Raises
    ------
    ConfigError
        With the command that installs it.
    """
    package, extra = NEEDED.get(config.search.sampler, ("optuna", ""))
    if find_spec(package) is None:
        raise ConfigError(
            f"search.sampler = {config.search.sampler!r} needs the package {package}, which is not installed; "
            f"pip install 'meso-electrode[{extra}]' or choose another sampler"
        )


def make_sampler(
    config: StudyConfig, *, arm: str, number: int, memory: TPEMemory, salt: tuple[int, ...] = ()
) -> BaseSampler:
    """
    Make the sampler that chooses one trial.

    Parameters
    ----------
    config : StudyConfig
        The study.
    arm : str
        Name of the search.
    number : int
        Number of the trial within the search.
    memory : TPEMemory
        What earlier samplers of this search know; only saves time.
    salt : tuple of int, default ()
        What keeps apart the random numbers of several coordinators, which may ask for the same number.

    Returns
    -------
    optuna.samplers.BaseSampler
        A new sampler for every trial: what it must remember is in the database (generations, the covariance matrix, the
        place in the sequence) or follows from the trials there, and its random numbers from the seed of the trial. So a
        continued search neither repeats nor shifts random numbers.
    """
    from optuna import samplers

    # The leading 1 keeps these apart from the packing seeds of the same study seed.
    place = (1, ARMS.index(arm))
    seed = _seed(config, *place, number, *salt)
    with quiet():
        match config.search.sampler:
            case "gp":
                return samplers.GPSampler(
                    seed=seed, n_startup_trials=config.startup_trials, warn_independent_sampling=False
                )
            case "nsga2":
                return samplers.NSGAIISampler(seed=seed, population_size=config.search.population)
            case "nsga3":
                return samplers.NSGAIIISampler(seed=seed, population_size=config.search.population)
            case "cmaes":
                return samplers.CmaEsSampler(
                    seed=seed, n_startup_trials=config.startup_trials, warn_independent_sampling=False
                )
            case "sobol":
                # One scrambled sequence for the whole search; what it leaves open is random in each trial.
                return samplers.QMCSampler(
                    qmc_type="sobol",
                    scramble=True,
                    seed=_seed(config, *place),
                    independent_sampler=samplers.RandomSampler(seed=seed),
                    warn_independent_sampling=False,
                )
            case _:
                from studies.tpe import RememberingTPE

                return RememberingTPE(seed=seed, n_startup_trials=config.startup_trials, memory=memory)


@contextmanager
def quiet() -> Iterator[None]:
    """
    Silence Optuna's warnings that a sampler is experimental or leaves constraints to the values it is told.

    Yields
    ------
    None
        While they are silent.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*(experimental|CmaEsSampler will not use).*")
        yield


def _seed(config: StudyConfig, *place: int) -> int:
    """Derive a seed of 32 bits from that of the study."""
    return int(np.random.SeedSequence(config.seed, spawn_key=place).generate_state(1)[0])
