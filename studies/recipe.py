"""From a file to one structure: the central design of a study, or a design that a study has stored."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tomlkit

from meso import ElectrodeDesign, generate
from studies.config import StudyConfig
from studies.errors import ConfigError
from studies.evaluation import make_structure, resolution
from studies.packings import packing_seed
from studies.tables import read_toml

if TYPE_CHECKING:
    from collections.abc import Mapping

    from meso import Mesostructure
    from studies.parameter import Value


def structure_of(source: str, *, seed: int | None = None) -> Mesostructure:
    """
    Make the structure that a file describes.

    Parameters
    ----------
    source : str
        A study configuration (TOML file or bundled name), or a ``design.toml`` written by `recipe_text`.
    seed : int, optional
        Seed of the packing; by default that of the study's first packing, or of the stored design.

    Returns
    -------
    Mesostructure
        The structure. The same file and seed give the same bits.

    Raises
    ------
    ConfigError
        If the file cannot be used.
    """
    path = Path(source)
    if path.is_file():
        data = read_toml(path)
        if "design" in data:
            return _stored(data, label=source, seed=seed)
    from studies.space import DesignSpace

    config = StudyConfig.from_toml(source)
    cell = config.cell.parameters()
    design = DesignSpace.of(config, active_capacity=cell.active_capacity).central()
    return make_structure(
        design, seed=packing_seed(config, 0) if seed is None else seed, **config.structure.model_dump()
    )


def recipe_text(design: ElectrodeDesign, *, config: StudyConfig, parameters: Mapping[str, Value]) -> str:
    """
    Write down a design so that its structure can be made again.

    Parameters
    ----------
    design : ElectrodeDesign
        The design.
    config : StudyConfig
        The study; gives resolution and seed.
    parameters : mapping of str to float, int or str
        The searched parameters, in the units that their names state; for the reader only.

    Returns
    -------
    str
        TOML that `structure_of` reads.
    """
    seed = packing_seed(config, 0)
    voxel_size, width = resolution(design, **config.structure.model_dump())
    made_with = {
        "voxel_size": voxel_size,
        "width": width,
        "seed": {"entropy": seed.entropy, "spawn_key": list(seed.spawn_key)},
    }
    document = tomlkit.document()
    document.add(
        tomlkit.comment(
            f"Best structured design of the study {config.name!r}; [design] and [structure] in SI units."
        )
    )
    document.add(
        tomlkit.comment("meso generate design.toml --out FILE makes structure.npz again, bit by bit.")
    )
    document.add("parameters", tomlkit.item(dict(parameters)))
    document.add("design", tomlkit.item(design.to_dict()))
    document.add("structure", tomlkit.item(made_with))
    return tomlkit.dumps(document)


def _stored(data: Mapping[str, Any], *, label: str, seed: int | None) -> Mesostructure:
    """Make the structure of a design file."""
    try:
        design = ElectrodeDesign.from_dict(data["design"])
        made_with = data["structure"]
        stored = np.random.SeedSequence(
            made_with["seed"]["entropy"], spawn_key=tuple(made_with["seed"]["spawn_key"])
        )
        return generate(
            design,
            voxel_size=float(made_with["voxel_size"]),
            width=float(made_with["width"]),
            seed=stored if seed is None else seed,
        )
    except KeyError as error:
        raise ConfigError(
            f"{label}: {error.args[0]} is missing; a stored design has [design] and [structure]"
        ) from None
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{label}: {error}") from None
