"""What every check is: what it asks of a table, and how the answer is judged."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_dataops.core.engines.identifiers import resolve
from airflow_dataops.core.health.config import TableHealth
from airflow_dataops.core.health.judging import judge_bounds, verdict
from airflow_dataops.core.health.verdict import Status, Verdict
from airflow_dataops.core.loads.settings import Settings
from airflow_dataops.core.sql import quality
from airflow_dataops.errors import ConfigError, RunError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from airflow_dataops.core.engines.statements import Statement
    from airflow_dataops.core.ports import SqlRunner
    from airflow_dataops.core.sql.tables import Table, TableColumn

Number = float | int


@dataclass(frozen=True)
class Scene:
    """The table that is checked, and what else there is to know.

    Attributes:
        subject: the table's name for people and the ledger.
        now: the time to compare with, aware.
        past: what checks measured before, oldest first: by the check's title.
    """

    table: Table
    dialect: str
    subject: str
    now: datetime
    past: Mapping[str, Sequence[tuple[datetime, float]]] = field(default_factory=dict)

    def column(self, name: str) -> TableColumn:
        """Return the column that an author's name means.

        Raises:
            RunError: the table has none of that name.
        """
        found = resolve(name, self.table.names)
        if found is None:
            names = ", ".join(self.table.names)
            raise RunError(f"There is no column {name}; there are {names}.")
        return self.table.column(found)

    @property
    def health(self) -> TableHealth:
        """What the judges of table health are told of the table."""
        return TableHealth(table_id=self.subject)


class Check(Settings, frozen=True, kw_only=True):
    """One check of a table. It asks one of: an aggregate, a query, a function.

    Attributes:
        name: what verdicts call it; by default its kind and its columns.
    """

    of_rows: ClassVar[bool] = True
    """Whether it says anything of a table without rows; the policy decides on those it does not."""

    name: str | None = None

    @property
    def title(self) -> str:
        """What verdicts call it."""
        return self.name or self._title()

    def _title(self) -> str:
        return type(self).__name__

    def aggregate(self, scene: Scene) -> Statement | None:
        """Return an aggregate over the table, which shares the scan of all others."""

    def query(self, scene: Scene) -> Statement | None:
        """Return a query for one value, where no aggregate can tell."""

    def call(self, scene: Scene, runner: SqlRunner) -> Any:
        """Return a value, where no SQL is known that can tell."""
        raise NotImplementedError

    def sample(self, scene: Scene, limit: int) -> Statement | None:
        """Return a query for some of the wrong rows."""

    def judge(self, value: Any, rows: int, scene: Scene) -> Verdict:
        """Judge a finite value; the table has so many rows."""
        raise NotImplementedError


class RowCheck(Check, frozen=True, kw_only=True):
    """A condition that wrong rows meet; judged by their share.

    Attributes:
        fail_above: a greater share of wrong rows fails; None: none does.
        warn_above: a greater share only speaks.
    """

    fail_above: Number | None = 0.0
    warn_above: Number | None = None

    def __post_init__(self) -> None:
        """Check the shares."""
        super().__post_init__()
        for what in ("fail_above", "warn_above"):
            value = getattr(self, what)
            if value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, float | int) or not 0 <= value <= 1:
                raise ConfigError(f"{what}={value!r}: write a share from 0 to 1, such as 0.01.")
        if None not in (self.fail_above, self.warn_above) and self.warn_above > self.fail_above:  # type: ignore[operator]
            raise ConfigError(f"warn_above={self.warn_above!r}: it is above fail_above.")

    def wrong(self, scene: Scene) -> Statement | None:
        """Return the condition that wrong rows meet."""

    def aggregate(self, scene: Scene) -> Statement | None:
        """Count the wrong rows."""
        condition = self.wrong(scene)
        return None if condition is None else quality.count_of(condition)

    def sample(self, scene: Scene, limit: int) -> Statement | None:
        """Return a query for some of the wrong rows."""
        condition = self.wrong(scene)
        return None if condition is None else quality.rows_where(scene.table.sql, condition, limit)

    def judge(self, value: Any, rows: int, scene: Scene) -> Verdict:
        """Compare the share of wrong rows with the levels."""
        share = float(value) / rows if rows else 0.0
        status = Status.PASS
        if self.fail_above is not None and share > self.fail_above:
            status = Status.FAIL
        elif self.warn_above is not None and share > self.warn_above:
            status = Status.WARN
        limit = self.fail_above if self.fail_above is not None else self.warn_above
        return verdict(
            scene.health,
            self.title,
            status,
            f"{int(value):,} of {rows:,} rows ({_percent(share)}) {self._what()}.",
            value=share,
            expected=None if limit is None else f"at most {_percent(limit)}",
            details={"wrong": int(value), "rows": rows},
        )

    def _what(self) -> str:
        return "are wrong"


class NumberCheck(Check, frozen=True, kw_only=True):
    """A number, or a truth, judged by bounds. Without bounds it must be true, or not 0.

    Attributes:
        min, max: outside of them it fails.
        warn_min, warn_max: outside of them it only speaks.
    """

    min: Number | None = None
    max: Number | None = None
    warn_min: Number | None = None
    warn_max: Number | None = None

    def __post_init__(self) -> None:
        """Check the bounds."""
        super().__post_init__()
        for what in ("min", "max", "warn_min", "warn_max"):
            value = getattr(self, what)
            is_number = isinstance(value, float | int) and not isinstance(value, bool)
            if value is not None and not (is_number and math.isfinite(value)):
                raise ConfigError(f"{what}={value!r}: write a number.")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ConfigError(f"min={self.min!r}: it is above max={self.max!r}.")

    def judge(self, value: Any, rows: int, scene: Scene) -> Verdict:
        """Compare the value with the bounds."""
        warns = self.warn_min is not None or self.warn_max is not None
        only_warns = warns and self.min is None and self.max is None
        if not only_warns:
            found = judge_bounds(scene.health, self.title, value, self.min, self.max)
            if found.status is not Status.PASS or not warns:
                return found
        looked = judge_bounds(scene.health, self.title, value, self.warn_min, self.warn_max)
        if looked.status is not Status.FAIL:
            return looked
        return verdict(
            scene.health,
            self.title,
            Status.WARN,
            looked.message,
            value=looked.value,
            expected=looked.expected,
        )


def _percent(share: float) -> str:
    return f"{100 * share:.4g} %"
