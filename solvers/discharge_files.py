"""Discharges in files: tables in the Battery Data Format, and netCDF with the profiles at the end."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from meso.io import replace_file
from meso.netcdf_files import KeptOpen, add_variable

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike

    from numpy.typing import NDArray

    from solvers.discharge import DischargeResult

    Array = NDArray[np.float64]

SECONDS = 3600.0


def write_discharge(
    result: DischargeResult, path: str | PathLike[str], *, electrode_area: float = 1e-4
) -> None:
    """
    Write a discharge or charge; an existing file is replaced at once or not at all.

    Parameters
    ----------
    result : DischargeResult
        The run.
    path : path-like
        Ending in ``.csv`` or ``.bdf`` for a table in the Battery Data Format (its recommended name is ``….bdf.csv``), or in
        ``.nc`` for netCDF with the profiles through the thickness at the end of the run.
    electrode_area : float, default 1e-4
        Area of the electrode [m2], by which a table turns areal numbers into those of a cell: 1 cm² unless told otherwise.

    Raises
    ------
    ValueError
        If the name ends in something else, or the area is not positive.
    FileNotFoundError
        If the folder does not exist.

    Notes
    -----
    The table has the preferred labels of the Battery Data Alliance as its head. A current is positive in charge there, and
    negative in discharge. Its last two columns, beyond the format, are per area and need no `electrode_area`.
    """
    path = Path(path)
    if not 0.0 < electrode_area < np.inf:
        raise ValueError(f"electrode_area must be positive and finite, got {electrode_area}; it is in m2")
    writers: dict[str, Callable[[BinaryIO], None]] = {
        ".csv": lambda file: _write_table(result, electrode_area, file),
        ".nc": lambda file: _write_netcdf(result, file),
    }
    writers[".bdf"] = writers[".csv"]
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise ValueError(
            f"{path}: the file name must end in one of {', '.join(writers)}, got {path.suffix!r}"
        )
    replace_file(path, writer)


def _write_table(result: DischargeResult, area: float, file: BinaryIO) -> None:
    """Write columns under the labels of the Battery Data Format."""
    verb = "Discharging" if result.current_density > 0.0 else "Charging"
    steps = np.where(result.current == result.current_density, 1, 2)
    power = np.abs(result.current) * result.voltage * area
    energy = np.concatenate(([0.0], np.cumsum(0.5 * (power[1:] + power[:-1]) * np.diff(result.time))))
    columns = {
        "Test Time / s": result.time,
        "Voltage / V": result.voltage,
        "Current / A": -result.current * area,
        "Cycle Count / 1": np.ones(len(steps), dtype=np.int64),
        "Step Count / 1": steps,
        f"{verb} Capacity / Ah": result.areal_capacity * area,
        f"{verb} Energy / Wh": energy / SECONDS,
        # 1 A m-2 = 0.1 mA cm-2
        "Current Density / mA.cm-2": -0.1 * result.current,
        "Areal Capacity / mAh.cm-2": 0.1 * result.areal_capacity,
    }
    text = io.StringIO(newline="")
    text.write(",".join(columns) + "\n")
    for row in zip(*columns.values(), strict=True):
        text.write(",".join(f"{value:.10g}" for value in row) + "\n")
    file.write(text.getvalue().encode())


def _write_netcdf(result: DischargeResult, file: BinaryIO) -> None:
    """Write the course over time and the profiles at its end."""
    import scipy.io

    slices, classes = result.stoichiometry.shape
    depth = (np.arange(slices) + 0.5) * result.thickness / slices
    variables: dict[str, tuple[tuple[str, ...], Array, str, str]] = {
        "time": (("time",), result.time, "s", "time since the start"),
        "z": (("z",), depth, "m", "depth from the separator"),
        "salt_position": (("salt_position",), result.salt_positions, "m", "distance from the lithium"),
        "voltage": (("time",), result.voltage, "V", "voltage against lithium"),
        "current_density": (("time",), result.current, "A m-2", "current, positive in discharge"),
        "areal_capacity": (("time",), result.areal_capacity, "A h m-2", "charge passed"),
        "salt_concentration": (("salt_position",), result.salt_concentration, "mol m-3", "salt at the end"),
    }
    for name, values, unit, title in (
        ("stoichiometry", result.stoichiometry, "1", "mean lithium content at the end"),
        (
            "surface_stoichiometry",
            result.surface_stoichiometry,
            "1",
            "lithium content of the surface at the end",
        ),
        ("unused_areal_capacity", result.unused_areal_capacity, "A h m-2", "capacity left in the slice"),
    ):
        variables[name] = (("z", "size_class"), values, unit, title)
    variables["isolated_areal_capacity"] = (
        ("z",), result.isolated_areal_capacity, "A h m-2", "capacity of isolated material in the slice",
    )  # fmt: skip
    with scipy.io.netcdf_file(KeptOpen(file), "w", version=2) as target:
        target.Conventions = "CF-1.11"
        target.title = "discharge of a half-cell"
        for name in ("utilization", "c_rate", "current_density", "theoretical_areal_capacity", "thickness"):
            setattr(target, name, np.float64(getattr(result, name)))
        target.status = result.status.name
        sizes = {"time": len(result.time), "z": slices, "salt_position": len(result.salt_positions)}
        for name, size in (sizes | {"size_class": classes}).items():
            target.createDimension(name, size)
        for name, (dimensions, values, unit, title) in variables.items():
            _add(target, name, dimensions, values, unit=unit, title=title)


def _add(
    target: Any, name: str, dimensions: tuple[str, ...], values: Array, *, unit: str, title: str
) -> None:
    """Write one array."""
    add_variable(target, name, dimensions, values, {"units": unit, "long_name": title})
