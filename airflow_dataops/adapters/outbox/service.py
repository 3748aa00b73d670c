"""Where alerts and misses are handed in: routed, kept, and left to the senders."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from airflow_dataops.adapters.ledger.store import keep_miss, solve_miss
from airflow_dataops.adapters.outbox.failures import solve_failures
from airflow_dataops.adapters.outbox.raising import raise_alert
from airflow_dataops.adapters.outbox.solving import acknowledge, solve_alert, solve_incident
from airflow_dataops.core.alerts.alert import alert_of
from airflow_dataops.core.alerts.routing import make_ticket, route_alert
from airflow_dataops.core.masking import mask

if TYPE_CHECKING:
    from airflow_dataops.adapters.ledger.database import Database
    from airflow_dataops.adapters.outbox.failures import Succeeded
    from airflow_dataops.core.alerts.alert import Alert
    from airflow_dataops.core.alerts.config import AlertsConfig, Route
    from airflow_dataops.core.alerts.routing import Ticket
    from airflow_dataops.core.ports import Clock
    from airflow_dataops.core.sla.misses import SlaMiss


LOG = logging.getLogger("airflow_dataops.alerts")


class AlertService:
    """Takes alerts in a few milliseconds; it never talks to a receiver.

    Args:
        database: of the ledger, with its tables up to date.
    """

    def __init__(self, database: Database, config: AlertsConfig, clock: Clock) -> None:
        self._database = database
        self._config = config
        self._clock = clock

    def alert(self, alert: Alert, route: Route | None = None) -> bool:
        """Take an alert, for this route alone or for those of the configuration.

        Return False where one with its key is open that is as bad, or no route wants it.
        """
        now = self._clock.now()
        with self._database.write() as connection:
            return raise_alert(connection, alert, self._tickets(alert, route), now)

    def resolve(self, key: str) -> bool:
        """Say that an alert is solved. Return False where it is unknown or was so before."""
        with self._database.write() as connection:
            return solve_alert(connection, key, self._clock.now())

    def miss(self, miss: SlaMiss, route: Route | None = None) -> bool:
        """Keep a missed SLA and raise its alert, both or neither.

        Return False where it is known: then nothing is raised either.
        """
        alert = alert_of(miss)
        with self._database.write() as connection:
            if not keep_miss(connection, miss):
                return False
            raise_alert(connection, alert, self._tickets(alert, route), self._clock.now())
        return True

    def solve(self, key: str) -> bool:
        """Say that a miss is solved: its subject is done after all. False where it was not open."""
        now = self._clock.now()
        with self._database.write() as connection:
            solved = solve_miss(connection, key, now)
            return solve_alert(connection, key, now) or solved

    def acknowledge(self, incident: str) -> bool:
        """Stop the escalation of an incident. Return False where it was not open."""
        with self._database.write() as connection:
            return acknowledge(connection, incident, self._clock.now())

    def close(self, incident: str) -> bool:
        """Say that all alerts of an incident are solved. Return False where it was not open."""
        with self._database.write() as connection:
            return solve_incident(connection, incident, self._clock.now())

    def succeeded(self, done: Succeeded) -> int:
        """Solve the alerts of failures that are over, as the alerts file says; return how many."""
        with self._database.write() as connection:
            now, scope = self._clock.now(), self._config.resolve_failures
            return solve_failures(connection, done, scope, now)

    def _tickets(self, alert: Alert, route: Route | None) -> tuple[Ticket, ...]:
        now = self._clock.now()
        if route is not None:
            return (make_ticket(alert, route, self._config, now),)
        tickets = route_alert(alert, self._config, now)
        if not tickets:
            LOG.warning("No route of the alerts file takes %r: nobody is told", mask(alert.title))
        return tickets
