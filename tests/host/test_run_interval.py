"""Which times a run of a DAG is for, as its microbatch models see it."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.utils.types import DagRunType

from airflow_dataops.core.execution.batches import Interval
from airflow_dataops.operators.run_values import run_interval

ONE, TWO = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("run_type", "begin", "end", "interval"),
    [
        (DagRunType.SCHEDULED, ONE, TWO, Interval(ONE, TWO)),
        (DagRunType.BACKFILL_JOB, ONE, TWO, Interval(ONE, TWO, exact=True)),
        ("backfill", ONE, TWO, Interval(ONE, TWO, exact=True)),
        (DagRunType.SCHEDULED, TWO, TWO, None),
        (DagRunType.MANUAL, None, None, None),
    ],
)
def test_a_run_is_for_its_data_interval(
    run_type: Any, begin: datetime | None, end: datetime | None, interval: Interval | None
) -> None:
    run = SimpleNamespace(run_type=run_type, data_interval_start=begin, data_interval_end=end)
    context: Any = {"dag_run": run}
    assert run_interval(context) == interval
