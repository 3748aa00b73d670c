"""`airflow-dataops graph` and `diff`: DAGs as a picture, and what changes between two sets."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path  # noqa: TC003 - typer reads it at run time
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from airflow_dataops.adapters.manifest_store import open_manifest
from airflow_dataops.adapters.plan_places import opened_place
from airflow_dataops.core.plan import plan_options, split_options, split_plan
from airflow_dataops.core.plan.changes import ChangeKind, changes_between
from airflow_dataops.core.plan.drawing import dot, mermaid
from airflow_dataops.core.selection import NodeSelector
from airflow_dataops.dag_factory.folders import find_manifests, is_pipeline
from airflow_dataops.errors import ConfigError, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airflow_dataops.core.plan import Plan
    from airflow_dataops.core.plan.changes import DagChange

SplitBy = Annotated[
    str | None, typer.Option(help="What DAGs stand for, as for `plan`: schedule, layer, ...")
]
_SIGNS = {ChangeKind.ADDED: "+", ChangeKind.REMOVED: "-", ChangeKind.CHANGED: "~"}
DIFFERS = 1


class Picture(StrEnum):
    """A language of pictures."""

    MERMAID = "mermaid"
    DOT = "dot"


class Form(StrEnum):
    """How a comparison is printed."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


def graph(
    manifest: Annotated[Path, typer.Argument(help="What dbt or `airflow-dataops compile` wrote.")],
    select: Annotated[
        list[str] | None, typer.Option("--select", "-s", help="Nodes, as in dbt.")
    ] = None,
    exclude: Annotated[list[str] | None, typer.Option(help="Nodes to leave out.")] = None,
    split_by: SplitBy = None,
    format_: Annotated[
        Picture, typer.Option("--format", help="mermaid, or dot for Graphviz.")
    ] = Picture.MERMAID,
) -> None:
    """Draw the DAGs of a manifest: tasks, edges, and which DAG starts which.

    For example `airflow-dataops graph manifest.json --split-by layer > pipeline.mmd`.
    """
    plans = _plans(manifest, split_by, select, exclude)
    typer.echo(mermaid(plans) if format_ is Picture.MERMAID else dot(plans), nl=False)


def diff(
    before: Annotated[str, typer.Argument(help="A manifest, a folder of them, or REVISION:PATH.")],
    after: Annotated[str, typer.Argument(help="Likewise, what takes its place.")],
    split_by: SplitBy = None,
    format_: Annotated[Form, typer.Option("--format", help="text, json or markdown.")] = Form.TEXT,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit 1 when there are differences, as git does.")
    ] = False,
) -> None:
    """Tell which DAGs and tasks a deployment adds, removes or changes, and why.

    For example `airflow-dataops diff main:dags/manifests dags/manifests --format markdown` in a
    pull request. Each DAG that is listed gets a new version in Airflow.
    """
    with opened_place(before) as old, opened_place(after) as new:
        found = changes_between(_plans_in(old, split_by), _plans_in(new, split_by))
    if format_ is Form.JSON:
        typer.echo(msgspec.json.format(msgspec.json.encode(found)).decode())
    else:
        lines = _markdown(found) if format_ is Form.MARKDOWN else _text(found)
        typer.echo("\n".join(lines) or "The DAGs are the same.")
    if found and exit_code:
        raise typer.Exit(DIFFERS)


def _plans(
    manifest: Path,
    split_by: str | None,
    select: Sequence[str] | None = None,
    exclude: Sequence[str] | None = None,
) -> tuple[Plan, ...]:
    project = open_manifest(manifest).project()
    selected = NodeSelector(project).select(select, exclude)
    return split_plan(project, plan_options(), split_options(split_by=split_by), selected=selected)


def _plans_in(place: Path, split_by: str | None) -> list[Plan]:
    """Return the plans of a manifest, or of all in a folder."""
    return [plan for path in _manifests(place) for plan in _plans(path, split_by)]


def _manifests(place: Path) -> Iterator[Path]:
    if place.is_file():
        yield place
        return
    # Pipelines in YAML have no plan; who runs `lint` compares their texts.
    found = [path for path in find_manifests(place) if not is_pipeline(path)]
    if not found:
        raise ConfigError(f"{place}: no manifest in this folder")
    yield from found


def _text(found: Sequence[DagChange]) -> list[str]:
    lines = []
    for dag in found:
        lines.append(f"{_SIGNS[dag.kind]} {printable(dag.dag_id)}: {dag.kind}, {dag.count} tasks")
        lines += [f"    {printable(told)}" for told in dag.settings]
        for task in dag.tasks:
            why = f": {'; '.join(task.why)}" if task.why else ""
            lines.append(f"  {_SIGNS[task.kind]} {printable(task.id + why)}")
    return lines


def _markdown(found: Sequence[DagChange]) -> list[str]:
    if not found:
        return ["The DAGs are the same."]
    lines = ["| DAG | | task | why |", "| --- | --- | --- | --- |"]
    for dag in found:
        told = "; ".join(dag.settings) or f"{dag.count} tasks"
        lines.append(_row(dag.dag_id, dag.kind, "", told))
        lines += [_row(dag.dag_id, task.kind, task.id, "; ".join(task.why)) for task in dag.tasks]
    return lines


def _row(*cells: str) -> str:
    return f"| {' | '.join(_cell(cell) for cell in cells)} |"


def _cell(text: str) -> str:
    """Return a text as Markdown that nobody reads as markup: each special character by number."""
    special = set("\\`*_{}[]()<>#|!~$&@")
    return "".join(f"&#{ord(c)};" if c in special else c for c in printable(text))
