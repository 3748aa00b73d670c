"""Results as Markdown: ratios within one run, medians, spread."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.loads.cases import CASES, OURS, Size
from benchmarks.loads.dlt_environment import PINS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.loads.cases import Aim, Case

Runs = dict[str, list[dict[str, Any]]]


def text(size: Size, found: dict[str, dict[str, Any]]) -> str:
    """Return docs/benchmarks-loads.md."""
    sections = [line for case in found for line in _section(case, found[case])]
    return "\n".join(
        [
            "# Benchmarks of loads",
            "",
            _how(size, found),
            "",
            "| Case | Aim | Figure | Spread | |",
            "| --- | --- | --: | --: | --- |",
            *(row for case in found for row in _aims(case, found[case]["runs"])),
            "",
            *sections,
        ]
    )


def lines(case: str, runs: Runs) -> str:
    """Return one case's figures, to be printed when it ends."""
    return "\n".join([CASES[case].title, *_table(CASES[case], runs), *_aims(case, runs), ""])


def _how(size: Size, found: dict[str, dict[str, Any]]) -> str:
    last = list(found.values())[-1]["machine"]
    loads = [run["load"] for f in found.values() for runs in f["runs"].values() for run in runs]
    versions = ", ".join(f"{name} {number}" for name, number in last["versions"].items())
    scale = "" if size is Size.FULL else f" Rows: {size.share:g} of the number in the titles."
    return (
        "Written by `make bench-loads`; do not edit. Each run is a process of its own on a fresh "
        "copy of the target, the ways in turns, each first in every other one, from opening the "
        "connections to closing them after the durable commit; imports, and the garbage they "
        "leave, are left out for all, environments are warm. A ratio "
        "is one of seconds within a turn, its figure the median, its spread least to greatest; "
        "what ran once is compared with the median. Memory is the peak of the process; the "
        "server's is that of its processes' private memory. CPU is user and system, the "
        f"server's included.{scale} Rows have eight columns: two bigints, an integer, a double, "
        "two texts, a timestamp, a boolean.\n\n"
        f"{last['date']}, {last['processors']} processors ({last['system']}), load "
        f"{min(loads):.1f} to {max(loads):.1f}, Python {last['python']}, Postgres 18, {versions}, "
        f"{PINS[0]}."
    )


def _section(name: str, result: dict[str, Any]) -> list[str]:
    case = CASES[name]
    return [f"## {case.title}", "", *_table(case, result["runs"]), ""]


def _table(case: Case, runs: Runs) -> list[str]:
    rows = [_row(way, runs[way], runs.get(case.hand, [])) for way in runs]
    head = "| Way | Times | Seconds | Ratio | CPU s | Ratio | Peak MB | Server MB |"
    return [head, "| --- " + "| --: " * 7 + "|", *rows]


def _row(way: str, runs: list[dict[str, Any]], hand: list[dict[str, Any]]) -> str:
    seconds, cpu = [r["seconds"] for r in runs], [_cpu(r) for r in runs]
    wall = spread([*ratios(runs, hand)]) if hand else ""
    total = f"{median(cpu) / median(_cpu(r) for r in hand):.2f}" if hand else ""
    peak, server = (max(r["megabytes"] for r in m) for m in (runs, [r["server"] for r in runs]))
    return (
        f"| {way} | {len(runs)} | {median(seconds):.2f} | {wall} | {median(cpu):.2f} | {total} "
        f"| {peak:.0f} | {server:.0f} |"
    )


def _aims(name: str, runs: Runs) -> list[str]:
    return [row for aim in CASES[name].aims if (row := _aim(CASES[name], aim, runs))]


def _aim(case: Case, aim: Aim, runs: Runs) -> str | None:
    others = [runs[way] for way in aim.others if way in runs]
    if OURS not in runs or len(others) < len(aim.others):
        return None
    ours = runs[OURS]
    if aim.kind == "megabytes":
        peaks = [run["megabytes"] for run in ours]
        figure, shown, met = max(peaks), f"{min(peaks):.0f} to {max(peaks):.0f}", None
        met = figure <= aim.bound
        return _line(case, aim, f"{figure:.0f} MB", shown, met)
    best = min(others, key=lambda other: median(run["seconds"] for run in other))
    found = list(ratios(ours, best))
    if aim.kind == "times":
        found = [1 / ratio for ratio in found]
    figure = median(found)
    met = figure <= aim.bound if aim.kind == "ratio" else figure >= aim.bound
    return _line(case, aim, f"{figure:.2f}", f"{min(found):.2f} to {max(found):.2f}", met)


def _line(case: Case, aim: Aim, figure: str, shown: str, met: bool) -> str:
    word = "met" if met else "**missed**"
    return f"| {case.title} | {aim.text} | {figure} | {shown} | {word} |"


def ratios(runs: Sequence[dict[str, Any]], others: Sequence[dict[str, Any]]) -> list[float]:
    """Return the ratios of seconds: turn by turn, or to the median where the turns differ."""
    if len(runs) == len(others):
        return [a["seconds"] / b["seconds"] for a, b in zip(runs, others, strict=True)]
    base = median(other["seconds"] for other in others)
    return [run["seconds"] / base for run in runs]


def spread(found: Sequence[float]) -> str:
    """Return a median with least and greatest."""
    if len(found) == 1:
        return f"{found[0]:.2f}"
    return f"{median(found):.2f} ({min(found):.2f} to {max(found):.2f})"


def _cpu(run: dict[str, Any]) -> float:
    return float(run["cpu"] + run["server"]["cpu"])
