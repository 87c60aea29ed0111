"""RESULTS.md and its plot, from the records."""

from __future__ import annotations

import math

LATTICE_TABLE = {
    ("SC", 0.5): (0.0025, 0.0006, 0.00014), ("BCC", 0.65): (0.0075, 0.0022, 0.0007),
    ("FCC", 0.7): (0.013, 0.0043, 0.0012), ("FCC", 0.74): (0.019, 0.0064, 0.0026),
}  # fmt: skip
"""Errors that a prototype reached at 16, 32 and 64 voxels a cell."""


def fastest(peers, name):
    """The record of the thread count at which TauFactor is fastest."""
    found = [record for key, record in peers.items() if key.startswith(f"taufactor {name} ")]
    return min(found, key=lambda record: record["seconds"], default=None)


def write(ours, peers, folder):
    """Write the table, and the plot where matplotlib is."""
    ours = {name: record for name, record in ours.items() if not name.startswith("structure ")}
    peers = {name: record for name, record in peers.items() if "tau" in record and "voxels" in record}
    rows = [
        *_times(ours, peers),
        *_cost(ours),
        *_iterations(ours),
        *_memory(ours),
        *_calls(ours),
        *_accuracy(ours),
    ]
    table = ["| what | target | measured | met |", "|---|---|---|---|"]
    table += [f"| {what} | {goal} | {found} | {'–' if met is None else 'yes' if met else '**no**'} |"
              for what, goal, found, met in rows]  # fmt: skip
    text = [
        "# Transport, measured", "",
        ("Written by `python -m pytest benchmarks --report`; add `--peers` to measure the other programs in the same run, "
        "`--large` for images above 256³. Blobs: periodic Gaussian noise, pores a fortieth of the image wide."), "",
        *_machines(ours, peers), "", *table, "", "![time and memory against size](scaling.png)", "",
        *_iteration_table(ours), "", *_peer_table(peers), "", *_lattice_table(ours),
    ]  # fmt: skip
    (folder / "RESULTS.md").write_text("\n".join(text) + "\n", encoding="utf-8")
    plot(ours, peers, folder / "scaling.png")


def _machines(ours, peers):
    for who, table in (("ours", ours), ("peers", peers)):
        if table:
            last = max(table.values(), key=lambda record: record["date"])
            bands = [record["bandwidth"] / 1e9 for record in table.values()]
            codes = sorted({record["commit"] for record in table.values()}) if who == "ours" else ()
            code = f", code of {', '.join(codes)}" if codes else ""
            yield f"- {who}: {last['machine']}, {last['date']}{code}, triad {min(bands):.1f}–{max(bands):.1f} GB/s"


def _times(ours, peers):
    cases = [
        (
            "TauFactor",
            "100³, porosity 0.5, its default 1e-2",
            fastest(peers, "100 0.5 0.01"),
            "face 100 0.5",
            10,
        ),
        (
            "TauFactor",
            "200³, porosity 0.5, its default 1e-2",
            fastest(peers, "200 0.5 0.01"),
            "face 200 0.5",
            60,
        ),
        (
            "TauFactor",
            "200³, porosity 0.4, its default 1e-2",
            fastest(peers, "200 0.4 0.01"),
            "face 200 0.4",
            None,
        ),
        ("TauFactor", "256³, porosity 0.5, its 1e-3", fastest(peers, "256 0.5 0.001"), "face 256 0.5", 100),
        ("PoreSpy", "200³, porosity 0.5", peers.get("porespy 200 0.5"), "porespy 200 0.5", 80),
        ("PoreSpy", "200³, porosity 0.25", peers.get("porespy 200 0.25"), "porespy 200 0.25", None),
    ]
    for program, what, peer, name, goal in cases:
        mine = ours.get(f"time {name}")
        if peer and mine and peer["image"] == mine["image"]:
            ratio = peer["seconds"] / mine["seconds"]
            threads = f", {peer['threads']} threads" if program == "TauFactor" else ""
            found = f"{ratio:.0f}× ({peer['seconds']:.2f} s{threads} against {mine['seconds']:.3f} s)"
            yield (
                f"faster than {program}, {what}",
                f"≥ {goal}×" if goal else "–",
                found,
                ratio >= goal if goal else None,
            )
    peer, mine = peers.get("porespy 200 0.5"), ours.get("memory 200")
    if peer and mine:
        ratio = peer["bytes"] / mine["bytes"]
        found = f"1/{ratio:.0f} ({mine['bytes'] / 1e9:.2f} GB of {peer['bytes'] / 1e9:.2f} GB)"
        yield "memory of PoreSpy, 200³", "≤ 1/20", found, ratio >= 20


def _cost(ours):
    record = ours.get("time face 256 0.4")
    if record:
        cost = record["seconds"] * record["bandwidth"] / record["size"] ** 3
        yield "time × triad ÷ voxels, 256³, porosity 0.4", "≤ 1,500 bytes", f"{cost:,.0f} bytes", cost <= 1500


def _iterations(ours):
    for growth in ("finer", "larger"):
        for porosity in (0.5, 0.4):
            counts = {
                s: ours.get(f"iterations {growth} {porosity} {s}") for s in (64, 100, 128, 200, 256, 400)
            }
            counts = {size: record["load"] for size, record in counts.items() if record}
            if not counts:
                continue
            small, large = min(counts), max(counts)
            rate = (
                (counts[large] / counts[small]) ** (1 / math.log2(large / small))
                if large > small
                else math.nan
            )
            found = f"{max(counts.values())}, growing {rate:.2f}× from first to last"
            yield (f"iterations to 1e-6, {small}³–{large}³, porosity {porosity}, {growth}",
                   "≤ 15, ≤ 1.15× a doubling", found, max(counts.values()) <= 15 and rate <= 1.15)  # fmt: skip
    for active, goal in (("0.001", 20), ("1e-05", 30)):
        record = ours.get(f"contrast {active}")
        if record:
            found = f"{record['load']} (of the first residual: {record['first']})"
            yield (
                f"the same, NREL tomogram, CBD 1, active {active}",
                f"≤ {goal}",
                found,
                record["load"] <= goal,
            )


def _memory(ours):
    for size in (256, 400):
        record = ours.get(f"memory {size}")
        if record:
            each = record["per_voxel"]
            yield f"peak memory beyond the image, {size}³", "≤ 24 bytes a voxel", f"{each:.1f}", each <= 24
    record = ours.get("memory 768")
    if record:
        total = (record["bytes"] + 768**3) / 1e9
        yield "768³, image included", "≤ 16 GB", f"{total:.1f} GB", total <= 16


def _calls(ours):
    for name, what, goal in (("cached", "in a fresh process", 2), ("ever", "ever", 40)):
        record = ours.get(f"first call {name}")
        if record:
            total = record["imports"] + record["seconds"]
            found = f"{total:.1f} s (imports {record['imports']:.1f} s)"
            yield f"first call {what}, 100³", f"≤ {goal} s", found, total <= goal


def _accuracy(ours):
    errors = [record for key, record in ours.items() if key.startswith("error ")]
    if errors:
        worst = max(record["error"] for record in errors)
        yield (
            "true error at tolerance 1e-4 (against double precision)",
            "≤ 1e-4",
            f"{worst:.1e}",
            worst <= 1e-4,
        )
        worst = max(record["error"] / record["estimate"] for record in errors)
        yield "true error over reported estimate, worst image", "≤ 1", f"{worst:.2f}", worst <= 1
    for program, goal in (("taufactor", 3e-6), ("porespy", 1e-6)):
        record = ours.get(f"agreement {program}")
        if record:
            found = record["difference"]
            yield f"difference from {program} converged, 64³", f"≤ {goal:.0e}", f"{found:.1e}", found <= goal


def _iteration_table(ours):
    yield from (("Iterations to 1e-6 of the right-hand side / of the first residual (a ramp). Finer: the same pores in more "
                "voxels. Larger: more of the material, 3.2 voxels wide."), "")  # fmt: skip
    sizes = (64, 100, 128, 200, 256, 400)
    yield "| image | " + " | ".join(f"{size}³" for size in sizes) + " |"
    yield "|---" * (len(sizes) + 1) + "|"
    for growth in ("finer", "larger"):
        for porosity in (0.5, 0.4):
            found = [ours.get(f"iterations {growth} {porosity} {size}") for size in sizes]
            cells = [f"{record['load']} / {record['first']}" if record else "–" for record in found]
            yield f"| {growth}, {porosity} | " + " | ".join(cells) + " |"


def _peer_table(peers):
    yield from (
        "| program, version | case | s | bytes a voxel | τ | triad, GB/s |",
        "|---|---|---|---|---|---|",
    )
    for name, record in sorted(peers.items(), key=lambda item: (item[1]["program"], item[1]["voxels"])):
        parts = f", in {record['parts']} parts" if "parts" in record else ""
        yield (f"| {record['program']} {record['version']} | {name.split(' ', 1)[1]}{parts} | {record['seconds']:.2f} "
               f"| {record['bytes'] / record['voxels']:.0f} | {record['tau']:.6f} "
               f"| {record['bandwidth'] / 1e9:.1f} |")  # fmt: skip


def _lattice_table(ours):
    yield from (
        "| spheres with apertures | against | 16 | 32 | 64 voxels | order | prototype |",
        "|---|---|---|---|---|---|---|",
    )
    for key, record in sorted(ours.items()):
        if key.startswith("lattice "):
            _, name, solid = key.split()
            proto = LATTICE_TABLE.get((name, float(solid)))
            cells = " | ".join(f"{100 * error:+.3f} %" for error in record["errors"])
            shown = " / ".join(f"{100 * error:+.2f} %" for error in proto) if proto else "–"
            yield f"| {name} {solid} | {record['source']} | {cells} | {record['order']:.2f} | {shown} |"


def plot(ours, peers, path):
    """Time and memory against size, log–log."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    sizes = (64, 100, 128, 200, 256, 400, 512, 768)
    series = {
        "ours": ([ours.get(f"time face {s} 0.5") for s in sizes], [ours.get(f"memory {s}") for s in sizes]),
        "TauFactor (1e-2)": ([fastest(peers, f"{s} 0.5 0.01") for s in sizes],) * 2,
        "TauFactor (1e-3)": ([fastest(peers, f"{s} 0.5 0.001") for s in sizes],) * 2,
        "PoreSpy": ([peers.get(f"porespy {s} 0.5") for s in sizes],) * 2,
    }
    for marker, (label, both) in zip("os^d", series.items(), strict=True):
        for axes, key, records in zip((left, right), ("seconds", "bytes"), both, strict=True):
            points = [
                (s, r[key] / (1e9 if key == "bytes" else 1)) for s, r in zip(sizes, records, strict=True) if r
            ]
            if points:
                axes.loglog(*zip(*points, strict=True), marker=marker, label=label)
    for axes, name in ((left, "time [s]"), (right, "peak memory beyond the image [GB]")):
        axes.set(xlabel="edge [voxels]", ylabel=name, xticks=sizes, xticklabels=sizes)
        axes.minorticks_off()
        axes.grid(alpha=0.3)
    left.legend()
    fig.savefig(path, dpi=90)
    plt.close(fig)
