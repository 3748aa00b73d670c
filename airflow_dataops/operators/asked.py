"""What the run of a task was asked for, and which of the task's nodes it is for."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowFailException
from msgspec.structs import replace

from airflow_dataops.errors import ConfigError, ManifestError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from airflow.sdk import Context

    from airflow_dataops.adapters.manifest_store import StoredManifest
    from airflow_dataops.core.execution.requests import RunRequest
    from airflow_dataops.core.plan import Part, TaskKind
    from airflow_dataops.core.relocation import Relocation
    from airflow_dataops.planning.sources import ManifestSource
    from airflow_dataops.planning.warehouse import Deferral

log = logging.getLogger(__name__)


class Asked:
    """Part of an operator that runs nodes of a manifest."""

    manifest: str
    nodes: tuple[str, ...]
    outlets: list[Any]
    params: Any
    relations: Relocation | None = None
    vars: Mapping[str, Any] | None = None
    runtime_vars: tuple[str, ...] | None = None
    """The vars that a run may set; None for any."""
    has_dag: Callable[[], bool]
    task_id: str
    task_kind: TaskKind
    state: Path | ManifestSource | None = None
    """The folder with what an earlier run left, for selectors that look at one."""
    deferral: Deferral | None = None
    """How references lead to what an earlier run built."""
    parts: Sequence[Part] = ()
    _narrowed: frozenset[str] | None = None
    """Ids of the nodes that the run was narrowed to, None for all."""

    def _open(self) -> StoredManifest:
        from airflow_dataops.adapters.manifest_store import open_manifest

        return open_manifest(self.manifest, self.relations)

    def _request(self, context: Context) -> RunRequest:
        """Read what the run was asked for. What is wrong stays wrong: it is not retried."""
        from airflow_dataops.core.execution.requests import read_request
        from airflow_dataops.operators.run_values import run_interval, run_values

        try:
            request = read_request(context["params"], self._declared())
            values = run_values(context, self.vars or {}, request.values, self.runtime_vars)
        except ConfigError as error:
            raise AirflowFailException(str(error)) from error
        interval = run_interval(context)
        return replace(request, values=values, interval=interval, relations=self.relations)

    def _declared(self) -> frozenset[str] | None:
        """Return the names of the params of the task and its DAG; None without a DAG."""
        dag = self._own_dag()
        return None if dag is None else frozenset({*dag.params, *self.params})

    def _selected(self, request: RunRequest, context: Context) -> frozenset[str] | None:
        """Return the ids of the nodes that the run was narrowed to, None for all."""
        if not request.narrows:
            self._check_mode(request)
            return None
        from airflow_dataops.core.selection import select_nodes
        from airflow_dataops.operators.dag_work import check_run_does_something, parts_of
        from airflow_dataops.operators.earlier import earlier_inputs, last_results

        manifest = self._open()
        try:
            inputs = earlier_inputs(
                (*request.select, *request.exclude),
                manifest,
                self.state,
                lambda: last_results(context, lambda id_: parts_of(self._own_dag(), id_)),
            )
            selected = select_nodes(
                manifest.project(),
                request.select or None,
                request.exclude or None,
                inputs=inputs,
                remedy="Mend the expression in the trigger form.",
            )
            check_run_does_something(self._own_dag(), selected, request)
            self._narrowed = selected
        except (ConfigError, ManifestError) as error:
            raise AirflowFailException(f"params select and exclude: {error}") from error
        return selected

    def _check_mode(self, request: RunRequest) -> None:
        """Refuse a mode in which a DAG has nothing to do: its run would be green."""
        if request.does_all:
            return
        from airflow_dataops.operators.dag_work import check_run_does_something

        try:
            check_run_does_something(self._own_dag(), None, request)
        except ConfigError as error:
            raise AirflowFailException(f"param mode: {error}") from error

    def _own_dag(self) -> Any:
        return getattr(self, "dag", None) if self.has_dag() else None

    def _taking_part(self, kind: TaskKind, request: RunRequest, context: Context) -> Sequence[str]:
        """Return the nodes that the run is for. Where there are none, no asset is touched."""
        from airflow_dataops.core.execution.parts import takes_part

        selected = self._selected(request, context)
        nodes = [id_ for id_ in self.nodes if takes_part(kind, id_, request, selected)]
        if left := [id_ for id_ in self.nodes if id_ not in nodes]:
            log.info("Not selected in this run: %s", ", ".join(left))
        if not nodes or request.dry_run or not request.assets:
            self.outlets = []
        return nodes
