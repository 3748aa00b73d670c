"""What the operators that run nodes of a manifest have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Required, Unpack

import msgspec

from airflow_dataops.core.arguments import optional_text, text, texts
from airflow_dataops.errors import printable
from airflow_dataops.operators.arguments import SessionArguments
from airflow_dataops.operators.deferring import Found
from airflow_dataops.operators.lineage import NodeLineage
from airflow_dataops.operators.session import SessionOperator
from airflow_dataops.planning.callbacks import WarningCallbacks, callbacks_of, with_callbacks
from airflow_dataops.planning.sources import ManifestSource, as_source

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path
    from typing import ClassVar

    from airflow_dataops.adapters.manifest_store import StoredManifest
    from airflow_dataops.core.arguments import Names
    from airflow_dataops.core.execution.fused import Verdict
    from airflow_dataops.core.execution.requests import RunRequest
    from airflow_dataops.core.model import Struct
    from airflow_dataops.core.plan import TaskKind
    from airflow_dataops.core.ports import SqlRunner
    from airflow_dataops.core.relocation import Relocation
    from airflow_dataops.hooks.sql_runner import WarehouseSession
    from airflow_dataops.planning.warehouse import Deferral


class NodeArguments(SessionArguments, total=False):
    """What every operator takes that runs nodes of a manifest; see `NodeOperator`."""

    manifest: Required[str]
    nodes: Required[Names]
    conn_id: Required[str]
    fingerprint: str | None
    state: str | Path | ManifestSource | None
    vars: Mapping[str, Any] | None
    runtime_vars: Sequence[str] | None
    relations: Relocation | None
    deferral: Deferral | None
    on_warning_callback: WarningCallbacks


class NodeOperator(NodeLineage, SessionOperator):
    """Runs nodes of a manifest through a connection, without dbt.

    The SQL is looked up when the task runs, so that it weighs nothing in the serialized DAG;
    what ran shows in the log and, after the run, as the rendered template field `sql`.

    Args:
        manifest: path of the manifest (what `airflow-dataops compile` or dbt wrote).
        nodes: unique ids of the nodes to run, such as `model.shop.fct_orders`; one or several.
        conn_id: the warehouse; any connection with a common-sql hook.
        fingerprint: tells one state of the nodes from the next. It is in the serialized DAG, so
            that Airflow counts a changed node as a new version of the DAG.
        state: the folder (an absolute path, or an address) with what an earlier run left, for
            selectors of the trigger form that look at one; see `dbt_dag`.
        vars: dbt's vars of the run by name, such as `{"run_day": "{{ ds }}"}`; templates are
            rendered. The param `vars` of a run beats them.
        runtime_vars: names of the vars that the param may set; None for any.
        relations: where tables are in this environment, if elsewhere than in the manifest.
        deferral: where the nodes read what was built by an earlier run; see `dbt_dag`.
        on_warning_callback: a function, or several, called where tests or sources are warned of:
            with the task's context and in it `warned`, a list with `node`, `failures` (rows),
            `message` and `stored_in` of each, and `test_names` and `test_results` as in Cosmos.
    """

    template_fields: Sequence[str] = ("sql",)
    template_fields_renderers: ClassVar[dict[str, str]] = {"sql": "sql"}
    overwrite_rtif_after_execution = True
    ui_color = "#e8f0fe"

    def __init__(
        self,
        *,
        manifest: str,
        nodes: Names,
        conn_id: str,
        fingerprint: str | None = None,
        state: str | Path | ManifestSource | None = None,
        vars: Mapping[str, Any] | None = None,  # noqa: A002 - dbt's name
        runtime_vars: Sequence[str] | None = None,
        relations: Relocation | None = None,
        deferral: Deferral | None = None,
        on_warning_callback: WarningCallbacks = None,
        **arguments: Unpack[SessionArguments],
    ) -> None:
        super().__init__(**arguments)
        self.manifest = text(manifest, "manifest")
        self.nodes = texts(nodes, "nodes")
        self.conn_id = text(conn_id, "conn_id")
        self.fingerprint = optional_text(fingerprint, "fingerprint")
        self.state = None if state is None else as_source(state)
        self.vars = dict(vars) if vars else None
        self.runtime_vars = None if runtime_vars is None else tuple(runtime_vars)
        self.relations = relations
        self.deferral = deferral
        given = {"on_warning_callback": on_warning_callback}
        named = with_callbacks(given, f"task {self.task_id!r}")
        self.on_warning_callback = callbacks_of(named["on_warning_callback"])
        self.sql: str | None = None
        if self.vars:
            self.template_fields = (*self.template_fields, "vars")

    @classmethod
    def get_serialized_fields(cls) -> frozenset[str]:
        """Name what Airflow keeps of the operator in the serialized DAG."""
        fields: frozenset[str] = super().get_serialized_fields()
        return fields | {"fingerprint"}

    def _show_script(self, script: str) -> None:
        self.sql = script

    def _open_session(self) -> AbstractContextManager[WarehouseSession]:
        """Open a session with what the manifest's dbt profile sets for it."""
        from airflow_dataops.hooks.sql_runner import open_session

        return open_session(self.conn_id, settings=self._open().session())

    def _run(self, work: Callable[[SqlRunner], Any]) -> Any:
        """Do `work` in one session with the warehouse; show what ran even when it fails."""
        with self._recorded() as runner:
            return work(runner)

    def _found(self, manifest: StoredManifest, id_: str) -> Found:
        """Look a node up, as a session is going to run it."""
        return Found(manifest, id_, self.deferral, self._narrowed)

    def _show(self, kind: TaskKind, nodes: Sequence[str], request: RunRequest) -> Any:
        """Log what nodes would run, and run none of it."""
        from airflow_dataops.core.execution.parts import run_part

        manifest = self._open()
        found = [self._found(manifest, id_) for id_ in nodes]

        def show(runner: SqlRunner) -> Verdict:
            return run_part(kind, [each.at(runner) for each in found], runner, request)

        shown = self._run(show).results
        self.sql = "\n\n".join(
            f"-- {printable(result['node'])}\n{result['sql']}" for result in shown
        )
        self.log.info("Dry run:\n%s", self.sql)
        return {"nodes": [{"node": result["node"], "status": "dry run"} for result in shown]}


def plain(value: Struct) -> Any:
    """Turn a struct into what an XCom may hold."""
    return msgspec.to_builtins(value)
