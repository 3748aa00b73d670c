"""What the ledger keeps of the checks of a task, and remembers of earlier ones."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from msgspec.structs import replace

from airflow_dataops.core.ledger.events import CheckEvent
from airflow_dataops.core.masking import mask_error

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from airflow.sdk import Context

    from airflow_dataops.core.quality.check import Check
    from airflow_dataops.core.quality.report import QualityReport

log = logging.getLogger(__name__)

_AT_MOST = 1_000
"""Earlier verdicts of one check that are looked at, the newest."""


def keep(report: QualityReport, context: Context, at: datetime) -> None:
    """Write a report to the ledger. One that cannot be reached changes no verdict."""
    from airflow_dataops.hooks.alerts import open_ledger

    ti = context["ti"]
    events = [
        replace(each, dag_id=ti.dag_id, run_id=ti.run_id, task_id=ti.task_id)
        for each in report.events(at)
    ]
    try:
        open_ledger().write(events)
    except Exception as error:  # noqa: BLE001 - databases have trees of their own
        log.warning("The verdicts are not in the ledger: %s", mask_error(error, 500))


def past_of(
    subject: str, checks: Sequence[Check], context: Context
) -> Mapping[str, Sequence[tuple[datetime, float]]]:
    """Return what checks measured in other runs, oldest first, once for each run."""
    if not checks:
        return {}
    from airflow_dataops.hooks.alerts import open_ledger

    ledger, own = open_ledger(), context["ti"].run_id
    found = {}
    for check in checks:
        events = ledger.read(CheckEvent, subject=subject, name=check.title, limit=_AT_MOST)
        newest: dict[str | None, CheckEvent] = {}
        for each in events:
            if each.value is not None and each.run_id != own:
                newest.setdefault(each.run_id, each)
        found[check.title] = sorted(
            (each.observed_at, each.value) for each in newest.values() if each.value is not None
        )
    return found
