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
# # An optimisation study, and how to read it
#
# A study searches graded designs and, with the same effort, plain ones; at the end the winners of both meet on packings that
# no trial has seen. Run this as a notebook: a plain script that calls `run_study` needs `if __name__ == "__main__":`, since
# worker processes are spawned.

# %%
# %matplotlib inline
import json
import os
import tempfile
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt

from studies import StudyConfig, run_study

SMALL = os.environ.get("EXAMPLE_SIZE") == "small"  # what the tests run; far too coarse to mean anything

# %% [markdown]
# ## The question
#
# The bundled `quickstart` asks for the most utilization of an NMC811 electrode of 6 mAh cm⁻² at 2C. Utilization alone has a
# useless maximum (thin, porous, tiny particles), so loading, rate and cut-offs are fixed, and constraints demand a volumetric
# capacity and limit the surface.

# %%
settings = StudyConfig.from_toml("quickstart").to_dict()
if SMALL:
    settings |= {"trials": 4, "startup_trials": 2, "fresh_seeds": 2}
    settings["electrode"]["areal_capacity_mAh_cm2"] = 1.5
    settings["structure"] = {"voxels_per_diameter": 4, "width_diameters": 2.5, "minimum_voxels": 10}
    settings["constraints"] = {"minimum_volumetric_capacity_mAh_cm3": 860.0}
config = StudyConfig.from_dict(settings)
print(config.to_toml())

# %% [markdown]
# ## Run it
#
# A folder keeps everything: call it again to continue. The result does not depend on the number of workers.

# %%
folder = Path(tempfile.mkdtemp()) / "study"
result = run_study(config, folder=folder)
print(sorted(path.name for path in folder.iterdir()))

# %% [markdown]
# ## Trials
#
# Each has its parameters, one evaluation per packing, and the violation of each constraint (0 or less is fulfilled). Rejected
# ones violate a constraint by their recipe alone and cost nothing.

# %%
for record in result.records:
    if record.is_complete:
        chosen = ", ".join(f"{name} {value:.3g}" for name, value in record.parameters.items())
        print(
            f"{record.arm:10s} {record.number:3d}  U = {record.utilization:.4f}  {'ok ' if record.is_feasible else 'out'}  {chosen}"
        )

# %%
figure, axes = plt.subplots(figsize=(6, 3.5), layout="constrained")
for arm, marker in (("structured", "o"), ("uniform", "s")):
    trials = [record for record in result.records if record.arm == arm and record.is_feasible]
    best = np.maximum.accumulate([record.utilization for record in trials]) if trials else []
    numbers = [record.number for record in trials]
    points = axes.plot(numbers, [record.utilization for record in trials], marker, label=arm)
    axes.step(numbers, best, where="post", color=points[0].get_color())
axes.set_xlabel("trial")
axes.set_ylabel("utilization")
_ = axes.legend()

# %% [markdown]
# ## The answer, with its uncertainty
#
# The best of many noisy trials is lucky (winner's curse), so numbers of the search are not the answer. The comparison is: the
# winners on fresh packings, in pairs on the same seeds, with a 95 % interval of the difference. *No significant gain* is a
# result.

# %%
comparison = result.comparison
print(comparison["verdict"])
difference = comparison["difference"]
if difference is not None:
    print(
        f"gain over the control: {100 * difference['mean']:+.2f} points, {100 * difference['low']:+.2f} to {100 * difference['high']:+.2f}"
    )
for name, design in comparison["designs"].items():
    if design is not None:
        utilization = design["statistics"]["utilization"]
        print(
            f"{name:10s} U = {utilization['mean']:.4f} ({utilization['low']:.4f} to {utilization['high']:.4f}), limited by {design['limiting']}"
        )

# %% [markdown]
# The same is in `report.html`, which opens in any browser without a network, in `trials.csv` and in
# `best/evaluation.json`; the best structure is `best/structure.npz`, its recipe `best/design.toml`.

# %%
stored = (
    json.loads((folder / "best" / "evaluation.json").read_text("utf-8"))
    if (folder / "best").is_dir()
    else comparison
)
print((folder / "report.html").stat().st_size // 1000, "kB of report")

# %% [markdown]
# ## What must hold

# %%
assert stored["verdict"] == comparison["verdict"]
complete = [record for record in result.records if record.is_complete]
assert len(complete) == settings["trials"]
for record in complete:
    for packing in record.evaluations:
        losses = sum(
            packing[name] for name in ("isolated", "solid_diffusion", "electrolyte", "ohmic_kinetic")
        )
        assert abs(packing["utilization"] + losses - 1.0) < 1e-9
        # The loading is what was asked for, 1 mAh cm⁻² being 10 A h m⁻², to within the voxels.
        asked = 10.0 * settings["electrode"]["areal_capacity_mAh_cm2"]
        assert abs(packing["theoretical_areal_capacity"] / asked - 1.0) < 0.05
