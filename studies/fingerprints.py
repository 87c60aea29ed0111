"""Whether two structures have the same bits."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from meso import Mesostructure


def fingerprint(structure: Mesostructure) -> str:
    """
    Condense a structure into a few characters.

    Parameters
    ----------
    structure : Mesostructure
        The structure.

    Returns
    -------
    str
        Hexadecimal number that changes with any label, face fraction, particle id or the size of a voxel.

    Examples
    --------
    >>> from meso import Mesostructure
    >>> layers = np.repeat([0, 1], 8)[:, None, None] * np.ones((1, 4, 4), dtype=int)
    >>> same, other = (Mesostructure(layers[::step], voxel_size=1e-6) for step in (1, -1))
    >>> fingerprint(same) == fingerprint(Mesostructure(layers, voxel_size=1e-6)), fingerprint(same) == fingerprint(other)
    (True, False)
    """
    digest = hashlib.blake2b(repr((structure.shape, structure.voxel_size)).encode(), digest_size=16)
    arrays: list[NDArray[Any]] = [structure.labels]
    if structure.particle_ids is not None:
        arrays.append(structure.particle_ids)
    for _, faces in sorted((structure.face_fractions or {}).items()):
        arrays += faces
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
