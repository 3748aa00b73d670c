"""Schedules with a time zone of their own -> Airflow's timetables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_dataops.core.manifests.schedule import split_zone

if TYPE_CHECKING:
    from airflow.sdk.bases.timetable import BaseTimetable


def in_zone(schedule: Any, timezone: str | None = None) -> Any:
    """Return what Airflow's `DAG` takes as a schedule, so that it keeps to the clock of a zone.

    A DAG has one time zone, that of its start date; where that is a mere offset, such as text
    can say, a schedule would drift when the clock changes.

    Args:
        schedule: as in metadata, the zone's name at its end; or anything that Airflow takes,
            which stays as it is.
        timezone: of schedules that name none; None for that of the DAG.
    """
    if not isinstance(schedule, str):
        return schedule
    text, named = split_zone(schedule)
    zone = named or timezone
    if zone is None or text in ("@once", "@continuous"):
        return text
    return _cron(text, zone)


def _cron(text: str, zone: str) -> BaseTimetable:
    """Return the timetable that Airflow itself makes of a cron expression."""
    from airflow.sdk.configuration import conf
    from airflow.sdk.definitions.timetables.interval import CronDataIntervalTimetable
    from airflow.sdk.definitions.timetables.trigger import CronTriggerTimetable

    if conf.getboolean("scheduler", "create_cron_data_intervals"):
        return CronDataIntervalTimetable(text, zone)
    return CronTriggerTimetable(text, timezone=zone)
