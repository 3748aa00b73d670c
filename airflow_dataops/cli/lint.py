"""`airflow-dataops lint`: what is wrong with pipelines written in YAML."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from airflow_dataops.adapters.pipeline_lint import lint_all
from airflow_dataops.adapters.static_signatures import StaticSignatures
from airflow_dataops.core.pipelines.faults import PipelineError
from airflow_dataops.core.pipelines.formats import FORMATS, formatted
from airflow_dataops.core.pipelines.schema import pipeline_schema

if TYPE_CHECKING:
    from airflow_dataops.adapters.pipeline_lint import Linted
    from airflow_dataops.core.pipelines.faults import Fault


def lint(
    places: Annotated[
        list[Path] | None, typer.Argument(help="Files of pipelines, or folders of them.")
    ] = None,
    form: Annotated[
        str, typer.Option("--format", help="text, json, sarif, or github (annotations).")
    ] = "text",
    environment: Annotated[
        list[str] | None,
        typer.Option(help="Only with the overrides of this environment; all by default."),
    ] = None,
    python_path: Annotated[
        list[Path] | None,
        typer.Option(help="Where modules of operators are looked for besides this Python's."),
    ] = None,
    is_importing: Annotated[
        bool,
        typer.Option(
            "--import", help="Also import the operators and build the DAGs, as Airflow does."
        ),
    ] = False,
    schema: Annotated[
        bool, typer.Option(help="Print the JSON Schema of such a file, for editors, and end.")
    ] = False,
) -> None:
    """Tell all that is wrong with pipelines at once, each with its line; exits 1 if anything is.

    Reads the source of operators to check their arguments. Imports none of it without --import,
    and runs no template.

    Examples: `airflow-dataops lint pipelines/`; in GitHub Actions `airflow-dataops lint
    --format github pipelines/`.
    """
    if schema:
        typer.echo(schema_text(), nl=False)
        return
    if form not in FORMATS:
        raise typer.BadParameter(f"choose one of {', '.join(FORMATS)}", param_hint="--format")
    paths = python_path or []
    signatures = StaticSignatures([*paths, Path.cwd()])
    linted = lint_all(places or [Path()], signatures, environment)
    faults = [fault for each in linted for fault in each.faults]
    if is_importing:
        faults += _built(linted, paths)
    if faults or form in ("json", "sarif"):
        typer.echo(formatted(faults, form))
    count = sum(len(each.pipelines) for each in linted)
    typer.echo(f"{len(linted)} files, {count} DAGs, {len(faults)} problems", err=True)
    if faults:
        raise typer.Exit(1)


def schema_text() -> str:
    """Return the JSON Schema of a pipeline's file."""
    return json.dumps(pipeline_schema(), indent=2) + "\n"


def _built(linted: list[Linted], paths: list[Path]) -> list[Fault]:
    """Build the DAGs of files that have no faults so far; return what Airflow says of them."""
    from airflow_dataops.dag_factory.pipelines import build_pipeline

    sys.path[:0] = [str(path.absolute()) for path in paths]
    found: list[Fault] = []
    for each in linted:
        if each.faults:
            continue
        for pipelines in each.by_environment.values():
            for pipeline in pipelines:
                try:
                    build_pipeline(pipeline, str(each.path)).validate()
                except PipelineError as error:
                    found += [fault for fault in error.faults if fault not in found]
    return found
