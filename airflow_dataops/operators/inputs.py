"""Wait until the tables that other DAGs fill are fresh."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from airflow.sdk import Asset, BaseSensorOperator
from croniter import croniter  # type: ignore[import-untyped]

from airflow_dataops.core.manifests.schedule import split_zone
from airflow_dataops.core.plan import Input, StartWhen
from airflow_dataops.operators.assets import table_asset

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

# As Airflow's timetables read them (`airflow.utils.dates.cron_presets` of Airflow 2).
_CRONS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@quarterly": "0 0 1 */3 *",
    "@yearly": "0 0 1 1 *",
}
_WAITING = frozenset({"scheduled", "asset_triggered"})
_UNFINISHED = ["queued", "running"]


class InputsSensor(BaseSensorOperator):
    """Waits, in runs that time or assets started, until inputs are as fresh as was promised.

    An input is fresh when its asset was emitted

    - after the start of this run; or
    - at or after the last time, up to that of this run, at which its maker was due, while the
      maker has no run under way that did not emit it yet.

    A maker that nobody knows the schedule of counts as due at the run's time before this one.
    Runs that somebody triggered, and backfills, do not wait.

    Args:
        inputs: the tables, with the schedules of their makers.
        conn_id: the warehouse they are in.
        dialect: its engine; None if unknown.
        start_when: whether all or any of them must be fresh.
        schedule: of the DAG itself.
    """

    ui_color = "#f3efdc"

    def __init__(
        self,
        *,
        inputs: Sequence[Input],
        conn_id: str,
        dialect: str | None = None,
        start_when: StartWhen = StartWhen.ALL,
        schedule: str | None = None,
        **arguments: Any,
    ) -> None:
        assets = [table_asset(found.relation, conn_id, dialect) for found in inputs]
        defaults: dict[str, Any] = {"mode": "reschedule", "timeout": timedelta(hours=12)}
        super().__init__(**(defaults | arguments | {"inlets": assets}))
        self.schedules = [found.schedule for found in inputs]
        self.start_when = start_when
        self.own_schedule = schedule

    def poke(self, context: Context) -> bool:
        """Tell whether the inputs are fresh."""
        run: Any = context["dag_run"]
        if run.run_type not in _WAITING:
            self.log.info("A run of type %s does not wait for its inputs", run.run_type)
            return True
        zone: tzinfo = context["dag"].timezone
        stale = 0
        for asset, schedule in zip(self.inlets, self.schedules, strict=True):
            due = last_due(schedule, self.own_schedule, run.run_after, zone)
            if why := _why_stale(context, asset, due, run.run_after):
                stale += 1
                self.log.info("%s: %s", asset.name, why)
        if self.start_when is StartWhen.ANY:
            return stale < len(self.schedules)
        return not stale


def last_due(
    schedule: str | None, own: str | None, run_after: datetime, zone: tzinfo
) -> datetime | None:
    """Return from when on an input counts as fresh; None for always.

    Args:
        schedule: of its maker; None where nobody knows, then the last period of `own` counts.
        run_after: the time of the run that reads it.
        zone: of schedules that name none.
    """
    if schedule is None:
        return _before(own, run_after, zone)
    # A tick at that very time counts; croniter looks for earlier ones only.
    return _before(schedule, run_after + timedelta(seconds=1), zone)


def _before(schedule: str | None, time: datetime, zone: tzinfo) -> datetime | None:
    text, named = split_zone(schedule or "")
    cron = _CRONS.get(text, text)
    if not cron or cron.startswith("@"):
        return None
    at = time.astimezone(zone if named is None else ZoneInfo(named))
    found: datetime = croniter(cron, at).get_prev(datetime)
    return found


def _why_stale(
    context: Context, asset: Asset, due: datetime | None, run_after: datetime
) -> str | None:
    """Say why an input is not fresh, None when it is."""
    events: Any = context["inlet_events"][asset]
    latest = next(iter(events.ascending(False).limit(1)), None)
    if latest is None:
        return "never emitted"
    if due is not None and latest.timestamp < due:
        return f"last emitted at {latest.timestamp}, expected since {due}"
    if latest.timestamp < run_after and _is_made(context["ti"], latest):
        return f"a run of {latest.source_dag_id} is under way and did not emit it yet"
    return None


def _is_made(ti: Any, latest: Any) -> bool:
    """Tell whether its maker has a run under way, besides the one that emitted it last."""
    if not latest.source_dag_id:
        return False
    count = ti.get_dr_count(dag_id=latest.source_dag_id, states=_UNFINISHED)
    if count and latest.source_run_id:
        count -= ti.get_dr_count(
            dag_id=latest.source_dag_id, run_ids=[latest.source_run_id], states=_UNFINISHED
        )
    return bool(count > 0)
