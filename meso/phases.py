"""The three phases of a battery electrode, as they are written into voxels."""

from enum import IntEnum


class Phase(IntEnum):
    """
    What fills a voxel.

    The values are the labels stored in images, so a segmented tomogram that uses the same code needs no relabelling.

    Examples
    --------
    >>> Phase(1)
    <Phase.ACTIVE: 1>
    >>> [phase.name.lower() for phase in Phase]
    ['pore', 'active', 'binder']
    """

    PORE = 0
    """Electrolyte."""
    ACTIVE = 1
    """Active material: stores lithium, conducts electrons poorly."""
    BINDER = 2
    """Carbon-binder domain: nanoporous, conducts electrons well and ions badly."""
