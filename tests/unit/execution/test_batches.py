"""Which batches a run builds, pinned and against dbt's own `MicrobatchBuilder`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_dataops.core.execution.batches import Batch, Interval, batches_of
from airflow_dataops.core.model import BatchSize, Microbatch

DAILY = Microbatch(event_time="at", batch_size=BatchSize.DAY, begin="2026-03-01", lookback=2)
NOW = datetime(2026, 3, 9, 4, 5, tzinfo=UTC)


def day(number: int) -> datetime:
    return datetime(2026, 3, number, tzinfo=UTC)


def days(begin: int, end: int) -> list[Batch]:
    return [(day(number), day(number + 1)) for number in range(begin, end)]


@pytest.mark.parametrize(
    ("interval", "incremental", "batches"),
    [
        (None, False, days(1, 10)),
        (None, True, days(7, 10)),
        (Interval(day(5), day(6)), True, days(3, 6)),
        (Interval(day(2), day(8)), True, days(2, 8)),
        (Interval(day(5), day(6)), False, days(1, 6)),
        (Interval(day(5), day(6), exact=True), True, days(5, 6)),
        (Interval(day(5), day(6), exact=True), False, days(5, 6)),
        (
            Interval(day(5) + timedelta(hours=3), day(6) + timedelta(hours=3)),
            True,
            days(4, 7),
        ),
    ],
    ids=["first", "now", "day", "week", "first of day", "exact", "first exact", "off midnight"],
)
def test_batches_of_a_run(
    interval: Interval | None, incremental: bool, batches: list[Batch]
) -> None:
    """A run looks back from the end of its times, and never builds less than they are."""
    assert batches_of(DAILY, interval, NOW, incremental=incremental) == batches


TIMES = st.datetimes(datetime(2023, 12, 30), datetime(2024, 3, 3)).map(
    lambda time: time.replace(tzinfo=UTC)
) | st.sampled_from([datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC)])


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.sampled_from(BatchSize), st.integers(0, 4), TIMES, TIMES, st.booleans(), st.booleans())
def test_batches_are_those_of_dbts_builder(
    size: BatchSize, lookback: int, one: datetime, other: datetime, dates: bool, incremental: bool
) -> None:
    begin, end = sorted((one, other))
    model = Microbatch(event_time="at", batch_size=size, begin=begin.isoformat(), lookback=lookback)
    interval = Interval(begin, end, exact=True) if dates else None
    ours = batches_of(model, interval, end, incremental=incremental)
    assert ours == _theirs(model, (begin, end) if dates else None, end, incremental=incremental)


def _theirs(model: Microbatch, dates: Any, now: datetime, *, incremental: bool) -> list[Batch]:
    from dbt.artifacts.resources.types import BatchSize as DbtSize
    from dbt.contracts.graph.nodes import NodeConfig
    from dbt.materializations.incremental.microbatch import MicrobatchBuilder

    config = NodeConfig(
        materialized="incremental",
        incremental_strategy="microbatch",
        batch_size=DbtSize(str(model.batch_size)),
        lookback=model.lookback,
        begin=datetime.fromisoformat(model.begin),
    )
    node: Any = SimpleNamespace(name="m", config=config)
    begin, end = dates or (None, None)
    builder = MicrobatchBuilder(node, incremental, begin, end, now)
    last = builder.build_end_time()
    found: list[Batch] = builder.build_batches(builder.build_start_time(last), last)
    return found
