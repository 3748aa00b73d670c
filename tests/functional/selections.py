"""Expressions on which dbt and we must agree."""

from __future__ import annotations

import random
from itertools import islice, pairwise
from typing import TYPE_CHECKING

from airflow_dataops.core.model import NodeKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from airflow_dataops.core.model import Project


def lines(text: str) -> list[str]:
    """Return the lines that say something."""
    return [line for line in text.splitlines() if line]


def typical(project: Project) -> Iterator[str]:
    """Yield expressions about what a project has: each of these matches something."""
    names = _some(node.name for node in project.nodes.values() if node.kind is NodeKind.MODEL)
    for name in names:
        yield from (f"--select {shape.format(name)}" for shape in ("{}", "+{}", "{}+", "@{}"))
        yield from (f"--select 1+{name}+1 --indirect-selection {mode}" for mode in _MODES)
    for one, other in pairwise(names):
        yield f"--select {one}+ --exclude {other}+"
        yield f"--select {one} {other} --indirect-selection cautious"
    for method, values in _vocabulary(project).items():
        for value in values:
            yield f"--select {method}:{value}"
            yield f"--exclude {method}:{value}"
        yield f"--select +{method}:{values[0]}+1"
        yield f"--select {method}:{values[0][:3]}*"


def drawn(project: Project, count: int, seed: int) -> Iterator[str]:
    """Yield random combinations of criteria, graph operators, set operators and modes."""
    dice = random.Random(seed)
    values = [f"{key}:{each}" for key, found in _vocabulary(project).items() for each in found]
    values += [node.name for node in project.nodes.values() if node.kind is not NodeKind.SOURCE]

    def criterion() -> str:
        before, after = dice.choice(_WALKS)
        return f"{before}{dice.choice(values)}{after}"

    def union() -> str:
        parts = (criterion() for _ in range(dice.choice((1, 1, 2, 3))))
        return " ".join(f"{part},{criterion()}" if dice.random() < 0.3 else part for part in parts)

    for _ in range(count):
        line = f"--select {union()} --indirect-selection {dice.choice(('eager', *_MODES))}"
        yield f"{line} --exclude {union()}" if dice.random() < 0.4 else line


_MODES = ("cautious", "buildable", "empty")
_WALKS = (
    *[("", "")] * 6,
    ("+", ""),
    ("", "+"),
    ("+", "+"),
    ("1+", ""),
    ("", "+1"),
    ("2+", "+2"),
    ("@", ""),
)


def _vocabulary(project: Project) -> dict[str, list[str]]:
    nodes = list(project.nodes.values())
    found = {
        "tag": _some(tag for node in nodes for tag in node.tags),
        "path": _some(path for node in nodes for path in (node.path, node.path.rsplit("/", 1)[0])),
        "file": _some(node.path.rsplit("/", 1)[-1] for node in nodes),
        "fqn": _some(".".join(node.fqn[:-1]) for node in nodes if node.kind is not NodeKind.SOURCE),
        "source": _some(node.id.split(".")[2] for node in nodes if node.kind is NodeKind.SOURCE),
        "test_name": _some(
            node.spec.generic.rpartition(".")[2]
            for node in nodes
            if getattr(node.spec, "generic", None)
        ),
        "group": _some(node.group for node in nodes if node.group and node.kind is NodeKind.MODEL),
        "package": _some(node.package for node in nodes),
    }
    return {method: values for method, values in found.items() if values}


def _some(values: Iterable[str]) -> list[str]:
    return list(islice(dict.fromkeys(value for value in values if " " not in value), 3))
