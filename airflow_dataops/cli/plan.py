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
from rich.text import Text

from airflow_dataops.adapters.manifest_store import open_manifest
from airflow_dataops.adapters.state_store import StoredState, has_named_selector, methods_in
from airflow_dataops.core.plan import Engine, Start, plan_options, split_options, split_plan
from airflow_dataops.core.plan.idle import REMEDY, idle_selections
from airflow_dataops.core.plan.names import dag_id_of
from airflow_dataops.core.selection import NodeSelector
from airflow_dataops.errors import ConfigError, ManifestError, Problem, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_dataops.adapters.manifest_store import StoredManifest
    from airflow_dataops.core.plan import Plan
    from airflow_dataops.core.selection import SelectionInputs
    from airflow_dataops.planning.sources import ManifestSource


def plan(
    manifest: Annotated[Path, typer.Argument(help="What dbt or `airflow-dataops compile` wrote.")],
    select: Annotated[
        list[str] | None, typer.Option("--select", "-s", help="Nodes to plan, as in dbt.")
    ] = None,
    exclude: Annotated[list[str] | None, typer.Option(help="Nodes to leave out.")] = None,
    state: Annotated[
        str | None,
        typer.Option(
            help="As dbt's --state: a folder, or its address, with the manifest.json, "
            "run_results.json or sources.json of an earlier run."
        ),
    ] = None,
    defer: Annotated[
        bool, typer.Option("--defer", help="Tell what would be read from the run of --state.")
    ] = False,
    defer_state: Annotated[
        str | None, typer.Option(help="The folder to defer to, if it is not --state.")
    ] = None,
    favor_state: Annotated[
        bool,
        typer.Option("--favor-state", help="Defer also what exists here and is not selected."),
    ] = False,
    engine: Annotated[str, typer.Option(help="auto, sql or dbt.")] = "auto",
    group_by: Annotated[str, typer.Option(help="layer, folder, tag, schema or none.")] = "layer",
    granularity: Annotated[
        str, typer.Option(help="How much one task runs: node, chain, layer or dag.")
    ] = "node",
    tests: Annotated[
        str, typer.Option(help="Where the tests of one model run: apart, or with model.")
    ] = "apart",
    split_by: Annotated[
        str | None,
        typer.Option(
            help="What DAGs stand for: schedule (where there are several), tag, owner, layer, "
            "folder, domain or none."
        ),
    ] = None,
    selector: Annotated[
        list[str] | None, typer.Option(help="A DAG and what it takes: `finance=tag:finance+`.")
    ] = None,
    unassigned: Annotated[
        str | None,
        typer.Option("--unassigned", "--rest", help="Nodes that no selector takes: part or skip."),
    ] = None,
    cycles: Annotated[
        str,
        typer.Option(
            "--cycles", "--circles", help="DAGs that wait for each other in a cycle: cut or refuse."
        ),
    ] = "cut",
    start_when: Annotated[
        str, typer.Option(help="Inputs that must be fresh before a DAG starts: all or any.")
    ] = "all",
    run_hooks: Annotated[
        str, typer.Option(help="on-run-start and on-run-end of the project: run or skip.")
    ] = "run",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the plan as JSON, a list where it is split.")
    ] = False,
    strict: Annotated[
        bool,
        typer.Option(
            help="For CI: build the DAGs as Airflow would, and fail on warnings as on errors."
        ),
    ] = False,
) -> None:
    """Show each node of a manifest with its DAG, engine, the reason, and the task it runs in.

    What Airflow would refuse in the manifest is refused here, all of it at once.
    """
    opened = open_manifest(manifest)
    selectors = _selectors(selector or [])
    deferred_to = _deferred_to(opened, state, defer_state, defer=defer, favor_state=favor_state)
    project = opened.project()
    inputs = _earlier(state, opened, manifest, select, exclude, *selectors.values())
    chosen = NodeSelector(project, inputs)
    selected = chosen.select(select, exclude)
    selections = {name: chosen.select(text) for name, text in selectors.items()}
    plans = split_plan(
        project,
        plan_options(
            engine=engine,
            group_by=group_by,
            run_hooks=run_hooks,
            granularity=granularity,
            tests=tests,
            start_when=start_when,
        ),
        split_options(
            split_by=split_by, unassigned=unassigned, cycles=cycles, selectors=bool(selectors)
        ),
        selected=selected,
        selections=selections,
    )
    parts = {f"--selector {name}": taken for name, taken in selections.items()}
    for told in idle_selections(plans, selected if select or exclude else None, parts):
        raise ConfigError(f"{told} {REMEDY}.")
    if strict:
        _check(manifest, plans)
    if as_json:
        shown = plans if plans[0].part else plans[0]
        typer.echo(msgspec.json.format(msgspec.json.encode(shown)).decode())
        return
    _show(plans)
    if deferred_to is not None:
        _show_deferred(plans, opened, deferred_to, favor_state=favor_state)


def _deferred_to(
    opened: StoredManifest,
    state: str | None,
    defer_state: str | None,
    *,
    defer: bool,
    favor_state: bool,
) -> StoredManifest | None:
    """Return the manifest that references lead to; None where nothing is deferred.

    Raises:
        ConfigError: there is none, it is damaged, or of another project.
    """
    if not defer:
        for name, given in (("--defer-state", defer_state), ("--favor-state", favor_state)):
            if given:
                raise ConfigError(f"{name} does nothing without --defer")
        return None
    named = defer_state or state
    if named is None:
        raise ConfigError("--defer: name the folder of an earlier run in --state too")
    from airflow_dataops.adapters.state_store import MANIFEST, StateFiles
    from airflow_dataops.hooks.sources import local_manifest
    from airflow_dataops.planning.states import artifact

    path = artifact(_place(named), MANIFEST, needed=True, fetch=local_manifest)
    found = StoredState(StateFiles(folder=named), path, favor_state=favor_state)
    found.check_deferral(opened)
    return found.deferred_to


def _show_deferred(
    plans: tuple[Plan, ...], opened: StoredManifest, there: StoredManifest, *, favor_state: bool
) -> None:
    """Say which tables the planned nodes read where the earlier run built them."""
    from airflow_dataops.core.execution.deferring import is_referable, read_by

    planned = {id_ for each in plans for task in each.tasks.values() for id_ in task.nodes}
    nodes, moved = there.project().nodes, {}
    for id_ in sorted(planned):
        for read in read_by(opened.node(id_), opened.node):
            known = nodes.get(read.id)
            if read.id not in planned and known is not None and is_referable(known):
                moved[read.id] = known.relation
    when = "in any case" if favor_state else "where they do not exist here"
    typer.echo(f"Deferred {when}: {len(moved)} tables")
    for id_, relation in moved.items():
        typer.echo(printable(f"  {id_} is read from {relation}"))


def _place(folder: str) -> Path | ManifestSource:
    from airflow_dataops.planning.sources import ManifestSource, as_source

    place = as_source(folder)
    return place if isinstance(place, ManifestSource) else place.absolute()


def _earlier(
    state: str | None,
    opened: StoredManifest,
    manifest: Path,
    *expressions: str | Sequence[str] | None,
) -> SelectionInputs | None:
    """Return what an earlier run left, as far as expressions look at it."""
    if state is None:
        return None
    from airflow_dataops.hooks.sources import local_manifest
    from airflow_dataops.planning.states import state_files

    methods, others = methods_in(*expressions), has_named_selector(*expressions)
    files = state_files(_place(state), manifest, methods, others=others, fetch=local_manifest)
    return StoredState(files).inputs(opened)


def _check(manifest: Path, plans: tuple[Plan, ...]) -> None:
    """Build the DAGs of the plans, and refuse what there is a warning of."""
    from airflow_dataops.dag_factory.checking import build_dags

    build_dags(manifest, plans)
    if plans[0].warnings:
        problems = [Problem(warning) for warning in plans[0].warnings]
        raise ManifestError(f"{manifest} (--strict)", problems)


def _selectors(given: list[str]) -> dict[str, str]:
    selectors = {}
    for text in given:
        name, equals, expression = text.partition("=")
        if not (name and equals and expression):
            raise ConfigError(
                f"--selector {text!r}: write the name of a DAG and what it takes, such as "
                "finance=tag:finance+"
            )
        selectors[name] = expression
    return selectors


def _show(plans: tuple[Plan, ...]) -> None:
    # What is not a terminal has no width to fold to.
    console = Console(width=None if sys.stdout.isatty() else 240)
    for planned in plans:
        console.print(_table(planned))
        console.print(_summary(planned), markup=False)
    for warning in plans[0].warnings:
        console.print(f"Warning: {printable(warning)}", style="yellow", markup=False)
    if any(task.engine is Engine.DBT for planned in plans for task in planned.tasks.values()):
        console.print(_needs_dbt(), style="yellow", markup=False)


def _summary(planned: Plan) -> str:
    count = dict.fromkeys(Engine, 0)
    for task in planned.tasks.values():
        count[task.engine] += 1
    lines = [
        f"{len(planned.tasks)} tasks, {count[Engine.SQL]} by sql, {count[Engine.DBT]} by dbt; "
        f"schedule: {_starts(planned)}"
    ]
    lines += [printable(f"  reads {found.relation} of {found.maker}") for found in planned.inputs]
    return "\n".join(lines)


def _starts(planned: Plan) -> str:
    fresh = f"when {planned.start_when} of its inputs are fresh"
    match planned.start:
        case Start.INPUTS:
            return fresh
        case Start.TIME_AND_INPUTS:
            return f"{planned.schedule}, then goes on {fresh}"
    return planned.schedule or "none"


def _table(planned: Plan) -> Table:
    title = f"Plan of {dag_id_of(planned.name, planned.part)}"
    heading = Text(printable(title), style="table.title")
    table = Table("node", "engine", "why", "task", title=heading, box=SIMPLE_HEAD)
    for column in table.columns:
        column.overflow = "fold"
    for task in planned.tasks.values():
        style = "yellow" if task.engine is Engine.DBT else None
        for part in task.parts or (task,):
            for node in part.nodes:
                # As `Text`: a name may look like markup, such as `[/b]`.
                cells = (node, task.engine, part.reason, task.id)
                table.add_row(*(Text(printable(cell)) for cell in cells), style=style)
    return table


def _needs_dbt() -> str:
    if importlib.util.find_spec("cosmos") is None:
        return "Tasks on engine dbt need an extra: pip install 'airflow-dataops[dbt]'"
    return "Tasks on engine dbt need dbt=DbtConfig(project_dir=, profile=, target=) in the DAG file"
