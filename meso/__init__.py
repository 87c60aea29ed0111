"""What an electrode looks like: design → particles → voxels → measures."""

from meso import measures
from meso.design import ElectrodeDesign, SizeClass
from meso.generate import generate
from meso.io import load, save
from meso.packing import ParticlePacking
from meso.phases import Phase
from meso.profiles import Profile
from meso.structure import Mesostructure

__all__ = [
    "ElectrodeDesign",
    "Mesostructure",
    "ParticlePacking",
    "Phase",
    "Profile",
    "SizeClass",
    "generate",
    "load",
    "measures",
    "save",
]
