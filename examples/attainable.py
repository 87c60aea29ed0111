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
# # Where is 99 % attainable?
#
# Before any search: which electrodes can use 99 % of their material at all? Closed forms answer for a whole map at once, and a
# discharge confirms single points of it.

# %%
# %matplotlib inline
import os

import numpy as np
from matplotlib import pyplot as plt

from solvers import CellParameters, PorousElectrode, attainable_utilization, simulate_discharge

SMALL = os.environ.get("EXAMPLE_SIZE") == "small"  # what the tests run
TARGET = 0.99

# %% [markdown]
# ## Particles: a radius for each rate
#
# Diffusion in a sphere leaves 1/(15 S), S = D t/R². So 99 % needs R below √(15·0.01·D·3600/C): 1.5 µm at 1C with the
# D = 4·10⁻¹⁵ m² s⁻¹ of NMC811 (Chen et al. 2020), whatever the pores do.

# %%
cell = CellParameters.named("nmc811-chen2020")
rates = np.array([0.2, 0.5, 1.0, 2.0, 3.0])
largest = np.sqrt(15 * (1 - TARGET) * 4e-15 * 3600 / rates)
for rate, radius in zip(rates, largest, strict=True):
    print(f"{rate:3.1f}C   R ≤ {radius * 1e6:.2f} µm")

# %% [markdown]
# ## Loading against rate
#
# At a fixed recipe the thickness follows from the loading; salt and resistance decide how thick is too thick. Porosity 0.3,
# B = ε^1.5, particles of 1 µm radius.

# %%
count = 40 if SMALL else 160
loading = np.linspace(1.0, 8.0, count)  # [mAh.cm-2]
c_rate = np.geomspace(0.1, 5.0, count)
x, y = np.meshgrid(loading, c_rate)
porosity, binder = 0.3, 0.06
active = 1 - porosity - binder


def limits(loading_mah_cm2, rate, radius):
    """Closed-form limits of the recipe at a loading."""
    capacity = 10.0 * np.asarray(loading_mah_cm2)
    return attainable_utilization(
        cell, c_rate=rate, areal_capacity=capacity, thickness=capacity / (cell.active_capacity * active),
        porosity=porosity, transport_efficiency=porosity**1.5, particle_radius=radius,
    )  # fmt: skip


attainable = limits(x, y, 1e-6)
axes = attainable.plot(loading, c_rate, labels=("areal capacity / mAh cm⁻²", "rate / h⁻¹"))
axes.set_yscale("log")

# %% [markdown]
# ## The border
#
# For each loading, the largest rate at which 99 % is still attainable, for three sizes of particles.

# %%
figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
border = {}
for radius in (0.5e-6, 1e-6, 2e-6):
    reached = limits(x, y, radius).utilization >= TARGET
    border[radius] = np.where(
        reached.any(axis=0), c_rate[count - 1 - np.argmax(reached[::-1], axis=0)], np.nan
    )
    axes.semilogy(loading, border[radius], label=f"R = {radius * 1e6:g} µm")
axes.set_xlabel("areal capacity / mAh cm⁻²")
axes.set_ylabel("largest rate with U ≥ 0.99 / h⁻¹")
_ = axes.legend()

# %% [markdown]
# ## Does a discharge agree?
#
# Where one mechanism decides, to the last digit. Near the limiting current it does not: salt, resistance and diffusion act
# together, and the limit of the salt is an estimate, not a bound. Trust the map to rule designs out, and a discharge to rule
# them in.

# %%
points = {}
for load, rate in ((2.0, 0.5), (2.0, 1.0), (4.0, 0.5), (4.0, 2.0), (7.0, 3.0)):
    electrode = PorousElectrode.uniform(
        thickness=10 * load / (cell.active_capacity * active), porosity=porosity, active_fraction=active,
        particle_radius=1e-6, transport_efficiency=porosity**1.5, slices=40,
    )  # fmt: skip
    points[load, rate] = simulate_discharge(electrode, cell, c_rate=rate).utilization
    print(
        f"{load:g} mAh cm⁻², {rate:g}C   discharge {points[load, rate]:.4f}   limit {float(limits(load, rate, 1e-6).utilization):.4f}"
    )

# %% [markdown]
# ## And with structure?
#
# Closed forms know homogeneous electrodes. Whether gradients, a second particle size or channels push the border outwards takes a
# search: `meso frontier frontier-nmc811 --fast` finds, for every rate, the largest loading at which 99 % works, with and without
# structure, each with its interval on fresh packings; `studies.frontier(config, folder=...)` does the same from Python.

# %% [markdown]
# ## What must hold

# %%
assert abs(largest[2] * 1e6 - 1.47) < 0.01  # the published rule of thumb: 1.5 µm at 1C
# Smaller particles never narrow the border; more loading never widens it.
assert np.all(np.nan_to_num(border[0.5e-6]) >= np.nan_to_num(border[2e-6]))
assert np.all(np.diff(np.nan_to_num(border[1e-6])) <= 0)
# No particle does better than diffusion in it allows: U ≤ 1 − 1/(15 S).
for (_, rate), utilization in points.items():
    assert utilization < 1 - (1e-6) ** 2 * rate / (15 * 4e-15 * 3600) + 2e-3
