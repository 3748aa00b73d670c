"""Redshift's session and bulk path, over its own driver, and what is refused there."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from airflow_dataops.core.engines.error_codes import ErrorKind
from airflow_dataops.core.engines.errors import kind_of
from airflow_dataops.core.loads.specs import Attempt
from airflow_dataops.errors import ConfigError
from airflow_dataops.hooks.bulk import redshift
from airflow_dataops.hooks.bulk.batches import Batches
from tests.contract.scenarios import SCENARIOS
from tests.emulators.redshift_grammar import NotRedshiftError, as_redshift_reads
from tests.warehouses import open_warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.warehouses import Warehouse

COLUMNS: dict[str, tuple[pa.DataType, list[Any]]] = {
    "small": (pa.int16(), [1, None]),
    "whole": (pa.int64(), [2**62, -1]),
    "real": (pa.float64(), [0.1, None]),
    "digits": (pa.decimal128(18, 4), [Decimal("1.2500"), Decimal("-3.0001")]),
    "word": (pa.string(), ["100%, it's ?", None]),
    "flag": (pa.bool_(), [True, False]),
    "day": (pa.date32(), [date(2026, 1, 31), None]),
    "clock": (pa.time64("us"), [time(1, 2, 3, 4), None]),
    "at": (pa.timestamp("us"), [datetime(2026, 1, 31, 7, 0, 0, 1), None]),
    "zoned": (pa.timestamp("us", "UTC"), [datetime(2026, 1, 31, 7, tzinfo=UTC), None]),
}


@pytest.fixture(scope="module")
def warehouse() -> Iterator[Warehouse]:
    with open_warehouse("redshift") as opened:
        yield opened


def test_rows_come_back_as_they_were_sent(warehouse: Warehouse) -> None:
    schema = pa.schema([(name, type_) for name, (type_, _) in COLUMNS.items()])
    sent = pa.record_batch([values for _, values in COLUMNS.values()], schema=schema)
    staging = warehouse.relation("staged")
    redshift.fill(warehouse.runner, staging, Batches(schema, [sent]))
    sql = f"select * from {warehouse.sql(staging)} order by small"
    with redshift.read(warehouse.runner, sql, ()) as batches:
        [back] = list(batches)
    assert back.to_pylist() == sent.to_pylist()
    assert [field.type for field in back.schema if field.name != "digits"] == [
        type_ for name, (type_, _) in COLUMNS.items() if name != "digits"
    ]


def test_values_are_bound_beside_percents_and_question_marks(warehouse: Warehouse) -> None:
    runner = warehouse.runner
    sql = f"select '100%', '%s ?', {runner.placeholder}"
    assert runner.fetch(sql, ["50%"]) == [("100%", "%s ?", "50%")]
    assert runner.fetch("select '100%% ?'") == [("100%% ?",)]


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("select * from nowhere", ErrorKind.MISSING),
        ("selct 1", ErrorKind.SYNTAX),
        ("select cast('x' as integer)", ErrorKind.DATA),
    ],
)
def test_the_drivers_errors_are_told_by_their_state(
    warehouse: Warehouse, sql: str, kind: ErrorKind
) -> None:
    with pytest.raises(Exception, match="ERROR") as caught:
        warehouse.runner.session.fetch(sql)  # type: ignore[attr-defined]
    assert kind_of(caught.value) is kind


def test_a_violated_serialization_is_tried_again() -> None:
    from redshift_connector import ProgrammingError

    told = {
        "S": "ERROR",
        "C": "XX000",
        "M": "1023",
        "D": "Serializable isolation violation on table",
    }
    error: Any = ProgrammingError(told)
    error.sqlstate = "XX000"
    assert kind_of(error) is ErrorKind.CONFLICT


def test_a_statement_can_be_stopped_from_another_session(warehouse: Warehouse) -> None:
    session: Any = warehouse.session()
    over = threading.Event()

    def stop() -> None:
        while not over.wait(0.2):
            session.interrupt()

    stopping = threading.Thread(target=stop)
    stopping.start()
    try:
        with pytest.raises(Exception, match="57014") as caught:
            session.session.fetch("select pg_sleep(600)")
    finally:
        over.set()
        stopping.join()
    assert kind_of(caught.value) is ErrorKind.CANCELLED


def test_debeziums_envelopes_are_refused(warehouse: Warehouse) -> None:
    with open_warehouse("redshift") as opened:
        scenario = SCENARIOS["changes_debezium"]
        scenario.set_up(opened)
        with pytest.raises(ConfigError, match="on Redshift the rows of Debezium's envelopes"):
            scenario.run(opened.runner, opened.schema, Attempt(owner="a", run_id="1"))
        assert opened.rows(opened.relation("target")) == sorted(map(tuple, scenario.old))


@pytest.mark.parametrize(
    "sql",
    [
        "select 1 from a where b is not distinct from c",
        "delete from a as t where t.b = 1",
        "insert into a (b) values (1) on conflict do nothing",
        "create or replace table a as (select 1 as b)",
        "select b from a except all select b from c",
        "select unnest(b) from a",
        "merge into a as t using b as s on t.c = s.c when not matched then insert (c) values (s.c)",
        "merge into a using (select 1 as c) as s on a.c = s.c when matched then delete",
        "select 1 from a where exists (select 1 from b where exists"
        " (select 1 from c where c.d = a.d))",
    ],
)
def test_the_tests_themselves_refuse_what_redshift_has_not(sql: str) -> None:
    with pytest.raises(NotRedshiftError):
        as_redshift_reads(sql)
