"""When an SLA is due in a run, as a reference of Airflow's deadlines.

It is evaluated by the scheduler, and by the api-server, while they make the run: nothing here
may raise, or the run would not be made.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
from airflow.sdk.definitions.deadline import BaseDeadlineReference

from airflow_dataops.core.sla.due import due_of
from airflow_dataops.core.sla.facts import RunFacts
from airflow_dataops.core.sla.policies import SCHEDULED_RUNS, AfterInterval, ByTime, RunType
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy.orm import Session

log = logging.getLogger(__name__)

Absolute = ByTime | AfterInterval
"""What can be told when a run is made."""


@dataclass(eq=False)
class SlaDue(BaseDeadlineReference):
    """A deadline at the time an SLA is due, in the runs that owe it.

    Runs of other types and those of days off get no deadline.

    Attributes:
        due: of a `ByTime` or an `AfterInterval`, as JSON.
        run_types: Airflow's names, sorted and joined by commas.
    """

    due: str = ""
    run_types: str = ""
    required_kwargs: ClassVar[set[str]] = {"dag_id", "run_id"}

    @classmethod
    def of(cls, due: Absolute, run_types: Iterable[RunType] = SCHEDULED_RUNS) -> SlaDue:
        """Return the reference of a due time."""
        types = ",".join(sorted(run_types))
        return cls(due=msgspec.json.encode(due, order="sorted").decode(), run_types=types)

    def serialize_reference(self) -> dict[str, Any]:
        """Return what `deserialize_reference` takes: texts alone."""
        return super().serialize_reference() | {"due": self.due, "run_types": self.run_types}

    @classmethod
    def deserialize_reference(cls, reference_data: dict[str, Any]) -> SlaDue:
        """Return the reference that was written so."""
        return cls(due=reference_data.get("due", ""), run_types=reference_data.get("run_types", ""))

    def _evaluate_with(self, *, session: Session, dag_id: str, run_id: str) -> datetime | None:
        try:
            due = msgspec.convert(json.loads(self.due), Absolute)
            run = _facts(session, dag_id, run_id, self.run_types.split(","))
            return None if run is None else due_of(due, run)
        except (ValueError, ConfigError) as error:
            log.error("Run %s of %s gets no deadline for %s: %s", run_id, dag_id, self.due, error)
            return None


def _facts(session: Session, dag_id: str, run_id: str, run_types: Iterable[str]) -> RunFacts | None:
    """Return what is known of a run, None for one of another type."""
    # Of Airflow's database models, which DAG files must not pay for.
    from airflow.models import DagRun
    from sqlalchemy import select

    columns = (DagRun.run_type, DagRun.run_after, DagRun.data_interval_end)
    found = session.execute(
        select(*columns).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id)
    ).one_or_none()
    if found is None or str(getattr(found[0], "value", found[0])) not in run_types:
        return None
    run_type, run_after, end = found
    return RunFacts(
        dag_id=dag_id,
        run_id=run_id,
        run_type=RunType(str(getattr(run_type, "value", run_type))),
        run_after=run_after,
        data_interval_end=end,
    )
