"""Verdicts -> what the ledger keeps of a round."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.health.verdict import Status
from airflow_dataops.core.ledger.events import CheckEvent, CheckStatus

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from airflow_dataops.core.health.verdict import Verdict

_STATUS = {
    Status.PASS: CheckStatus.PASS,
    Status.WARN: CheckStatus.WARN,
    Status.FAIL: CheckStatus.FAIL,
    Status.ERROR: CheckStatus.ERROR,
}


def check_events(verdicts: Iterable[Verdict], at: datetime) -> list[CheckEvent]:
    """Return a round's verdicts as events; what was skipped is none."""
    return [
        CheckEvent(
            subject=each.table,
            name=each.check,
            observed_at=at,
            status=_STATUS[each.status],
            value=each.value,
            expected=each.expected,
            message=each.message,
        )
        for each in verdicts
        if each.status in _STATUS
    ]
