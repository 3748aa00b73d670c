"""The checks there are."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec.structs import force_setattr

from airflow_dataops.core.arguments import count
from airflow_dataops.core.engines.names import parse_relation
from airflow_dataops.core.engines.statements import Statement
from airflow_dataops.core.health.config import Freshness
from airflow_dataops.core.health.judging import judge_freshness
from airflow_dataops.core.health.verdict import Status, Verdict
from airflow_dataops.core.loads.gates import Gate
from airflow_dataops.core.loads.settings import Several
from airflow_dataops.core.model import Severity
from airflow_dataops.core.quality.check import Check, Number, NumberCheck, RowCheck, Scene
from airflow_dataops.core.sql import quality
from airflow_dataops.core.sql.probes import Moment, moment_of, of_author
from airflow_dataops.errors import ConfigError, RunError

if TYPE_CHECKING:
    from airflow_dataops.core.ports import SqlRunner

Value = str | int | float | Decimal | date
_VALUES = (str, int, float, bool, Decimal, date, datetime)


class NullRate(RowCheck, frozen=True, kw_only=True):
    """The share of rows without a value in a column; more than 1 % fails.

    Attributes:
        not_finite: whether NaN and the infinities count as no value.
    """

    column: str
    fail_above: Number | None = 0.01
    not_finite: bool = False

    def _title(self) -> str:
        return f"null_rate:{self.column}"

    def _what(self) -> str:
        return f"have no value in {self.column}"

    def wrong(self, scene: Scene) -> Statement:
        """Return the condition that there is no value."""
        column = scene.column(self.column)
        return quality.is_null(column, scene.dialect, not_finite=self.not_finite)

    def aggregate(self, scene: Scene) -> Statement:
        """Count the rows without a value."""
        if self.not_finite:
            return quality.count_of(self.wrong(scene))
        return quality.null_count(scene.column(self.column).name, scene.dialect)


class DuplicateRate(RowCheck, frozen=True, kw_only=True):
    """The share of rows whose key an earlier row has; more than 0.1 % fails.

    A key that is, or holds, NULL is no duplicate of anything.
    """

    columns: Several
    fail_above: Number | None = 0.001

    def _title(self) -> str:
        return f"duplicate_rate:{','.join(self.columns)}"

    def _what(self) -> str:
        return f"repeat the {', '.join(self.columns)} of another"

    def _names(self, scene: Scene) -> list[str]:
        return [scene.column(name).name for name in self.columns]

    def aggregate(self, scene: Scene) -> Statement | None:
        """Count the rows too many by one column."""
        names = self._names(scene)
        return quality.excess(names[0], scene.dialect) if len(names) == 1 else None

    def query(self, scene: Scene) -> Statement | None:
        """Count the rows too many by several columns: no engine has an aggregate for it."""
        names = self._names(scene)
        if len(names) == 1:
            return None
        return quality.excess_of_key(scene.table.sql, names, scene.dialect)

    def sample(self, scene: Scene, limit: int) -> Statement:
        """Return a query for rows that share their key."""
        names = self._names(scene)
        return quality.repeated_rows(scene.table.sql, names, scene.dialect, limit)


class AcceptedValues(RowCheck, frozen=True, kw_only=True):
    """The values that a column may have. NULL is let through, as by dbt's test."""

    column: str
    values: Sequence[Value] | str

    def __post_init__(self) -> None:
        """Check the values."""
        given = self.values
        if isinstance(given, str) or not isinstance(given, Sequence) or not given:
            raise ConfigError(f"values={given!r}: write the accepted values in a list.")
        super().__post_init__()
        if wrong := [each for each in given if not isinstance(each, _VALUES)]:
            raise ConfigError(f"values={given!r}: {wrong[0]!r} is no text, number, truth or time.")
        force_setattr(self, "values", tuple(given))

    def _title(self) -> str:
        return f"accepted_values:{self.column}"

    def _what(self) -> str:
        return f"have another {self.column} than the accepted ones"

    def wrong(self, scene: Scene) -> Statement:
        """Return the condition that the value is another one."""
        return quality.not_among(scene.column(self.column).name, tuple(self.values), scene.dialect)


class AcceptedRange(RowCheck, frozen=True, kw_only=True):
    """The range of a column's values, its bounds included. NaN is outside, NULL let through."""

    column: str
    min: Value | None = None
    max: Value | None = None

    def __post_init__(self) -> None:
        """Check the bounds."""
        super().__post_init__()
        bounds = [each for each in (self.min, self.max) if each is not None]
        if not bounds or not all(isinstance(each, _VALUES) for each in bounds):
            raise ConfigError(f"min={self.min!r}, max={self.max!r}: write one or two values.")

    def _title(self) -> str:
        return f"accepted_range:{self.column}"

    def _what(self) -> str:
        bounds = [f"{w} {v}" for w, v in (("from", self.min), ("to", self.max)) if v is not None]
        return f"have a {self.column} that is not {' '.join(bounds)}"

    def wrong(self, scene: Scene) -> Statement:
        """Return the condition that the value is outside."""
        column = scene.column(self.column)
        return quality.out_of_range(column, self.min, self.max, scene.dialect)


class ForeignKey(RowCheck, frozen=True, kw_only=True):
    """Every value of a column is in a column of another table. NULL is let through.

    Attributes:
        to: the other table, as one writes it in SQL.
        key: its column; by default one of the same name.
    """

    column: str
    to: str
    key: str | None = None

    def _title(self) -> str:
        return f"foreign_key:{self.column}"

    def _what(self) -> str:
        return f"have a {self.column} that {self.to} does not know"

    def wrong(self, scene: Scene) -> Statement:
        """Return the condition that the other table has no such value."""
        column = scene.column(self.column).name
        parent = parse_relation(self.to, scene.dialect)
        return quality.orphaned(column, parent, self.key or column, scene.dialect)

    def aggregate(self, scene: Scene) -> None:
        """Tell that no aggregate can look into another table."""

    def query(self, scene: Scene) -> Statement:
        """Count the wrong rows."""
        return quality.count_rows(scene.table.sql, self.wrong(scene))


class GateCheck(RowCheck, frozen=True, kw_only=True):
    """A `Gate` as a check: a condition that every row must meet."""

    gate: Gate

    def _title(self) -> str:
        return self.gate.name

    def wrong(self, scene: Scene) -> Statement:
        """Return the condition that the gate's is not met."""
        return quality.unmet(self.gate.condition)

    def _what(self) -> str:
        return f"do not meet {self.gate.condition}"

    def judge(self, value: Any, rows: int, scene: Scene) -> Verdict:
        """Compare the number of wrong rows with what the gate lets through."""
        from msgspec.structs import replace

        found = super().judge(value, rows, scene)
        beyond = Status.WARN if self.gate.severity is Severity.WARN else Status.FAIL
        status = Status.PASS if value <= self.gate.at_most else beyond
        return replace(found, status=status, expected=f"at most {self.gate.at_most} rows")


class RowCount(NumberCheck, frozen=True, kw_only=True):
    """The number of rows, within bounds. The policy for empty tables does not decide on it."""

    of_rows: ClassVar[bool] = False

    def _title(self) -> str:
        return "row_count"

    def __post_init__(self) -> None:
        """Check the bounds."""
        super().__post_init__()
        if all(each is None for each in (self.min, self.max, self.warn_min, self.warn_max)):
            raise ConfigError("RowCount: set min, max, warn_min or warn_max.")

    def aggregate(self, scene: Scene) -> Statement:
        """Count the rows."""
        return Statement(sql="count(*)")


class MaxAge(Check, frozen=True, kw_only=True):
    """How old the newest row may be.

    Attributes:
        column: a date or a time.
        hours: an older one fails.
        warn_hours: an older one only speaks.
        timezone: of a column without one; an IANA name.
    """

    column: str
    hours: Number
    warn_hours: Number | None = None
    timezone: str = "UTC"

    def __post_init__(self) -> None:
        """Check the hours and the zone."""
        super().__post_init__()
        for what in ("hours", "warn_hours"):
            value = getattr(self, what)
            if value is not None and (not isinstance(value, float | int) or not value > 0):
                raise ConfigError(f"{what}={value!r}: write a number of hours above 0.")
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError):
            raise ConfigError(f"timezone={self.timezone!r}: write an IANA name.") from None

    def _title(self) -> str:
        return f"max_age:{self.column}"

    def _moment(self, scene: Scene) -> Moment:
        column = scene.column(self.column)
        found = moment_of(column.type, scene.dialect)
        if found is None:
            raise RunError(f"{column.name} is of type {column.type}; it must be a date or a time.")
        return found

    def aggregate(self, scene: Scene) -> Statement:
        """Find the newest time."""
        self._moment(scene)
        return quality.newest(scene.column(self.column).name, scene.dialect)

    def judge(self, value: Any, rows: int, scene: Scene) -> Verdict:
        """Compare the age with its limits."""
        from msgspec.structs import replace

        limits = Freshness(
            timestamp_column=self.column,
            max_age_hours=float(self.hours),
            warn_age_hours=None if self.warn_hours is None else float(self.warn_hours),
            timezone=self.timezone,
        )
        found = judge_freshness(scene.health, limits, float(value), self._moment(scene), scene.now)
        return replace(found, check=self.title)


class Metric(NumberCheck, frozen=True, kw_only=True):
    """An aggregate of the author's over the table, such as `sum(amount) / count(*)`.

    It is computed in the scan of all other checks.
    """

    expression: str

    def _title(self) -> str:
        return self.expression

    def aggregate(self, scene: Scene) -> Statement:
        """Return the author's expression."""
        return quality.authored(self.expression)


class SqlCheck(NumberCheck, frozen=True, kw_only=True):
    """A query of the author's for one value; `{table}` in it is the table's quoted name."""

    of_rows: ClassVar[bool] = False
    sql: str

    def _title(self) -> str:
        return self.sql

    def query(self, scene: Scene) -> Statement:
        """Return the author's query."""
        return Statement(sql=of_author(self.sql, scene.table.relation, scene.dialect))


class PythonCheck(NumberCheck, frozen=True, kw_only=True):
    """A function of the author's: it takes the table's quoted name and a `SqlRunner`.

    Attributes:
        function: it, or its import path `package.module:function`. It returns True or False,
            or a number.
    """

    of_rows: ClassVar[bool] = False
    function: Callable[..., Any] | str

    def __post_init__(self) -> None:
        """Check the function."""
        super().__post_init__()
        is_path = isinstance(self.function, str) and ":" in self.function
        if not is_path and not callable(self.function):
            raise ConfigError(f"function={self.function!r}: write package.module:function.")

    def _title(self) -> str:
        return self.function if isinstance(self.function, str) else self.function.__qualname__

    def call(self, scene: Scene, runner: SqlRunner) -> Any:
        """Call the function."""
        if isinstance(self.function, str):
            module, _, name = self.function.partition(":")
            return getattr(importlib.import_module(module), name)(scene.table.sql, runner)
        return self.function(scene.table.sql, runner)


def as_checks(given: object, min_rows: int = 0) -> tuple[Check, ...]:
    """Return checks and gates as checks; at least `min_rows` rows are one more.

    Raises:
        ConfigError: something else is among them, or two have one name.
    """
    found = [
        GateCheck(gate=each) if isinstance(each, Gate) else each
        for each in (given if isinstance(given, list | tuple) else (given,))
    ]
    if wrong := [each for each in found if not isinstance(each, Check)]:
        raise ConfigError(f"checks: {wrong[0]!r} is no check; write NullRate(...) or another.")
    if count(min_rows, "min_rows"):
        found.append(RowCount(name="min_rows", min=min_rows))
    titles = [each.title for each in found]
    if twice := sorted({title for title in titles if titles.count(title) > 1}):
        raise ConfigError(f"checks: two are called {twice[0]!r}; give one a name of its own.")
    return tuple(found)
