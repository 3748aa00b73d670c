"""What is decided beforehand of tables without rows, of values that are none, and of errors."""

from __future__ import annotations

from enum import StrEnum

from airflow_dataops.core.loads.settings import OneOf, Settings, Several, default


class Outcome(StrEnum):
    """What a check is taken for."""

    PASS = "pass"  # noqa: S105 - a verdict
    WARN = "warn"
    FAIL = "fail"


class Errored(StrEnum):
    """What becomes of a task whose checks could not all be made, and none of whose failed."""

    RETRY = "retry"
    """It is tried again, where that may help, and fails with its last try."""
    RETRY_THEN_PASS = "retry_then_pass"  # noqa: S105 - a word of a policy
    """It is tried again, and with its last try goes on."""
    FAIL = "fail"
    """It fails at once."""


class QualityPolicy(Settings, frozen=True, kw_only=True):
    """What is decided beforehand.

    Attributes:
        empty: what checks of rows are taken for where the table has none.
        null: what a check is taken for whose value is NULL, such as `avg` of a column of NULLs.
        not_finite: the same of NaN and the infinities.
        errored: what becomes of a task whose checks could not all be made.
        sample_rows: so many wrong rows are shown.
        masked: columns that are shown as `***`; `*` for all of them.
    """

    empty: OneOf[Outcome] = default(Outcome.FAIL)
    null: OneOf[Outcome] = default(Outcome.FAIL)
    not_finite: OneOf[Outcome] = default(Outcome.FAIL)
    errored: OneOf[Errored] = default(Errored.RETRY)
    sample_rows: int = 10
    masked: Several = default(())
