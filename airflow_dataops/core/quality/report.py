"""What all checks of a table found, and what that means for the task."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from msgspec.structs import replace

from airflow_dataops.core.health.kept import check_events
from airflow_dataops.core.health.verdict import Status, Verdict
from airflow_dataops.core.model import Struct

if TYPE_CHECKING:
    from datetime import datetime

    from airflow_dataops.core.ledger.events import CheckEvent


class QualityReport(Struct, frozen=True, omit_defaults=False):
    """What all checks of a table found.

    Attributes:
        rows: of the table; None where nobody could count them.
    """

    subject: str
    rows: int | None
    checks: tuple[Verdict, ...]

    def of(self, status: Status) -> tuple[Verdict, ...]:
        """Return the verdicts of a status."""
        return tuple(each for each in self.checks if each.status is status)

    @property
    def status(self) -> Status:
        """The worst status: a failure outweighs an error, an error a warning."""
        order = (Status.FAIL, Status.ERROR, Status.WARN)
        return next((each for each in order if self.of(each)), Status.PASS)

    @property
    def may_help(self) -> bool:
        """Whether what could not be made may be made when it is tried again."""
        return any(each.details.get("retryable") for each in self.of(Status.ERROR))

    def told(self, status: Status) -> str:
        """Return the verdicts of a status for people, with the rows that are shown."""
        return "; ".join(described(each) for each in self.of(status))

    def events(self, at: datetime) -> list[CheckEvent]:
        """Return the verdicts as the ledger keeps them, with the rows that are shown."""
        shown = [replace(each, message=_with_rows(each)) for each in self.checks]
        return check_events(shown, at)


def described(found: Verdict) -> str:
    """Return a verdict for people, with the rows that are shown."""
    expected = f" Expected: {found.expected}." if found.expected else ""
    return f"{found.check}: {_with_rows(found).replace(found.message, found.message + expected, 1)}"


def _with_rows(found: Verdict) -> str:
    rows = found.details.get("sample")
    if not rows:
        return found.message
    listed = "\n".join(f"  {json.dumps(row, ensure_ascii=False)}" for row in rows)
    return f"{found.message}\n{listed}"
