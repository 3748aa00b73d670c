"""A manifest's nodes -> a plan of tasks, as the caller asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from airflow_dataops.adapters.manifest_store import open_manifest
from airflow_dataops.adapters.plan_store import StoredSplit, open_plan, open_split
from airflow_dataops.core.plan import ArgumentLayers, argument_layers
from airflow_dataops.core.plan.structs import EngineChoice
from airflow_dataops.core.plan.variables import check_given, check_run_vars, check_unrecorded
from airflow_dataops.core.relocation import read_relocation
from airflow_dataops.errors import ConfigError
from airflow_dataops.planning.callbacks import callbacks_of, with_callbacks
from airflow_dataops.planning.places import locate_folder
from airflow_dataops.planning.request import dbt_of, relations_of, request_of, threads_of
from airflow_dataops.planning.sources import only_here
from airflow_dataops.planning.splitting import split_request
from airflow_dataops.planning.warehouse import Deferral, Warehouse

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from airflow_dataops.adapters.plan_store import Selection, StoredPlan
    from airflow_dataops.adapters.state_store import StoredState
    from airflow_dataops.core.plan import Plan
    from airflow_dataops.planning.arguments import PlanArguments, SplitArguments
    from airflow_dataops.planning.sources import Fetch

_DEFERS = {"defer", "favor_state", "defer_state"}
_LAYERS = ("operator_args", "group_args", "tag_args")


class Planned:
    """A plan with what is needed to turn it into operators."""

    def __init__(self, plan: StoredPlan, warehouse: Warehouse, layers: ArgumentLayers) -> None:
        self.plan = plan
        self.warehouse = warehouse
        self.layers = layers


def plan_manifest(
    manifest: Path, conn_id: str, arguments: PlanArguments, fetch: Fetch = only_here
) -> Planned:
    """Plan a manifest as one DAG; arguments and errors as for `plan_project`."""
    return plan_project(manifest, conn_id, arguments, {"split_by": "none"}, fetch=fetch).planned(0)


class PlannedProject:
    """The plans of a project's parts, each a DAG.

    Attributes:
        name: the project's.
        parts: their names; one empty name where the project stayed whole.
    """

    def __init__(self, split: StoredSplit, complete: Callable[[StoredPlan], Planned]) -> None:
        self.name = split.name
        self.parts = split.parts
        self._split = split
        self._complete = complete
        self._planned: dict[int, Planned] = {}

    def planned(self, place: int) -> Planned:
        """Return what one part needs to be turned into operators."""
        if place not in self._planned:
            self._planned[place] = self._complete(self._split.plan(place))
        return self._planned[place]


def plan_project(
    manifest: Path,
    conn_id: str,
    arguments: PlanArguments,
    asked: SplitArguments,
    *,
    has_schedule: bool = False,
    fetch: Fetch = only_here,
) -> PlannedProject:
    """Plan a manifest and the parts that it is split into.

    Args:
        asked: how to split it. Without a wish a project with several schedules is split by
            them, unless the caller sets one.
        has_schedule: whether the caller does.
        fetch: brings what an earlier run left far away.

    Raises:
        ManifestError: it is no manifest, or has nodes that cannot run.
        ConfigError: an argument is wrong, or the file is not there.
    """
    split = split_request(asked, has_schedule=has_schedule)
    request = request_of(arguments)
    parts = split.selectors.values() if split else ()
    selections = [request.select, request.exclude, request.start_on]
    selections += [expression for part in parts for expression in (part.select, part.exclude)]
    state = _state(arguments, manifest, *selections, fetch=fetch)
    opened = open_manifest(manifest)
    if split is None:
        plan = open_plan(opened, request, state)
        stored = StoredSplit(plan.head.name, ("",), lambda _: plan)
    else:
        stored = open_split(opened, request, split, state)
    return PlannedProject(stored, lambda plan: _planned(plan, manifest, conn_id, arguments, state))


def _state(
    arguments: PlanArguments, manifest: Path, *expressions: Selection, fetch: Fetch
) -> StoredState | None:
    if arguments.get("state") is None and not arguments.keys() & _DEFERS:
        return None
    # Dear to import, and few DAG files name one.
    from airflow_dataops.planning.states import open_state

    return open_state(arguments, manifest, *expressions, fetch=fetch)


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
    relations = relations_of(arguments)
    variables = _checked_vars(head, arguments, is_moved=bool(relations))
    _check_invocation(head, manifest, arguments, is_moved=bool(relations))
    compiled = head.compilation
    warehouse = Warehouse(
        manifest=str(manifest),
        conn_id=conn_id,
        dialect=head.adapter,
        dbt=arguments.get("dbt"),
        threads=threads_of(arguments),
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


def _checked_vars(head: Plan, arguments: PlanArguments, *, is_moved: bool) -> dict[str, Any]:
    """Return the vars of the run. Raises `ConfigError` where SQL and dbt would have others."""
    given = arguments.get("vars") or {}
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
        raise ConfigError(
            f"vars={given!r}: write dbt's vars by name, such as {{'run_day': '{{{{ ds }}}}'}}."
        )
    variables, dbt = dict(given), dbt_of(arguments)
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


def _check_invocation(
    head: Plan, manifest: Path, arguments: PlanArguments, *, is_moved: bool
) -> None:
    """Refuse dbt beside SQL that dbt itself compiled with other values. Raises `ConfigError`."""
    dbt = dbt_of(arguments)
    if dbt is None or head.compilation is not None or not head.is_mixed:
        return
    from airflow_dataops.adapters.invocation import invocation_of

    check_unrecorded(
        invocation_of(open_manifest(manifest)),
        target=dbt.target,
        variables=dbt.vars,
        is_moved=is_moved,
    )


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
