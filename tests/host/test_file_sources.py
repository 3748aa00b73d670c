"""Rows of files on disk and in S3 (moto's server) in a table of DuckDB."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.parquet
import pytest
from airflow.models import Connection

from airflow_dataops.core.execution.recording import RecordingRunner
from airflow_dataops.core.loads.run import run_load
from airflow_dataops.core.loads.specs import Attempt, Load, Replace
from airflow_dataops.core.model import Relation
from airflow_dataops.errors import ConfigError, RunError
from airflow_dataops.hooks.file_source import Files
from tests.duckdb_runner import DuckDBRunner

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TARGET = Relation(identifier="arrived", schema="main")


@pytest.fixture
def runner() -> Iterator[DuckDBRunner]:
    with duckdb.connect() as connection:
        yield DuckDBRunner(connection)


def load(runner: DuckDBRunner, files: Files) -> list[tuple[Any, ...]]:
    """Load files into a table made for them; return its rows."""
    attempt = Attempt(owner="shop.orders", run_id="monday")
    run_load(Load(target=TARGET, verb=Replace(), attempt=attempt, create=True), files, runner)
    return runner.fetch("select * from arrived")


def write_csv(path: Path, *lines: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), newline="")
    return str(path)


def test_csv_files_are_read_in_the_order_of_their_paths(
    runner: DuckDBRunner, tmp_path: Path
) -> None:
    write_csv(tmp_path / "in" / "b.csv", "name,id", "late,3")
    write_csv(tmp_path / "in" / "a.csv", "id,name", '1,"a ""b"",\r\nc"', '2,""', "4,")
    write_csv(tmp_path / "in" / "c.txt", "no csv")
    rows = load(runner, Files(f"{tmp_path}/in/*.csv", "csv"))
    assert rows == [(1, 'a "b",\r\nc'), (2, ""), (4, None), (3, "late")]


def test_rows_go_by_the_bulk_path_also_where_what_runs_is_recorded(
    runner: DuckDBRunner, tmp_path: Path
) -> None:
    """As in a load's operator."""
    recording: Any = RecordingRunner(runner)
    url = write_csv(tmp_path / "a.csv", "id,name", "1,a")
    assert load(recording, Files(url, "csv")) == [(1, "a")]


def test_types_of_columns_can_be_named(runner: DuckDBRunner, tmp_path: Path) -> None:
    url = write_csv(tmp_path / "a.csv", "id;price", "007;1,50")
    files = Files(
        url,
        "csv",
        columns={"id": "text", "price": "decimal(18,2)"},
        options={"delimiter": ";", "decimal_point": ","},
    )
    assert load(runner, files) == [("007", Decimal("1.50"))]


def test_json_lines_carry_nested_values_as_json(runner: DuckDBRunner, tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"id": 1, "tags": ["a", null]}\n{"id": null, "tags": null}\n')
    assert load(runner, Files(str(file), "jsonl")) == [(1, '["a", null]'), (None, None)]


def test_parquet(runner: DuckDBRunner, tmp_path: Path) -> None:
    table = pa.table({"id": pa.array([1, None], pa.int64()), "of": [{"a": 1}, None]})
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    assert load(runner, Files(f"{tmp_path}/*.parquet", "parquet")) == [
        (1, '{"a": 1}'),
        (None, None),
    ]


def test_a_broken_row_is_named_with_its_file(runner: DuckDBRunner, tmp_path: Path) -> None:
    good = [f"{n},x" for n in range(3)]
    cases = {
        "short.csv": (["id,name", *good, "9"], "Expected 2 columns, got 1"),
        "text.csv": (
            ["id,name", *good, "nine,x"],
            "line 5., column 'id': 'nine' is no",
        ),
    }
    for name, (lines, told) in cases.items():
        url = write_csv(tmp_path / name, *lines)
        with pytest.raises(RunError, match=told) as raised:
            load(runner, Files(url, "csv", columns={"id": "bigint"}))
        assert name in str(raised.value)


def test_a_value_that_breaks_the_type_far_down_says_after_which_row(
    runner: DuckDBRunner, tmp_path: Path
) -> None:
    runner.execute("create table arrived (id bigint, name varchar)")
    runner.execute("insert into arrived values (1, 'old')")
    lines = [f"{n},{'x' * 100}" for n in range(100_000)]
    url = write_csv(tmp_path / "long.csv", "id,name", *lines, "nine,x")
    with pytest.raises(RunError, match=r"long\.csv, row 100001 .line 100002., column 'id'"):
        load(runner, Files(url, "csv"))
    assert runner.fetch("select * from arrived") == [(1, "old")]
    assert runner.fetch("select table_name from duckdb_tables() where table_name like '%stg%'") == (
        []
    )


@pytest.mark.parametrize("format_", ["parquet", "jsonl"])
def test_what_is_not_of_the_format_is_told(
    runner: DuckDBRunner, tmp_path: Path, format_: str
) -> None:
    (tmp_path / "bad.file").write_bytes(b"PAR1\0\xff{broken")
    with pytest.raises(RunError, match=r"bad\.file"):
        load(runner, Files(str(tmp_path / "bad.file"), format_))


def test_a_parquet_file_cut_short_is_told(runner: DuckDBRunner, tmp_path: Path) -> None:
    pyarrow.parquet.write_table(pa.table({"id": list(range(1000))}), tmp_path / "a.parquet")
    whole = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "a.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(RunError, match=r"a\.parquet"):
        load(runner, Files(str(tmp_path / "a.parquet"), "parquet"))


def test_files_unlike_the_first_one_are_named(runner: DuckDBRunner, tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", "id,name", "1,x")
    write_csv(tmp_path / "b.csv", "id,nome", "1,x")
    with pytest.raises(RunError, match=r"b\.csv: .* lacks 'name' and has 'nome'"):
        load(runner, Files(f"{tmp_path}/*.csv", "csv"))
    write_csv(tmp_path / "b.csv", "id,name", "zwei,x")
    with pytest.raises(RunError, match=r"b\.csv, row 1 .line 2., column 'id': 'zwei' is no bigint"):
        load(runner, Files(f"{tmp_path}/*.csv", "csv"))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"url": "/in/../etc/*.csv", "format": "csv"}, "may not hold '..'"),
        ({"url": "/in/a.csv", "format": "xml"}, "choose one of csv, jsonl, parquet"),
        ({"url": "/in/a.csv", "format": "csv", "columns": {"a": "int"}}, "'a' is 'int'"),
    ],
)
def test_what_the_author_has_to_mend_is_told(
    runner: DuckDBRunner, arguments: dict[str, Any], told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        Files(**arguments).stage(runner, TARGET)


def test_no_file_is_an_error(runner: DuckDBRunner, tmp_path: Path) -> None:
    for name in ("none.csv", "*.csv"):
        with pytest.raises(RunError, match="there is no such file"):
            load(runner, Files(f"{tmp_path}/{name}", "csv"))


def test_unknown_options_are_told(runner: DuckDBRunner, tmp_path: Path) -> None:
    url = write_csv(tmp_path / "a.csv", "id", "1")
    with pytest.raises(ConfigError, match=r"options separator: CSV has .*delimiter"):
        load(runner, Files(url, "csv", options={"separator": ";"}))


def test_files_in_s3(runner: DuckDBRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    moto_server = pytest.importorskip("moto.server")
    pytest.importorskip("s3fs")
    import boto3

    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    where = {"endpoint_url": f"http://{host}:{port}", "region_name": "us-east-1"}
    lake = Connection(conn_id="lake", conn_type="aws", login="key", password="p", extra=where)
    monkeypatch.setenv("AIRFLOW_CONN_LAKE", lake.as_json())
    client = boto3.client("s3", **where, aws_access_key_id="key", aws_secret_access_key="p")
    client.create_bucket(Bucket="bucket")
    for name, row in (("b", "2,ü"), ("a", "1,x")):
        body = f"id,name\n{row}\n".encode()
        client.put_object(Bucket="bucket", Key=f"in/{name}.csv", Body=body)
    try:
        rows = load(runner, Files("s3://bucket/in/*.csv", "csv", conn_id="lake"))
    finally:
        server.stop()
    assert rows == [(1, "x"), (2, "ü")]
