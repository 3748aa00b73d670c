"""BigQueryFiles: load jobs, on the emulator, whose buckets are folders."""

from __future__ import annotations

import itertools
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.parquet
import pytest
from google.api_core.exceptions import ServiceUnavailable

from airflow_dataops.core.loads.run import run_load
from airflow_dataops.core.loads.specs import Load, Merge, Replace
from airflow_dataops.core.model import Relation
from airflow_dataops.errors import ConfigError, RetryableError, RunError
from airflow_dataops.hooks.bigquery_files import BigQueryFiles
from airflow_dataops.hooks.bigquery_session import BigQuerySession
from airflow_dataops.hooks.file_source import Files
from tests.contract.loading import FIRST, OLD, items
from tests.duckdb_runner import DuckDBRunner
from tests.emulators import bigquery
from tests.warehouses import open_warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from airflow_dataops.core.loads.sources import Source
    from tests.warehouses import Warehouse

TYPED = {"id": "bigint", "name": "text"}
NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def opened() -> Iterator[Warehouse]:
    with open_warehouse("bigquery") as found:
        yield found


@pytest.fixture
def warehouse(opened: Warehouse) -> Warehouse:
    opened.runner.execute(f"drop schema if exists `{opened.schema}` cascade")
    opened.runner.execute(f"create schema `{opened.schema}`")
    return opened


@pytest.fixture
def bucket() -> Path:
    """A new bucket's folder; `gs://` and its name is its address."""
    folder = bigquery.server()[1] / f"lake{next(NUMBERS)}"
    folder.mkdir()
    return folder


def load(warehouse: Warehouse, files: Source, **settings: Any) -> int:
    settings = {"target": warehouse.relation("items"), "verb": Replace()} | settings
    return run_load(Load(attempt=FIRST, **settings), files, warehouse.runner).staged


def test_csv_goes_by_the_names_in_its_header(warehouse: Warehouse, bucket: Path) -> None:
    target = items(warehouse)
    (bucket / "a.csv").write_text('name,id\n"c\n2",3\n')
    (bucket / "b.csv").write_text("id,name\n4,d\n")
    files = BigQueryFiles(f"gs://{bucket.name}/*.csv", "csv", columns=TYPED)
    assert load(warehouse, files, verb=Merge(keys=("id",))) == 2
    assert warehouse.rows(target) == [*OLD, (3, "c\n2"), (4, "d")]
    assert not any("__stg_" in name for name in warehouse.tables())


def test_csv_has_options(warehouse: Warehouse, bucket: Path) -> None:
    (bucket / "a.csv").write_text("1;1.50\n2;-\n")
    options = {"field_delimiter": ";", "null_marker": "-", "skip_leading_rows": 0}
    typed = {"id": "bigint", "price": "decimal(18,2)"}
    files = BigQueryFiles(f"gs://{bucket.name}/a.csv", "csv", columns=typed, options=options)
    target = warehouse.table("items", {"id": "int", "price": "decimal"})
    assert load(warehouse, files) == 2
    assert warehouse.rows(target) == [(1, Decimal("1.50")), (2, None)]


@pytest.mark.parametrize("columns", [{}, TYPED])
def test_json_lines_come_from_several_places(
    warehouse: Warehouse, bucket: Path, columns: dict[str, str]
) -> None:
    (bucket / "a.jsonl").write_text('{"id": 3, "name": "c"}\n')
    (bucket / "b.jsonl").write_text('{"id": 4}\n')
    urls = [f"gs://{bucket.name}/{name}.jsonl" for name in "ab"]
    assert load(warehouse, BigQueryFiles(urls, "jsonl", columns=columns), create=True) == 2
    assert warehouse.rows(warehouse.relation("items")) == [(3, "c"), (4, None)]


def test_parquet_tells_its_types(warehouse: Warehouse, bucket: Path) -> None:
    rows = pa.table({"id": [3, 4], "name": ["c", None]})
    pyarrow.parquet.write_table(rows, bucket / "a.parquet")
    target = items(warehouse)
    assert load(warehouse, BigQueryFiles(f"gs://{bucket.name}/*.parquet", "parquet")) == 2
    assert warehouse.rows(target) == [(3, "c"), (4, None)]


def test_files_from_elsewhere_are_uploaded_as_parquet(warehouse: Warehouse, tmp_path: Path) -> None:
    """The bulk path of every other source, by load jobs too."""
    (tmp_path / "a.csv").write_text("id,price,at\n3,1.50,2026-01-02T03:04:05\n4,,\n")
    typed = {"id": "bigint", "price": "decimal(18,2)", "at": "timestamp"}
    source = Files(str(tmp_path / "a.csv"), "csv", columns=typed)
    assert load(warehouse, source, create=True) == 2
    at = datetime(2026, 1, 2, 3, 4, 5)
    assert warehouse.rows(warehouse.relation("items")) == [
        (3, Decimal("1.50"), at),
        (4, None, None),
    ]


def test_what_bigquery_cannot_load_leaves_the_table_as_it_was(
    warehouse: Warehouse, bucket: Path
) -> None:
    target = items(warehouse)
    (bucket / "a.csv").write_text("id,name\n3,c\nfour,d\n")
    for name in ("a", "nowhere"):
        files = BigQueryFiles(f"gs://{bucket.name}/{name}.csv", "csv", columns=TYPED)
        with pytest.raises(RunError, match=rf"{name}\.csv: BigQuery cannot load it: "):
            load(warehouse, files)
        assert warehouse.rows(target) == OLD
        assert not any("__stg_" in each for each in warehouse.tables())


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (BigQueryFiles("gs://lake/a.csv", "xml"), "choose one of csv, jsonl, parquet"),
        (BigQueryFiles("s3://lake/a.csv", "csv"), "write files of Google Cloud Storage"),
        (BigQueryFiles("gs://lake/*/*.csv", "csv"), "at most one '\\*'"),
        (
            BigQueryFiles("gs://lake/a", "jsonl", options={"quote": ""}),
            "jsonl has date_format",
        ),
        (BigQueryFiles("gs://lake/a", "csv", columns={"id": "number"}), "choose one of boolean"),
    ],
)
def test_mistakes_are_named(warehouse: Warehouse, files: BigQueryFiles, message: str) -> None:
    items(warehouse)
    with pytest.raises(ConfigError, match=message):
        load(warehouse, files)


def test_other_targets_are_refused() -> None:
    files, staging = BigQueryFiles("gs://lake/a.csv", "csv"), Relation(identifier="staging")
    with duckdb.connect() as database, pytest.raises(ConfigError, match="use Files"):
        files.stage(DuckDBRunner(database), staging)


class Stopped(BaseException):
    """A timeout or a signal."""


class LoadJobs:
    """A BigQuery client whose load jobs end with an error when they are awaited."""

    project = "emulated"

    def __init__(self, error: BaseException) -> None:
        self.error = error
        self.cancelled = 0
        self.tables: list[str] = []

    def load_table_from_uri(self, urls: list[str], table: str, job_config: Any) -> LoadJobs:
        assert job_config.labels == {"airflow_dag": "shop"}
        self.tables.append(table)
        return self

    def result(self) -> None:
        raise self.error

    def cancel(self) -> None:
        self.cancelled += 1


@pytest.mark.parametrize(
    ("raised", "expected", "cancelled"),
    [(Stopped(), Stopped, 1), (ServiceUnavailable("later"), RetryableError, 0)],
)
def test_a_kill_cancels_the_job_and_an_outage_can_be_tried_again(
    raised: BaseException, expected: type[BaseException], cancelled: int
) -> None:
    client: Any = LoadJobs(raised)
    staging = Relation(identifier="staging", schema="raw")
    session = BigQuerySession(client, labels={"airflow_dag": "shop"})
    with pytest.raises(expected):
        BigQueryFiles("gs://lake/a.jsonl", "jsonl").stage(session, staging)
    assert (client.cancelled, client.tables) == (cancelled, ["emulated.raw.staging"])
