"""What the operators that talk to a warehouse have in common."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Unpack

from airflow.sdk import BaseOperator

from airflow_dataops.operators.arguments import CheckedArguments
from airflow_dataops.planning.callbacks import with_callbacks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    from airflow_dataops.core.execution.recording import RecordingRunner
    from airflow_dataops.hooks.sql_runner import WarehouseSession
    from airflow_dataops.operators.arguments import TaskArguments


class SessionOperator(CheckedArguments, BaseOperator):
    """Works in one session with the warehouse of its `conn_id`.

    Args:
        metric_tags: tags that the task's metrics get besides `dag`, `task` and `owner`, such as
            `{"tier": "gold"}`.
    """

    conn_id: str
    _session: WarehouseSession | None = None

    def __init__(
        self, *, metric_tags: Mapping[str, str] | None = None, **arguments: Unpack[TaskArguments]
    ) -> None:
        where = f"task {arguments.get('task_id')!r}"
        super().__init__(**with_callbacks(arguments, where))
        self.metric_tags = tags_as_text(metric_tags)

    @classmethod
    def get_serialized_fields(cls) -> frozenset[str]:
        """Name what Airflow keeps of the operator in the serialized DAG."""
        fields: frozenset[str] = super().get_serialized_fields()  # type: ignore[no-untyped-call]
        return fields | {"metric_tags"}

    def on_kill(self) -> None:
        """Stop the statement that is running on the server."""
        if self._session is not None:
            self._session.interrupt()

    def _show_script(self, script: str) -> None:
        """Keep what ran for the user, in a template field."""
        self.script: str | None = script

    @contextmanager
    def _recorded(self) -> Iterator[RecordingRunner]:
        """Open a session; show what ran in it even when it fails.

        What would go wrong again is not retried.
        """
        from airflow_dataops.core.execution.explained import Place
        from airflow_dataops.core.execution.failing import explaining
        from airflow_dataops.core.execution.recording import RecordingRunner
        from airflow_dataops.operators.told import log_script, told

        with told(self.conn_id), self._open_session() as session:
            self._session = session
            recording = RecordingRunner(session)
            try:
                with explaining(recording, Place(name=self._subject())):
                    yield recording
            finally:
                self._session = None
                self._show_script(recording.script())
                log_script("SQL that ran", recording.statements)

    def _open_session(self) -> AbstractContextManager[WarehouseSession]:
        from airflow_dataops.hooks.sql_runner import open_session

        return open_session(self.conn_id)

    def _subject(self) -> str:
        """Name what the task is about, for errors."""
        return ""


def tags_as_text(tags: Mapping[str, str] | None) -> list[str] | None:
    """Return tags of metrics as an operator has them, `key:value`.

    As text: what Airflow writes of a mapping in the serialized DAG, it cannot read.
    """
    return [f"{key}:{value}" for key, value in sorted((tags or {}).items())] or None
