"""`airflow-dataops compile`: a dbt project becomes one small manifest that runs without dbt."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable  # noqa: TC003 - typer reads this module's annotations
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
from rich.console import Console

from airflow_dataops.adapters.dbt_cli import DbtProject, render, seed_file, seed_text
from airflow_dataops.cli.compact import compact, encode
from airflow_dataops.core.manifests import read_manifest
from airflow_dataops.core.plan import make_plan, plan_options
from airflow_dataops.core.plan.run_hooks import Around
from airflow_dataops.core.plan.structs import FreshnessMode, RunHooks
from airflow_dataops.errors import ConfigError, ManifestError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

LARGE_SEEDS = 5_000_000
"""Bytes of seed files above which a manifest is called large."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """What was written.

    Attributes:
        output: the manifest.
        size: its size, bytes.
        counts: how many nodes there are of each resource type.
        renderings: how many incremental models were rendered twice.
        notes: what the user should know.
    """

    output: Path
    size: int
    counts: dict[str, int]
    renderings: int
    notes: tuple[str, ...]


def compile_project(
    project_dir: Path,
    *,
    output: Path,
    profiles_dir: Path | None = None,
    profile: str | None = None,
    target: str | None = None,
    variables: Mapping[str, Any] | None = None,
    runtime_vars: Collection[str] = (),
    progress: Callable[[str], None] = lambda _: None,
) -> Compiled:
    """Render a dbt project with the dbt that is installed and write its manifest to `output`.

    dbt connects to the warehouse of the profile, but changes nothing in it. The file is replaced
    at once; on an error it stays as it was.

    Args:
        variables: dbt's `--vars`.
        runtime_vars: vars that each run of a DAG sets for itself; what `variables` or the project
            gives them is for the compilation alone.

    Raises:
        ConfigError: `project_dir` holds no dbt project, or `output` cannot be written.
        ManifestError: dbt cannot parse or render the project, or Airflow would refuse what its
            metadata asks for; all of it at once.
        MissingExtraError: dbt is not installed.
    """
    if not (project_dir / "dbt_project.yml").is_file():
        raise ConfigError(
            f"{project_dir} holds no dbt_project.yml; give the folder of a dbt project."
        )
    project = DbtProject(project_dir, profiles_dir, profile, target, variables or {})
    rendered = render(project, progress, runtime_vars)
    nodes = rendered.manifest["nodes"]
    seeds = {id_: seed_text(seed_file(project_dir, nodes[id_])) for id_ in rendered.column_types}
    content = encode(compact(rendered, seeds, variables, runtime_vars))
    of_hooks = _check(content, output)
    progress(f"Writing {output}")
    _write(output, content)
    counts: dict[str, int] = {}
    for section in ("nodes", "sources", "exposures", "unit_tests"):
        for node in rendered.manifest.get(section, {}).values():
            kind = node["resource_type"]
            counts[kind] = counts.get(kind, 0) + 1
    notes = (*rendered.notes, *of_hooks, *_size_notes(seeds))
    return Compiled(output, len(content), counts, len(rendered.incremental), notes)


def _check(content: bytes, output: Path) -> list[str]:
    """Read and plan what is about to be written, as every DAG file will.

    Returns:
        which hooks around a run nothing can run: a DAG file may skip them.

    Raises:
        ManifestError: that is not possible, whatever the DAG file says.
    """
    project = read_manifest(content, source=f"{output}, not written").project
    options = plan_options(freshness=FreshnessMode.SKIP, run_hooks=RunHooks.SKIP)
    try:
        make_plan(project, options)
    except ManifestError as error:
        raise ManifestError(f"{output}, not written", error.problems) from None
    return [f"{each.node}: {each.message}" for each in Around(project, plan_options()).problems]


def compile_command(
    project_dir: Annotated[Path, typer.Option(help="The folder of dbt_project.yml.")] = Path(),
    output: Annotated[Path, typer.Option("--output", "-o", help="The manifest to write.")] = Path(
        "manifest.json"
    ),
    profiles_dir: Annotated[
        Path | None, typer.Option(help="The folder of profiles.yml, if not the project's.")
    ] = None,
    profile: Annotated[str | None, typer.Option(help="As dbt's --profile.")] = None,
    target: Annotated[str | None, typer.Option("--target", "-t", help="As dbt's.")] = None,
    variables: Annotated[
        str | None, typer.Option("--vars", help="dbt's --vars: a mapping, as YAML or JSON.")
    ] = None,
    runtime_vars: Annotated[
        str | None,
        typer.Option(help="Vars that each run sets for itself, by `vars=` of the DAG: a,b."),
    ] = None,
) -> None:
    """Compile a dbt project into a small manifest from which Airflow runs it without dbt.

    Runs dbt, so it belongs in CI, where dbt and its adapter are installed and the warehouse can
    be reached. Incremental models are rendered twice, with is_incremental() false and true.
    """
    console = Console(stderr=True)
    status = console.status("Starting dbt") if console.is_terminal else nullcontext(None)
    with status as spinner:

        def progress(phase: str) -> None:
            if spinner is None:
                console.print(phase, markup=False)
            else:
                spinner.update(phase)

        compiled = compile_project(
            project_dir,
            output=output,
            profiles_dir=profiles_dir,
            profile=profile,
            target=target,
            variables=_variables(variables),
            runtime_vars=_names(runtime_vars),
            progress=progress,
        )
    for note in compiled.notes:
        console.print(f"Note: {note}", style="yellow", markup=False, soft_wrap=True)
    counts = ", ".join(f"{count} {kind}s" for kind, count in sorted(compiled.counts.items()))
    console.print(
        f"Wrote {compiled.output}: {compiled.size / 1000:,.0f} kB; {counts}; "
        f"{compiled.renderings} incremental models rendered twice.",
        markup=False,
        soft_wrap=True,
    )


def _variables(text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    try:
        value = msgspec.yaml.decode(text)
    except msgspec.DecodeError as error:
        raise ConfigError(f"--vars is not YAML: {error}") from None
    if not isinstance(value, dict):
        raise ConfigError(f"--vars must be a mapping such as '{{day: 2026-01-05}}', not {text!r}.")
    return value


def _names(text: str | None) -> tuple[str, ...]:
    names = tuple(name.strip() for name in (text or "").split(","))
    if text is not None and not all(names):
        raise ConfigError(f"--runtime-vars {text!r}: write names of vars, such as run_day,region.")
    return tuple(dict.fromkeys(filter(None, names)))


def _size_notes(seeds: Mapping[str, str]) -> tuple[str, ...]:
    size = sum(len(text.encode()) for text in seeds.values())
    if size <= LARGE_SEEDS:
        return ()
    largest = max(seeds, key=lambda id_: len(seeds[id_]))
    return (
        f"the manifest carries {size / 1e6:.1f} MB of seed files, most of it in {largest}; "
        "data of that size is better loaded by a task, as a source.",
    )


def _write(output: Path, content: bytes) -> None:
    """Replace a file at once, so that a reader sees the old or the new manifest."""
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=output.parent, delete=False) as stream:
            stream.write(content)
        umask = os.umask(0)
        os.umask(umask)
        Path(stream.name).chmod(0o666 & ~umask)
        Path(stream.name).replace(output)
    except OSError as error:
        raise ConfigError(f"{output} cannot be written: {error}") from error
