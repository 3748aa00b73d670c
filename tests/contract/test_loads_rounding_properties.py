"""Random types and values against models in plain Python: what is compared is what is held.

What a column holds of a value is asked of the engine, by an insertion. The slow tests try many
more cases; on the emulators a few.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from airflow_dataops.core.loads.run import run_load
from airflow_dataops.core.loads.sources import Query
from airflow_dataops.core.loads.specs import (
    Append,
    ApplyChanges,
    Attempt,
    History,
    Increment,
    Load,
    LoadPartition,
    Merge,
)
from airflow_dataops.errors import RunError
from tests.warehouses import EMULATED, open_warehouse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from airflow_dataops.core.loads.specs import Verb
    from airflow_dataops.core.model import Relation
    from tests.warehouses import Warehouse

ATTEMPT = Attempt(owner="o", run_id="r")
_DAY = datetime(2026, 1, 31, 23, 59, 58)
_MICROS = (0, 1, 400, 499, 500, 501, 999, 1000, 1499, 123456, 499999, 500000, 999999, 1500000)


def _moment(r: random.Random) -> datetime:
    return _DAY + timedelta(microseconds=r.choice(_MICROS))


def _aware(r: random.Random) -> datetime:
    return _moment(r).replace(tzinfo=UTC)


def _float(r: random.Random) -> float:
    return r.choice((0.1, 0.1000000001, 1 / 3, 0.5, 2.0**24, 2.0**24 + 1, -1e-9))


def _decimal(r: random.Random) -> Decimal:
    return Decimal(r.randint(-30, 30)).scaleb(-3)


def _large(r: random.Random) -> int:
    return 2**53 + r.randint(0, 4)


def _text(r: random.Random) -> str:
    return r.choice(("a", "a ", "a  ", "A", "abc", "abc  ", "ABC", "b", ""))


def _span(r: random.Random) -> timedelta:
    return timedelta(milliseconds=r.choice((0, 400, 499, 500, 999, 1499, 1500)))


def _time_of_day(r: random.Random) -> time:
    return time(1, 2, r.choice((3, 4)), r.choice((0, 400_000, 500_000, 999_999)))


PAIRS: dict[str, list[tuple[str, str, Any]]] = {
    "duckdb": [
        ("timestamp", "timestamp_ms", _moment),
        ("timestamp", "timestamp_s", _moment),
        ("timestamp_ms", "timestamp", _moment),
        ("double", "real", _float),
        ("real", "double", _float),
        ("bigint", "double", _large),
        ("bigint", "real", _large),
        ("decimal(18,3)", "real", _decimal),
        ("decimal(9,3)", "decimal(18,6)", _decimal),
        ("varchar", "varchar collate nocase", _text),
        ("varchar collate nocase", "varchar", _text),
        ("integer", "decimal(18,2)", lambda r: r.randint(0, 3)),
    ],
    "postgres": [
        ("timestamp", "timestamp(3)", _moment),
        ("timestamp(3)", "timestamp(0)", _moment),
        ("timestamp(0)", "timestamp", _moment),
        ("timestamptz", "timestamptz(2)", _aware),
        ("time(6)", "time(0)", _time_of_day),
        ("interval", "interval(0)", _span),
        ("numeric", "numeric(10,2)", _decimal),
        ("numeric(10,3)", "numeric", _decimal),
        ("numeric", "double precision", _decimal),
        ("double precision", "real", _float),
        ("real", "double precision", _float),
        ("bigint", "double precision", _large),
        ("bigint", "real", _large),
        ("text", "char(3)", lambda r: _text(r)[:3]),
        ("char(5)", "text", _text),
        ("char(5)", "char(8)", _text),
        ("text", "varchar(3)", lambda r: r.choice(("a", "abc", "abc  ", "a  ", "a    "))),
        ('text collate "C"', "name", _text),
    ],
    "bigquery": [("int64", "float64", _large)],
    "snowflake": [("bigint", "float", _large)],
}
_COUNTED = 0


class Case:
    """One table with a lossy column `k` under random loads.

    Attributes:
        held: by value of the source, what tells values of the target apart.
    """

    def __init__(self, warehouse: Warehouse, seed: int, columns: Mapping[str, str]) -> None:
        self.random = random.Random(seed)
        self.warehouse = warehouse
        self.source, self.kept, make = self.random.choice(PAIRS[warehouse.dialect])
        made = [(i, make(self.random)) for i in range(6)]
        staged = self._table({"i": "int", "x": self.source}, made)
        stored = self._table({"i": "int", "x": self.kept})
        warehouse.runner.execute(
            f"insert into {warehouse.sql(stored)} select i, x from {warehouse.sql(staged)}"
        )
        self.target = self._table({n: self._type(t, self.kept) for n, t in columns.items()})
        self.pool, self.values = self._read(staged), self._read(stored)
        fold = str.casefold if "nocase" in self.kept else str
        pairs = zip(self.pool, self.values, strict=True)
        self.held = {repr(value): fold(str(held)) for value, held in pairs}
        self.fold = fold

    def _table(self, columns: Mapping[str, str], rows: Sequence[Sequence[Any]] = ()) -> Relation:
        global _COUNTED
        _COUNTED += 1
        return self.warehouse.table(f"t{_COUNTED}", columns, rows)

    def _read(self, table: Relation) -> list[Any]:
        sql = f"select x from {self.warehouse.sql(table)} order by i"
        return [x for (x,) in self.warehouse.runner.fetch(sql)]

    def _type(self, kind: str, lossy: str) -> str:
        return lossy if kind == "lossy" else kind

    def of(self, value: Any) -> str:
        return self.held[repr(value)]

    def pick(self, most: int = 5) -> list[Any]:
        return [self.random.choice(self.pool) for _ in range(self.random.randint(1, most))]

    def load(self, verb: Verb, columns: Mapping[str, str], rows: Sequence[Sequence[Any]]) -> bool:
        """Load rows twice; return whether they were taken."""
        table = self._table({n: self._type(t, self.source) for n, t in columns.items()}, rows)
        source = Query(sql=f"select * from {self.warehouse.sql(table)}")
        load = Load(target=self.target, verb=verb, attempt=ATTEMPT)
        try:
            run_load(load, source, self.warehouse.runner)
        except RunError:
            return False
        run_load(load, source, self.warehouse.runner)
        return True

    def table(self, *columns: str) -> list[tuple[Any, ...]]:
        """Return the target's rows, `k` as `held` has it."""
        found = self.warehouse.runner.fetch(
            f"select {', '.join(columns)} from {self.warehouse.sql(self.target)}"
        )
        return sorted(
            tuple(self.fold(str(v)) if n == "k" else v for n, v in zip(columns, row, strict=True))
            for row in found
        )

    def told(self) -> str:
        return f"{self.warehouse.dialect}: {self.source} into {self.kept}, {self.pool}"


def merge_case(warehouse: Warehouse, seed: int) -> None:
    columns = {"k": "lossy", "n": "int"}
    case = Case(warehouse, seed, columns)
    ordered = case.random.random() < 0.5
    verb = Merge(keys=("k",), order_by=("n",) if ordered else ())
    table: dict[str, int] = {}
    for start in (0, 10, 20):
        rows = [(value, start + i) for i, value in enumerate(case.pick())]
        new = {case.of(value): n for value, n in rows}
        taken = case.load(verb, columns, rows)
        assert taken is (ordered or len(new) == len(rows)), case.told()
        table |= new if taken else {}
        assert case.table("k", "n") == sorted(table.items()), case.told()


def append_case(warehouse: Warehouse, seed: int) -> None:
    columns = {"k": "lossy", "n": "int"}
    case = Case(warehouse, seed, columns)
    table: set[tuple[str, int]] = set()
    for _ in range(3):
        rows = [(value, case.random.choice((1, 2))) for value in case.pick()]
        assert case.load(Append(), columns, rows)
        table |= {(case.of(value), n) for value, n in rows}
        assert case.table("k", "n") == sorted(table), case.told()


def increment_case(warehouse: Warehouse, seed: int) -> None:
    """A source that grows is taken over row by row, with what the target holds of each."""
    columns = {"k": "lossy", "n": "int"}
    case = Case(warehouse, seed, columns)
    if not isinstance(case.pool[0], (datetime, float, int, Decimal)):
        return
    rows: list[tuple[Any, int]] = []
    for _ in range(3):
        new = [v for v in case.pick() if not rows or v >= max(value for value, _ in rows)]
        rows += [(value, case.random.choice((1, 2))) for value in new]
        if rows:
            assert case.load(Increment(cursor="k"), columns, rows)
        expected = sorted((case.of(value), n) for value, n in rows)
        assert case.table("k", "n") == expected, case.told()


def changes_case(warehouse: Warehouse, seed: int) -> None:
    columns = {"k": "lossy", "op": "text", "s": "int"}
    case = Case(warehouse, seed, {"k": "lossy", "_sequence": "int"})
    sequences = list(range(1, 20))
    case.random.shuffle(sequences)
    seen: dict[str, tuple[int, str]] = {}
    for _ in range(3):
        rows = [(value, case.random.choice("ud"), sequences.pop()) for value in case.pick()]
        assert case.load(ApplyChanges(keys=("k",), sequence="s"), columns, rows)
        for value, op, sequence in rows:
            if sequence > seen.get(case.of(value), (0, ""))[0]:
                seen[case.of(value)] = (sequence, op)
        expected = sorted((k, s) for k, (s, op) in seen.items() if op == "u")
        assert case.table("k", "_sequence") == expected, case.told()


def partition_case(warehouse: Warehouse, seed: int) -> None:
    columns = {"k": "lossy", "n": "int"}
    case = Case(warehouse, seed, columns)
    table: dict[str, list[int]] = {}
    for start in (0, 10, 20):
        number = case.random.randrange(len(case.pool))
        mine = case.of(case.pool[number])
        rows = [(value, start + i) for i, value in enumerate(case.pick())]
        if case.random.random() < 0.7:
            rows = [row for row in rows if case.of(row[0]) == mine]
        verb = LoadPartition(values={"k": case.values[number]})
        taken = case.load(verb, columns, rows)
        assert taken is all(case.of(value) == mine for value, _ in rows), case.told()
        table |= {mine: [n for _, n in rows]} if taken else {}
        expected = sorted((k, n) for k, numbers in table.items() for n in numbers)
        assert case.table("k", "n") == expected, case.told()


def history_case(warehouse: Warehouse, seed: int) -> None:
    """A version begins where what the history holds differs."""
    columns = {"n": "int", "k": "lossy", "at": "time"}
    times = {"valid_from": "time", "valid_to": "time", "is_current": "bool"}
    case = Case(warehouse, seed, {"n": "int", "k": "lossy", **times})
    versions: list[str] = []
    day = _DAY
    for _ in range(3):
        rows = []
        for value in case.pick():
            day += timedelta(days=1)
            rows.append((1, value, day))
            versions += [case.of(value)] if versions[-1:] != [case.of(value)] else []
        assert case.load(History(keys=("n",), effective_at="at"), columns, rows)
        assert case.table("k") == sorted((k,) for k in versions), case.told()


CASES = (
    merge_case,
    append_case,
    increment_case,
    changes_case,
    partition_case,
    history_case,
)
_QUICK, _MANY, _EMULATED = 1, 120, 2


def cases() -> Iterator[Any]:
    for engine in PAIRS:
        for case in CASES:
            name = f"{case.__name__.removesuffix('_case')}-{engine}"
            if engine in EMULATED:
                yield pytest.param(engine, case, range(_EMULATED), id=name, marks=pytest.mark.slow)
                continue
            yield pytest.param(engine, case, range(_QUICK), id=name)
            many = range(_QUICK, _MANY)
            yield pytest.param(engine, case, many, id=f"many-{name}", marks=pytest.mark.slow)


@pytest.mark.parametrize(("engine", "case", "seeds"), cases())
def test_random_types_against_a_model(
    engine: str, case: Callable[[Warehouse, int], None], seeds: range
) -> None:
    with open_warehouse(engine) as warehouse:
        for seed in seeds:
            case(warehouse, seed)
