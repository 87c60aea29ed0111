"""Images in netCDF files (classic format, 64-bit offsets) with coordinates and units after the CF conventions."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from meso.phases import Phase

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from meso.file_checks import Allowance
    from meso.structure import Mesostructure

LARGEST_VARIABLE = 2**32 - 4
"""Size [bytes] that an array of the format cannot exceed."""
AXES = ("z", "y", "x")
_LONG_NAMES = ("depth from the separator", "lateral position", "lateral position")
_NAME_AND_UNIT = re.compile(r"\s*(?P<name>[^\[\]]+?)\s*(?:\[(?P<unit>[^\[\]]*)\])?\s*")


def write_netcdf(structure: Mesostructure, fields: Mapping[str, NDArray[Any]], file: BinaryIO) -> None:
    """
    Write labels, particle ids and fields over the coordinates of the voxel centres.

    Parameters
    ----------
    structure : Mesostructure
        What to write.
    fields : mapping of str to ndarray
        Further arrays of the shape of the structure; a name may end in its unit in brackets.
    file : binary file
        Where to.

    Raises
    ------
    ValueError
        If an array is too large for the format.
    """
    import scipy.io

    variables: dict[str, tuple[NDArray[Any], dict[str, Any]]] = {
        "labels": (
            structure.labels.astype(np.int8),
            {
                "long_name": "phase of the voxel",
                "flag_values": np.array([int(phase) for phase in Phase], dtype=np.int8),
                "flag_meanings": " ".join(phase.name.lower() for phase in Phase),
            },
        )
    }
    if structure.particle_ids is not None:
        long_name = "particle of the voxel, 0 for none"
        variables["particle_ids"] = (structure.particle_ids, {"long_name": long_name, "units": "1"})
    for title, values in fields.items():
        name, unit = name_and_unit(title)
        variables[name] = (values, {"long_name": name.replace("_", " "), "units": unit})
    for name, (values, _) in variables.items():
        if values.nbytes > LARGEST_VARIABLE:
            raise ValueError(
                f"{name} must be at most {LARGEST_VARIABLE} bytes in netCDF, got {values.nbytes}; save as .npz or .vti"
            )
    with scipy.io.netcdf_file(KeptOpen(file), "w", version=2) as target:
        target.Conventions = "CF-1.11"
        target.title = "mesostructure of a battery electrode"
        target.voxel_size = np.array(structure.voxel_size)
        target.periodic = np.int32(structure.periodic)
        for axis, name in enumerate(AXES):
            target.createDimension(name, structure.shape[axis])
            centres = (np.arange(structure.shape[axis]) + 0.5) * structure.voxel_size[axis]
            attributes = {"long_name": _LONG_NAMES[axis], "units": "m", "axis": name.upper()}
            add_variable(target, name, (name,), centres, attributes)
        for name, (values, attributes) in variables.items():
            add_variable(target, name, AXES, values, attributes)


def read_netcdf(path: Path, allowance: Allowance) -> dict[str, Any]:
    """
    Read the labels of an image, and the rest of what `write_netcdf` wrote.

    Parameters
    ----------
    path : Path
        A file in one of the classic formats. The labels are the variable of that name, or the only one with three
        dimensions; the voxel size is the attribute ``voxel_size`` [m], or follows from coordinates in metres.
    allowance : Allowance
        How much it may hold.

    Returns
    -------
    dict
        Arguments of `Mesostructure`.

    Raises
    ------
    ValueError
        If it is of the format netCDF-4, or holds no labels.
    """
    import scipy.io

    with path.open("rb") as file:
        if file.read(4) == b"\x89HDF":
            raise ValueError("it is netCDF-4 (HDF5); write the classic format, as by format='NETCDF3_64BIT'")
        file.seek(0)
        # Mapped, so that nothing is copied that lies outside the file or is not asked for.
        source = scipy.io.netcdf_file(_Bounded(file, allowance.stored), "r", mmap=True)
        try:
            return _content(source, allowance)
        finally:
            source.variables.clear()
            with warnings.catch_warnings():
                # That an error still holds the mapped arrays; they go with it.
                warnings.simplefilter("ignore", RuntimeWarning)
                source.close()


def name_and_unit(title: str) -> tuple[str, str]:
    """
    Split a name from the unit in brackets behind it.

    Parameters
    ----------
    title : str
        Such as "current_density [S.m-1]".

    Returns
    -------
    tuple of str
        Name and unit, in the spelling of CF; "1" where there is none.

    Raises
    ------
    ValueError
        If it is of another form.

    Examples
    --------
    >>> name_and_unit("current_density [S.m-1]"), name_and_unit("potential")
    (('current_density', 'S m-1'), ('potential', '1'))
    """
    match = _NAME_AND_UNIT.fullmatch(title)
    if match is None:
        raise ValueError(f"a field must be named 'name' or 'name [unit]', got {title!r}")
    return match["name"].replace(" ", "_"), (match["unit"] or "1").replace(".", " ")


def add_variable(
    target: Any, name: str, dimensions: tuple[str, ...], values: NDArray[Any], attributes: Mapping[str, Any]
) -> None:
    """
    Write one array with its attributes.

    Parameters
    ----------
    target : netcdf_file
        Open file that has the dimensions.
    name : str
        Of the variable.
    dimensions : tuple of str
        Of the array.
    values : ndarray
        The array.
    attributes : mapping
        Such as its unit.
    """
    variable = target.createVariable(name, values.dtype.newbyteorder("="), dimensions)
    variable[...] = values
    for attribute, value in attributes.items():
        setattr(variable, attribute, value)


class _Bounded:
    """A file of which no read is longer than what is left: lengths in a header cost no memory."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._size = file, size

    def read(self, count: int = -1) -> bytes:
        """Read at most what is left."""
        left = self._size - self._file.tell()
        return self._file.read(min(count, left) if count >= 0 else left)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class KeptOpen:
    """
    A file that looks closed to who wrote it, and is not.

    Parameters
    ----------
    file : binary file
        The file.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.closed = False

    def close(self) -> None:
        """Leave it open, and tell that it is closed: scipy writes a second time into what is not."""
        self.closed = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def _content(source: Any, allowance: Allowance) -> dict[str, Any]:
    """Copy what is wanted out of the mapped file."""
    images = [name for name, variable in source.variables.items() if len(variable.shape) == 3]
    if "labels" not in images and len(images) != 1:
        raise ValueError(f"it must hold one image or one named 'labels', got {images}")
    wanted = {"labels": source.variables["labels" if "labels" in images else images[0]]}
    if "particle_ids" in images:
        wanted["particle_ids"] = source.variables["particle_ids"]
    allowance.check(sum(variable.data.nbytes for variable in wanted.values()))
    content: dict[str, Any] = {
        name: np.array(variable.data, dtype=variable.data.dtype.newbyteorder("="))
        for name, variable in wanted.items()
    }
    if hasattr(source, "voxel_size"):
        content["voxel_size"] = tuple(np.atleast_1d(source.voxel_size).tolist())
    else:
        edges = [_spacing(source, name) for name in wanted["labels"].dimensions]
        if all(edge is not None for edge in edges):
            content["voxel_size"] = tuple(edges)
    if hasattr(source, "periodic"):
        content["periodic"] = bool(source.periodic)
    return content


def _spacing(source: Any, name: str) -> float | None:
    """Distance [m] between the values of a coordinate in metres, if there is one."""
    variable = source.variables.get(name)
    if variable is None or variable.shape[0] < 2 or getattr(variable, "units", b"") != b"m":
        return None
    steps = np.diff(np.array(variable.data, dtype=np.float64))
    return float(f"{steps.mean():.10g}") if np.allclose(steps, steps[0], rtol=1e-6, atol=0.0) else None
