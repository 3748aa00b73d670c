"""What a check found, and what many found together."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.model import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable


class Status(StrEnum):
    """The verdict; `ERROR` is a check that could not be made."""

    PASS = "PASS"  # noqa: S105 - a verdict
    WARN = "WARN"
    FAIL = "FAIL"
    SKIP = "SKIP"
    ERROR = "ERROR"


class Verdict(Struct, frozen=True, omit_defaults=False):
    """The outcome of one check.

    Attributes:
        check: `freshness`, `row_count`, `partitions`, `schema`, `availability`, `quality`,
            `failures`, `costs`, `completion_time`, or the name of a custom check.
        table: what was checked: a table's id, a DAG's, or a name for the whole.
        value: what was measured, in the unit that `expected` speaks of.
        details: more for a program: per day, per column.
    """

    check: str
    table: str
    status: Status
    message: str
    value: float | None = None
    expected: str | None = None
    critical: bool = False
    owner: str | None = None
    details: dict[str, Any] = {}


class Summary(Struct, frozen=True, omit_defaults=False):
    """How many checks went how.

    `health_score` is the share that passed, in percent: what could not be checked did not. None
    where nothing could be.
    """

    total_checks: int
    passed: int
    failed: int
    errors: int
    warnings: int
    skipped: int
    health_score: float | None


class HealthReport(Struct, frozen=True, omit_defaults=False):
    """What `pipeline-health-monitor` prints."""

    timestamp: datetime
    checks: tuple[Verdict, ...]
    summary: Summary


def report(checks: Iterable[Verdict], at: datetime) -> HealthReport:
    """Sum up verdicts."""
    found = tuple(checks)
    return HealthReport(timestamp=at, checks=found, summary=_summary(found))


HEALTHY, VIOLATIONS, USAGE, UNCHECKED = range(4)
"""Exit codes."""


def percent(share: float | None) -> str:
    """Write a share in percent for a reader; `-` for what was not measured."""
    return "-" if share is None else f"{share:g} %"


def exit_code(checks: Iterable[Verdict]) -> int:
    """Return 0 when all is well, 1 with a violation, 3 when a check could not be made.

    A violation outweighs a check that could not be made; a warning is no violation.
    """
    statuses = {verdict.status for verdict in checks}
    if Status.FAIL in statuses:
        return VIOLATIONS
    return UNCHECKED if Status.ERROR in statuses else HEALTHY


def _summary(checks: tuple[Verdict, ...]) -> Summary:
    def count(status: Status) -> int:
        return sum(verdict.status is status for verdict in checks)

    passed = count(Status.PASS) + count(Status.WARN)
    counted = len(checks) - count(Status.SKIP)
    judged = passed + count(Status.FAIL)
    return Summary(
        total_checks=len(checks),
        passed=count(Status.PASS),
        failed=count(Status.FAIL),
        errors=count(Status.ERROR),
        warnings=count(Status.WARN),
        skipped=count(Status.SKIP),
        health_score=round(100 * passed / counted, 1) if judged else None,
    )
