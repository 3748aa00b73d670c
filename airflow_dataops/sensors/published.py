"""Wait until a model, or any other table, was written by whoever makes it."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Unpack

from airflow_dataops.core.arguments import choice, seconds, text
from airflow_dataops.core.health.watches import PublishedWatch, Seen, Sight
from airflow_dataops.errors import ConfigError
from airflow_dataops.operators.assets import asset_of
from airflow_dataops.sensors.base import WatchSensor

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_dataops.core.arguments import Duration
    from airflow_dataops.sensors.base import WatchArguments


class KnownBy(StrEnum):
    """Who tells of a publication."""

    ASSET = "asset"
    """Airflow, as soon as the task that wrote the table ended. Views are told of as well."""
    LEDGER = "ledger"
    """The ledger, once the run that wrote rows to the table ended."""


class ModelPublishedSensor(WatchSensor):
    """Waits until a table was written, not longer before this run than so.

    By the events of its asset, which a worker alone can ask for, so it is rescheduled; or by the
    ledger, which it asks in the triggerer, and once for all sensors.

    Args:
        table: with database and schema, as the one who writes it names it: `shop.sales.orders`.
        conn_id: its warehouse. By `ledger` it is not part of what is looked up: the ledger knows
            tables by name alone, whichever connection wrote them.
        within: a timedelta, or seconds, before the run's time (`run_after`); 0 for after it.
        known_by: `asset` or `ledger`.
        dialect: its engine; see `asset_of`.
    """

    def __init__(
        self,
        *,
        table: str,
        conn_id: str,
        within: Duration = timedelta(days=1),
        known_by: str = KnownBy.ASSET,
        dialect: str | None = None,
        **arguments: Unpack[WatchArguments],
    ) -> None:
        asset = asset_of(table, text(conn_id, "conn_id"), dialect=dialect)
        before = seconds(within, "within")
        since = f"{{{{ (dag_run.run_after - macros.timedelta(seconds={before})).isoformat() }}}}"
        watch = {"type": PublishedWatch.__name__, "table": table, "since": since}
        self.known_by = choice(KnownBy, known_by, "known_by")
        given: dict[str, Any] = dict(arguments)
        if self.known_by is KnownBy.ASSET:
            if given.setdefault("deferrable", False):
                raise ConfigError(
                    "known_by='asset' is asked for by workers: leave deferrable= out."
                )
            given = {"mode": "reschedule"} | given | {"inlets": [asset]}
        super().__init__(conn_id=conn_id, watch=watch, **given)

    def _look(self, context: Context) -> Sight:
        if self.known_by is KnownBy.LEDGER:
            return super()._look(context)
        events: Any = context["inlet_events"][self.inlets[0]]
        latest = next(iter(events.ascending(False).limit(1)), None)
        since, table = datetime.fromisoformat(self.watch["since"]), self.watch["table"]
        if latest is None or latest.timestamp < since:
            last = "never" if latest is None else f"last at {latest.timestamp.isoformat()}"
            message = f"{table} was published {last}; since {since.isoformat()} is waited for."
            return Sight(seen=Seen.WAITING, message=message)
        message = f"{table} was published at {latest.timestamp.isoformat()}."
        return Sight(seen=Seen.MET, message=message)
