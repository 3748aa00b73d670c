"""Schedules with a time zone of their own -> Airflow's timetables."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from airflow_dataops.core.arguments import duration
from airflow_dataops.core.manifests.schedule import ACCEPTED, is_zone, normalise, split_zone
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow.sdk.bases.timetable import BaseTimetable


def in_zone(schedule: Any, timezone: str | None = None) -> Any:
    """Return what Airflow's `DAG` takes as a schedule, so that it keeps to the clock of a zone.

    A DAG has one time zone, that of its start date; where that is a mere offset, such as text
    can say, a schedule would drift when the clock changes.

    Args:
        schedule: as in metadata, the zone's name at its end; or anything that Airflow takes,
            which stays as it is.
        timezone: of schedules that name none; None for that of the DAG.

    Raises:
        ConfigError: it is text that no scheduler reads, names a zone that is none, or is a
            time between runs that is not above 0.
    """
    if isinstance(schedule, timedelta):
        return duration(schedule, "schedule", is_positive=True)
    if not isinstance(schedule, str):
        return schedule
    text, named = split_zone(schedule)
    if named is not None and not is_zone(named):
        raise ConfigError(
            f"schedule={schedule!r}: there is no time zone {named!r}; write its name as in "
            "'Europe/Berlin'."
        )
    text = checked_cron(text)
    zone = named or timezone
    if zone is None or text in ("@once", "@continuous"):
        return text
    return _cron(text, zone)


def checked_cron(text: str) -> str:
    """Return a schedule without a zone as Airflow takes it. Raises `ConfigError`."""
    if text in ("@once", "@continuous"):
        return text
    try:
        return normalise(text)
    except ValueError as error:
        if _is_cron(text):
            return text
        raise ConfigError(f"schedule={text!r}: {error}; write {ACCEPTED}.") from None


def _is_cron(text: str) -> bool:
    """Tell whether Airflow reads a schedule that metadata cannot have: MON#2, seconds."""
    from croniter import croniter  # type: ignore[import-untyped]

    return bool(croniter.is_valid(text))


def check_dates(arguments: Mapping[str, Any]) -> None:
    """Refuse a start or an end that is no datetime. Raises `ConfigError`."""
    for name in ("start_date", "end_date"):
        value = arguments.get(name)
        if value is not None and not isinstance(value, datetime):
            raise ConfigError(f"{name}={value!r}: write a datetime.")


def optional_zone(value: object) -> str | None:
    """Return the name of a time zone; None stays None. Raises `ConfigError`."""
    if value is None:
        return None
    if not isinstance(value, str) or not is_zone(value):
        raise ConfigError(
            f"timezone={value!r}: write the name of a time zone, such as 'Europe/Berlin'."
        )
    return value


def local_dates(arguments: Mapping[str, Any], zone: str) -> dict[str, Any]:
    """Return the start and end among a DAG's arguments; without a zone they are local times."""
    return {
        name: value.replace(tzinfo=ZoneInfo(zone))
        for name in ("start_date", "end_date")
        if isinstance(value := arguments.get(name), datetime) and value.tzinfo is None
    }


def _cron(text: str, zone: str) -> BaseTimetable:
    """Return the timetable that Airflow itself makes of a cron expression."""
    from airflow.sdk.configuration import conf
    from airflow.sdk.definitions.timetables.interval import CronDataIntervalTimetable
    from airflow.sdk.definitions.timetables.trigger import CronTriggerTimetable

    if conf.getboolean("scheduler", "create_cron_data_intervals"):
        return CronDataIntervalTimetable(text, zone)
    return CronTriggerTimetable(text, timezone=zone)
