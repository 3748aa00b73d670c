"""Makes the rows of a case, in a process of its own: python -m benchmarks.loads.prepare CASE SHARE.

Reads the addresses from the same variables as the ways do.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.loads import rows

if TYPE_CHECKING:
    from collections.abc import Callable

_MILLION = 1_000_000


def main() -> None:
    source, target = Path(os.environ["BENCH_ROWS"]), Path(os.environ["BENCH_DUCKDB"])
    for file in (source, target):
        file.unlink(missing_ok=True)
    case, share = sys.argv[1], float(sys.argv[2])
    PREPARED[case](int(_MILLION * share), os.environ["BENCH_POSTGRES"], source, target)


def _upsert_postgres(million: int, uri: str, source: Path, target: Path) -> None:
    del target
    rows.fill_postgres(uri, "target", rows.select(0, 10 * million))
    rows.fill_duckdb(source, "fresh", rows.half_new(10 * million, million))


def _insert_rows(million: int, uri: str, source: Path, target: Path) -> None:
    _upsert_postgres(million // 10, uri, source, target)


def _upsert_duckdb(million: int, uri: str, source: Path, target: Path) -> None:
    del uri
    rows.fill_duckdb(target, "target", rows.select(0, 10 * million))
    rows.fill_duckdb(source, "fresh", rows.half_new(10 * million, million))


def _to_duckdb(moved: int, uri: str, target: Path) -> None:
    rows.fill_postgres(uri, "target", rows.select(0, moved), key=False)
    rows.fill_duckdb(target, "target", rows.select(0, 0))


def _to_postgres(moved: int, uri: str, source: Path) -> None:
    rows.fill_duckdb(source, "target", rows.select(0, moved))
    rows.fill_postgres(uri, "target", rows.select(0, 0), key=False)


def _changes(million: int, uri: str, source: Path, target: Path) -> None:
    """60 % updates, 15 % deletions, 25 % new rows; no key comes twice."""
    del uri
    many, kept, added = 10 * million, million * 3 // 4, million // 4
    all_ = rows.select(0, many)
    rows.fill_duckdb(target, "target", f"select *, 0::bigint as seq from ({all_})")
    query = (
        f"with r as ({all_}), new as ({rows.select(many, added)}),"
        f" old as (select * from r using sample reservoir({kept} rows) repeatable (1))"
        " select *, row_number() over () as seq,"
        " case when id % 5 = 0 then 'd' else 'u' end as op from old"
        f" union all select *, {kept} + row_number() over (), 'c' from new"
    )
    rows.fill_duckdb(source, "events", query)
    rows.fill_duckdb(source, "events_dlt", "select * exclude (op), op = 'd' as deleted from events")


PREPARED: dict[str, Callable[[int, str, Path, Path], None]] = {
    "upsert-postgres": _upsert_postgres,
    "upsert-duckdb": _upsert_duckdb,
    "insert-rows": _insert_rows,
    "changes-duckdb": _changes,
    "to-duckdb": lambda million, uri, _, target: _to_duckdb(5 * million, uri, target),
    "to-duckdb-20m": lambda million, uri, _, target: _to_duckdb(20 * million, uri, target),
    "to-postgres": lambda million, uri, source, _: _to_postgres(5 * million, uri, source),
    "to-postgres-20m": lambda million, uri, source, _: _to_postgres(20 * million, uri, source),
}


if __name__ == "__main__":
    main()
