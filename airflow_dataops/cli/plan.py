"""`airflow-dataops plan`: which task runs what, on which engine, and why."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path  # noqa: TC003 - typer reads it at run time
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from airflow_dataops.adapters.manifest_store import open_manifest
from airflow_dataops.core.plan import Engine, make_plan, plan_options
from airflow_dataops.core.selection import select_nodes

if TYPE_CHECKING:
    from airflow_dataops.core.plan import Plan


def plan(
    manifest: Annotated[Path, typer.Argument(help="What dbt or `airflow-dataops compile` wrote.")],
    select: Annotated[
        list[str] | None, typer.Option("--select", "-s", help="Nodes to plan, as in dbt.")
    ] = None,
    exclude: Annotated[list[str] | None, typer.Option(help="Nodes to leave out.")] = None,
    engine: Annotated[str, typer.Option(help="auto, sql or dbt.")] = "auto",
    group_by: Annotated[str, typer.Option(help="layer, folder, tag, schema or none.")] = "layer",
    granularity: Annotated[
        str, typer.Option(help="How much one task runs: node, chain, layer or dag.")
    ] = "node",
    as_json: Annotated[bool, typer.Option("--json", help="Print the plan as JSON.")] = False,
) -> None:
    """Show each node of a manifest with its engine, the reason, and the task it runs in."""
    project = open_manifest(manifest).project()
    options = plan_options(engine=engine, group_by=group_by, granularity=granularity)
    planned = make_plan(project, options, select_nodes(project, select, exclude))
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(planned)).decode())
    else:
        _show(planned)


def _show(planned: Plan) -> None:
    # What is not a terminal has no width to fold to.
    console = Console(width=None if sys.stdout.isatty() else 240)
    console.print(_table(planned))
    count = dict.fromkeys(Engine, 0)
    for task in planned.tasks.values():
        count[task.engine] += 1
    console.print(
        f"{len(planned.tasks)} tasks, {count[Engine.SQL]} by sql, {count[Engine.DBT]} by dbt; "
        f"schedule: {planned.schedule or 'none'}"
    )
    for warning in planned.warnings:
        console.print(f"Warning: {warning}", style="yellow", markup=False)
    if count[Engine.DBT]:
        console.print(_needs_dbt(), style="yellow", markup=False)


def _table(planned: Plan) -> Table:
    table = Table("node", "engine", "why", "task", title=f"Plan of {planned.name}", box=SIMPLE_HEAD)
    for column in table.columns:
        column.overflow = "fold"
    for task in planned.tasks.values():
        style = "yellow" if task.engine is Engine.DBT else None
        for part in task.parts or (task,):
            for node in part.nodes:
                table.add_row(node, task.engine, part.reason, task.id, style=style)
    return table


def _needs_dbt() -> str:
    if importlib.util.find_spec("cosmos") is None:
        return "Tasks on engine dbt need an extra: pip install 'airflow-dataops[dbt]'"
    return "Tasks on engine dbt need dbt=DbtConfig(project_dir=, profile=, target=) in the DAG file"
