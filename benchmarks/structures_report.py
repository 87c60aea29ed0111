"""STRUCTURES.md, from the records."""

from __future__ import annotations


def write(ours, peers, folder):
    """Write the table of packing, voxels and binder."""
    mine = {name.removeprefix("structure "): r for name, r in ours.items() if name.startswith("structure ")}
    if not mine:
        return
    last = max(mine.values(), key=lambda record: record["date"])
    table = ["| what | target | measured | met |", "|---|---|---|---|"]
    for what, goal, name, limit in (
        ("voxels with face fractions, 200³, 60 % solid", "≤ 1 s", "voxels 200", 1.0),
        ("the same, 256³", "–", "voxels 256", None),
        ("the same, 512³", "≤ 2 s", "voxels 512", 2.0),
        ("10,000 log-normal particles to 0.64", "≤ 5 s", "packing 10000", 5.0),
        ("100,000 log-normal particles to 0.64", "≤ 60 s", "packing 100000", 60.0),
        ("binder, 5 % of 256³, films (bridging 0)", "≤ 1 s", "binder 0.0", 1.0),
        ("binder, 5 % of 256³, bridging 0.3", "≤ 1 s", "binder 0.3", 1.0),
        ("binder, 5 % of 256³, bridges (bridging 1)", "≤ 1 s", "binder 1.0", 1.0),
        ("recipe to structure, 200³: packing, voxels, binder", "–", "whole 200", None),
    ):
        if name in mine:
            seconds = mine[name]["seconds"]
            met = "–" if limit is None else "yes" if seconds <= limit else "**no**"
            table.append(f"| {what} | {goal} | {seconds:.2f} s | {met} |")
    for edge in (200, 256, 512):
        if f"memory {edge}" in mine:
            each = mine[f"memory {edge}"]["per_voxel"]
            table.append(
                f"| peak memory of voxels with ids, labels and faces (8 bytes), {edge}³ | – | {each:.1f} bytes a voxel | – |"
            )
    for name in ("pseudo_gravity_packing", "polydisperse_spheres"):
        peer = peers.get(f"porespy {name}")
        if peer:
            found = f"{peer['seconds']:.1f} s, {100 * peer['solid']:.0f} % solid"
            table.append(f"| PoreSpy {peer['version']} `{name}`, 200³ | – | {found} | – |")
    text = [
        "# Structures, measured", "",
        ("Written by `python -m pytest benchmarks/test_structures.py --report`; `--peers` measures PoreSpy in the same run, "
        "`--large` adds 512³ and 100,000 particles. Ten voxels a median diameter (by volume), spread 1.35, kernels warm. That "
        "the same seed gives the same bits for 1 and 2 threads is a test (`tests/property/test_packing_generated.py`)."), "",
        (f"{last['machine']}, {last['threads']} threads, {last['date']}, code of {last['commit']}, "
        f"triad {last['bandwidth'] / 1e9:.1f} GB/s"), "", *table,
    ]  # fmt: skip
    (folder / "STRUCTURES.md").write_text("\n".join(text) + "\n", encoding="utf-8")
    print("\n" + "\n".join(table))
