"""What was measured, as Markdown: ratios first, for seconds are those of one machine."""

from __future__ import annotations

import re
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.manifests import REAL
from benchmarks.run import GROUP_MODELS, GROUPS, TINY

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = {"ours": "airflow-dataops", "by_hand": "by hand", "cosmos": "Cosmos"}


_DATED = re.compile(r" \(\d{4}-\d\d-\d\d\)$")
"""At the end of the title of a figure from an earlier run."""


def text(results: dict[str, Any], earlier: str = "") -> str:
    """Return docs/benchmarks.md.

    Args:
        earlier: the page of an earlier run, whose figures stay where this one measured none.
    """
    return "\n".join(
        [
            "# Benchmarks",
            "",
            _how(results) + (" Figures with a date were measured then." if earlier else ""),
            "",
            "| Measure | Ratio or figure | Spread | Aim | |",
            "| --- | --: | --: | --: | --- |",
            *_with_earlier([_row(*line) for line in _aims(results)], earlier, "| Measure "),
            "",
            "![CPU seconds by models](benchmarks.svg)",
            "",
            "CPU seconds from a manifest to DAG objects: median (least to most), times measured.",
            "",
            *_with_earlier(_table(results), earlier, "| Models "),
            "",
            _what(results),
            "",
        ]
    )


def _with_earlier(rows: list[str], earlier: str, head: str) -> list[str]:
    """Add the rows of an earlier page that were not measured now, each with its date."""
    lines = earlier.splitlines()
    at = next((number for number, line in enumerate(lines) if line.startswith(head)), None)
    if at is None:
        return rows
    measured = {_title(row) for row in rows}
    (date,) = re.findall(r"\d{4}-\d\d-\d\d", lines[2])[:1] or [""]
    kept = []
    for line in lines[at + 2 :]:
        if not line.startswith("|"):
            break
        if (title := _title(line)) not in measured:
            first, _, rest = line.removeprefix("| ").partition(" |")
            dated = first if _DATED.search(first) else f"{title} ({date})"
            kept.append(f"| {dated} |{rest}")
    return rows + kept


def _title(row: str) -> str:
    return _DATED.sub("", row.removeprefix("| ").partition(" |")[0])


def _how(results: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in results["versions"].items())
    return (
        "Written by `make bench`; do not edit. Each measurement is a fresh process; figures are "
        "CPU time (user and system, children apart), contestants in turns in one run. A ratio "
        "is one of medians; its spread is the least and the most over the rounds. Ratios carry "
        "from machine to machine better than seconds, which were taken with "
        f"{results['processors']} processors that had other work (load {results['load']:.1f} "
        f"at the end). {results['date']}, Python {results['python']}, {versions}."
    )


def _row(title: str, figure: str, spread: str, aim: str, is_met: bool | None) -> str:
    word = {True: "met", False: "**missed**", None: ""}[is_met]
    return f"| {title} | {figure} | {spread} | {aim} | {word} |"


Line = tuple[str, str, str, str, bool | None]


def _aims(results: dict[str, Any]) -> list[Line]:
    main = results["settings"]["main"]
    lines = [
        _ratio(
            results,
            f"{main:,} models with tests, {cache} cache, against {NAMES[other]}",
            f"build ours {cache} {main}",
            f"build {other}  {main}",
            aim,
        )
        for other, cache, aim in (
            ("by_hand", "warm", 0.03),
            ("cosmos", "warm", 0.01),
            ("by_hand", "cold", 0.12),
            ("cosmos", "cold", 0.03),
        )
        if f"build {other}  {main}" in results["samples"]
    ]
    lines += [
        _ratio(
            results,
            f"20,000 models against {main:,}, {cache} cache",
            f"build ours {cache} 20000",
            f"build ours {cache} {main}",
            4.6,
        )
        for cache in ("warm", "cold")
        if f"build ours {cache} 20000" in results["samples"]
    ]
    lines += _with_metadata(results, main) + _starts(results, main)
    if f"bare none  {TINY}" not in results["samples"]:
        return lines
    return [*lines, _imports(results), *_groups(results), *_sizes(results, main)]


def _with_metadata(results: dict[str, Any], main: int) -> list[Line]:
    """Return the same of manifests with the metadata of real projects."""
    samples = results["samples"]
    lines = []
    for cache, aim in (("warm", 0.03), ("cold", 0.12)):
        ours = f"build ours {cache} {main} real"
        if ours not in samples:
            return []
        title = f"{main:,} models with tests and metadata, {cache} cache, against by hand"
        lines.append(_ratio(results, title, ours, f"build by_hand  {main} real", aim))
        most = f"build ours {cache} 20000 real"
        if most in samples:
            title = f"20,000 models with metadata against {main:,}, {cache} cache"
            lines.append(_ratio(results, title, most, ours, 4.6))
    title = f"A task's start on a worker, {main:,} models with metadata"
    return [*lines, _figure(results, title, f"start ours warm {main} real", 1000, "ms", 25)]


def _starts(results: dict[str, Any], main: int) -> list[Line]:
    ours, tiny = f"start ours warm {main}", f"start ours warm {TINY}"
    if ours not in results["samples"]:
        return []
    return [
        _figure(results, f"A task's start on a worker, {main:,} models", ours, 1000, "ms", 25),
        _ratio(results, f"The same, against {TINY} models", ours, tiny, 2),
        _ratio(results, "The same, against Cosmos", ours, f"start cosmos  {main}", 1 / 500),
    ]


def _imports(results: dict[str, Any]) -> Line:
    return _figure(results, "Importing the DAG factory", f"imports ours  {TINY}", 1000, "ms", 150)


def _groups(results: dict[str, Any]) -> list[Line]:
    return [
        _ratio(
            results,
            f"{GROUPS} task groups on one manifest of {3 * GROUP_MODELS:,} nodes, {cache} cache, "
            "against Cosmos",
            f"groups ours {cache} {GROUP_MODELS}",
            f"groups cosmos  {GROUP_MODELS}",
            1 / 25,
        )
        for cache in ("warm", "cold")
    ]


def _sizes(results: dict[str, Any], main: int) -> list[Line]:
    bare = median(one["peak"] for one in results["samples"][f"bare none  {TINY}"])

    def above(one: dict[str, Any]) -> float:
        return float(one["peak"] - bare)

    lines = [
        _ratio(
            results,
            f"Peak memory above bare Airflow, {cache} cache, against Cosmos",
            f"build ours {cache} {main}",
            f"build cosmos  {main}",
            0.5,
            above,
        )
        for cache in ("warm", "cold")
    ]
    size = results["samples"][f"serialized ours warm {main}"][0]
    figure = f"{size['beyond']:.0f} bytes"
    title = f"Serialized DAG, a task, beyond Airflow's least ({size['least']:.0f} bytes)"
    lines.append((title, figure, "", "450 bytes", size["beyond"] <= 450))
    for contestant in ("ours", "cosmos"):
        found = results["samples"][f"versions {contestant}  0"][0]
        is_ours = contestant == "ours"
        lines.append(
            (
                f"DAG versions after {found['parses']} parses with changed `generated_at`, "
                f"{NAMES[contestant]}",
                str(found["versions"]),
                "",
                "1" if is_ours else "",
                found["versions"] == 1 if is_ours else None,
            )
        )
        lines.append(
            (
                f"... and after a model changed, {NAMES[contestant]}",
                str(found["after_a_change"]),
                "",
                "2" if is_ours else "",
                found["after_a_change"] == 2 if is_ours else None,
            )
        )
    return lines


def _cpu(one: dict[str, Any]) -> float:
    return float(one["cpu"])


def _ratio(
    results: dict[str, Any],
    title: str,
    ours: str,
    theirs: str,
    aim: float,
    of: Callable[[dict[str, Any]], float] = _cpu,
) -> Line:
    mine = [of(one) for one in results["samples"][ours]]
    others = [of(one) for one in results["samples"][theirs]]
    ratio = median(mine) / median(others)
    rounds = [a / others[number % len(others)] for number, a in enumerate(mine)]
    spread = f"{_short(min(rounds))} to {_short(max(rounds))}"
    return title, _short(ratio), spread, f"{_short(aim)}", ratio <= aim


def _figure(
    results: dict[str, Any], title: str, key: str, times: float, unit: str, aim: float
) -> Line:
    found = [_cpu(one) * times for one in results["samples"][key]]
    value = median(found)
    spread = f"{min(found):.0f} to {max(found):.0f} {unit}"
    return title, f"{value:.0f} {unit}", spread, f"{aim:g} {unit}", value <= aim


def _short(value: float) -> str:
    return f"{value:.4f}" if value < 0.01 else f"{value:.3f}" if value < 1 else f"{value:.2f}"


def _table(results: dict[str, Any]) -> list[str]:
    columns = (("ours", "warm"), ("ours", "cold"), ("by_hand", ""), ("cosmos", ""))
    heads = " | ".join(f"{NAMES[who]} {cache}".strip() for who, cache in columns)
    lines = [f"| Models | {heads} |", "| --: |" + " --: |" * len(columns)]
    for suffix, told in (("", ""), (f" {REAL}", " with metadata")):
        for size in results["settings"]["sizes"]:
            keys = [f"build {who} {cache} {size}{suffix}" for who, cache in columns]
            if any(key in results["samples"] for key in keys):
                cells = [_cell(results["samples"].get(key)) for key in keys]
                lines.append(f"| {size:,}{told} | " + " | ".join(cells) + " |")
    return lines


def _cell(samples: list[dict[str, Any]] | None) -> str:
    if not samples:
        return "not measured"
    found = [_cpu(one) for one in samples]
    return f"{median(found):.2f} ({min(found):.2f} to {max(found):.2f}), {len(found)}"


def _what(results: dict[str, Any]) -> str:
    return (
        "Every model has two tests. With metadata: owners, tags, groups, descriptions, exposures, "
        "versions, schedules, SLAs and mixed materializations (benchmarks/real.py). "
        "By hand: the same operator classes, arguments and groups, "
        "edges with `>>`, from a plan that is made before the clock runs. Cosmos: `DbtDag` or "
        "`DbtTaskGroup` of the same manifest, `LoadMode.DBT_MANIFEST`, "
        "`TestBehavior.AFTER_EACH`, all else at its defaults. Contestants are imported before "
        "the clock runs, except for the start on a worker, which begins after Airflow's task "
        "runner is imported and an empty DAG made, and includes importing the contestant. Both "
        "others are quadratic in the models, and are not measured at 20,000. YAML pipelines have "
        "no peer here yet: dag-factory joins when they exist."
    )
