"""What thirty checks of a DuckDB table cost, against the single scans that compute one of them.

    python -m benchmarks.quality 50000000

Each is measured by the least CPU time of three runs, on one thread: other work on the machine
counts in neither.
"""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import duckdb

from airflow_dataops import (
    AcceptedRange,
    AcceptedValues,
    DuplicateRate,
    MaxAge,
    Metric,
    NullRate,
    RowCount,
)
from airflow_dataops.core.model import Relation
from airflow_dataops.core.quality.run import check_table
from tests.duckdb_runner import DuckDBRunner

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_dataops.core.quality.check import Check

COLUMNS = 8
TABLE = Relation(identifier="t")


def make(rows: int) -> DuckDBRunner:
    """Make a table of a key, a time, a text, and eight numbers."""
    connection = duckdb.connect(config={"threads": 1})
    numbers = ", ".join(f"(i * {n + 7}) % 1000 as n{n}" for n in range(COLUMNS))
    connection.execute(
        f"create table t as select i as id, to_timestamp(i % 1000000) as at, "
        f"'s' || (i % 3) as kind, {numbers} from range({rows}) r(i)"
    )
    return DuckDBRunner(connection)


def checks() -> list[Check]:
    """Return thirty checks: one of duplicates, which costs most, and 29 others."""
    numbers = [f"n{n}" for n in range(COLUMNS)]
    found: list[Check] = [
        DuplicateRate(columns="id"),
        RowCount(min=1),
        MaxAge(column="at", hours=1),
    ]
    found += [AcceptedValues(column="kind", values=["s0", "s1", "s2"]), NullRate(column="kind")]
    found += [NullRate(column=name) for name in numbers]
    found += [AcceptedRange(column=name, min=0, max=999) for name in numbers]
    found += [Metric(expression=f"avg({name})", min=0) for name in numbers]
    return [*found, NullRate(column="id")]


def cpu(work: Callable[[], Any]) -> float:
    """Return the least CPU seconds of three runs."""
    taken = []
    for _ in range(3):
        begun = time.process_time()
        work()
        taken.append(time.process_time() - begun)
    return min(taken)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=int, nargs="?", default=5_000_000)
    runner, wanted = make(parser.parse_args().rows), checks()
    now = datetime.now(UTC)

    def ask(some: list[Check]) -> float:
        return cpu(lambda: check_table(TABLE, some, runner, now=now))

    together, alone = ask(wanted), {each.title: ask([each]) for each in wanted}
    dearest = max(alone, key=lambda title: alone[title])
    print(f"{len(wanted)} checks together: {together:.3f} CPU s")
    print(f"the dearest alone ({dearest}): {alone[dearest]:.3f}; {together / alone[dearest]:.2f} x")
    print(f"one query each: {sum(alone.values()):.3f}; {sum(alone.values()) / together:.2f} x")


if __name__ == "__main__":
    main()
