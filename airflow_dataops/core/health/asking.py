"""What has to be asked of a table for its checks, and who judges the answers."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from airflow_dataops.core.engines.identifiers import resolve
from airflow_dataops.core.health import judging
from airflow_dataops.core.health.judging import verdict
from airflow_dataops.core.health.verdict import Status, Verdict
from airflow_dataops.core.sql import probes
from airflow_dataops.core.sql.probes import Moment, days_before, moment_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date, datetime

    from airflow_dataops.core.health.config import RowCount, TableHealth
    from airflow_dataops.core.health.together import Answers
    from airflow_dataops.core.sql.catalog import Column
    from airflow_dataops.core.sql.listing import Listed


class Question(NamedTuple):
    """A probe, and what its answers mean. Attributes: `sql` is one of `core.sql.probes`."""

    table: TableHealth
    check: str
    sql: str
    judge: Callable[[Answers], Verdict]


def questions(
    table: TableHealth, listed: Listed, now: datetime, dialect: str
) -> Iterator[Question | Verdict]:
    """Yield what has to be asked, and the verdicts for which nothing has to be."""
    if table.freshness is not None:
        yield _freshness(table, listed, now, dialect)
    if table.row_count is not None:
        yield _row_count(table, table.row_count, listed, now, dialect)
    if table.check_partitions:
        yield _partitions(table, listed, now, dialect)
    if table.expected_schema:
        yield judging.judge_schema(table, listed, dialect)
    if table.check_availability:
        sql = probes.readable(listed.relation, dialect)
        yield Question(table, "availability", sql, lambda _: _readable(table))
    if table.quality is not None:
        yield from _quality(table, listed, dialect)


def _freshness(
    table: TableHealth, listed: Listed, now: datetime, dialect: str
) -> Question | Verdict:
    limits = table.freshness
    assert limits is not None  # noqa: S101 - for the type checker
    found = _moment(table, "freshness", limits.timestamp_column, listed, dialect)
    if isinstance(found, Verdict):
        return found
    column, moment = found
    return Question(
        table,
        "freshness",
        probes.newest(listed.relation, column, dialect),
        lambda answers: judging.judge_freshness(table, limits, answers[0][1], moment, now),
    )


def _row_count(
    table: TableHealth, limits: RowCount, listed: Listed, now: datetime, dialect: str
) -> Question | Verdict:
    if limits.partition_column is None:
        return Question(
            table,
            "row_count",
            probes.row_count(listed.relation, dialect),
            lambda answers: judging.judge_rows(table, limits, answers[0][1] or 0),
        )
    found = _moment(table, "row_count", limits.partition_column, listed, dialect)
    if isinstance(found, Verdict):
        return found
    today = now.astimezone(ZoneInfo(limits.timezone)).date()
    days = days_before(today, limits.lookback_days, today_too=limits.include_today)
    return Question(
        table,
        "row_count",
        probes.rows_by_day(listed.relation, found[0], days, limits.timezone, dialect),
        lambda answers: judging.judge_rows_by_day(table, limits, _each(days), _by_label(answers)),
    )


def _partitions(
    table: TableHealth, listed: Listed, now: datetime, dialect: str
) -> Question | Verdict:
    found = _moment(table, "partitions", table.day_column or "", listed, dialect)
    if isinstance(found, Verdict):
        return found
    zone = table.row_count.timezone if table.row_count is not None else "UTC"
    days = days_before(now.astimezone(ZoneInfo(zone)).date(), table.partition_lookback_days)
    return Question(
        table,
        "partitions",
        probes.rows_by_day(listed.relation, found[0], days, zone, dialect),
        lambda answers: judging.judge_partitions(table, _each(days), _by_label(answers)),
    )


def _quality(table: TableHealth, listed: Listed, dialect: str) -> Iterator[Question | Verdict]:
    wanted = table.quality
    assert wanted is not None  # noqa: S101 - for the type checker
    kinds = (
        ("not_null", wanted.not_null, probes.nulls, "rows without a value"),
        ("unique", wanted.unique, probes.repeats, "rows with a value that another has"),
    )
    names = [column.name for column in listed.columns]
    for kind, columns, probe, what in kinds:
        for name in columns:
            column = resolve(name, names)
            check = f"{kind}:{name}"
            if column is None:
                yield _no_column(table, check, name, names)
                continue
            sql = probe(listed.relation, column, dialect)
            yield Question(table, check, sql, _counted(table, check, what))


def _counted(table: TableHealth, check: str, what: str) -> Callable[[Answers], Verdict]:
    def judge(answers: Answers) -> Verdict:
        count = answers[0][1] or 0.0
        status = Status.FAIL if count else Status.PASS
        return verdict(table, check, status, f"{count:,.0f} {what}.", value=count, expected="0")

    return judge


def _readable(table: TableHealth) -> Verdict:
    return verdict(table, "availability", Status.PASS, "It can be read.")


def _moment(
    table: TableHealth, check: str, name: str, listed: Listed, dialect: str
) -> tuple[Column, Moment] | Verdict:
    """Return the column of dates or times that is meant, or say that it is none."""
    found = find_moment(listed, name, dialect)
    return verdict(table, check, Status.ERROR, found) if isinstance(found, str) else found


def find_moment(listed: Listed, name: str, dialect: str) -> tuple[Column, Moment] | str:
    """Return a column of dates or times of a table, or say why it is none."""
    names = [column.name for column in listed.columns]
    resolved = resolve(name, names)
    if resolved is None:
        return _missing(name, names)
    column = next(each for each in listed.columns if each.name == resolved)
    moment = moment_of(column.type, dialect)
    if moment is None:
        return f"{name} is of type {column.type}; it must be a date or a timestamp."
    return column, moment


def _no_column(table: TableHealth, check: str, name: str, names: list[str]) -> Verdict:
    return verdict(table, check, Status.ERROR, _missing(name, names))


def _missing(name: str, names: list[str]) -> str:
    return f"There is no column {name}; there are {', '.join(names)}."


def _each(days: tuple[date, date]) -> list[date]:
    return [days[0] + timedelta(days=n) for n in range((days[1] - days[0]).days)]


def _by_label(answers: Answers) -> dict[str, float]:
    return {label: value or 0.0 for label, value in answers if label is not None}
