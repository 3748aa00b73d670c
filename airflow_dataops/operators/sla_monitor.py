"""The task that watches SLAs: it waits in the triggerer, so that it takes no worker's place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.sdk import BaseOperator

from airflow_dataops.adapters.watch.pace import POLL_SECONDS
from airflow_dataops.errors import ConfigError
from airflow_dataops.triggers.sla_monitor import SlaMonitorTrigger

if TYPE_CHECKING:
    from airflow.sdk import Context


class SlaMonitorOperator(BaseOperator):
    """Watch the SLAs of all DAGs for a while, and send the alerts that are in the outbox.

    Args:
        conn_id: the connection of Airflow's REST API; see `hooks.sla_watch.open_watch`.
        poll_seconds: between two looks at Airflow; a miss is told within that time.
        run_for: then the task ends well, and the next run takes over.
    """

    def __init__(
        self,
        *,
        conn_id: str | None = None,
        poll_seconds: float = POLL_SECONDS,
        run_for: timedelta = timedelta(hours=1),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.conn_id = conn_id
        self.poll_seconds = poll_seconds
        self.run_for = run_for

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
