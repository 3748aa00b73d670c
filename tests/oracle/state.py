"""What a DuckDB file holds, in a form in which two files can be compared."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tests.duckdb_runner import DuckDBRunner

if TYPE_CHECKING:
    import duckdb

_HASH = re.compile(r"[0-9a-f]{32}")
_RELATIONS = """
    select table_schema, table_name, table_type
    from system.information_schema.tables
    where table_catalog = current_database() and table_schema != 'raw'
"""


@dataclass(frozen=True)
class Table:
    """A table or view: its kind, its columns with their types, and its rows."""

    kind: str
    columns: tuple[tuple[str, str], ...]
    rows: Counter[tuple[Any, ...]]


State = dict[str, Table]


@dataclass(frozen=True)
class Clock:
    """When each run began and ended on one side, by the clock of its database."""

    runs: tuple[tuple[datetime, datetime], ...]

    def run_of(self, value: object) -> int | None:
        """Return which run took this value from the clock, None when none did."""
        if not isinstance(value, datetime):
            return None
        naive = value.replace(tzinfo=None)
        matches = (i for i, (start, end) in enumerate(self.runs) if start <= naive <= end)
        return next(matches, None)


def now(connection: duckdb.DuckDBPyConnection) -> datetime:
    """Return the time as the database writes it into columns without a time zone."""
    ((value,),) = connection.execute("select now()::timestamp").fetchall()
    return value


def read_state(connection: duckdb.DuckDBPyConnection, clock: Clock) -> State:
    """Read every table and view outside of the raw data."""
    runner = DuckDBRunner(connection)
    state = {}
    for schema, name, kind in sorted(runner.fetch(_RELATIONS)):
        relation = ".".join('"' + part.replace('"', '""') + '"' for part in (schema, name))
        described = runner.fetch(f"describe {relation}")
        rows = runner.fetch(f"select * from {relation}")
        state[f"{schema}.{name}"] = Table(
            kind=kind,
            columns=tuple((column[0], column[1]) for column in described),
            rows=Counter(_masked(rows, clock)),
        )
    return state


def _masked(rows: list[tuple[Any, ...]], clock: Clock) -> list[tuple[Any, ...]]:
    """Replace times of the clock by run and rank, and hashes that depend on them."""
    taken = {value for row in rows for value in row if clock.run_of(value) is not None}
    ranks = {
        value: (clock.run_of(value), f"rank {rank}") for rank, value in enumerate(sorted(taken))
    }
    return [_masked_row(row, ranks) for row in rows]


def _masked_row(row: tuple[Any, ...], ranks: dict[Any, Any]) -> tuple[Any, ...]:
    if not any(_is_key(value, ranks) for value in row):
        return tuple(_plain(value) for value in row)
    return tuple(
        ranks[value]
        if _is_key(value, ranks)
        else "a hash"
        if isinstance(value, str) and _HASH.fullmatch(value)
        else _plain(value)
        for value in row
    )


def _is_key(value: object, ranks: dict[Any, Any]) -> bool:
    return isinstance(value, datetime) and value in ranks


def _plain(value: Any) -> Any:
    """Make a value hashable, and keep apart what Python calls equal (1, 1.0 and True)."""
    return (type(value).__name__, str(value) if isinstance(value, list | dict | float) else value)


def differences(dbt: State, ours: State) -> list[str]:
    """Say in what two states differ, a line each."""
    found = [f"{name}: only dbt has it" for name in dbt.keys() - ours.keys()]
    found += [f"{name}: only our engine has it" for name in ours.keys() - dbt.keys()]
    for name in sorted(dbt.keys() & ours.keys()):
        found += _differences(name, dbt[name], ours[name])
    return found


def _differences(name: str, dbt: Table, ours: Table) -> list[str]:
    if dbt.kind != ours.kind:
        return [f"{name}: dbt made a {dbt.kind}, ours is a {ours.kind}"]
    if dbt.columns != ours.columns:
        return [f"{name}: columns\n    dbt:  {dbt.columns}\n    ours: {ours.columns}"]
    only_dbt, only_ours = dbt.rows - ours.rows, ours.rows - dbt.rows
    if not only_dbt and not only_ours:
        return []
    return [
        f"{name}: {only_dbt.total()} of dbt's {dbt.rows.total()} rows are not in ours, "
        f"{only_ours.total()} of ours not in dbt's"
        + "".join(f"\n    dbt:  {row}" for row in list(only_dbt)[:3])
        + "".join(f"\n    ours: {row}" for row in list(only_ours)[:3])
    ]
