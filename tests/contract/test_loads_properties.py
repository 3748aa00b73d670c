"""Random batches against oracles in plain Python: duplicates, NULLs, late and unordered rows.

A case is one batch, loaded twice; three or four of them follow each other on one table. The
slow tests run 2,000 cases a verb on each of DuckDB and Postgres.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from airflow_dataops.core.loads.run import run_load
from airflow_dataops.core.loads.sources import Query
from airflow_dataops.core.loads.specs import (
    Append,
    ApplyChanges,
    Attempt,
    Compare,
    History,
    Increment,
    Load,
    LoadPartition,
    Merge,
    NullKeys,
    OnEmpty,
    Replace,
)
from airflow_dataops.errors import RunError
from tests.contract import oracles
from tests.warehouses import open_warehouse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from airflow_dataops.core.loads.specs import Verb
    from tests.warehouses import Warehouse

ATTEMPT = Attempt(owner="o", run_id="r")
TYPES = {"k": "int", "n": "int", "v": "text", "op": "text"}


class Case:
    """One table under random loads."""

    def __init__(self, warehouse: Warehouse, seed: int, columns: Sequence[str], extra: str) -> None:
        self.random = random.Random(seed)
        self.warehouse = warehouse
        self.columns = columns
        self.target = warehouse.relation(f"t{seed}")
        self.sql = warehouse.sql(self.target)
        self.types = {name: warehouse.engine.types[kind] for name, kind in TYPES.items()}
        listed = ", ".join(f"{name} {self.types[name]}" for name in columns)
        warehouse.runner.execute(f"create table {self.sql} ({listed}{extra})")

    def pick(self, values: Sequence[Any]) -> Any:
        return self.random.choice(values)

    def rows(self, *choices: Sequence[Any], most: int = 6) -> list[tuple[Any, ...]]:
        """Return some rows, often some of them twice."""
        found = [tuple(map(self.pick, choices)) for _ in range(self.random.randint(0, most))]
        return found + [row for row in found if self.random.random() < 0.15]

    def load(
        self, verb: Verb, rows: Sequence[tuple[Any, ...]], columns: Sequence[str] = ()
    ) -> bool:
        """Load rows, twice; return whether they were taken."""
        columns = columns or self.columns
        load = Load(target=self.target, verb=verb, attempt=ATTEMPT)
        source = Query(sql=values(rows, columns, self.types))
        try:
            run_load(load, source, self.warehouse.runner)
        except RunError:
            return False
        run_load(load, source, self.warehouse.runner)
        return True

    def table(self, *columns: str) -> list[tuple[Any, ...]]:
        names = ", ".join(columns or self.columns)
        return self.warehouse.runner.fetch(f"select {names} from {self.sql}")


def values(
    rows: Sequence[tuple[Any, ...]], columns: Sequence[str], types: Mapping[str, str]
) -> str:
    """Return the query for some rows."""

    def literal(value: Any, name: str) -> str:
        text = "null" if value is None else repr(value)
        return f"cast({text} as {types[name]}) as {name}"

    def select(row: tuple[Any, ...]) -> str:
        return "select " + ", ".join(map(literal, row, columns))

    none = f"select * from ({select((None,) * len(columns))}) as x where 1 = 0"
    return " union all ".join(map(select, rows)) or none


def same(found: Sequence[tuple[Any, ...]], expected: Sequence[tuple[Any, ...]]) -> bool:
    def key(row: tuple[Any, ...]) -> list[tuple[bool, Any]]:
        return [(value is None, value or "") for value in map(str_or_none, row)]

    return sorted(found, key=key) == sorted(expected, key=key)


def str_or_none(value: Any) -> str | None:
    return None if value is None else str(value)


K, N, V = [1, 2, 3, 4], [1, 2, 3, 4, 5, 6], ["a", "b", None]


def partition_case(warehouse: Warehouse, seed: int) -> None:
    case = Case(warehouse, seed, ("k", "v"), "")
    table: oracles.Table = []
    for _ in range(3):
        day = case.pick([*K, None])
        rows = [(day, case.pick(V)) for _ in range(case.random.randint(0, 4))]
        rows += [(case.pick([*K, None]), "x")] if case.random.random() < 0.3 else []
        expected = oracles.partition(table, rows, day)
        assert case.load(LoadPartition(values={"k": day}), rows) is (expected is not None)
        table = table if expected is None else expected
        assert same(case.table(), table), (rows, day)


def merge_case(warehouse: Warehouse, seed: int) -> None:
    nulls, ordered = bool(seed % 2), bool(seed % 3)
    key = "" if nulls or seed % 5 == 0 else ", primary key (k)"
    case = Case(warehouse, seed, ("k", "n", "v"), key)
    verb = Merge(
        keys=("k",),
        order_by=("n",) if ordered else (),
        compare=Compare.CHANGED if seed % 7 == 0 else Compare.ALWAYS,
        null_keys=NullKeys.MATCH if nulls else NullKeys.REFUSE,
    )
    table: oracles.Table = []
    for _ in range(3):
        keys = [*K, None] if nulls or case.random.random() < 0.1 else K
        rows = case.rows(keys, [*N, None], V, most=6 if ordered else 3)
        expected = oracles.merge(table, rows, null_keys=nulls, ordered=ordered)
        assert case.load(verb, rows) is (expected is not None), (rows, table)
        table = table if expected is None else expected
        assert same(case.table(), table), rows


def append_case(warehouse: Warehouse, seed: int) -> None:
    case = Case(warehouse, seed, ("k", "n", "v"), "")
    table: oracles.Table = []
    for _ in range(3):
        rows = case.rows([1, None], [1, 2, None], V)
        assert case.load(Append(), rows)
        table = oracles.append(table, rows)
        assert same(case.table(), table), rows


def replace_case(warehouse: Warehouse, seed: int) -> None:
    case = Case(warehouse, seed, ("k", "v"), "")
    table: oracles.Table = []
    for _ in range(3):
        rows = case.rows([*K, None], V, most=4)
        expected = oracles.replace(rows)
        assert case.load(Replace(), rows) is (expected is not None)
        table = table if expected is None else expected
        assert same(case.table(), table)


def increment_case(warehouse: Warehouse, seed: int) -> None:
    case = Case(warehouse, seed, ("k", "n", "v"), "")
    lag = case.pick([0, 1, 2])
    verb = Increment(cursor="n", keys=("k",), lag=lag)
    table: oracles.Table = []
    source: oracles.Table = []
    mark: Any = None
    for _ in range(3):
        taken = {(row[0], row[1]) for row in source}
        new = case.rows(K, [n + (mark or 0) // 2 for n in N], V, most=4)
        for row in new:  # a key has one row at a time of the cursor
            if (row[0], row[1]) not in taken:
                taken.add((row[0], row[1]))
                source.append(row)
        case.random.shuffle(source)
        for _ in range(2):
            if source:
                table, mark = oracles.increment(table, source, mark, lag)
        assert case.load(verb, source)
        assert same(case.table(), table), (source, mark, lag)


def changes_case(warehouse: Warehouse, seed: int) -> None:
    soft = bool(seed % 2)
    extra = ", _sequence integer" + (", gone boolean" if soft else "")
    extra += "" if seed % 3 else ", primary key (k)"
    case = Case(warehouse, seed, ("k", "v"), extra)
    verb = ApplyChanges(keys=("k",), sequence="n", soft_delete="gone" if soft else None)
    state: dict[Any, tuple[Any, ...]] = {}
    numbers = list(range(1, 25))
    case.random.shuffle(numbers)
    for _ in range(4):
        batch = [
            (case.pick(K), case.pick(V), case.pick("ccud"), numbers.pop())
            for _ in range(case.random.randint(0, 5))
        ]
        assert case.load(verb, batch + batch[:1], ("k", "v", "op", "n"))
        state = oracles.changes(state, batch)
        live = [(key, value) for key, (value, _, gone) in state.items() if not gone]
        if not soft:
            assert same(case.table(), live), batch
            continue
        found = case.table("k", "v", "gone")
        assert same([row[:2] for row in found if not row[2]], live), batch
        dead = {row[0] for row in found if row[2]}
        assert dead <= {key for key, (_, _, gone) in state.items() if gone}


def history_case(warehouse: Warehouse, seed: int) -> None:
    extra = ", valid_from integer, valid_to integer, is_current boolean"
    nulls = NullKeys.MATCH if seed % 2 else NullKeys.REFUSE
    case = Case(warehouse, seed, ("k", "v"), extra)
    verb = History(keys=("k",), effective_at="n", null_keys=nulls, on_empty=OnEmpty.KEEP)
    table: oracles.Table = []
    for _ in range(4):
        rows = case.rows([1, 2, None] if seed % 2 else [1, 2], V, N, most=4)
        expected = oracles.history(table, rows)
        taken = case.load(verb, rows, ("k", "v", "n"))
        assert taken is (expected is not None), rows
        table = table if expected is None else expected
        assert same(case.table("k", "v", "valid_from", "valid_to"), table), rows


CASES: dict[str, Callable[[Warehouse, int], None]] = {
    "partition": partition_case,
    "merge": merge_case,
    "append": append_case,
    "replace": replace_case,
    "increment": increment_case,
    "changes": changes_case,
    "history": history_case,
}
VERBS = pytest.mark.parametrize("verb", sorted(CASES))


def run_cases(engine: str, verb: str, seeds: range) -> None:
    with open_warehouse(engine) as warehouse:
        for seed in seeds:
            try:
                CASES[verb](warehouse, seed)
            except BaseException as error:
                error.add_note(f"{verb} on {engine}, seed {seed}")
                raise
            for name in warehouse.tables() & {f"t{seed}", f"t{seed}__tombstones"}:
                warehouse.runner.execute(f"drop table {warehouse.sql(warehouse.relation(name))}")


@VERBS
@pytest.mark.parametrize(("engine", "tables"), [("duckdb", 1), ("postgres", 2)])
def test_random_batches(engine: str, tables: int, verb: str) -> None:
    run_cases(engine, verb, range(tables))


@pytest.mark.slow
@VERBS
def test_random_batches_on_bigquery(verb: str) -> None:
    run_cases("bigquery", verb, range(5))


@pytest.mark.slow
@VERBS
@pytest.mark.parametrize("engine", ["duckdb", "postgres"])
def test_2000_random_batches(engine: str, verb: str) -> None:
    tables = -(-2000 // (4 if verb in ("changes", "history") else 3))
    run_cases(engine, verb, range(1000, 1000 + tables))
