"""The deadlines of a DAG: one for each time at which something in it is due."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert

from airflow_dataops.core.sla.names import default_name
from airflow_dataops.core.sla.policies import AfterInterval, ByTime
from airflow_dataops.slas.references import SlaDue

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow.sdk import DAG

    from airflow_dataops.core.sla.policies import RunType, Sla
    from airflow_dataops.slas.references import Absolute

CALLBACK = "airflow_dataops.callbacks.sla.check_run"
"""What the triggerer calls when a deadline has passed: it looks at all SLAs of the run."""


class Deadlines:
    """The times at which something in a DAG is due that are known when a run is made."""

    def __init__(self) -> None:
        self._runs: dict[Absolute, set[RunType]] = {}

    def add(self, sla: Sla) -> bool:
        """Add an SLA's; return whether the deadlines are others now."""
        if not isinstance(sla.due, ByTime | AfterInterval):
            return False
        runs = self._runs.setdefault(sla.due, set())
        before = len(runs)
        runs.update(sla.run_types)
        return len(runs) > before

    def alerts(self) -> list[DeadlineAlert]:
        """Return them for Airflow, in an order that does not depend on how they came."""
        ordered = sorted(self._runs, key=msgspec.json.encode)
        return [_alert(due, self._runs[due]) for due in ordered]


def put_deadlines(dag: DAG, alerts: Iterable[DeadlineAlert]) -> None:
    """Replace those deadlines of a DAG that are SLAs'; its author's own are left."""
    given = dag.deadline or []
    own = [alert for alert in given if not isinstance(alert.reference, SlaDue)]  # type: ignore[union-attr]
    dag.deadline = [*own, *alerts] or None


def _alert(due: Absolute, run_types: Iterable[RunType]) -> DeadlineAlert:
    return DeadlineAlert(
        reference=SlaDue.of(due, run_types),
        interval=timedelta(0),
        # As one that was written before: Airflow imports the path of a new one, and with it
        # clients that no DAG file needs.
        callback=AsyncCallback.deserialize({"path": CALLBACK, "kwargs": {}}, 0),
        name=f"SLA {default_name(due)}",
    )
