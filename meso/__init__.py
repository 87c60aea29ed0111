"""What an electrode looks like: design → particles → voxels → measures."""

from meso import measures
from meso.calendering import Calendering
from meso.channels import Channels
from meso.design import ElectrodeDesign
from meso.formulation import Formulation
from meso.generate import generate
from meso.io import load, read_sizes, save
from meso.particles import ParticlePacking
from meso.phases import Phase
from meso.profiles import Profile
from meso.representative import representative_width
from meso.sizes import SizeClass
from meso.structure import Mesostructure

__all__ = [
    "Calendering",
    "Channels",
    "ElectrodeDesign",
    "Formulation",
    "Mesostructure",
    "ParticlePacking",
    "Phase",
    "Profile",
    "SizeClass",
    "generate",
    "load",
    "measures",
    "read_sizes",
    "representative_width",
    "save",
]
