"""Adding up keeps every count, whatever is merged or split on the way."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from airflow_dataops.core.metrics.batch import BUCKETS, KEPT_VALUES, Batch, Series, Timing

NAMES = st.sampled_from(["a", "b", "c"])
EVENTS = st.lists(st.tuples(NAMES, st.integers(0, 1000)), max_size=60)


def batch_of(events: list[tuple[str, int]]) -> Batch:
    batch = Batch()
    for name, value in events:
        series = Series(name, ())
        batch.counters[series] = batch.counters.get(series, 0) + value
        batch.gauges[series] = value
        batch.timings.setdefault(series, Timing()).add(value)
    return batch


@given(EVENTS, EVENTS)
def test_merging_two_batches_is_one_batch_of_both(
    first: list[tuple[str, int]], second: list[tuple[str, int]]
) -> None:
    merged = batch_of(first)
    merged.merge(batch_of(second))
    whole = batch_of(first + second)
    assert merged.counters == whole.counters
    assert merged.gauges == whole.gauges
    for series, timing in whole.timings.items():
        same = merged.timings[series]
        assert (same.count, same.total, same.least, same.greatest, same.buckets) == (
            timing.count,
            timing.total,
            timing.least,
            timing.greatest,
            timing.buckets,
        )


@given(EVENTS, st.integers(1, 4))
def test_the_parts_of_a_batch_are_the_batch(events: list[tuple[str, int]], most: int) -> None:
    batch = batch_of(events)
    parts = list(batch.split(most))
    assert all(0 < len(part) <= most for part in parts)
    together = Batch()
    for part in parts:
        together.merge(part)
    assert together.counters == batch.counters
    assert together.gauges == batch.gauges
    assert {s: t.count for s, t in together.timings.items()} == {
        s: t.count for s, t in batch.timings.items()
    }


def test_a_timing_keeps_all_counts_and_a_sample_of_the_values() -> None:
    timing = Timing()
    for number in range(1000):
        timing.add(number)
    assert (timing.count, timing.total, timing.least, timing.greatest) == (1000, 499500, 0, 999)
    assert sum(timing.buckets) == 1000
    assert len(timing.values) == KEPT_VALUES
    assert not timing.is_complete
    assert max(timing.values) > 500, "a sample of the first values only is none"


def test_a_value_at_a_bound_is_in_the_bucket_below() -> None:
    """As in Prometheus, where `le` is inclusive, and in OpenTelemetry."""
    timing = Timing()
    timing.add(BUCKETS[3])
    assert timing.buckets[3] == 1


def test_merging_leaves_the_later_batch_as_it_was() -> None:
    first, later = Batch(), batch_of([("a", 1)])
    first.merge(later)
    first.timings[Series("a", ())].add(5)
    assert later.timings[Series("a", ())].count == 1
