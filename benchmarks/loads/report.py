"""Results as a table: medians, ratios within one run, and their spread."""

from __future__ import annotations

from statistics import median
from typing import Any

BEST = {
    "upsert postgres": "adbc, sorted on conflict",
    "upsert duckdb": "delete and insert",
    "to duckdb": "adbc stream",
    "to postgres": "adbc, staged and swapped",
    "changes duckdb": "window, delete and insert",
}


def table(found: dict[str, list[dict[str, Any]]], scale: float, repeats: int) -> str:
    """Return Markdown. A ratio is that of seconds to the hand-written way's, run by run."""
    lines = [
        f"Scale {scale:g}, {repeats} times each, in turns.",
        "",
        "| | Way | Seconds (median) | Ratio (median, least to greatest) | Peak MB |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, runs in found.items():
        group = next(g for g in BEST if name.startswith(g))
        base = found.get(f"{group} {BEST[group]}", runs)
        seconds = [run["seconds"] for run in runs]
        pairs = zip(runs, base, strict=False)
        ratios = sorted(run["seconds"] / other["seconds"] for run, other in pairs)
        lines.append(
            f"| {group} | {name.removeprefix(group).strip()} | {median(seconds):.2f} "
            f"| {median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f}) "
            f"| {max(run['megabytes'] for run in runs):.0f} |"
        )
    return "\n".join(lines) + "\n"
