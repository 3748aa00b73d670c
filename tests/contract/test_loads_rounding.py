"""Staged values are compared as the target will hold them, in every verb.

The oracle of what a column holds of a value is the engine itself: the value is inserted into a
column of the same type and read again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from airflow_dataops.core.loads.run import run_load
from airflow_dataops.core.loads.sources import Query
from airflow_dataops.core.loads.specs import (
    Append,
    ApplyChanges,
    Envelope,
    History,
    Increment,
    Load,
    LoadPartition,
    Merge,
    Outside,
    Replace,
    Within,
)
from airflow_dataops.core.sql.tables import read_table
from airflow_dataops.errors import ConfigError, RunError
from tests.contract.loading import FIRST, Spy, load
from tests.warehouses import EMULATED, open_warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from airflow_dataops.core.loads.specs import Verb
    from airflow_dataops.core.model import Relation
    from tests.warehouses import Warehouse

_DAY = datetime(2026, 1, 31, 12)
_MICROS = (
    _DAY.replace(microsecond=123456),
    _DAY.replace(microsecond=123457),
    _DAY.replace(microsecond=999),
)
_SECONDS = (_DAY.replace(microsecond=100000), _DAY.replace(microsecond=200000), _DAY.replace(day=1))
_FLOATS = (0.1, 0.1000000001, 0.75)
_LARGE = (2**53, 2**53 + 1, 5)
_DECIMALS = (Decimal("1.231"), Decimal("1.232"), Decimal("7.5"))

_DECIMALS_OF_FLOATS = (Decimal("16777216.000"), Decimal("16777216.001"), Decimal(1))


@dataclass(frozen=True)
class Pair:
    """Types of a staged and of the target's column, between which values are lost.

    Attributes:
        values: two that the target holds as one, the smaller first, and another.
        ordered: whether they can be a cursor or a sequence.
        quick: whether it is tried each time.
    """

    source: str
    target: str
    values: tuple[Any, Any, Any]
    ordered: bool = True
    quick: bool = True


_OF_DUCKDB = {
    "milliseconds": Pair("timestamp", "timestamp_ms", _MICROS),
    "seconds": Pair("timestamp", "timestamp_s", _SECONDS, quick=False),
    "float": Pair("double", "real", _FLOATS, quick=False),
    "bigint in double": Pair("bigint", "double", _LARGE, quick=False),
    "decimal in float": Pair("decimal(18,3)", "real", _DECIMALS_OF_FLOATS, quick=False),
    "collation": Pair("varchar", "varchar collate nocase", ("A", "a", "b"), ordered=False),
}
_OF_POSTGRES = {
    "milliseconds": Pair("timestamp(6)", "timestamp(3)", _MICROS),
    "zoned seconds": Pair(
        "timestamptz", "timestamptz(0)", (*(t.replace(tzinfo=UTC) for t in _SECONDS),), quick=False
    ),
    "time of day": Pair(
        "time(6)",
        "time(0)",
        (time(1, 2, 3, 100), time(1, 2, 3, 200), time(4)),
        ordered=False,
        quick=False,
    ),
    "scale": Pair("numeric", "numeric(10,2)", _DECIMALS, quick=False),
    "scale below zero": Pair("numeric(10,0)", "numeric(10,-2)", (1201, 1202, 500), quick=False),
    "real": Pair("double precision", "real", _FLOATS, quick=False),
    "bigint in double": Pair("bigint", "double precision", _LARGE, quick=False),
    "padding": Pair("text", "char(5)", ("ab", "ab ", "c"), ordered=False),
    "length": Pair("text", "varchar(3)", ("abc", "abc  ", "c"), ordered=False, quick=False),
    "interval": Pair(
        "interval",
        "interval(0)",
        (timedelta(milliseconds=1100), timedelta(milliseconds=1200), timedelta(hours=1)),
        ordered=False,
        quick=False,
    ),
}
# The emulators keep no digits of times and no NUMERIC without a scale.
_OF_BIGQUERY = {"bigint in double": Pair("int64", "float64", _LARGE)}
PAIRS = {
    "duckdb": _OF_DUCKDB,
    "postgres": _OF_POSTGRES,
    "bigquery": _OF_BIGQUERY,
    "snowflake": {"bigint in double": Pair("bigint", "float", _LARGE)},
}


class Case:
    """A pair on an engine."""

    def __init__(self, warehouse: Warehouse, pair: Pair) -> None:
        self.warehouse = warehouse
        self.pair = pair
        self.low, self.high, self.other = pair.values
        kept = self.table({"x": pair.target}, [(self.low,), (self.high,), (self.other,)])
        found = warehouse.runner.fetch(f"select x from {warehouse.sql(kept)}")
        assert len(set(map(str, found))) == (3 if "collate" in pair.target else 2)
        self.held, _, self.other_held = (
            warehouse.runner.fetch(f"select x from {warehouse.sql(self.one(v))}")[0][0]
            for v in pair.values
        )

    def one(self, value: Any) -> Relation:
        return self.table({"x": self.pair.target}, [(value,)])

    def table(
        self, columns: Mapping[str, str], rows: Sequence[Sequence[Any]] = (), **settings: Any
    ) -> Relation:
        Case.number += 1
        return self.warehouse.table(f"t{Case.number}", columns, rows, **settings)

    def typed(self, columns: Mapping[str, str], type_: str) -> dict[str, str]:
        return {name: type_ if kind == "lossy" else kind for name, kind in columns.items()}

    def target(self, columns: Mapping[str, str], **settings: Any) -> Relation:
        return self.table(self.typed(columns, self.pair.target), **settings)

    def load(
        self,
        target: Relation,
        verb: Verb,
        columns: Mapping[str, str],
        rows: Sequence[Sequence[Any]],
        times: int = 1,
    ) -> None:
        source = self.warehouse.source(self.typed(columns, self.pair.source), rows)
        for _ in range(times):
            load(self.warehouse, target, verb, source)

    number = 0


def merge(case: Case) -> None:
    """Rows are found again; two staged ones that become one are told, or the last one wins."""
    columns = {"k": "lossy", "v": "int"}
    target, verb = case.target(columns), Merge(keys=("k",))
    case.load(target, verb, columns, [(case.low, 1), (case.other, 2)], times=3)
    assert case.warehouse.rows(target, "v") == [(1,), (2,)]
    case.load(target, verb, columns, [(case.high, 5)])
    assert case.warehouse.rows(target, "v") == [(2,), (5,)]
    with pytest.raises(RunError, match="several staged rows have the same key"):
        case.load(target, verb, columns, [(case.low, 1), (case.high, 2)])
    last = Merge(keys=("k",), order_by=("v",))
    case.load(target, last, columns, [(case.low, 8), (case.high, 7)])
    assert case.warehouse.rows(target, "v") == [(2,), (8,)]


def merge_by_index(case: Case) -> None:
    """The same where a unique index finds the rows."""
    columns = {"k": "lossy", "v": "int"}
    target = case.target(columns, key=("k",))
    for value, rows in ((case.low, 1), (case.high, 2)):
        case.load(target, Merge(keys=("k",)), columns, [(value, rows)], times=2)
    assert case.warehouse.rows(target, "v") == [(2,)]


def append_whole_rows(case: Case) -> None:
    columns = {"k": "lossy", "v": "int"}
    target = case.target(columns)
    rows = [(case.low, 1), (case.high, 1), (case.other, 1), (case.high, 2)]
    case.load(target, Append(), columns, rows, times=3)
    assert case.warehouse.rows(target, "v") == [(1,), (1,), (2,)]


def append_by_key(case: Case) -> None:
    columns = {"k": "lossy", "v": "int"}
    target, verb = case.target(columns), Append(keys=("k",))
    case.load(target, verb, columns, [(case.low, 1), (case.high, 1)], times=2)
    case.load(target, verb, columns, [(case.high, 2)])
    assert case.warehouse.rows(target, "v") == [(1,)]
    with pytest.raises(RunError, match="several staged rows have the same key"):
        case.load(target, verb, columns, [(case.low, 1), (case.high, 2)])


def increment(case: Case) -> None:
    """Rows at the watermark are found again; of one key, the source's order tells the last.

    Without keys each row of the source is a row, also where the target holds two as one.
    """
    if not case.pair.ordered:
        return
    columns = {"k": "lossy", "v": "int"}
    target = case.target(columns)
    case.load(target, Increment(cursor="k"), columns, [(case.low, 1), (case.high, 1)], times=3)
    assert case.warehouse.rows(target, "v") == [(1,), (1,)]
    target = case.target(columns)
    verb = Increment(cursor="k", keys=("v",))
    case.load(target, verb, columns, [(case.low, 1), (case.high, 1)], times=2)
    assert case.warehouse.rows(target, "k") == [(case.held,)]


def history(case: Case) -> None:
    columns = {"k": "lossy", "at": "time", "v": "int"}
    made = {"k": "lossy", "v": "int", "valid_from": "time", "valid_to": "time"}
    target = case.target(made | {"is_current": "bool"})
    verb = History(keys=("k",), effective_at="at")
    case.load(target, verb, columns, [(case.low, _DAY, 1), (case.other, _DAY, 1)], times=3)
    later = _DAY + timedelta(days=1)
    case.load(target, verb, columns, [(case.high, later, 2)], times=2)
    found = case.warehouse.rows(target, "v", "is_current")
    assert found == [(1, False), (1, True), (2, True)]


def history_of_values(case: Case) -> None:
    """A value that the history holds already is no new version."""
    columns = {"k": "int", "at": "time", "v": "lossy"}
    made = {"k": "int", "v": "lossy", "valid_from": "time", "valid_to": "time"}
    target = case.target(made | {"is_current": "bool"})
    verb = History(keys=("k",), effective_at="at")
    for number, value in enumerate((case.low, case.high, case.low)):
        case.load(target, verb, columns, [(1, _DAY + timedelta(days=number), value)], times=2)
    assert case.warehouse.rows(target, "k", "is_current") == [(1, True)]


def changes(case: Case) -> None:
    """A deletion finds its row, and older events do not bring it back."""
    columns = {"k": "lossy", "op": "text", "s": "int"}
    target = case.target({"k": "lossy", "_sequence": "int"})
    verb = ApplyChanges(keys=("k",), sequence="s")
    case.load(target, verb, columns, [(case.low, "c", 1), (case.other, "c", 1)], times=3)
    assert len(case.warehouse.rows(target)) == 2
    case.load(target, verb, columns, [(case.high, "d", 3)], times=2)
    case.load(target, verb, columns, [(case.low, "u", 2), (case.high, "u", 1)])
    assert case.warehouse.rows(target, "k") == [(case.other_held,)]


def changes_by_sequence(case: Case) -> None:
    if not case.pair.ordered:
        return
    columns = {"k": "int", "op": "text", "s": "lossy", "v": "int"}
    target = case.target({"k": "int", "_sequence": "lossy", "v": "int"})
    verb = ApplyChanges(keys=("k",), sequence="s")
    case.load(target, verb, columns, [(1, "c", case.low, 1)], times=3)
    assert case.warehouse.rows(target, "_sequence", "v") == [(case.held, 1)]
    with pytest.raises(RunError, match="the same key and the same"):
        case.load(target, verb, columns, [(2, "c", case.low, 1), (2, "u", case.high, 2)])


def partition(case: Case) -> None:
    """Rows are of the partition that will hold them."""
    columns = {"k": "lossy", "v": "int"}
    target = case.target(columns)
    verb = LoadPartition(values={"k": case.held})
    case.load(target, verb, columns, [(case.low, 1), (case.high, 2)], times=3)
    assert case.warehouse.rows(target, "v") == [(1,), (2,)]


def replace(case: Case) -> None:
    columns = {"k": "lossy", "v": "int"}
    target = case.target(columns)
    before = read_table(case.warehouse.runner, target)
    case.load(target, Replace(), columns, [(case.low, 1), (case.high, 2)], times=2)
    assert case.warehouse.rows(target, "v") == [(1,), (2,)]
    after = read_table(case.warehouse.runner, target)
    assert before is not None
    assert after is not None
    assert before.columns == after.columns


def history_of_times(case: Case) -> None:
    """Versions begin when the history says that they do."""
    if not isinstance(case.low, datetime):
        return
    columns = {"k": "int", "at": "lossy", "v": "int"}
    made = {"k": "int", "v": "int", "valid_from": "lossy", "valid_to": "lossy"}
    target = case.target(made | {"is_current": "bool"})
    verb = History(keys=("k",), effective_at="at")
    case.load(target, verb, columns, [(1, case.low, 1), (1, case.high, 1)], times=3)
    assert case.warehouse.rows(target, "v", "valid_from") == [(1, case.held)]
    with pytest.raises(RunError, match="several staged rows have the same key"):
        case.load(target, verb, columns, [(2, case.low, 1), (2, case.high, 2)])


def watermark(case: Case) -> None:
    """It is the source's value: rounded up, it would pass over rows."""
    if not case.pair.ordered:
        return
    columns = {"k": "lossy", "v": "int"}
    target = case.target(columns)
    verb = Increment(cursor="k", keys=("v",))
    source = case.table(case.typed(columns, case.pair.source), [(case.low, 1)])
    query = Query(sql=f"select * from {case.warehouse.sql(source)}")
    load(case.warehouse, target, verb, query)
    case.warehouse.add(source, ("k", "v"), [(case.high, 2)])
    load(case.warehouse, target, verb, query)
    assert case.warehouse.rows(target, "v") == [(1,), (2,)]


VERBS = (
    merge,
    merge_by_index,
    append_whole_rows,
    append_by_key,
    increment,
    history,
    history_of_values,
    history_of_times,
    watermark,
    changes,
    changes_by_sequence,
    partition,
    replace,
)


def cases() -> Iterator[Any]:
    for engine, found in PAIRS.items():
        for name, pair in found.items():
            slow = engine in EMULATED or not pair.quick
            marks = [pytest.mark.slow] if slow else []
            yield pytest.param(engine, pair, id=f"{engine}-{name}", marks=marks)


@pytest.mark.parametrize(("engine", "pair"), cases())
def test_values_are_compared_as_the_target_holds_them(engine: str, pair: Pair) -> None:
    with open_warehouse(engine) as warehouse:
        for verb in VERBS:
            verb(Case(warehouse, pair))


@pytest.fixture
def postgres() -> Iterator[Warehouse]:
    with open_warehouse("postgres") as opened:
        yield opened


@pytest.fixture
def duckdb() -> Iterator[Warehouse]:
    with open_warehouse("duckdb") as opened:
        yield opened


@pytest.mark.parametrize("verb", [Merge(keys=("k",)), Append(), Replace()])
def test_a_text_that_is_too_long_is_never_cut(postgres: Warehouse, verb: Verb) -> None:
    target = postgres.table("kept", {"k": "varchar(3)"}, [("old",)])
    with pytest.raises(psycopg.errors.StringDataRightTruncation):
        load(postgres, target, verb, postgres.source({"k": "text"}, [("abcd",)]))
    assert postgres.rows(target) == [("old",)]


@pytest.mark.parametrize("type_", ["domain", "varchar(3)[]", "bit(3)"])
def test_a_value_of_any_type_is_never_cut(postgres: Warehouse, type_: str) -> None:
    """An explicit cast would do it, and is what a text needs to become one of these."""
    if type_ == "domain":
        type_ = postgres.sql(postgres.relation("short"))
        inner = postgres.sql(postgres.relation("inner"))
        postgres.runner.execute(f"create domain {inner} as varchar(3)")
        postgres.runner.execute(f"create domain {type_} as {inner}")
    target = postgres.table("kept", {"k": type_})
    value = {"varchar(3)[]": "{abcd}", "bit(3)": "10101"}.get(type_, "abcd")
    with pytest.raises(psycopg.DataError):
        load(postgres, target, Append(), postgres.source({"k": "text"}, [(value,)]))
    assert postgres.rows(target) == []


def test_fields_of_events_are_never_cut(postgres: Warehouse) -> None:
    target = postgres.table("kept", {"k": "int", "v": "varchar(3)", "_sequence": "int"})
    columns = {"before": "text", "after": "text", "op": "text", "lsn": "int"}
    verb = ApplyChanges(keys=("k",), sequence="lsn", envelope=Envelope.DEBEZIUM)
    good = (None, '{"k": 1, "v": "abc"}', "c", 1)
    load(postgres, target, verb, postgres.source(columns, [good]))
    assert postgres.rows(target) == [(1, "abc", 1)]
    bad = (None, '{"k": 2, "v": "abcd"}', "c", 2)
    with pytest.raises((RunError, psycopg.errors.StringDataRightTruncation)):
        load(postgres, target, verb, postgres.source(columns, [bad]))


def test_collations_that_conflict_are_the_targets(postgres: Warehouse) -> None:
    """Compared as they are, Postgres could not determine which collation to use."""
    columns = {"k": 'text collate "POSIX"', "v": "int"}
    target = postgres.table("kept", columns, [("a", 1)])
    source = postgres.source({"k": 'text collate "C"', "v": "int"}, [("a", 2)])
    load(postgres, target, Merge(keys=("k",)), source)
    assert postgres.rows(target) == [("a", 2)]


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("integer", 1.5),
        ("integer", "1.5"),
        ("decimal(10,2)", 1.005),
        ("decimal(38,2)", "123456789012345678901234567890123456.125"),
        ("timestamp(3)", "2026-01-31T12:00:00.123456"),
        ("varchar(3)", "abcd"),
    ],
)
def test_a_partition_of_a_value_that_no_row_has_is_refused(
    postgres: Warehouse, type_: str, value: Any
) -> None:
    """Rounded or cut it would be another one, which the load would clear."""
    target = postgres.table("kept", {"k": type_})
    source = postgres.source({"k": type_})
    with pytest.raises(ConfigError, match="is not a value of the column k"):
        load(postgres, target, LoadPartition(values={"k": value}), source)


@pytest.mark.parametrize(
    ("type_", "value"),
    [("decimal(10,2)", "1.500"), ("integer", 2.0), ("char(3)", "a  "), ("timestamp(3)", _DAY)],
)
def test_a_partition_of_a_value_that_is_written_in_another_way_is_loaded(
    postgres: Warehouse, type_: str, value: Any
) -> None:
    target = postgres.table("kept", {"k": type_})
    source = postgres.source({"k": type_}, [(value,)])
    for _ in range(2):
        load(postgres, target, LoadPartition(values={"k": value}), source)
    assert len(postgres.rows(target)) == 1


@pytest.mark.parametrize("outside", list(Outside))
def test_a_row_is_of_the_partition_that_holds_it(postgres: Warehouse, outside: Outside) -> None:
    """The last moment of a day is rounded into the next one: it is not lost without a word."""
    target = postgres.table("kept", {"k": "timestamp(0)", "v": "int"})
    last = datetime(2026, 1, 31, 23, 59, 59, 900000)
    source = postgres.source({"k": "timestamp", "v": "int"}, [(_DAY, 1), (last, 2)])
    within = Within(column="k", start=datetime(2026, 1, 31), end=datetime(2026, 2, 1))
    verb = LoadPartition(within=within, outside=outside)
    if outside is Outside.REFUSE:
        with pytest.raises(RunError, match="1 of 2 staged rows are not of the partition"):
            load(postgres, target, verb, source)
    else:
        load(postgres, target, verb, source)
    assert postgres.rows(target, "v") == ([] if outside is Outside.REFUSE else [(1,)])


def test_tombstones_that_hold_less_than_the_target_are_told(postgres: Warehouse) -> None:
    """A deletion of 1.23 would be kept for 1.2."""
    columns = {"k": "decimal(10,1)", "_sequence": "int"}
    target = postgres.table("kept", columns)
    verb = ApplyChanges(keys=("k",), sequence="s")
    source = postgres.source(
        {"k": "decimal(10,1)", "op": "text", "s": "int"}, [(Decimal("1.2"), "d", 5)]
    )
    load(postgres, target, verb, source)
    postgres.runner.execute(f"alter table {postgres.sql(target)} alter k type decimal(10,2)")
    with pytest.raises(RunError, match=r"kept__tombstones keeps .* and cannot hold its k numeric"):
        load(postgres, target, verb, source)


def test_tombstones_are_collated_like_the_target(duckdb: Warehouse) -> None:
    target = duckdb.table("kept", {"k": "varchar collate nocase", "_sequence": "int"})
    verb = ApplyChanges(keys=("k",), sequence="s")
    for key, op, sequence in (("a", "c", 1), ("A", "d", 3), ("a", "u", 2)):
        source = duckdb.source({"k": "text", "op": "text", "s": "int"}, [(key, op, sequence)])
        load(duckdb, target, verb, source)
    assert duckdb.rows(target) == []


def test_a_collation_is_read_of_a_column_of_any_name(duckdb: Warehouse) -> None:
    columns = {'a "b"': "varchar collate nocase", "k": "varchar", "a b": "varchar"}
    target = duckdb.table("kept", columns)
    found = read_table(duckdb.runner, target)
    assert found is not None
    assert [column.clause for column in found.columns] == [" collate nocase", "", ""]


def test_values_that_the_target_keeps_cost_no_copy(postgres: Warehouse) -> None:
    target = postgres.table("kept", {"k": "varchar(3)", "n": "decimal(10,2)"})
    source = postgres.source({"k": "text", "n": "numeric"}, [("abc", Decimal("1.5"))])
    spy = Spy(postgres.runner)
    run_load(Load(target=target, verb=Merge(keys=("k",)), attempt=FIRST), source, spy)
    assert sum("create temporary table" in sql for sql in spy.told) == 1
    assert postgres.rows(target) == [("abc", Decimal("1.50"))]
