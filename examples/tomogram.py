# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Tortuosity of your own tomogram
#
# A segmented image goes in, tortuosity factors come out, with what the voxels do to them. Set `IMAGE` to a `.tif`, `.npy`
# or `.npz` file whose axis 0 runs from the separator to the current collector; without one, this notebook makes its own.

# %%
# %matplotlib inline
import os
import tempfile
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt

from meso import ElectrodeDesign, Phase, SizeClass, generate, load, measures, save
from solvers import electrode_tortuosity, solve_tensor, solve_transport

IMAGE = os.environ.get("TOMOGRAM", "")
SMALL = os.environ.get("EXAMPLE_SIZE") == "small"  # what the tests run

# %% [markdown]
# ## An image
#
# A generated electrode is written as a TIFF and forgotten, but for one number: structures from a recipe know the exact area
# of every cut voxel face, so their tortuosity factor is free of the stairs that an image has.

# %%
folder = Path(tempfile.mkdtemp())
truth = None
if not IMAGE:
    design = ElectrodeDesign(
        thickness=30e-6 if SMALL else 48e-6,
        porosity=0.35,
        binder_fraction=0.06,
        size_classes=(SizeClass(diameter=6e-6, spread=1.3),),
    )
    made = generate(design, voxel_size=0.6e-6, width=24e-6 if SMALL else 48e-6, seed=8117)
    truth = solve_transport(made, sides="insulated").tortuosity_factor
    IMAGE = str(folder / "electrode.tif")
    save(made, IMAGE)

# %% [markdown]
# ## Read it
#
# `load` takes the voxel size from the file, or from `voxel_size=` in metres. Labels must be 0 pore, 1 active material,
# 2 carbon-binder domain; other numbers are translated by `relabel={255: Phase.ACTIVE, 0: Phase.PORE}`.

# %%
structure = load(IMAGE)
print(structure.shape, "voxels of", np.round(np.array(structure.voxel_size) * 1e6, 3), "µm")
structure.plot()

# %%
for phase, share in measures.volume_fractions(structure).items():
    print(f"{phase.name.lower():8s}{100 * share:6.2f} %")
connected = measures.connected_fraction(structure, phases=Phase.PORE, to="separator")
print(f"{100 * connected:.2f} % of the pores hang together with the separator")

# %% [markdown]
# ## Tortuosity factor
#
# τ = ε/σ_eff with the conductivity of the free electrolyte taken as 1. On bare voxels a curved surface is a staircase, which
# narrows every throat: τ comes out too high, by tens of per cent at ten voxels per particle. `surface="smooth"` opens the
# faces as the voxels around them suggest.

# %%
pores = structure.labels == Phase.PORE
stairs = solve_transport(pores)
smooth = solve_transport(pores, surface="smooth")
print(f"voxels   τ = {stairs.tortuosity_factor:.3f}")
print(f"smooth   τ = {smooth.tortuosity_factor:.3f}   N_M = {smooth.macmullin_number:.2f}")
if truth is not None:
    print(f"exact    τ = {truth:.3f}   (known here, since the image was generated)")

# %% [markdown]
# Through the thickness the local MacMullin number shows skins, gradients and blocked layers. Its mean is N_M.

# %%
depth = (np.arange(structure.shape[0]) + 0.5) * structure.voxel_size[0] * 1e6
figure, axes = plt.subplots(figsize=(6, 3), layout="constrained")
axes.plot(depth, smooth.profile)
axes.axhline(smooth.macmullin_number, color="0.6", linestyle="--")
axes.set_xlabel("depth from the separator / µm")
_ = axes.set_ylabel("local N_M")

# %% [markdown]
# ## All three axes, several phases, dead ends
#
# Plates lie flat in a coating, so the through-plane axis is often the worst. The binder's nanopores conduct too; and the
# tortuosity factor that impedance on a blocking cell measures counts dead ends, which the through-flow one ignores.

# %%
tensor = solve_tensor(pores, surface="smooth")
print("axes 0, 1, 2:  τ =", np.round(tensor.tortuosity_factor, 3), f"  anisotropy {tensor.anisotropy:.2f}")

nanoporous = solve_transport(structure, conductivity={Phase.PORE: 1.0, Phase.BINDER: 0.5**1.5})
print(f"binder conducts with 0.5^1.5:  B = {1 / nanoporous.macmullin_number:.4f}")

blocking = electrode_tortuosity(pores)
print(
    f"blocking cell:  τ_e = {blocking.tortuosity_factor:.3f}, on voxels; through-flow {stairs.tortuosity_factor:.3f}"
)

# %% [markdown]
# ## Is the image large enough?
#
# Cut it in two and look how far the halves are apart: the answer of one image is not better than that.

# %%
half = structure.shape[1] // 2
parts = [solve_transport(part, surface="smooth") for part in (pores[:, :half], pores[:, half:])]
print("halves:  τ =", np.round([part.tortuosity_factor for part in parts], 3))

# %% [markdown]
# ## What must hold

# %%
# Hashin and Shtrikman: no isotropic structure conducts better than 2ε/(3 − ε). Smoothing only opens what stairs had closed.
assert smooth.effective_conductivity < 2 * smooth.porosity / (3 - smooth.porosity)
assert smooth.tortuosity_factor < stairs.tortuosity_factor
if truth is not None:
    # The stairs cost more than 8 %, and the smooth surface gives back at least half of it.
    assert stairs.tortuosity_factor > 1.08 * truth
    assert abs(smooth.tortuosity_factor - truth) < (stairs.tortuosity_factor - truth) / 2
