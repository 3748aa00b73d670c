"""Bulk paths of Snowflake, on fakesnow, and of BigQuery, on a client written by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from airflow_dataops.core.model import Relation
from airflow_dataops.hooks.bulk import bigquery, engines, snowflake
from airflow_dataops.hooks.bulk.batches import Batches
from tests.warehouses import open_warehouse

VALUES: dict[str, tuple[pa.DataType, Any]] = {
    "id": (pa.int64(), 2**53),
    "small": (pa.int16(), -1),
    "name": (pa.string(), 'it\'s ü, \n"x"'),
    "empty": (pa.string(), ""),
    "amount": (pa.decimal128(18, 2), Decimal("-1.50")),
    "ratio": (pa.float64(), 0.1),
    "day": (pa.date32(), date(2026, 1, 31)),
    "placed": (pa.timestamp("us"), datetime(2026, 1, 31, 12, 0, 0, 1)),
    "paid": (pa.bool_(), True),
    "raw": (pa.binary(), b"\0\xff"),
}
SCHEMA = pa.schema([(name, type_) for name, (type_, _) in VALUES.items()])
ROWS = [{name: value for name, (_, value) in VALUES.items()}, dict.fromkeys(VALUES)]


def batches(rows: list[dict[str, Any]]) -> Batches:
    return Batches(SCHEMA, pa.Table.from_pylist(rows, SCHEMA).to_batches())


def test_snowflake_takes_parquet_and_gives_arrow() -> None:
    with open_warehouse("snowflake") as warehouse:
        staging = warehouse.relation("staged")
        assert engines.fill(warehouse.runner, staging, batches(ROWS)) == 2
        query = f"select * from {warehouse.sql(staging)}"
        assert sorted(map(list, warehouse.runner.fetch(query)), key=str) == sorted(
            (list(row.values()) for row in ROWS), key=str
        )
        with engines.read(warehouse.runner, f'{query} where "id" > %s', (1,)) as found:
            assert [row for batch in found for row in batch.to_pylist()] == ROWS[:1]
            assert found.schema.field("amount").type == pa.decimal128(18, 2)


def test_snowflake_keeps_a_staging_table_without_rows() -> None:
    with open_warehouse("snowflake") as warehouse:
        staging = warehouse.relation("staged")
        assert engines.fill(warehouse.runner, staging, batches([])) == 0
        with engines.read(warehouse.runner, f"select * from {warehouse.sql(staging)}", ()) as found:
            assert found.schema.names == list(VALUES)
            assert list(found) == []


@dataclass
class Client:
    """Google's client, as far as load jobs go."""

    project: str = "shop"
    loaded: list[tuple[str, list[dict[str, Any]], Any]] = field(default_factory=list)
    fails: bool = False

    def get_table(self, name: str) -> Any:
        return SimpleNamespace(schema=())

    def load_table_from_file(self, file: Any, table: str, job_config: Any) -> Any:
        rows = pyarrow.parquet.read_table(file).to_pylist()
        self.loaded.append((table, rows, job_config))
        return SimpleNamespace(result=self._result, cancel=lambda: None)

    def _result(self) -> None:
        if self.fails:
            raise ValueError("quota exceeded")


@dataclass
class Session:
    """A `BigQuerySession`, as far as bulk paths go."""

    client: Client = field(default_factory=Client)
    statements: list[str] = field(default_factory=list)
    tables: list[pa.Table] = field(default_factory=list)
    dialect: str = "bigquery"
    labels: dict[str, str] = field(default_factory=lambda: {"dag": "shop"})

    def execute(self, sql: str) -> int:
        self.statements.append(sql)
        return 0

    def query(self, sql: str, parameters: Any) -> Any:
        batches = [batch for table in self.tables for batch in table.to_batches()]
        rows = SimpleNamespace(
            to_arrow_iterable=lambda: iter(batches), to_arrow=lambda: self.tables[0]
        )
        return SimpleNamespace(result=lambda: rows)


STAGED = Relation(identifier="staged", schema="raw")


def test_bigquery_takes_load_jobs_of_parquet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each file is a job; the rows of all files are there, and the labels of the task."""
    monkeypatch.setattr("airflow_dataops.hooks.bulk.parquet._FILE_BYTES", 1)
    session = Session()
    many = Batches(SCHEMA, [batch for _ in range(3) for batch in batches(ROWS)])
    assert engines.fill(session, STAGED, many) == 6  # type: ignore[arg-type]
    assert [table for table, _, _ in session.client.loaded] == ["shop.raw.staged"] * 3
    assert [row for _, rows, _ in session.client.loaded for row in rows] == ROWS * 3
    assert session.client.loaded[0][2].labels == {"dag": "shop"}
    [created] = session.statements
    assert "`amount` numeric(18, 2)" in created
    assert "`placed` datetime" in created
    assert "`raw` bytes" in created


def test_what_a_load_job_says_is_passed_on() -> None:
    session = Session(client=Client(fails=True))
    with pytest.raises(ValueError, match="quota exceeded"):
        bigquery.fill(session, STAGED, batches(ROWS))


@pytest.mark.parametrize("rows", [ROWS, []], ids=["rows", "none"])
def test_bigquery_gives_arrow(rows: list[dict[str, Any]]) -> None:
    session = Session(tables=[pa.Table.from_pylist(rows, SCHEMA)])
    with bigquery.read(session, "select 1", ()) as found:
        assert found.schema == SCHEMA
        assert [row for batch in found for row in batch.to_pylist()] == rows


def test_snowflakes_types_are_those_of_its_description() -> None:
    codes = {0: (10, 2), 3: (0, 0), 7: (0, 0), 12: (0, 0), 2: (0, 0)}
    found = [snowflake._type(code, *size) for code, size in codes.items()]
    instant = datetime(2026, 1, 1, tzinfo=UTC)
    values = [Decimal("1.5"), instant.date(), instant, time(1), "text"]
    for type_, value in zip(found, values, strict=True):
        assert pa.scalar(value, type_).as_py() == value
