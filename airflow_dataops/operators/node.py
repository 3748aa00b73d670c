"""What the operators that run nodes of a manifest have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

from airflow_dataops.errors import ConfigError, RunError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import ClassVar

    from airflow.sdk import Context

    from airflow_dataops.adapters.manifest_store import StoredManifest
    from airflow_dataops.core.execution.requests import RunRequest
    from airflow_dataops.core.model import Struct
    from airflow_dataops.core.plan import TaskKind
    from airflow_dataops.core.ports import SqlRunner
    from airflow_dataops.hooks.sql_runner import Session


class NodeOperator(BaseOperator):
    """Runs nodes of a manifest through a connection, without dbt.

    The SQL is looked up when the task runs, so that it weighs nothing in the serialized DAG;
    what ran shows in the log and, after the run, as the rendered template field `sql`.

    Args:
        manifest: path of the manifest (what `airflow-dataops compile` or dbt wrote).
        nodes: unique ids of the nodes to run, such as `model.shop.fct_orders`.
        conn_id: the warehouse; any connection with a common-sql hook.
        fingerprint: tells one state of the nodes from the next. It is in the serialized DAG, so
            that Airflow counts a changed node as a new version of the DAG.
    """

    template_fields: Sequence[str] = ("sql",)
    template_fields_renderers: ClassVar[dict[str, str]] = {"sql": "sql"}
    overwrite_rtif_after_execution = True
    ui_color = "#e8f0fe"

    def __init__(
        self,
        *,
        manifest: str,
        nodes: Sequence[str],
        conn_id: str,
        fingerprint: str | None = None,
        **arguments: Any,
    ) -> None:
        super().__init__(**arguments)
        self.manifest = manifest
        self.nodes = tuple(nodes)
        self.conn_id = conn_id
        self.fingerprint = fingerprint
        self.sql: str | None = None
        self._session: Session | None = None

    @classmethod
    def get_serialized_fields(cls) -> frozenset[str]:
        """Name what Airflow keeps of the operator in the serialized DAG."""
        fields: frozenset[str] = super().get_serialized_fields()  # type: ignore[no-untyped-call]
        return fields | {"fingerprint"}

    def on_kill(self) -> None:
        """Stop the statement that is running on the server."""
        if self._session is not None:
            self._session.interrupt()

    def _open(self) -> StoredManifest:
        from airflow_dataops.adapters.manifest_store import open_manifest

        return open_manifest(self.manifest)

    def _run(self, work: Callable[[SqlRunner], Any]) -> Any:
        """Do `work` in one session with the warehouse; show what ran even when it fails.

        A `RunError` would come again, so Airflow is told not to retry.
        """
        from airflow_dataops.core.execution.recording import RecordingRunner
        from airflow_dataops.hooks.sql_runner import open_session

        with open_session(self.conn_id) as session:
            self._session = session
            recording = RecordingRunner(session)
            try:
                return work(recording)
            except RunError as error:
                raise AirflowFailException(str(error)) from error
            finally:
                self._session = None
                self.sql = recording.script()

    def _request(self, context: Context) -> RunRequest:
        """Read what the run was asked for. What is wrong stays wrong: it is not retried."""
        from airflow_dataops.core.execution.requests import read_request

        try:
            return read_request(context["params"])
        except ConfigError as error:
            raise AirflowFailException(str(error)) from error

    def _selected(self, request: RunRequest) -> frozenset[str] | None:
        """Return the ids of the nodes that the run was narrowed to, None for all."""
        if not request.narrows:
            return None
        from airflow_dataops.core.selection import select_nodes

        try:
            return select_nodes(
                self._open().project(), request.select or None, request.exclude or None
            )
        except ConfigError as error:
            raise AirflowFailException(f"params select and exclude: {error}") from error

    def _taking_part(self, kind: TaskKind, request: RunRequest) -> tuple[str, ...]:
        """Return the nodes that the run is for. Where there are none, no asset is touched."""
        from airflow_dataops.core.execution.parts import takes_part

        selected = self._selected(request)
        nodes = tuple(id_ for id_ in self.nodes if takes_part(kind, id_, request, selected))
        if left := [id_ for id_ in self.nodes if id_ not in nodes]:
            self.log.info("Not selected in this run: %s", ", ".join(left))
        if not nodes:
            self.outlets = []
        return nodes


def plain(value: Struct) -> Any:
    """Turn a struct into what an XCom may hold."""
    return msgspec.to_builtins(value)
