"""Do the cheaper models bound and rank what voxels say? Random designs of several chemistries and rates.

    python benchmarks/rungs.py [DESIGNS]

Prints, for the ceiling and the empirical electrode: largest and typical excess of the voxels over them, Spearman's rank
correlation with the voxels within each chemistry and rate, and milliseconds per design; then the rank correlation of
coarse with fine voxels.
"""

import sys
import time

import numpy as np
import optuna
from scipy.stats import spearmanr

from solvers import CellParameters
from studies import DesignSpace, StudyConfig, evaluate
from studies.evaluation import resolution
from studies.ladder import CAPACITY_MARGIN, numbers_at_most
from studies.rungs import ceilings, empirical

CASES = (
    ("nmc811-chen2020", 2.0, 4.0),
    ("nmc811-chen2020", 1.0, 7.0),
    ("nmc532-xu2019", 3.0, 3.0),
    ("graphite-chen2020", 1.0, 5.0),
    ("nmc532-xu2019", 1.0, 6.0),
)
ELECTRODE = {
    "porosity": {"low": 0.2, "high": 0.5},
    "porosity_gradient": {"low": -0.2, "high": 0.2},
    "particle_diameter_um": {"low": 4.0, "high": 14.0, "log": True},
    "particle_spread": {"low": 1.0, "high": 1.5},
    "aspect_ratio": {"choices": [1.0, 0.5]},
    "alignment": {"low": -1.0, "high": 1.0},
    "fine_share": {"choices": [0.0, 0.3]},
    "fine_share_gradient": {"low": -1.0, "high": 1.0},
    "binder_fraction": {"low": 0.03, "high": 0.1},
    "binder_bridging": {"low": 0.0, "high": 1.0},
    "layers": {"choices": [0, 2]},
    "channel_pattern": {"choices": ["none", "lines"]},
    "channel_pitch_um": {"low": 30.0, "high": 45.0},
    "channel_width_um": {"low": 6.0, "high": 15.0},
    "channel_depth": {"low": 0.4, "high": 1.0},
}
COARSE = {"voxels_per_diameter": 6.0, "width_diameters": 4.0, "minimum_voxels": 24}
DERIVED = (
    "theoretical_areal_capacity",
    "delivered_areal_capacity",
    "delivered_volumetric_capacity",
    "energy_density",
)
MOST = 120_000
"""Voxels of a design that is still measured."""
FINE = {"voxels_per_diameter": 10.0, "width_diameters": 4.0, "minimum_voxels": 40}


def main(designs: int) -> None:
    """Measure all cases."""
    excess, above = [], []
    derived = {name: [] for name in DERIVED}
    for chemistry, c_rate, loading in CASES:
        cell = CellParameters.named(chemistry)
        config = StudyConfig.from_dict(
            {
                "name": "rungs", "seed": 8117, "trials": 2,
                "cell": {"chemistry": chemistry, "c_rate": c_rate},
                "electrode": {"areal_capacity_mAh_cm2": loading, **ELECTRODE},
                "constraints": {"maximum_thickness_um": 500.0},
            }
        )  # fmt: skip
        space = DesignSpace.of(config, active_capacity=cell.active_capacity)
        study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=8117))
        rows, seconds = [], np.zeros(3)
        while len(rows) < designs:
            design = space.suggest(study.ask())
            voxel_size, width = resolution(design, **COARSE)
            if width**2 * design.thickness > MOST * voxel_size**3:
                continue
            marks = [time.perf_counter()]
            (ceiling,) = ceilings(design, cell, c_rates=(c_rate,))
            marks.append(time.perf_counter())
            guess = empirical(design, cell, c_rates=(c_rate,))["utilization"]
            marks.append(time.perf_counter())
            try:
                voxels = evaluate(design, cell, c_rate=c_rate, seed=977, **COARSE)
            except ValueError:
                continue  # cannot be packed
            marks.append(time.perf_counter())
            seconds += np.diff(marks)
            limits = voxels.budget.limits
            most, found = numbers_at_most([ceiling], design, cell, config), voxels.to_dict()
            for name, each in derived.items():
                each.append(found[name] * (1.0 + CAPACITY_MARGIN) / most[name] - 1.0)
            rows.append((ceiling, guess, voxels.utilization, float(limits.solid_diffusion)))
        table = np.array(rows)
        excess += (table[:, 2] - table[:, 0]).tolist()
        above += (table[:, 2] - table[:, 1]).tolist()
        ranks = [spearmanr(table[:, place], table[:, 2]).statistic for place in (0, 1)]
        over, off = table[:, 2] - table[:, 0], table[:, 2] - table[:, 1]
        print(
            f"{chemistry} {c_rate:g}C {loading:g} mAh/cm2: voxels {table[:, 2].min():.2f}…{table[:, 2].max():.2f}; "
            f"over ceiling: largest {over.max():+.4f}, median {np.median(over):+.3f}, rank {ranks[0]:.3f}; "
            f"empirical: off {off.mean():+.3f} ± {off.std():.3f}, rank {ranks[1]:.3f}; "
            f"ms: {np.round(1e3 * seconds / designs, 2).tolist()}",
            flush=True,
        )
    print(
        f"{len(excess)} designs: voxels exceed the ceiling by at most {max(excess):+.4f}, in {np.mean(np.array(excess) > 0):.1%}"
    )
    shares = ", ".join(f"{name} {max(each):+.2%}" for name, each in derived.items())
    print(f"voxels exceed what follows from the ceiling, margins aside, by at most: {shares}")
    fine_ranks(designs // 5)


def fine_ranks(designs: int) -> None:
    """Compare coarse with fine voxels on the quickstart's designs."""
    config = StudyConfig.from_toml("quickstart")
    cell = config.cell.parameters()
    space = DesignSpace.of(config, active_capacity=cell.active_capacity)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=977))
    pairs = []
    for _ in range(max(designs, 3)):
        design = space.suggest(study.ask())
        try:
            pairs.append(
                [evaluate(design, cell, c_rate=2.0, seed=977, **each).utilization for each in (COARSE, FINE)]
            )
        except ValueError:
            continue
    coarse, fine = np.array(pairs).T
    print(
        f"coarse against fine voxels, {len(pairs)} designs of the quickstart: rank {spearmanr(coarse, fine).statistic:.3f}, off {np.mean(fine - coarse):+.4f} ± {np.std(fine - coarse):.4f}"
    )


if __name__ == "__main__":
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50)
