"""What is measured: the ways of each case, and what the figures are to show."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

OURS = "ours"


class Size(StrEnum):
    """How many rows: at `full`, 1M into 10M, 5M moved, 20M for the memory."""

    SMALL = "small"
    MEDIUM = "medium"
    FULL = "full"

    @property
    def share(self) -> float:
        """The share of the full number of rows."""
        return {"small": 0.01, "medium": 0.1, "full": 1.0}[self]


class Aim(NamedTuple):
    """A bound: on the ratio of ours to another way, the other's to ours, or ours in megabytes.

    `others` are the ways whose best counts.
    """

    text: str
    kind: str
    others: tuple[str, ...]
    bound: float


class Case(NamedTuple):
    """One comparison.

    Attributes:
        hand: the way to which ratios are; ways of its kind run in turns with ours.
        ways: run each turn.
        once: run in the first turn alone.
    """

    title: str
    ways: tuple[str, ...]
    once: tuple[str, ...]
    aims: tuple[Aim, ...]

    @property
    def hand(self) -> str:
        """The way that ratios are to."""
        return self.ways[-1]


def _at_most(bound: float, *others: str) -> Aim:
    return Aim(f"at most {bound} of {' and '.join(others)}", "ratio", others, bound)


def _times(bound: float, *others: str) -> Aim:
    best = "the best of " if len(others) > 1 else ""
    times = "faster than" if bound == 1 else f"{bound} times as fast as"
    return Aim(f"{times} {best}{', '.join(others)}", "times", others, bound)


_PEAK = Aim("peak memory at most 500 MB", "megabytes", (), 500)
_READ_BACK = ("dlt pyarrow", "dlt connectorx")

CASES: dict[str, Case] = {
    "upsert-postgres": Case(
        "Upsert of 1M rows into 10M, half of them there, Postgres",
        (OURS, "ADBC staging, sorted, ON CONFLICT"),
        ("dlt delete-insert", "dlt upsert"),
        (
            _at_most(1.15, "ADBC staging, sorted, ON CONFLICT"),
            _times(2, "dlt delete-insert", "dlt upsert"),
        ),
    ),
    "upsert-duckdb": Case(
        "Upsert of 1M rows into 10M, half of them there, DuckDB",
        (OURS, "delete and insert"),
        ("MERGE", "dlt delete-insert", "dlt upsert"),
        (_at_most(1.15, "delete and insert"), _times(1.4, "dlt delete-insert", "dlt upsert")),
    ),
    "insert-rows": Case(
        "Upsert of 100,000 rows into 1M, Postgres",
        (OURS, "ADBC staging, sorted, ON CONFLICT"),
        ("SQLInsertRowsOperator",),
        (_times(20, "SQLInsertRowsOperator"),),
    ),
    "changes-duckdb": Case(
        "1M change events on 10M rows, DuckDB",
        (OURS, "window, delete and insert"),
        ("dlt delete-insert",),
        (_at_most(1.15, "window, delete and insert"), _times(1.6, "dlt delete-insert")),
    ),
    "to-duckdb": Case(
        "Transfer of 5M rows, Postgres to DuckDB",
        (OURS, "ADBC stream"),
        _READ_BACK,
        (
            _at_most(1.1, "ADBC stream"),
            _PEAK,
            _times(1, *_READ_BACK),
            _times(3.5, "dlt pyarrow"),
        ),
    ),
    "to-postgres": Case(
        "Transfer of 5M rows, DuckDB to Postgres",
        (OURS, "ADBC ingest"),
        ("dlt arrow",),
        (_at_most(1.1, "ADBC ingest"), _PEAK, _times(1, "dlt arrow")),
    ),
    "to-duckdb-20m": Case("Transfer of 20M rows, Postgres to DuckDB", (OURS,), (), (_PEAK,)),
    "to-postgres-20m": Case("Transfer of 20M rows, DuckDB to Postgres", (OURS,), (), (_PEAK,)),
}
