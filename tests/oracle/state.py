"""What a database holds, in a form in which two files can be compared."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from airflow_dataops.core.engines.relations import render
from airflow_dataops.core.model import Relation
from airflow_dataops.core.sql import catalog

if TYPE_CHECKING:
    from airflow_dataops.core.ports import SqlRunner

_PLAIN = (type(None), bool, int, str, bytes, Decimal, date, time, timedelta, UUID)
_MOST_ROWS = 200
_HASH = re.compile(r"[0-9a-f]{32}")
_RELATIONS = """
    select table_schema, table_name, table_type
    from {}
    where table_catalog = current_database()
      and table_schema not in ('raw', 'information_schema', 'pg_catalog', 'pg_toast')
"""
_BESIDE = {
    "duckdb": {
        "comments": """
            select schema_name, table_name, null, comment from duckdb_tables()
            where comment is not null
            union all select schema_name, view_name, null, comment from duckdb_views()
            where comment is not null
            union all select schema_name, table_name, column_name, comment from duckdb_columns()
            where comment is not null
        """,
        "constraints": """
            select schema_name, table_name, constraint_type, constraint_text
            from duckdb_constraints() where schema_name <> 'raw'
        """,
    },
    "postgres": {
        "comments": """
            select c.relnamespace::regnamespace::text, c.relname, a.attname, d.description
            from pg_description as d
            join pg_class as c on c.oid = d.objoid and d.classoid = 'pg_class'::regclass
            left join pg_attribute as a on a.attrelid = c.oid and a.attnum = nullif(d.objsubid, 0)
            where c.relnamespace::regnamespace::text not in ('pg_catalog', 'information_schema')
        """,
        "constraints": """
            select conrelid::regclass::text, contype::text, pg_get_constraintdef(oid)
            from pg_constraint where conrelid <> 0
            and connamespace::regnamespace::text not in ('pg_catalog', 'information_schema')
        """,
        "grants": """
            select table_schema, table_name, grantee, privilege_type
            from information_schema.role_table_grants where grantee = 'almanac_reader'
        """,
    },
}
"""What stands beside the rows of tables."""

_LISTINGS = {
    "duckdb": "system.information_schema.tables",
    "postgres": """(
        select current_database() as table_catalog, n.nspname as table_schema,
            c.relname as table_name,
            case when c.relkind in ('v', 'm') then 'VIEW' else 'BASE TABLE' end as table_type
        from pg_catalog.pg_class as c join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
        where c.relkind in ('r', 'p', 'f', 'v', 'm')
    ) as listed""",
}


@dataclass(frozen=True)
class Table:
    """A table or view: its kind, its columns with their types, and its rows."""

    kind: str
    columns: tuple[tuple[str, str], ...]
    rows: Counter[tuple[Any, ...]]


State = dict[str, Table]


def abridged(state: State) -> State:
    """Return a state whose large tables have one row: a hash of all of theirs."""
    return {
        name: table if len(table.rows) <= _MOST_ROWS else replace(table, rows=_digest(table.rows))
        for name, table in state.items()
    }


def _digest(rows: Counter[tuple[Any, ...]]) -> Counter[tuple[Any, ...]]:
    text = repr(sorted(rows.items(), key=repr))
    hashed = hashlib.sha256(text.encode()).hexdigest()
    return Counter({(f"{rows.total()} rows: ask dbt to see them", hashed): 1})


def written(state: State) -> dict[str, tuple[Any, ...]]:
    """Return a state as a recording keeps it."""
    return {
        name: (table.kind, table.columns, sorted(table.rows.items(), key=repr))
        for name, table in state.items()
    }


def as_state(found: dict[str, tuple[Any, ...]]) -> State:
    """Return what `written` was given."""
    return {
        name: Table(kind, columns, Counter(dict(rows)))
        for name, (kind, columns, rows) in found.items()
    }


@dataclass(frozen=True)
class Clock:
    """When each run began and ended on one side, by the clock of its database, and their ids."""

    runs: tuple[tuple[datetime, datetime], ...]
    ids: tuple[str, ...] = ()

    def run_of(self, value: object) -> int | None:
        """Return which run took this value from the clock, None when none did."""
        if not isinstance(value, datetime):
            return None
        naive = value.replace(tzinfo=None)
        matches = (i for i, (start, end) in enumerate(self.runs) if start <= naive <= end)
        return next(matches, None)


def now(runner: SqlRunner) -> datetime:
    """Return the time as the database writes it into columns without a time zone."""
    ((value,),) = runner.fetch("select cast(now() as timestamp)")
    assert isinstance(value, datetime)
    return value


def read_state(runner: SqlRunner, clock: Clock) -> State:
    """Read every table and view outside of the raw data."""
    state = {}
    listed = runner.fetch(_RELATIONS.format(_LISTINGS[runner.dialect]))
    for schema, name, kind in sorted(listed):
        relation = Relation(schema=schema, identifier=name)
        rows = _unnamed(runner.fetch(f"select * from {render(relation, runner.dialect)}"), clock)
        state[f"{schema}.{name}"] = Table(
            kind=kind,
            columns=tuple((c.name, c.type) for c in catalog.columns_of(runner, relation)),
            rows=Counter(_masked(rows, clock)),
        )
    return state


def read_beside(runner: SqlRunner) -> State:
    """Read comments, constraints and grants, each as a table of them."""
    return {
        f"({name})": Table("LIST", (), Counter(_masked(runner.fetch(sql), Clock(()))))
        for name, sql in _BESIDE[runner.dialect].items()
    }


def _unnamed(rows: list[tuple[Any, ...]], clock: Clock) -> list[tuple[Any, ...]]:
    """Replace the ids of runs by their numbers."""
    names = {id_: f"run {number}" for number, id_ in enumerate(clock.ids)}
    if not names:
        return rows
    return [
        tuple(names.get(value, value) if isinstance(value, str) else value for value in row)
        for row in rows
    ]


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
    return (type(value).__name__, value if isinstance(value, _PLAIN) else str(value))


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
