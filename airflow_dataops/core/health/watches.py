"""What sensors wait for in tables, and how far the tables are: one look serves many watches."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import msgspec

from airflow_dataops.core.engines import get_engine
from airflow_dataops.core.engines.error_codes import Fate
from airflow_dataops.core.engines.errors import kind_of
from airflow_dataops.core.engines.names import parse_relation
from airflow_dataops.core.health.asking import find_moment
from airflow_dataops.core.health.config import check_zone
from airflow_dataops.core.health.together import ask_together, in_short
from airflow_dataops.core.model import Struct
from airflow_dataops.core.sql import probes
from airflow_dataops.core.sql.listing import find_tables
from airflow_dataops.core.sql.probes import Moment
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_dataops.core.health.together import Answers
    from airflow_dataops.core.model import Relation
    from airflow_dataops.core.ports import SqlRunner
    from airflow_dataops.core.sql.listing import Listed

CHUNK = 100
"""Watches in one statement: a thousand are ten statements."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Seen(StrEnum):
    """How far what is waited for has come."""

    MET = "met"
    WAITING = "waiting"
    MISSING = "missing"
    """It is not there, which may be for now or for good."""
    ERRORED = "errored"
    """It could not be asked for; nothing is known of it."""
    WRONG = "wrong"
    """Waiting cannot help."""


class Sight(Struct, frozen=True):
    """What one look found. Attributes: `mark` changes whenever what is looked at changes."""

    seen: Seen
    message: str
    mark: str | None = None


class TableWatch(Struct, frozen=True, tag=True):
    """What is waited for in a table.

    Attributes:
        table: its name, as authors write it.
        timezone: an IANA name, of a column without a zone, and of days.
    """

    table: str
    timezone: str = "UTC"

    def __post_init__(self) -> None:
        check_zone(self.timezone)


class FreshWatch(TableWatch, frozen=True, kw_only=True, tag=True):
    """The newest row of a table is young enough. Attributes: `max_age` in seconds."""

    column: str
    max_age: float


class RowsWatch(TableWatch, frozen=True, kw_only=True, tag=True):
    """A table, or one day of it, has rows.

    Attributes:
        column: a date or a time whose day is looked at; None for the whole table.
        day: that day.
        min_rows: fewer are waited for.
    """

    column: str | None = None
    day: date | None = None
    min_rows: int = 1


class FilesWatch(Struct, frozen=True, tag=True):
    """Files are written whole.

    Attributes:
        url: a path or a URI, with or without a pattern.
        min_files: fewer are waited for.
        marker: a file in the same folder that says that the others are whole, such as `_SUCCESS`.
        manifest: a file in the same folder that lists them.
    """

    url: str
    min_files: int = 1
    marker: str | None = None
    manifest: str | None = None


class PublishedWatch(Struct, frozen=True, tag=True):
    """The ledger knows that a table was written. Attributes: `since` is aware."""

    table: str
    since: datetime


class BreakerWatch(Struct, frozen=True, tag=True):
    """A circuit breaker lets calls through. Attributes: `reset_after` in seconds."""

    name: str
    reset_after: float


Watch = FreshWatch | RowsWatch
"""All that `look` knows."""
AnyWatch = Watch | FilesWatch | PublishedWatch | BreakerWatch


def read_watch(given: dict[str, Any]) -> AnyWatch:
    """Return a watch from plain data, such as `msgspec.to_builtins` makes of one.

    Raises:
        ConfigError: something in it, perhaps rendered from a template, is not what it must be.
    """
    try:
        return msgspec.convert(given, AnyWatch)  # type: ignore[no-any-return]
    except msgspec.ValidationError as error:
        raise ConfigError(f"{error}; given was {given}. A day is written as 2026-01-31.") from None


def look(runner: SqlRunner, watches: Sequence[Watch], now: datetime) -> list[Sight]:
    """Return how far each watch is, in their order: a statement for each hundred of them.

    Args:
        now: aware.
    """
    relations: list[Relation | Sight] = [_relation(watch, runner.dialect) for watch in watches]
    known = [each for each in relations if not isinstance(each, Sight)]
    try:
        found, failed = find_tables(runner, known)
    except Exception as error:  # noqa: BLE001 - each driver has a tree of its own
        return [errored(error)] * len(watches)
    sights: dict[int, Sight] = {}
    asked: list[tuple[int, Moment | None, str]] = []
    for number, (watch, relation) in enumerate(zip(watches, relations, strict=True)):
        if isinstance(relation, Sight):
            sights[number] = relation
            continue
        if relation not in found:
            sights[number] = _unseen(relation, failed[relation], runner.dialect)
            continue
        question = _question(watch, found[relation], runner.dialect)
        if isinstance(question, Sight):
            sights[number] = question
        else:
            asked.append((number, *question))
    for start in range(0, len(asked), CHUNK):
        part = asked[start : start + CHUNK]
        answers = ask_together(runner, [sql for _, _, sql in part])
        for (number, moment, _), answer in zip(part, answers, strict=True):
            sights[number] = _judged(watches[number], moment, answer, now)
    return [sights[number] for number in range(len(watches))]


def errored(error: Exception) -> Sight:
    """Return the sight of what could not be asked for: in vain for ever, or just now."""
    kind = kind_of(error)
    final = isinstance(error, ConfigError) or (kind is not None and kind.fate is Fate.FINAL)
    return Sight(seen=Seen.WRONG if final else Seen.ERRORED, message=in_short(error))


def _relation(watch: Watch, dialect: str) -> Relation | Sight:
    try:
        return parse_relation(watch.table, dialect)
    except ConfigError as error:
        return Sight(seen=Seen.WRONG, message=str(error))


def _unseen(relation: Relation, why: str | Exception, dialect: str) -> Sight:
    if isinstance(why, Exception):
        return errored(why)
    is_nameless = relation.schema is None and get_engine(dialect).lookup.home is None
    return Sight(seen=Seen.WRONG if is_nameless else Seen.MISSING, message=why)


def _question(watch: Watch, listed: Listed, dialect: str) -> tuple[Moment | None, str] | Sight:
    if watch.column is None:
        return None, probes.row_count(listed.relation, dialect)
    found = find_moment(listed, watch.column, dialect)
    if isinstance(found, str):
        return Sight(seen=Seen.WRONG, message=found)
    column, moment = found
    if isinstance(watch, FreshWatch):
        return moment, probes.newest(listed.relation, column, dialect)
    day = watch.day or date.min
    days = (day, day + timedelta(days=1))
    return moment, probes.rows_by_day(listed.relation, column, days, watch.timezone, dialect)


def _judged(
    watch: Watch, moment: Moment | None, answer: Answers | Exception, now: datetime
) -> Sight:
    if isinstance(answer, Exception):
        return errored(answer)
    if isinstance(watch, FreshWatch):
        return _judge_age(watch, answer[0][1], moment, now)
    rows = int(sum(value or 0 for _, value in answer))
    where = "" if watch.day is None else f" on {watch.day}"
    message = f"There are {rows:,} rows{where}; at least {watch.min_rows:,} are waited for."
    seen = Seen.MET if rows >= watch.min_rows else Seen.WAITING
    return Sight(seen=seen, message=message, mark=str(rows))


def _judge_age(
    watch: FreshWatch, seconds: float | None, moment: Moment | None, now: datetime
) -> Sight:
    if seconds is None or not math.isfinite(seconds):
        why = "No row has a time" if seconds is None else "The newest time is infinite"
        return Sight(seen=Seen.WAITING, message=f"{why} in {watch.column}.")
    try:
        newest = _EPOCH + timedelta(seconds=seconds)
        if moment is not Moment.AWARE:
            newest = newest.replace(tzinfo=ZoneInfo(watch.timezone)).astimezone(UTC)
    except OverflowError:
        message = f"The newest time in {watch.column} is no date that a calendar has."
        return Sight(seen=Seen.WRONG, message=message)
    age, most = now - newest, timedelta(seconds=watch.max_age)
    told = f"{age} old" if age >= timedelta() else f"{-age} in the future; is it {watch.timezone}?"
    message = f"The newest row is of {newest.isoformat()}, {told}; {most} is waited for."
    return Sight(
        seen=Seen.MET if age <= most else Seen.WAITING, message=message, mark=newest.isoformat()
    )
