"""What running a node gives back."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from airflow_dataops.core.model import Struct


class Action(StrEnum):
    """What a build did to the table or view."""

    CREATED = "created"
    REPLACED = "replaced"
    UPDATED = "updated"


class BuildResult(Struct, frozen=True):
    """A built model, seed or snapshot.

    Attributes:
        relation: the table or view, parts joined by dots.
        rows: rows written (changed, for an incremental build); None for a view.
    """

    node: str
    relation: str
    action: Action
    rows: int | None = None


class Status(StrEnum):
    """A verdict: `fail` stops what is downstream, `warn` only speaks.

    `error` is none: the test could not be run, and would fail so again.
    """

    PASS = "pass"  # noqa: S105 - a verdict
    WARN = "warn"
    FAIL = "fail"
    ERROR = "error"


class TestResult(Struct, frozen=True):
    """The verdict of one data test.

    Attributes:
        failures: what `fail_calc` returned.
        stored_in: the relation that keeps the failing rows, if any.
    """

    __test__ = False

    node: str
    status: Status
    failures: int
    message: str = ""
    stored_in: str | None = None


class FreshnessResult(Struct, frozen=True):
    """The verdict on a source's age.

    Attributes:
        max_loaded_at: time of the newest row, UTC; None when the table is empty.
        age_minutes: its age when it was looked at; None when the table is empty.
    """

    node: str
    status: Status
    max_loaded_at: datetime | None = None
    age_minutes: float | None = None
    message: str = ""
