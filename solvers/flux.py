"""Where the current flows: current densities from a solved potential."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meso.threads import share
from solvers._kernels import flux
from solvers.network import build_network
from solvers.problem import length_between_ends, sides_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from meso.structure import Mesostructure
    from solvers.network import VoxelNetwork

    Single = NDArray[np.float32]


def current_density(
    structure: Mesostructure | ArrayLike,
    field: ArrayLike,
    *,
    component: int | None = None,
    conductivity: Mapping[int, float] | None = None,
    axis: int = 0,
    sides: str | None = None,
    convention: str = "face",
    voxel_size: float | tuple[float, ...] | None = None,
) -> NDArray[np.float32]:
    """
    Compute the current density in every voxel from a solved potential.

    Parameters
    ----------
    structure : Mesostructure or array_like
        What `solve_transport` was given. Never modified.
    field : array_like, same shape as the structure
        Potential that it returned for ``field=True``, NaN where no current can flow.
    component : int, optional
        Axis of the image along which to take the component, with its sign. By default the magnitude.
    conductivity, axis, sides, convention, voxel_size : optional
        What `solve_transport` was given.

    Returns
    -------
    ndarray, same shape as the structure, float32
        Current density for a mean gradient of the potential of 1, in the unit of the conductivities: the component along
        the axis of transport has the mean `effective_conductivity` over the block and over every plane across the axis.

    Raises
    ------
    ValueError
        If an argument makes no sense or the shapes differ.
    TypeError
        If the image is neither boolean nor integer.

    Notes
    -----
    Each component is the mean of the current densities on the two faces of the voxel, J = g Δu L / A with the length L
    from inlet to outlet. A voxel beside a wall has one closed face, so that the map falls off by half towards walls.

    Examples
    --------
    >>> import numpy as np
    >>> from solvers import solve_transport
    >>> layers = np.repeat([0, 1], 4)[:, None] * np.ones((8, 4), dtype=int)
    >>> sigma = {0: 1.0, 1: 0.5}
    >>> field = solve_transport(layers, conductivity=sigma, axis=1, field=True).field
    >>> current_density(layers, field, conductivity=sigma, axis=1)[:, 0].round(6).tolist()
    [1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.5]
    """
    sides = sides_of(convention, sides)
    block = build_network(structure, conductivity=conductivity, axis=axis, sides=sides, voxel_size=voxel_size)
    potential = np.asarray(field, dtype=np.float32)
    shape = np.moveaxis(block.conducts if block.dimensions == 3 else block.conducts[:, 0], 0, axis).shape
    if potential.shape != shape:
        raise ValueError(f"field must have the shape of the structure, {shape}, got {potential.shape}")
    if component is not None and not -block.dimensions <= component < block.dimensions:
        raise ValueError(
            f"component must lie in [{-block.dimensions}, {block.dimensions - 1}], got {component}"
        )
    potential = np.moveaxis(potential, axis, 0)
    if block.dimensions == 2:
        potential = potential[:, np.newaxis]
    out = map_currents(block, np.ascontiguousarray(potential), convention, _direction(block, component, axis))
    return np.ascontiguousarray(np.moveaxis(out if block.dimensions == 3 else out[:, 0], 0, axis))


def map_currents(block: VoxelNetwork, potential: Single, convention: str, direction: int = -1) -> Single:
    """
    Compute the current density in every cell of a network.

    Parameters
    ----------
    block : VoxelNetwork
        All layers of the image.
    potential : ndarray, shape (n0, n1, n2), float32
        Potential, NaN where no current can flow.
    convention : str
        Where the potential is fixed, see `solve_transport`.
    direction : int, default -1
        Direction of the network along which to take the component; −1 for the magnitude.

    Returns
    -------
    ndarray, shape (n0, n1, n2), float32
        Current density for a mean gradient of 1.
    """
    length = block.unit * length_between_ends(convention, block.layers)
    scales = (length, length / np.sqrt(block.factors[1]), length / np.sqrt(block.factors[2]))
    out = np.empty(potential.shape, np.float32)
    share(flux.map_currents, len(out), *block.links, potential, scales, convention != "face", direction, out)
    return out


def _direction(block: VoxelNetwork, component: int | None, axis: int) -> int:
    """Direction of the network that an axis of the image is; −1 for none."""
    if component is None:
        return -1
    order = [axis % block.dimensions, *(a for a in range(block.dimensions) if a != axis % block.dimensions)]
    direction = order.index(component % block.dimensions)
    return 2 if block.dimensions == 2 and direction == 1 else direction
