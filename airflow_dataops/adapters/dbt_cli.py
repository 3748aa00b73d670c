"""dbt, driven from Python, to render a project with and without `is_incremental()`.

dbt's documented entry point `dbtRunner` parses the project; the manifest it gives is compiled
after dbt's own macro `is_incremental` in it was made to answer as we like, and the same once more
with the other answer. Nothing is written into the project: dbt's files go to a temporary folder.
Source: https://docs.getdbt.com/reference/programmatic-invocations
"""

from __future__ import annotations

import json
import math
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from airflow_dataops.adapters.dbt_batches import is_batched, mark_batches, set_batches
from airflow_dataops.adapters.dbt_recording import Recorder
from airflow_dataops.adapters.dbt_renderings import (
    Codes,
    Renderings,
    check,
    codes_of,
    filters_of,
    marked,
    unmarked,
)
from airflow_dataops.adapters.dbt_settings import DbtSettings, read_settings
from airflow_dataops.adapters.dbt_touched import macros_of, said, touched_by_node
from airflow_dataops.adapters.local_files import read_regular, read_settings_file
from airflow_dataops.core.execution.csv_table import problem_of
from airflow_dataops.core.manifests.dbt.touched import Kind
from airflow_dataops.errors import ConfigError, ManifestError, MissingExtraError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from dbt.cli.main import dbtRunnerResult
    from dbt.contracts.graph.manifest import Manifest

SUPPORTED = ((1, 9), (1, 12))
"""dbt-core from the first, below the second."""

_MACRO = "is_incremental"
_NEVER = "{% macro is_incremental() %}{{ return(false) }}{% endmacro %}"
_ALWAYS = """{% macro is_incremental() %}{{ return(
    execute and model.config.materialized == 'incremental' and not should_full_refresh()
) }}{% endmacro %}"""
_INCREMENTAL = ("--select", "config.materialized:incremental,resource_type:model")


@dataclass(frozen=True, slots=True)
class DbtProject:
    """A dbt project and how to reach its warehouse.

    Attributes:
        directory: the folder of `dbt_project.yml`.
        profiles_dir: the folder of `profiles.yml`; None for the project's own folder if it has
            one, else wherever dbt looks.
        profile, target: as dbt's options of that name; None for dbt's defaults.
        variables: dbt's `--vars`.
    """

    directory: Path
    profiles_dir: Path | None = None
    profile: str | None = None
    target: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)

    def arguments(self, scratch: Path) -> list[str]:
        """Return dbt's options, with everything that it writes kept in `scratch`."""
        found = self.profiles_dir or self._own_profiles()
        options = {
            "--project-dir": self.directory,
            "--profiles-dir": found,
            "--profile": self.profile,
            "--target": self.target,
            "--vars": yaml.safe_dump(dict(self.variables), default_flow_style=True, width=math.inf),
            "--target-path": scratch,
            "--log-path": scratch,
            "--log-level": "none",  # what goes wrong comes back as an exception
            "--log-level-file": "none",
        }
        given = [str(part) for pair in options.items() if pair[1] is not None for part in pair]
        return [
            *given,
            "--quiet",
            "--no-write-json",
            "--partial-parse",
            "--no-send-anonymous-usage-stats",
        ]

    def _own_profiles(self) -> Path | None:
        return self.directory if (self.directory / "profiles.yml").is_file() else None


@dataclass(frozen=True, slots=True)
class Rendered:
    """What dbt made of a project.

    Attributes:
        manifest: dbt's manifest as plain data; `compiled_code` is the first build's.
        incremental: code with `is_incremental()` true, by unique id of the incremental model.
        column_types: SQL type by column of each seed, as dbt infers or was told; by unique id.
        touched: what was touched while a node was rendered, as `core/manifests/dbt/touched` has
            it, sorted; by unique id.
        notes: what a reader should know.
        settings: what the profile and the flags ask of a run.
        dispatch: packages that `dispatch` in dbt_project.yml has searched before dbt's own.
        slots: where values of a run go into a node's texts, as `core.model.Code` has it.
        refreshed: a node's texts on a full refresh, where they are others; likewise.
        given: values that nodes were given, as JSON, by `var:name` or `env_var:name`.
        batched: ids of the microbatch models whose code has places for the times of a batch.
        target: the name of the target.
    """

    manifest: dict[str, Any]
    incremental: dict[str, str]
    column_types: dict[str, dict[str, str]]
    touched: dict[str, list[str]]
    notes: tuple[str, ...]
    dispatch: tuple[str, ...] = ()
    slots: dict[str, dict[str, Any]] = field(default_factory=dict)
    refreshed: dict[str, dict[str, Any]] = field(default_factory=dict)
    given: dict[str, list[str]] = field(default_factory=dict)
    batched: frozenset[str] = frozenset()
    target: str | None = None
    settings: DbtSettings | None = None


def render(
    project: DbtProject,
    progress: Callable[[str], None],
    runtime_vars: Collection[str] = (),
) -> Rendered:
    """Parse a project and compile it for each case that a run may meet.

    Args:
        progress: told what happens next.
        runtime_vars: the vars that each run sets for itself.

    Raises:
        MissingExtraError: dbt is not installed.
        ConfigError: this dbt is not supported.
        ManifestError: dbt cannot parse or render the project; carries dbt's messages.
    """
    _check_dbt()
    recorder = Recorder(frozenset(runtime_vars))
    with _scratch() as scratch, recorder.recording():
        if recorder.blind and runtime_vars:
            raise ConfigError(f"--runtime-vars does not work here: {recorder.blind}")
        run = _Run(project, project.arguments(Path(scratch)), recorder)
        progress("Parsing the project")
        parsed = run.parse()
        notes = _notes(parsed)
        progress("Rendering first builds, tests and snapshots")
        asking = _take_hooks_that_ask(parsed, recorder)
        compiled = run.compile(parsed, _NEVER)
        compiled.nodes.update(asking)
        manifest = _to_dict(compiled)
        found = _renderings(run, manifest, progress)
        types = _column_types(project.directory, manifest)
        settings = _settings(manifest["metadata"]["adapter_type"])
    for id_, texts in found.first.texts.items():
        if "sql" in texts:
            manifest["nodes"][id_]["compiled_code"] = texts["sql"]
        if "filter" in texts:
            manifest["sources"][id_]["freshness"]["filter"] = texts["filter"]
    manifest = unmarked(manifest, recorder.placeholders)
    touched = touched_by_node(manifest, recorder)
    notes = (*notes, *said(touched, recorder))
    used = {each for mine in touched.values() for each in mine}
    return Rendered(
        manifest,
        found.first.named("incremental_sql"),
        types,
        touched,
        notes,
        _searched_first(project.directory, manifest["metadata"]["project_name"]),
        {id_: found.first.plain(id_)["slots"] for id_ in found.first.slots},
        found.refreshed,
        {name: sorted(recorder.given[name]) for name in sorted(used & recorder.given.keys())},
        frozenset(id_ for id_, node in compiled.nodes.items() if is_batched(node)),
        recorder.target,
        settings,
    )


def _scratch() -> tempfile.TemporaryDirectory[str]:
    """Make a folder for what dbt writes; after an error its threads may still write there."""
    return tempfile.TemporaryDirectory(prefix="airflow-dataops-", ignore_cleanup_errors=True)


def _settings(adapter: str) -> DbtSettings:
    """Read the profile and the flags with which dbt's last command of this process ran."""
    from dbt.adapters.factory import get_adapter_by_type
    from dbt.flags import get_flags

    known: Any = get_adapter_by_type(adapter)
    return read_settings(adapter, known.config.credentials, get_flags())


class _Found(NamedTuple):
    first: Renderings
    refreshed: dict[str, dict[str, Any]]


def _renderings(run: _Run, manifest: dict[str, Any], progress: Callable[[str], None]) -> _Found:
    """Render what is rendered more than once: later builds, full refreshes, and all of it again.

    Args:
        manifest: the first rendering.
    """
    recorder = run.recorder
    dialect = manifest["metadata"]["adapter_type"]
    count = sum(map(_is_incremental, manifest["nodes"].values()))
    recorder.forgives = True  # they may ask tables that a first build makes
    sql, later = codes_of(manifest), {}
    if count:
        progress(f"Rendering later builds of {count} incremental models")
        later = run.later()
    normal = Renderings(recorder, dialect)
    normal.add("sql", sql)
    normal.add("incremental_sql", later)
    normal.add("filter", filters_of(manifest))
    refreshed: dict[str, dict[str, Any]] = {}
    if any(f"{Kind.FULL_REFRESH}:" in " ".join(each) for each in recorder.touched.values()):
        progress("Rendering full refreshes")
        fresh = Renderings(recorder, dialect)
        fresh.add("sql", run.codes(_NEVER, "--full-refresh"))
        kept = {id_ for id_, node in manifest["nodes"].items() if _is_never_refreshed(node)}
        again = run.later("--full-refresh") if kept else {}
        fresh.add("incremental_sql", {id_: text for id_, text in again.items() if id_ in kept})
        refreshed = {id_: fresh.plain(id_) for id_ in fresh.texts if fresh.differs(id_, normal)}
        recorder.settle(Kind.FULL_REFRESH)
    if marked(sql, recorder.placeholders) or marked(later, recorder.placeholders):
        progress("Rendering once more, with values of the run")
        recorder.placeholders.real = True
        check(sql, run.codes(_NEVER), recorder)
        check(later, run.later() if later else {}, recorder)
        recorder.placeholders.real = False
    return _Found(normal, refreshed)


def _take_hooks_that_ask(manifest: Manifest, recorder: Recorder) -> dict[str, Any]:
    """Take the hooks around a run out of a manifest whose rendering may ask the warehouse.

    dbt would render them when it compiles, and what they ask may change something there. Only
    dbt can run them, so their code is not needed.
    """
    hooks = {id_: n for id_, n in manifest.nodes.items() if str(n.resource_type) == "operation"}
    if not hooks:
        return {}
    macros = {id_: macro.to_dict() for id_, macro in manifest.macros.items()}
    metadata = {"project_name": manifest.metadata.project_name} | {
        "adapter_type": manifest.metadata.adapter_type
    }
    known = macros_of({"macros": macros, "metadata": metadata})
    taken = {}
    for id_, hook in hooks.items():
        touched = known.touched(hook.raw_code, hook.depends_on.macros)
        if any(each.startswith(f"{Kind.WAREHOUSE}:") for each in touched):
            recorder.touched.setdefault(id_, set()).update(touched)
            taken[id_] = manifest.nodes.pop(id_)
    return taken


@dataclass(frozen=True, slots=True)
class _Run:
    project: DbtProject
    arguments: list[str]
    recorder: Recorder

    def parse(self) -> Any:
        """Return dbt's `Manifest`; compiling changes it, and dbt 1.11 cannot copy every one.

        Parsing for the second time is quick: dbt finds what it kept in the temporary folder.
        """
        return self.invoke("parse").result

    def compile(self, manifest: Manifest, macro: str, *options: str) -> Manifest:
        """Compile a manifest in place, with this macro for dbt's `is_incremental`."""
        set_batches(manifest, self.recorder)
        for id_, found in manifest.macros.items():
            if found.name == _MACRO and (id_ == f"macro.dbt.{_MACRO}" or not _delegates(found)):
                found.macro_sql = macro
                self.recorder.answered.add(id_)
        self.invoke("compile", *options, manifest=manifest)
        mark_batches(manifest, self.recorder)
        return manifest

    def codes(self, macro: str, *options: str) -> Codes:
        """Return the compiled code of a fresh manifest, see `compile`."""
        parsed = self.parse()
        _take_hooks_that_ask(parsed, self.recorder)
        return codes_of(_to_dict(self.compile(parsed, macro, *options)))

    def later(self, *options: str) -> Codes:
        """Return the code of incremental models with `is_incremental()` true."""
        manifest = _to_dict(self.compile(self.parse(), _ALWAYS, *_INCREMENTAL, *options))
        nodes = manifest["nodes"]
        return {
            id_: code for id_, code in codes_of(manifest).items() if _is_incremental(nodes[id_])
        }

    def invoke(
        self, command: str, *options: str, manifest: Manifest | None = None
    ) -> dbtRunnerResult:
        from dbt.cli.main import dbtRunner

        result = dbtRunner(manifest=manifest).invoke([command, *self.arguments, *options])
        if not result.success:
            raise ManifestError(str(self.project.directory), _problems(command, result))
        return result


def _check_dbt() -> None:
    try:
        from dbt.version import __version__ as version
    except ImportError:
        raise MissingExtraError("airflow-dataops compile", "dbt") from None
    found = tuple(int(part) for part in version.split(".")[:2])
    if not SUPPORTED[0] <= found < SUPPORTED[1]:
        first, last = (".".join(map(str, bound)) for bound in SUPPORTED)
        raise ConfigError(
            f"dbt-core {version} is installed; compile works with {first} and later, below {last}: "
            f"pip install 'dbt-core>={first},<{last}'"
        )


def _to_dict(manifest: Manifest) -> dict[str, Any]:
    """Return what dbt writes into `manifest.json`."""
    from dbt_common.utils.encoding import JSONEncoder

    written = manifest.writable_manifest().to_dict(omit_none=True)
    result: dict[str, Any] = json.loads(json.dumps(written, cls=JSONEncoder))
    return result


def _is_incremental(node: dict[str, Any]) -> bool:
    """Say whether a node is an incremental model in SQL: those are rendered twice."""
    return (
        node["resource_type"] == "model"
        and node["config"]["materialized"] == "incremental"
        and node.get("language") == "sql"
    )


def _is_never_refreshed(node: dict[str, Any]) -> bool:
    return _is_incremental(node) and node["config"].get("full_refresh") is False


def _searched_first(directory: Path, root: str) -> tuple[str, ...]:
    """Return the packages in which dbt looks for its own macros before it looks at home."""
    settings = yaml.safe_load(read_settings_file(directory / "dbt_project.yml")) or {}
    found = []
    for each in settings.get("dispatch") or ():
        if each.get("macro_namespace") == "dbt":
            order = list(each.get("search_order") or ())
            found += order[: order.index("dbt")] if "dbt" in order else order
    return tuple(dict.fromkeys(name for name in found if name != root))


def _delegates(macro: Any) -> bool:
    return f"dbt.{_MACRO}" in macro.macro_sql


def _notes(manifest: Manifest) -> tuple[str, ...]:
    """Say what becomes of the project's own macros named `is_incremental`."""
    own = [m for m in manifest.macros.values() if m.name == _MACRO and m.package_name != "dbt"]
    return tuple(
        f"{macro.original_file_path} has a macro {_MACRO} of its own: "
        + (
            f"it is kept, and the dbt.{_MACRO}() that it calls is answered for it."
            if _delegates(macro)
            else "for both renderings it is replaced by one that answers false, then true."
        )
        for macro in own
    )


def _problems(command: str, result: dbtRunnerResult) -> list[Problem]:
    if result.exception is not None:
        return [_problem(command, result.exception)]
    failed = [r for r in getattr(result.result, "results", None) or [] if r.status == "error"]
    return [
        Problem(r.message or f"dbt {command} failed.", r.node.unique_id, r.node.original_file_path)
        for r in failed
    ] or [Problem(f"dbt {command} failed without saying why; run it by hand to see its output.")]


def _problem(command: str, error: BaseException) -> Problem:
    node = getattr(error, "node", None)
    text = getattr(error, "msg", None) or str(error) or type(error).__name__
    return Problem(
        f"dbt {command}: {text.strip()}",
        getattr(node, "unique_id", None),
        getattr(node, "original_file_path", None),
    )


def _column_types(directory: Path, manifest: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Infer the types of seeds' columns as dbt does when it loads them."""
    from dbt.adapters.factory import get_adapter_class_by_name
    from dbt_common.clients.agate_helper import from_csv

    adapter: Any = get_adapter_class_by_name(manifest["metadata"]["adapter_type"])
    check_seeds(directory, manifest)
    types = {}
    for id_, seed in manifest["nodes"].items():
        if seed["resource_type"] == "seed":
            told = seed["config"].get("column_types") or {}
            delimiter = seed["config"].get("delimiter") or ","
            table = from_csv(seed_file(directory, seed), told, delimiter)
            types[id_] = {
                name: told.get(name) or adapter.convert_type(table, index)
                for index, name in enumerate(table.column_names)
            }
    return types


def check_seeds(directory: Path, manifest: dict[str, Any]) -> None:
    """Read the file of each seed.

    Raises:
        ManifestError: with every seed whose file cannot be read, the file and the line.
    """
    problems = []
    for id_, seed in manifest["nodes"].items():
        if seed["resource_type"] == "seed":
            delimiter = seed["config"].get("delimiter") or ","
            try:
                found = problem_of(seed_text(seed_file(directory, seed)), delimiter)
            except UnicodeDecodeError as error:
                found = f"the file is not UTF-8: {error}. Save it as UTF-8."
            if found:
                problems.append(Problem(found, id_, seed["original_file_path"]))
    if problems:
        raise ManifestError(str(directory), problems)


def seed_text(file: Path) -> str:
    """Return the text of a seed's file without its byte order mark."""
    # Bytes, for line ends inside of quoted values to stay.
    return read_regular(file).decode("utf-8-sig")


def seed_file(directory: Path, seed: dict[str, Any]) -> Path:
    """Return where the CSV file of a seed lies; a package's is not in the project's own folder."""
    return Path(seed.get("root_path") or directory, seed["original_file_path"])
