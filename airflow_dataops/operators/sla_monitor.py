"""The task that watches SLAs: it waits in the triggerer, so that it takes no worker's place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn, Unpack

from airflow.sdk import BaseOperator

from airflow_dataops.adapters.watch.loop import POLL_SECONDS
from airflow_dataops.core.arguments import duration, optional_text, seconds
from airflow_dataops.errors import ConfigError
from airflow_dataops.operators.arguments import CheckedArguments
from airflow_dataops.triggers.sla_monitor import SlaMonitorTrigger

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_dataops.core.arguments import Duration
    from airflow_dataops.operators.arguments import TaskArguments


class SlaMonitorOperator(CheckedArguments, BaseOperator):
    """Watch the SLAs of all DAGs for a while, and send the alerts that are in the outbox.

    Args:
        conn_id: the connection of Airflow's REST API; see `hooks.sla_watch.open_watch`.
        poll_seconds: seconds, or a timedelta, between two looks at Airflow; a miss is told
            within that time.
        run_for: a timedelta, or seconds; then the task ends well, and the next run takes over.
    """

    def __init__(
        self,
        *,
        conn_id: str | None = None,
        poll_seconds: Duration = POLL_SECONDS,
        run_for: Duration = timedelta(hours=1),
        **arguments: Unpack[TaskArguments],
    ) -> None:
        super().__init__(**arguments)
        self.conn_id = optional_text(conn_id, "conn_id")
        self.poll_seconds = seconds(poll_seconds, "poll_seconds", is_positive=True)
        self.run_for = duration(run_for, "run_for", is_positive=True)

    def execute(self, context: Context) -> NoReturn:
        """Hand over to the triggerer."""
        until = (datetime.now(UTC) + self.run_for).isoformat()
        trigger = SlaMonitorTrigger(until, self.conn_id, self.poll_seconds)
        self.defer(trigger=trigger, method_name=self.ended.__name__)

    def ended(self, context: Context, event: dict[str, Any]) -> int:
        """Return how many misses were told.

        Raises:
            ConfigError: the watch could not go on.
        """
        if "error" in event:
            raise ConfigError(event["error"])
        return int(event["misses"])
