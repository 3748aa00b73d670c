"""Which loads of one table may touch the same rows."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from airflow_dataops.core.loads.overlap import lease_of, may_overlap
from airflow_dataops.core.loads.specs import LoadPartition, Merge, Within

DAY = LoadPartition(values={"day": "2026-01-01"})


@pytest.mark.parametrize(
    "same",
    [
        LoadPartition(values={"day": date(2026, 1, 1)}),
        LoadPartition(values={"DAY": datetime(2026, 1, 1)}),
        LoadPartition(values={"day": " 2026-01-01 00:00:00"}),
    ],
)
def test_one_partition_has_one_lease_however_it_is_written(same: LoadPartition) -> None:
    assert lease_of(same) == lease_of(DAY)


@pytest.mark.parametrize(
    "other",
    [
        Merge(keys=("id",)),
        LoadPartition(within=Within(column="day", start=date(2026, 2, 1), end=date(2026, 3, 1))),
        LoadPartition(values={"day": "2026-02-01", "region": "EU"}),
        LoadPartition(values={"region": "EU"}),
    ],
)
def test_what_is_not_known_to_be_apart_waits(other: Merge | LoadPartition) -> None:
    assert may_overlap(lease_of(DAY), lease_of(other))
    assert may_overlap(lease_of(other), lease_of(DAY))


@pytest.mark.parametrize("value", ["2026-01-02", None, "", "null"])
def test_other_values_of_the_same_columns_are_apart(value: str | None) -> None:
    assert not may_overlap(lease_of(DAY), lease_of(LoadPartition(values={"day": value})))


def test_null_is_not_the_text_null() -> None:
    null, text = ({"day": None}, {"day": "null"})
    assert lease_of(LoadPartition(values=null)) != lease_of(LoadPartition(values=text))


def test_an_authors_own_names_are_apart() -> None:
    assert not may_overlap("north", "south")
    assert may_overlap("north", "")
