"""A manifest's nodes -> a plan of tasks, as the caller asked for."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from msgspec.structs import replace

from airflow_dataops.adapters.manifest_store import open_manifest
from airflow_dataops.adapters.plan_store import (
    PlanRequest,
    Selection,
    SplitRequest,
    StoredPlan,
    StoredSplit,
    open_plan,
    open_split,
)
from airflow_dataops.core.arguments import flag, instance, texts
from airflow_dataops.core.plan import ArgumentLayers, Engine, argument_layers, plan_options
from airflow_dataops.core.plan.structs import EngineChoice
from airflow_dataops.core.plan.variables import check_given, check_run_vars
from airflow_dataops.core.relocation import read_relocation
from airflow_dataops.errors import ConfigError, ManifestError
from airflow_dataops.operators.callbacks import with_callbacks
from airflow_dataops.operators.dbt_config import DbtConfig
from airflow_dataops.operators.deferring import Deferral
from airflow_dataops.operators.warned import callbacks_of
from airflow_dataops.task_groups.arguments import PlanArguments
from airflow_dataops.task_groups.files import locate_folder
from airflow_dataops.task_groups.operators import Warehouse

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from airflow_dataops.adapters.state_store import StoredState
    from airflow_dataops.core.plan import Plan

_ON_EMPTY = ("error", "warn")
_LAYERS = ("operator_args", "group_args", "tag_args")
_OPTIONS = (
    *("engine", "group_by", "freshness", "run_hooks", "granularity", "assets", "start_when"),
)


class Planned:
    """A plan with what is needed to turn it into operators."""

    def __init__(self, plan: StoredPlan, warehouse: Warehouse, layers: ArgumentLayers) -> None:
        self.plan = plan
        self.warehouse = warehouse
        self.layers = layers


def plan_manifest(manifest: Path, conn_id: str, arguments: PlanArguments) -> Planned:
    """Plan the tasks of a manifest that the caller asked for.

    Raises:
        ManifestError: it is no manifest, or has nodes that cannot run.
        ConfigError: an argument is wrong, or the file is not there.
    """
    request = _request(arguments)
    state = _state(arguments, manifest, request.select, request.exclude, request.start_on)
    plan = open_plan(open_manifest(manifest), request, state)
    return _planned(plan, manifest, conn_id, arguments, state)


class PlannedParts:
    """The plans of a project's parts.

    Attributes:
        parts: their names; one empty name where the project stayed whole.
    """

    def __init__(
        self,
        split: StoredSplit,
        manifest: Path,
        conn_id: str,
        arguments: PlanArguments,
        state: StoredState | None = None,
    ) -> None:
        self.parts = split.parts
        self._split = split
        self._rest = (manifest, conn_id, arguments, state)

    def planned(self, place: int) -> Planned:
        """Return what one part needs to be turned into operators."""
        return _planned(self._split.plan(place), *self._rest)


def plan_parts(
    manifest: Path, conn_id: str, arguments: PlanArguments, split: SplitRequest
) -> PlannedParts:
    """Plan the parts of a manifest, each a DAG; errors as for `plan_manifest`."""
    request = _request(arguments)
    parts = split.selectors.values()
    named = [expression for part in parts for expression in (part.select, part.exclude)]
    state = _state(arguments, manifest, request.select, request.exclude, request.start_on, *named)
    stored = open_split(open_manifest(manifest), request, split, state)
    return PlannedParts(stored, manifest, conn_id, arguments, state)


def _request(arguments: PlanArguments) -> PlanRequest:
    given: Mapping[str, Any] = arguments
    missing = _dbt_unavailable(_dbt(arguments))
    options = plan_options(
        **{name: given[name] for name in _OPTIONS if name in given},
        unavailable={Engine.DBT: missing} if missing else {},
    )
    return PlanRequest(
        select=hashable(arguments.get("select"), "select"),
        exclude=hashable(arguments.get("exclude"), "exclude"),
        options=options,
        start_on=hashable(arguments.get("start_on"), "start_on"),
        on_empty=_on_empty(arguments),
        relations=_relations(arguments),
    )


def _state(arguments: PlanArguments, manifest: Path, *expressions: Selection) -> StoredState | None:
    """Open what an earlier run left, as far as selections look at it or references lead to it."""
    given, defers = arguments.get("state"), _defers(arguments)
    if defers and arguments.get("relations"):
        raise ConfigError(
            "defer= and relations= do not go together: compile the manifest for the environment "
            "whose DAG defers"
        )
    if given is None and not defers:
        return None
    # Dear to import, and few DAG files name one.
    from airflow_dataops.adapters.state_store import (
        MANIFEST,
        StateFiles,
        StoredState,
        has_named_selector,
        methods_in,
    )
    from airflow_dataops.hooks.states import artifact, state_files

    files, deferred_to = StateFiles(folder=""), None
    if given is not None:
        folder = locate_folder(given, "state")
        methods, others = methods_in(*expressions), has_named_selector(*expressions)
        files = state_files(folder, manifest, methods, others=others)
    if defers:
        named = arguments.get("defer_state") or given
        if named is None:
            raise ConfigError("defer=True: name the folder of an earlier run in state= too")
        what = "defer_state" if arguments.get("defer_state") else "state"
        deferred_to = artifact(locate_folder(named, what), MANIFEST, needed=True)
    try:
        return StoredState(files, deferred_to, favor_state=arguments.get("favor_state", False))
    except ManifestError as error:
        raise ConfigError(f"{manifest}: state: {error}") from error


def _defers(arguments: PlanArguments) -> bool:
    defers = flag(arguments.get("defer", False), "defer")
    favors = flag(arguments.get("favor_state", False), "favor_state")
    for name, given in (("favor_state", favors), ("defer_state", arguments.get("defer_state"))):
        if given and not defers:
            raise ConfigError(f"{name}= does nothing without defer=True")
    return defers


def _planned(
    plan: StoredPlan,
    manifest: Path,
    conn_id: str,
    arguments: PlanArguments,
    state: StoredState | None,
) -> Planned:
    given: Mapping[str, Any] = arguments
    named = argument_layers(**{name: given[name] for name in _LAYERS if name in given})
    layers = _functions(_with_warning_callback(named, given.get("on_warning_callback")))
    head = plan.head
    relations = _relations(arguments)
    variables = _checked_vars(head, arguments, is_moved=bool(relations))
    compiled = head.compilation
    warehouse = Warehouse(
        manifest=str(manifest),
        conn_id=conn_id,
        dialect=head.adapter,
        dbt=arguments.get("dbt"),
        threads=_threads(arguments),
        state=None if given.get("state") is None else locate_folder(given["state"], "state"),
        vars=variables,
        compiled_vars=compiled.variables if compiled else {},
        runtime_vars=_runtime_vars(head, arguments, variables),
        relations=read_relocation(relations, head.adapter) if relations else None,
        deferral=_deferral(plan, state),
    )
    return Planned(plan, warehouse, layers)


def _runtime_vars(
    head: Plan, arguments: PlanArguments, variables: Mapping[str, Any]
) -> tuple[str, ...] | None:
    """Return the vars that a run may set in its params; None for any."""
    if arguments.get("engine") == EngineChoice.DBT:
        return None
    compiled = head.compilation.runtime_vars if head.compilation else ()
    return tuple(sorted({*compiled, *variables}))


def _relations(arguments: PlanArguments) -> dict[str, dict[str, str]]:
    """Return `relations` as plain data. Raises `ConfigError` where it has another form."""
    found = arguments.get("relations")
    if not found:
        return {}
    read_relocation(found, None)
    return {part: dict(names) for part, names in found.items()}


def _checked_vars(head: Plan, arguments: PlanArguments, *, is_moved: bool) -> dict[str, Any]:
    """Return the vars of the run. Raises `ConfigError` where SQL and dbt would have others."""
    given = arguments.get("vars") or {}
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
        raise ConfigError(
            f"vars={given!r}: write dbt's vars by name, such as {{'run_day': '{{{{ ds }}}}'}}."
        )
    variables, dbt = dict(given), _dbt(arguments)
    if arguments.get("engine") != EngineChoice.DBT:
        check_run_vars(variables, head.compilation)
        if dbt is not None:
            check_given(
                head.compilation,
                target=dbt.target,
                variables=dbt.vars,
                env=dbt.env,
                run_vars=variables,
                is_moved=is_moved,
            )
    return variables


def _deferral(plan: StoredPlan, state: StoredState | None) -> Deferral | None:
    if state is None or state.deferred_to is None:
        return None
    return Deferral(
        manifest=str(state.deferred_to.path),
        favor_state=state.favor_state,
        unselected=frozenset(plan.head.unselected),
    )


def _with_warning_callback(layers: ArgumentLayers, callback: Any) -> ArgumentLayers:
    """Let `on_warning_callback` be an operator argument of every task."""
    if callback is None:
        return layers
    warning = with_callbacks({"on_warning_callback": callback}, "arguments")
    callbacks_of(warning["on_warning_callback"])
    return replace(layers, operator_args=warning | dict(layers.operator_args))


def _functions(layers: ArgumentLayers) -> ArgumentLayers:
    """Return operator arguments with functions for the import paths of callbacks."""
    return ArgumentLayers(
        operator_args=with_callbacks(layers.operator_args, "operator_args"),
        group_args={
            name: with_callbacks(layer, f"group_args[{name!r}]")
            for name, layer in layers.group_args.items()
        },
        tag_args={
            name: with_callbacks(layer, f"tag_args[{name!r}]")
            for name, layer in layers.tag_args.items()
        },
    )


def split_arguments(arguments: Mapping[str, Any]) -> tuple[PlanArguments, dict[str, Any]]:
    """Split keyword arguments into those of the plan and those of Airflow."""
    ours = PlanArguments.__annotations__.keys()
    planning = {name: value for name, value in arguments.items() if name in ours}
    rest = {name: value for name, value in arguments.items() if name not in ours}
    return cast("PlanArguments", planning), rest


def hashable(selection: str | Sequence[str] | None, what: str) -> Selection:
    """Return a selection as a request holds it. Raises `ConfigError`."""
    if selection is None or isinstance(selection, str):
        return selection
    return texts(selection, what)


def _on_empty(arguments: PlanArguments) -> str:
    on_empty = arguments.get("on_empty", "error")
    if on_empty not in _ON_EMPTY:
        raise ConfigError(f"on_empty: expected {' or '.join(_ON_EMPTY)}, got {on_empty!r}")
    return on_empty


def _threads(arguments: PlanArguments) -> int | None:
    threads = arguments.get("threads")
    if threads is not None and (type(threads) is not int or threads < 1):
        raise ConfigError(f"threads: expected a whole number from 1 on, got {threads!r}")
    return threads


def _dbt(arguments: PlanArguments) -> DbtConfig | None:
    found = arguments.get("dbt")
    return None if found is None else instance(DbtConfig, found, "dbt")


def _dbt_unavailable(dbt: DbtConfig | None) -> str | None:
    """Say what is missing before dbt can run nodes, None when nothing is."""
    if importlib.util.find_spec("cosmos") is None:
        return "the extra is not installed: pip install 'airflow-dataops[dbt]'"
    if dbt is None:
        return "it has not been told where: pass dbt=DbtConfig(project_dir=, profile=, target=)"
    return None
