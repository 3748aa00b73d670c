"""Plans -> pictures of their DAGs: Mermaid for pages of Markdown, DOT for Graphviz.

Names are data in both: a character that the language could read is written by its number
(https://mermaid.js.org/syntax/flowchart.html#entity-codes-to-escape-characters), or escaped
(https://graphviz.org/doc/info/lang.html).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from airflow_dataops.core.plan.names import dag_id_of
from airflow_dataops.core.plan.structs import Engine, TaskKind
from airflow_dataops.errors import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from airflow_dataops.core.plan.structs import Plan, PlannedTask

_PLAIN = re.compile(r"[^\w .,:/+-]")
_MERMAID = {TaskKind.TEST: ("{{", "}}"), TaskKind.FRESHNESS: ("([", "])")}
_BOX = ("[", "]")
_DOT = {TaskKind.TEST: "hexagon", TaskKind.FRESHNESS: "ellipse"}


def mermaid(plans: Sequence[Plan]) -> str:
    """Return a flowchart: a subgraph for each DAG, dotted edges between them."""
    lines = ["flowchart LR"]
    for number, plan in enumerate(plans):
        lines.append(f'  subgraph d{number}["{_entities(dag_id_of(plan.name, plan.part))}"]')
        for key, task in _keyed(number, plan):
            begin, end = _MERMAID.get(task.kind, _BOX)
            mark = ":::dbt" if task.engine is Engine.DBT else ""
            lines.append(f'    {key}{begin}"{_entities(task.id)}"{end}{mark}')
        lines += [f"    {before} --> {after}" for before, after in _edges(number, plan)]
        lines.append("  end")
    lines += [f"  {before} -.-> {after}" for before, after in _between(plans)]
    return "\n".join([*lines, "  classDef dbt stroke-dasharray: 4"]) + "\n"


def dot(plans: Sequence[Plan]) -> str:
    """Return a digraph: a cluster for each DAG, dashed edges between them."""
    lines = ["digraph {", "  rankdir=LR; compound=true; node [shape=box];"]
    for number, plan in enumerate(plans):
        lines += [
            f"  subgraph cluster_d{number} {{",
            f"    label={_quoted(dag_id_of(plan.name, plan.part))};",
        ]
        for key, task in _keyed(number, plan):
            shape = f", shape={_DOT[task.kind]}" if task.kind in _DOT else ""
            style = ", style=dashed" if task.engine is Engine.DBT else ""
            lines.append(f"    {key} [label={_quoted(task.id)}{shape}{style}];")
        lines += [f"    {before} -> {after};" for before, after in _edges(number, plan)]
        lines.append("  }")
    for before, after in _between(plans):
        # Clusters have no edges of their own; those of any of their nodes are cut at the border.
        ends = f"ltail=cluster_{before}, lhead=cluster_{after}"
        lines.append(f"  {before}t0 -> {after}t0 [style=dashed, {ends}];")
    return "\n".join([*lines, "}"]) + "\n"


def _keyed(number: int, plan: Plan) -> Iterator[tuple[str, PlannedTask]]:
    return ((f"d{number}t{at}", task) for at, task in enumerate(plan.tasks.values()))


def _edges(number: int, plan: Plan) -> Iterator[tuple[str, str]]:
    keys = {task.id: key for key, task in _keyed(number, plan)}
    for task in plan.tasks.values():
        yield from ((keys[each], keys[task.id]) for each in task.upstream)


def _between(plans: Sequence[Plan]) -> Iterable[tuple[str, str]]:
    """Return which DAG starts which, by the tables that one reads of another."""
    places = {plan.part: f"d{number}" for number, plan in enumerate(plans)}
    found = {
        (places[given.maker], places[plan.part])
        for plan in plans
        for given in plan.inputs
        if given.maker in places
    }
    return sorted(found)


def _entities(text: str) -> str:
    return _PLAIN.sub(lambda found: f"#{ord(found[0])};", printable(text))


def _quoted(text: str) -> str:
    escaped = printable(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
