"""Loads of files that Snowflake's emulator copies from a stage of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet
import pytest

from airflow_dataops import SnowflakeFiles
from airflow_dataops.core.loads.specs import Increment, LoadPartition
from airflow_dataops.errors import ConfigError, RunError
from tests.contract.loading import MERGE, OLD, RETRY, items, load
from tests.warehouses import open_warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.warehouses import Warehouse

COLUMNS = {"id": "integer", "name": "varchar(20)"}
pytestmark = pytest.mark.slow


@pytest.fixture
def opened() -> Iterator[Warehouse]:
    with open_warehouse("snowflake") as warehouse:
        yield warehouse


def upload(warehouse: Warehouse, tmp_path: Path, **files: str | bytes) -> str:
    """Put files into a new stage; return its location."""
    stage = f"landing_{warehouse.schema}"
    warehouse.runner.execute(f"create stage if not exists public.{stage}")
    for name, content in files.items():
        path = tmp_path / name.replace("__", ".")
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        warehouse.runner.execute(f"put 'file://{path}' @public.{stage} auto_compress = false")
    return f"@public.{stage}"


def test_csv_files_go_into_a_table_and_again_into_the_same(
    opened: Warehouse, tmp_path: Path
) -> None:
    target = items(opened)
    location = upload(opened, tmp_path, a__csv="id,name\n2,B\n", b__csv="id,name\n3,c\n4,\n")
    source = SnowflakeFiles(location, columns=COLUMNS, options={"skip_header": 1})
    for attempt in (None, RETRY):
        done = load(opened, target, MERGE, source, attempt=attempt)
        assert done.staged == 3
        assert opened.rows(target) == [(1, "a"), (2, "B"), (3, "c"), (4, None)]
    assert not any("__stg_" in name for name in opened.tables())


def test_parquet_files_go_by_the_names_of_their_columns(opened: Warehouse, tmp_path: Path) -> None:
    table = pa.table({"NAME": ["c"], "ID": [3]})
    sink = pa.BufferOutputStream()
    pyarrow.parquet.write_table(table, sink)
    location = upload(opened, tmp_path, a__parquet=sink.getvalue().to_pybytes())
    target = items(opened)
    load(opened, target, MERGE, SnowflakeFiles(location, "parquet", columns=COLUMNS))
    assert opened.rows(target) == [*OLD, (3, "c")]


def test_files_replace_a_partition_and_none_of_them_is_no_empty_partition(
    opened: Warehouse, tmp_path: Path
) -> None:
    target = opened.table("sales", {"day": "date", "n": "int"}, [("2026-01-01", 1)])
    verb = LoadPartition(values={"day": "2026-01-01"})
    columns = {"day": "date", "n": "integer"}
    location = upload(opened, tmp_path)
    with pytest.raises(RunError, match="there is no such file"):
        load(opened, target, verb, SnowflakeFiles(location, columns=columns))
    assert [n for _, n in opened.rows(target)] == [1]
    skipping = SnowflakeFiles(location, columns=columns, missing="skip")
    assert load(opened, target, verb, skipping).staged == 0
    assert [n for _, n in opened.rows(target)] == [1]
    upload(opened, tmp_path, a__csv="2026-01-01,5\n2026-01-01,6\n")
    load(opened, target, verb, SnowflakeFiles(location, columns=columns))
    assert [n for _, n in opened.rows(target)] == [5, 6]


def test_an_increment_reads_all_files_again_and_adds_no_row_twice(
    opened: Warehouse, tmp_path: Path
) -> None:
    target = items(opened)
    location = upload(opened, tmp_path, a__csv="3,c\n")
    source, verb = SnowflakeFiles(location, columns=COLUMNS), Increment(cursor="id", keys=("id",))
    load(opened, target, verb, source)
    upload(opened, tmp_path, b__csv="4,d\n")
    assert load(opened, target, verb, source).watermark == "4"
    assert opened.rows(target) == [*OLD, (3, "c"), (4, "d")]


def test_what_cannot_be_copied_leaves_the_table(opened: Warehouse, tmp_path: Path) -> None:
    target = items(opened)
    location = upload(opened, tmp_path, a__csv="3,c\nx,d\n")
    with pytest.raises(Exception, match=r"(?i)convert|numeric|not recognized"):
        load(opened, target, MERGE, SnowflakeFiles(location, columns=COLUMNS))
    assert opened.rows(target) == OLD
    assert not any("__stg_" in name for name in opened.tables())


def test_other_engines_say_what_to_use() -> None:
    with open_warehouse("duckdb") as warehouse:
        target = items(warehouse)
        with pytest.raises(ConfigError, match="use Files"):
            load(warehouse, target, MERGE, SnowflakeFiles("@a/b", columns=COLUMNS))
