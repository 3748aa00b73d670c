"""ApplyChanges, on every engine. Numbers are those of the conformance list."""

from __future__ import annotations

import json
from itertools import permutations
from typing import TYPE_CHECKING, Any

import pytest

from airflow_dataops.core.loads.specs import ApplyChanges, Envelope
from airflow_dataops.errors import RunError
from tests.contract.loading import load
from tests.warehouses import open_warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airflow_dataops.core.loads.sources import Query
    from airflow_dataops.core.model import Relation
    from tests.warehouses import Warehouse

ROWS = {"id": "int", "name": "text", "_sequence": "bigint"}
EVENTS = {"id": "int", "name": "text", "op": "text", "lsn": "bigint"}
HARD = ApplyChanges(keys=("id",), sequence="lsn")
SOFT = ApplyChanges(keys=("id",), sequence="lsn", soft_delete="gone")


@pytest.fixture(params=["with a primary key", "without"])
def target(request: pytest.FixtureRequest, warehouse: Warehouse) -> Relation:
    key = ("id",) if request.param == "with a primary key" else ()
    return warehouse.table("rows", ROWS, [(1, "one", 10), (2, "two", None)], key=key)


@pytest.fixture
def soft(warehouse: Warehouse) -> Relation:
    rows = [(1, "one", 10, False), (2, "two", None, False)]
    return warehouse.table("soft", ROWS | {"gone": "bool"}, rows)


def events(warehouse: Warehouse, *rows: tuple[Any, ...]) -> Query:
    return warehouse.source(EVENTS, rows)


def live(warehouse: Warehouse, relation: Relation) -> list[tuple[Any, ...]]:
    return warehouse.rows(relation, "id", "name")


def test_inserts_updates_and_deletes(warehouse: Warehouse, target: Relation) -> None:
    source = events(warehouse, (3, "three", "c", 20), (1, "uno", "u", 21), (2, None, "d", 22))
    for _ in range(2):
        load(warehouse, target, HARD, source)
    assert warehouse.rows(target) == [(1, "uno", 21), (3, "three", 20)]


def test_nr_21_update_then_delete_in_one_batch(warehouse: Warehouse, target: Relation) -> None:
    source = events(warehouse, (1, "uno", "u", 20), (1, None, "d", 21))
    for _ in range(2):
        load(warehouse, target, HARD, source)
    assert live(warehouse, target) == [(2, "two")]


def test_nr_21_delete_then_insert_in_one_batch(warehouse: Warehouse, target: Relation) -> None:
    source = events(warehouse, (1, "again", "c", 21), (1, None, "d", 20))
    load(warehouse, target, HARD, source)
    assert live(warehouse, target) == [(1, "again"), (2, "two")]


def test_nr_21_update_then_delete_in_one_batch_with_soft_deletes(
    warehouse: Warehouse, soft: Relation
) -> None:
    source = events(
        warehouse, (1, "uno", "u", 20), (1, None, "d", 21), (5, "five", "c", 5), (5, None, "d", 6)
    )
    for _ in range(2):
        load(warehouse, soft, SOFT, source)
    assert warehouse.rows(soft) == [
        (1, "uno", 21, True),
        (2, "two", None, False),
        (5, "five", 6, True),
    ]


def test_nr_21_a_softly_deleted_row_comes_back(warehouse: Warehouse, soft: Relation) -> None:
    load(warehouse, soft, SOFT, events(warehouse, (1, None, "d", 20)))
    load(warehouse, soft, SOFT, events(warehouse, (1, "old", "u", 15)))
    assert warehouse.rows(soft)[0] == (1, "one", 20, True)
    load(warehouse, soft, SOFT, events(warehouse, (1, "back", "c", 25)))
    assert warehouse.rows(soft)[0] == (1, "back", 25, False)


def test_nr_21_an_older_event_that_arrives_later_changes_nothing(
    warehouse: Warehouse, target: Relation
) -> None:
    load(warehouse, target, HARD, events(warehouse, (1, "new", "u", 30), (3, None, "d", 31)))
    late = events(warehouse, (1, "old", "u", 29), (3, "old", "c", 30), (2, "zwei", "u", 1))
    load(warehouse, target, HARD, late)
    assert warehouse.rows(target) == [(1, "new", 30), (2, "zwei", 1)]


@pytest.mark.parametrize("verb", [HARD, SOFT], ids=["hard", "soft"])
def test_nr_21_a_delete_for_an_unknown_key_is_remembered(
    warehouse: Warehouse, target: Relation, soft: Relation, verb: ApplyChanges
) -> None:
    relation = target if verb is HARD else soft
    before = warehouse.rows(relation)
    load(warehouse, relation, verb, events(warehouse, (9, None, "d", 50)))
    load(warehouse, relation, verb, events(warehouse, (9, "older", "c", 49)))
    assert warehouse.rows(relation) == before
    load(warehouse, relation, verb, events(warehouse, (9, "newer", "c", 51)))
    assert (9, "newer") in live(warehouse, relation)


def test_nr_21_a_primary_key_change(warehouse: Warehouse, target: Relation) -> None:
    source = events(warehouse, (1, None, "d", 20), (7, "one", "c", 20))
    load(warehouse, target, HARD, source)
    assert live(warehouse, target) == [(2, "two"), (7, "one")]


@pytest.mark.parametrize("verb", [HARD, SOFT], ids=["hard", "soft"])
def test_any_cut_into_batches_gives_the_same_live_rows(
    warehouse: Warehouse, verb: ApplyChanges
) -> None:
    """In order or not, one by one or at once."""
    log = [(1, "a", "c", 1), (1, "b", "u", 2), (1, None, "d", 3), (1, "c", "c", 4)]
    columns = ROWS | ({"gone": "bool"} if verb is SOFT else {})
    for number, order in enumerate(list(permutations(log))[::5]):
        relation = warehouse.table(f"cut_{number}", columns)
        for event in order:
            load(warehouse, relation, verb, events(warehouse, event))
        assert [row[:3] for row in warehouse.rows(relation)] == [(1, "c", 4)]


def test_nr_6_an_event_delivered_twice_is_one(warehouse: Warehouse, target: Relation) -> None:
    event = (3, "three", "c", 20)
    load(warehouse, target, HARD, events(warehouse, event, event))
    assert live(warehouse, target) == [(1, "one"), (2, "two"), (3, "three")]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([(1, "a", "u", 20), (1, "b", "u", 20)], r"same _sequence: id = 1 \(2 rows\)"),
        ([(None, "a", "u", 20)], r"1 of 1 staged rows have NULL in the key \(id\)"),
        ([(1, "a", "u", None)], r"NULL in the sequence \(lsn\)"),
        ([(1, "a", "truncate", 20), (1, "a", None, 21)], "2 of 2 staged rows have in op none of"),
    ],
    ids=["tie", "null key", "null sequence", "unknown kind"],
)
def test_what_cannot_be_applied_is_refused(
    warehouse: Warehouse, target: Relation, rows: Sequence[tuple[Any, ...]], message: str
) -> None:
    before = warehouse.rows(target)
    with pytest.raises(RunError, match=message):
        load(warehouse, target, HARD, events(warehouse, *rows))
    assert warehouse.rows(target) == before


def test_a_target_without_a_sequence_is_refused(warehouse: Warehouse) -> None:
    target = warehouse.table("t", {"id": "int", "name": "text"})
    with pytest.raises(RunError, match="no column '_sequence', which sequence_column names"):
        load(warehouse, target, HARD, events(warehouse, (1, "a", "c", 1)))


def test_columns_that_events_lack_keep_their_values(warehouse: Warehouse) -> None:
    target = warehouse.table("t", ROWS | {"ours": "text"}, [(1, "one", 10, "kept")])
    load(warehouse, target, HARD, events(warehouse, (1, "uno", "u", 20), (2, "two", "c", 21)))
    assert warehouse.rows(target) == [(1, "uno", 20, "kept"), (2, "two", 21, None)]


# Debezium

ENVELOPE = {"before": "text", "after": "text", "op": "text", "lsn": "bigint"}
DEBEZIUM = ApplyChanges(keys=("id",), sequence="lsn", envelope=Envelope.DEBEZIUM)


def change(op: str | None, before: object, after: object, lsn: int) -> tuple[Any, ...]:
    def text(row: object) -> str | None:
        return None if row is None else json.dumps(row)

    return (text(before), text(after), op, lsn)


def envelopes(warehouse: Warehouse, *rows: tuple[Any, ...]) -> Query:
    return warehouse.source(ENVELOPE, rows)


def test_debezium_inserts_reads_updates_and_deletes(warehouse: Warehouse, target: Relation) -> None:
    source = envelopes(
        warehouse,
        change("c", None, {"id": 3, "name": 'th"ree'}, 20),
        change("r", None, {"id": 4, "name": None}, 21),
        change("u", {"id": 1, "name": "one"}, {"id": 1, "name": "uno"}, 22),
        change("d", {"id": 2}, None, 23),
        change(None, None, None, 23),
    )
    for _ in range(2):
        load(warehouse, target, DEBEZIUM, source)
    assert warehouse.rows(target) == [(1, "uno", 22), (3, 'th"ree', 20), (4, None, 21)]


def test_nr_21_debezium_a_primary_key_change_moves_the_row(
    warehouse: Warehouse, target: Relation
) -> None:
    source = envelopes(warehouse, change("u", {"id": 1}, {"id": 7, "name": "one"}, 20))
    for _ in range(2):
        load(warehouse, target, DEBEZIUM, source)
    assert live(warehouse, target) == [(2, "two"), (7, "one")]


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (change("d", None, None, 1), "a deletion needs `before`"),
        (change("u", {"id": 1}, None, 1), "all others need `after`"),
        (change("t", None, None, 1), "have in op none of"),
        (
            change("u", {"id": 1}, {"id": 1, "name": "__debezium_unavailable_value"}, 40),
            "lack a large value",
        ),
    ],
    ids=["delete without before", "update without after", "truncate", "toast"],
)
def test_debezium_incomplete_events_are_refused(
    warehouse: Warehouse, target: Relation, event: tuple[Any, ...], message: str
) -> None:
    before = warehouse.rows(target)
    with pytest.raises(RunError, match=message):
        load(warehouse, target, DEBEZIUM, envelopes(warehouse, event))
    assert warehouse.rows(target) == before


def test_debezium_values_of_all_types(warehouse: Warehouse) -> None:
    columns = {"id": "bigint", "on": "bool", "at": "time", "day": "date", "n": "decimal"}
    target = warehouse.table("t", columns | {"odd 'name\"": "text", "_sequence": "bigint"})
    row = {"id": 1, "on": True, "at": "2026-01-02T03:04:05.678", "day": "2026-01-02", "n": "1.25"}
    source = envelopes(warehouse, change("c", None, row | {"odd 'name\"": "x"}, 1))
    load(warehouse, target, DEBEZIUM, source)
    [found] = warehouse.rows(target)
    assert (found[0], found[1], str(found[2]), str(found[3]), str(found[4]), found[5]) == (
        *(1, True, "2026-01-02 03:04:05.678000", "2026-01-02", "1.25"),
        "x",
    )


def test_debezium_numbers_for_times_are_refused(warehouse: Warehouse) -> None:
    """Microseconds since 1970 for a time: the connector's time.precision.mode says which."""
    target = warehouse.table("t", {"id": "int", "day": "date", "_sequence": "bigint"})
    source = envelopes(warehouse, change("c", None, {"id": 1, "day": 19723}, 1))
    with pytest.raises(Exception, match="date"):
        load(warehouse, target, DEBEZIUM, source)
    assert warehouse.rows(target) == []


@pytest.fixture(params=["duckdb", "postgres"])
def lossy(request: pytest.FixtureRequest) -> Iterator[Warehouse]:
    with open_warehouse(request.param) as opened:
        yield opened


LOST: list[tuple[str, dict[str, Any]]] = [
    ("bigint", {"value": 1.5}),
    ("decimal(10,2)", {"value": 1.239}),
    ("decimal(10,2)", {"value": "1.239"}),
    ("decimal(38,2)", {"value": "1.001"}),
    ("timestamp", {"value": "2026-01-01T00:00:00+02:00"}),
    ("timestamp", {"value": "2026-01-01T00:00:00.5-05:00"}),
    ("date", {"value": "2026-01-01T12:00:00"}),
]


@pytest.mark.parametrize(("type_", "row"), LOST, ids=[f"{t} {row['value']}" for t, row in LOST])
def test_debezium_what_a_column_would_lose_is_refused(
    lossy: Warehouse, type_: str, row: dict[str, Any]
) -> None:
    """Engines round, cut and drop where they convert a text from JSON."""
    target = lossy.relation("lossy")
    lossy.runner.execute(
        f"create table {lossy.sql(target)} (id bigint, value {type_}, _sequence bigint)"
    )
    source = envelopes(lossy, change("c", None, {"id": 1} | row, 1))
    with pytest.raises(RunError, match=r"have in after.value a value that \S+.* does not hold"):
        load(lossy, target, DEBEZIUM, source)
    assert lossy.rows(target) == []


def test_debezium_a_text_that_is_too_long_is_refused() -> None:
    """Postgres cuts it where it is told to convert."""
    with open_warehouse("postgres") as lossy:
        target = lossy.relation("lossy")
        lossy.runner.execute(
            f"create table {lossy.sql(target)} (id bigint, value varchar(3), code char(3),"
            " _sequence bigint)"
        )
        fine = {"id": 1, "value": "abc", "code": "ab"}
        load(lossy, target, DEBEZIUM, envelopes(lossy, change("c", None, fine, 1)))
        for wrong in ({"value": "abcd"}, {"code": "abcd"}):
            source = envelopes(lossy, change("c", None, fine | wrong, 2))
            with pytest.raises(RunError, match=r"have in after.\w+ a value"):
                load(lossy, target, DEBEZIUM, source)
        assert lossy.rows(target) == [(1, "abc", "ab ", 1)]


def test_debezium_decimals_as_numbers_keep_their_digits_or_are_refused() -> None:
    """DuckDB reads numbers of JSON as doubles."""
    with open_warehouse("duckdb") as lossy:
        target = lossy.relation("lossy")
        lossy.runner.execute(
            f"create table {lossy.sql(target)} (id bigint, value decimal(30,2), _sequence bigint)"
        )
        texts = ['{"id": 1, "value": 1.50}', '{"id": 2, "value": "12345678901234567.89"}']
        events = [(None, text, "c", n) for n, text in enumerate(texts)]
        load(lossy, target, DEBEZIUM, envelopes(lossy, *events))
        wrong = (None, '{"id": 3, "value": 12345678901234567.89}', "c", 3)
        with pytest.raises(RunError, match=r"decimal\.handling\.mode=string"):
            load(lossy, target, DEBEZIUM, envelopes(lossy, wrong))
        assert [str(row[1]) for row in lossy.rows(target)] == ["1.50", "12345678901234567.89"]
