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
# # Design, generate, discharge: where is the lithium?
#
# From a recipe to voxels, to a half-cell, to the capacity that is left behind and what holds it back.

# %%
# %matplotlib inline
import os

import numpy as np
from matplotlib import pyplot as plt

from meso import ElectrodeDesign, Profile, SizeClass, generate
from solvers import CellParameters, homogenise, simulate_discharge, sweep_rates, utilization_budget

SMALL = os.environ.get("EXAMPLE_SIZE") == "small"  # what the tests run

# %% [markdown]
# ## The recipe
#
# 6 mAh cm⁻² of NMC811 with two populations of particles and more pores near the separator. `for_capacity` chooses the
# thickness that holds the loading, so that recipes are compared on the same footing.

# %%
cell = CellParameters.named("nmc811-chen2020")
design = ElectrodeDesign.for_capacity(
    60.0,  # [A.h.m-2], 6 mAh cm⁻²
    cell.active_capacity,
    porosity=Profile.linear(separator=0.30, collector=0.18),
    binder_fraction=0.06,
    size_classes=(
        SizeClass(diameter=8e-6, spread=1.2, share=0.7),
        SizeClass(diameter=4e-6, spread=1.2, share=0.3),
    ),
)
print(f"{design.thickness * 1e6:.1f} µm thick, porosity {design.porosity_profile.mean():.3f}")

# %% [markdown]
# ## The structure
#
# Six to ten voxels per median particle and a width of several particles are enough, since generated structures know the exact area
# of every cut voxel face. The same seed gives the same bits.

# %%
structure = generate(
    design, voxel_size=0.8e-6 if SMALL else 0.5e-6, width=28e-6 if SMALL else 48e-6, seed=8117
)
structure.plot()

# %% [markdown]
# ## The half-cell
#
# `homogenise` averages slice by slice: porosity, surface, transport efficiency, sizes. Then a Doyle–Fuller–Newman model
# against lithium takes milliseconds.

# %%
electrode = homogenise(structure, cell)
rate = 2.0
discharge = simulate_discharge(electrode, cell, c_rate=rate)
print(
    f"{rate:g}C: {discharge.delivered_areal_capacity / 10:.3f} of {discharge.theoretical_areal_capacity / 10:.3f} mAh cm⁻²"
)
print(f"utilization {discharge.utilization:.3f}; {discharge.status.value}")
_ = discharge.plot()

# %% [markdown]
# ## Where is what is left?
#
# By depth and size class: the capacity that every slice still has when the voltage meets the cut-off.

# %%
_ = discharge.plot_unused()

# %%
unused = discharge.unused_areal_capacity
by_class = unused.sum(axis=0) / unused.sum()
for radius, part in zip(electrode.particle_radii, by_class, strict=True):
    print(f"particles of {2e6 * radius:.1f} µm hold {100 * part:.0f} % of what is left")

# %% [markdown]
# ## What holds it back?
#
# Mechanisms are switched on one after another; the shares add up to 1 − U. The marks are closed forms: what one mechanism
# alone would leave.

# %%
budget = utilization_budget(electrode, cell, c_rate=rate)
print("limiting:", budget.limiting)
_ = budget.plot()

# %% [markdown]
# ## How does it change with the rate?

# %%
_ = sweep_rates(electrode, cell, c_rates=[0.2, 0.5, 1.0, 2.0, 3.0]).plot()

# %% [markdown]
# ## The same recipe without the gradient
#
# One packing proves nothing: the difference has to be larger than the scatter between seeds. A study does this properly, with
# an optimised uniform electrode for comparison.

# %%
uniform = ElectrodeDesign.for_capacity(
    60.0,
    cell.active_capacity,
    porosity=design.mean_fraction("pore"),
    binder_fraction=0.06,
    size_classes=design.size_classes,
)
differences = []
for seed in (1, 2) if SMALL else (1, 2, 3, 4):
    values = [
        simulate_discharge(
            homogenise(generate(recipe, voxel_size=0.8e-6, width=28e-6, seed=seed), cell), cell, c_rate=rate
        ).utilization
        for recipe in (design, uniform)
    ]
    differences.append(values[0] - values[1])
print("graded − uniform, by seed:", np.round(differences, 4))
figure, axes = plt.subplots(figsize=(4, 3), layout="constrained")
axes.plot(differences, "o")
axes.axhline(0.0, color="0.6")
axes.set_xticks(range(len(differences)))
axes.set_xlabel("packing")
_ = axes.set_ylabel("gain in utilization")

# %% [markdown]
# ## What must hold

# %%
# Nothing is lost twice, none forgotten; lithium and salt are conserved.
losses = budget.isolated + budget.solid_diffusion + budget.electrolyte + budget.ohmic_kinetic
assert abs(budget.utilization + losses - 1.0) < 1e-12
left = unused.sum() + discharge.isolated_areal_capacity.sum()
assert abs(discharge.delivered_areal_capacity + left - discharge.theoretical_areal_capacity) < 1e-6 * left
# Diffusion in spheres bounds it: S = D t/R² is 0.45 for the large particles alone and U(0.45) = 0.85.
assert 0.3 < budget.utilization < 0.95
# The larger particles keep more than their share of the volume.
volume = electrode.active_fractions.sum(axis=0) / electrode.active_fractions.sum()
assert by_class[np.argmax(electrode.particle_radii)] > volume[np.argmax(electrode.particle_radii)]
