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
# # Validation: closed forms, TauFactor, PyBaMM
#
# Numbers that this project did not make. TauFactor and PyBaMM are compared where they are installed
# (`pip install taufactor torch`, `pip install pybamm`), and skipped with a line of text where not.

# %%
# %matplotlib inline
import importlib.util
import os

import numpy as np
from matplotlib import pyplot as plt
from scipy.ndimage import gaussian_filter

from meso import ParticlePacking
from meso.voxels import voxelize
from solvers import CellParameters, PorousElectrode, simulate_discharge, solve_transport

SMALL = os.environ.get("EXAMPLE_SIZE") == "small"  # what the tests run


def installed(name):
    """Whether a program is here; a line of text where it is not."""
    found = importlib.util.find_spec(name) is not None
    if not found:
        print(f"{name} is not installed: this comparison is skipped")
    return found


# %% [markdown]
# ## Transport around spheres
#
# Insulating spheres on a cubic lattice: multipole series give the conductivity to five digits. Voxels with the exact area of
# every cut face converge to second order; binary voxels to first.

# %%
EXACT = 0.37373  # simple cubic, solid fraction 0.5
packing = ParticlePacking(
    centres=np.full((1, 3), 0.5), radii=np.array([(3 * 0.5 / (4 * np.pi)) ** (1 / 3)]), domain=(1.0, 1.0, 1.0)
)
sizes = (8, 16, 32) if SMALL else (16, 32, 64)
cut, binary = [], []
for voxels in sizes:
    structure = voxelize(packing, voxel_size=1.0 / voxels)
    cut.append(abs(solve_transport(structure, tolerance=1e-6).effective_conductivity / EXACT - 1))
    binary.append(
        abs(solve_transport(structure.labels == 0, sides="periodic").effective_conductivity / EXACT - 1)
    )
order = np.log2(cut[0] / cut[-1]) / 2
print("voxels", sizes, " exact faces:", [f"{100 * e:.3f} %" for e in cut], f"order {order:.2f}")
print("voxels", sizes, " binary:     ", [f"{100 * e:.1f} %" for e in binary])

# %%
figure, axes = plt.subplots(figsize=(5, 3.5), layout="constrained")
axes.loglog(sizes, cut, "o-", label="exact face areas")
axes.loglog(sizes, binary, "s-", label="binary voxels")
axes.set_xlabel("voxels per unit cell")
axes.set_ylabel("relative error of σ_eff")
_ = axes.legend()

# %% [markdown]
# ## Diffusion in one particle
#
# A sphere filled by a constant current until its surface is full: U = 1 − 1/(15 S) for S = D t/R² above 0.5. A thin electrode of
# NMC811 with plenty of electrolyte is a particle and nothing else.

# %%
cell = CellParameters.named("nmc811-chen2020")
radius = 5.22e-6
electrode = PorousElectrode.uniform(
    thickness=5e-6, porosity=0.5, active_fraction=0.45, particle_radius=radius
)
rates = (0.1, 0.2, 0.5)
ours = [simulate_discharge(electrode, cell, c_rate=rate, shells=40).utilization for rate in rates]
closed = [1 - radius**2 * rate / (15 * 4e-15 * 3600) for rate in rates]
for rate, mine, theirs in zip(rates, ours, closed, strict=True):
    print(f"{rate:4.1f}C   discharge {mine:.4f}   closed form {theirs:.4f}")

# %% [markdown]
# ## TauFactor
#
# The same image, the same convention: potential fixed on the outer faces, insulated sides, ε of the whole phase. Smoothed noise
# cut at a porosity of one half.

# %%
edge = 40 if SMALL else 64
smooth = gaussian_filter(np.random.default_rng(20417).random((edge,) * 3), 1.6, mode="wrap")
image = smooth < np.median(smooth)
tau = solve_transport(image, tolerance=1e-6).tortuosity_factor
print(f"ours       {tau:.5f}")
taufactor_difference = None
if installed("taufactor"):
    import taufactor

    peer = float(np.ravel(taufactor.Solver(image, device="cpu").solve(verbose=False, conv_crit=1e-5))[0])
    taufactor_difference = peer / tau - 1
    print(f"TauFactor  {peer:.5f}, {100 * taufactor_difference:+.4f} %")

# %% [markdown]
# ## PyBaMM
#
# The Doyle–Fuller–Newman half-cell of Xu et al. 2019, at the current that its nominal 1C stands for. PyBaMM 26.10 delivered
# 23.8606 A h m⁻² with it.

# %%
xu = CellParameters.named("nmc532-xu2019")
xu_electrode = PorousElectrode.uniform(
    thickness=42e-6, porosity=0.331, active_fraction=0.518, particle_radius=5.3e-6, transport_efficiency=0.331**1.5,
    # PyBaMM's solid conducts with σ (1 − porosity)^1.5, not with the active fraction.
    electronic_conductivity=100.0 * 0.669**1.5, slices=40,
)  # fmt: skip
current = 15.584416  # [A.m-2]
discharge = simulate_discharge(
    xu_electrode, xu, c_rate=current / xu_electrode.theoretical_areal_capacity(xu), shells=30
)
print(f"ours    {discharge.delivered_areal_capacity:.4f} A h m⁻²")
pybamm_difference = None
if installed("pybamm"):
    import pybamm

    values = pybamm.ParameterValues("Xu2019")
    area = values["Electrode height [m]"] * values["Electrode width [m]"]
    full = values["Maximum concentration in positive electrode [mol.m-3]"]
    values.update(
        {
            "Current function [A]": discharge.current_density * area,
            "Initial concentration in positive electrode [mol.m-3]": xu.minimum_stoichiometry * full,
        }
    )
    solution = pybamm.Simulation(
        pybamm.lithium_ion.DFN({"working electrode": "positive"}),
        parameter_values=values,
        var_pts={"x_n": 20, "x_s": 20, "x_p": 40, "r_n": 20, "r_p": 60},
        solver=pybamm.IDAKLUSolver(rtol=1e-6, atol=1e-8),
    ).solve(np.linspace(0.0, 6000.0, 400))
    peer = solution["Discharge capacity [A.h]"].entries[-1] / area
    pybamm_difference = peer / discharge.delivered_areal_capacity - 1
    print(f"PyBaMM  {peer:.4f} A h m⁻², {100 * pybamm_difference:+.4f} %")
    axes = discharge.plot()
    axes.plot(
        solution["Discharge capacity [A.h]"].entries / area / 10,
        solution["Voltage [V]"].entries,
        "k--",
        label="PyBaMM",
    )
    axes.legend()

# %% [markdown]
# ## What must hold

# %%
assert order > 1.6
assert cut[-1] < binary[-1] / 10
assert np.allclose(ours, closed, atol=4e-3)
assert taufactor_difference is None or abs(taufactor_difference) < 1e-4
assert pybamm_difference is None or abs(pybamm_difference) < 1e-3
assert abs(discharge.delivered_areal_capacity / 23.8606 - 1) < 1e-3
