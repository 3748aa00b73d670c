"""JSON lines, Parquet, packed files, partitions in paths, and files unlike each other."""

from __future__ import annotations

import bz2
import gzip
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.parquet
import pytest
from google.api_core.exceptions import NotFound
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_dataops.core.loads.checks import LoadEmptyError
from airflow_dataops.core.loads.run import run_load
from airflow_dataops.core.loads.specs import Append, Attempt, Load
from airflow_dataops.core.model import Relation
from airflow_dataops.errors import ConfigError, RetryableError, RunError
from airflow_dataops.hooks import file_rows
from airflow_dataops.hooks.bigquery_files import BigQueryFiles
from airflow_dataops.hooks.file_formats import FileFormat, Reading
from airflow_dataops.hooks.file_reading import OpenFile
from airflow_dataops.hooks.file_source import Files
from tests.duckdb_runner import DuckDBRunner
from tests.host.file_loading import TARGET, loaded, refused, types_loaded
from tests.host.test_csv_rules import Storage

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


BROKEN_LINES: list[tuple[str, str]] = [
    ('{"id": 1}\n{"id": 2, "note', "line 2: it is no"),
    ('{"id": 1}\n\n{"id": 2', "line 3: it is no"),
    ('{"id": 1}{"id": 2}', "line 1: it is no"),
    ('{"id": 1, "id": 2}', "line 1: it names 'id' twice"),
    ('{"id": 1, "note": {"a": 1, "a": 2}}', "line 1: it names 'a' twice"),
    ('{"id": NaN}', "line 1: it is no JSON object: NaN"),
    ('{"id": -Infinity}', "line 1: it is no JSON object: -Infinity"),
    ('{"id": 007}', "line 1: it is no"),
    (
        '{"id": 1.5}\n{"id": 9007199254740993}',
        "line 2, column 'id': 9007199254740993 has more digits",
    ),
    ('{"id": 12345678901234567.89}', "column 'id': 12345678901234567.89 has more digits"),
    ('{"id": 1e400}', "column 'id': 1e400"),
    ('{"id": 1}\n{"id": "2"}', "line 2, column 'id': numbers and texts are in one column"),
    ('{"id": true}\n{"id": 1}', "line 2, column 'id': booleans and numbers"),
    ("[1]", "line 1: it is no JSON object"),
    ("{}\n{}", "line 1: its objects have no fields"),
    ('{"id": 1, "note": "a\0b"}', "line 1: a NUL byte"),
    ('{"id": 1, "": 2}', "its column 2 has no name"),
]


@pytest.mark.parametrize(("content", "told"), BROKEN_LINES, ids=[text for text, _ in BROKEN_LINES])
def test_broken_json_lines_are_refused_with_their_line(
    tmp_path: Path, content: str, told: str
) -> None:
    (tmp_path / "a.jsonl").write_text(content)
    source = Files(str(tmp_path / "a.jsonl"), "jsonl")
    refused(source, rf"a\.jsonl.*{told}", "id bigint, note varchar")


def test_other_encodings_of_json_lines(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(b'\xef\xbb\xbf{"id": "\xc3\xa9"}\r\n{"id": "b"}')
    assert loaded(Files(str(file), "jsonl")) == [("é",), ("b",)]
    file.write_bytes('{"id": "é"}'.encode("latin-1"))
    refused(Files(str(file), "jsonl"), r"a\.jsonl, line 1: .*utf-8", "id varchar")
    assert loaded(Files(str(file), "jsonl", options={"encoding": "latin-1"})) == [("é",)]


NAMED: list[tuple[str, str, str]] = [
    ("date", '"2026-02-31"', "not written like one"),
    ("date", '"2026-01-01T05:00:00"', "not written like one"),
    ("date", "20454", "Expected `str"),
    (
        "timestamp",
        '"2026-01-01T00:00:00+02:00"',
        "it has an offset, and the column has no time zone",
    ),
    ("timestamp", '"2026-01-01T00:00:00.1234567"', "would lose data"),
    ("timestamp", "1767225600", "Expected `str"),
    ("timestamptz", '"2026-01-01T00:00:00"', "it has no offset"),
    ("bigint", "9223372036854775808", "does not fit bigint"),
    ("bigint", "1.0", "Expected `int"),
    ("bigint", '"1"', "Expected `int"),
    ("bigint", "true", "Expected `int"),
    ("smallint", "70000", "does not fit smallint"),
    ("double", "1e400", "out of range|larger than any double"),
    ("double", "1e-400", "smaller than any double"),
    ("double", "9007199254740993", "does not hold all of its digits"),
    ("real", "16777217", "does not hold it exactly"),
    ("decimal(10,2)", "1.239", "data loss"),
    ("decimal(10,2)", '"NaN"', "NaN"),
    ("decimal(38,0)", "9" * 39, "does not fit"),
    ("boolean", '"true"', "Expected `bool"),
    ("text", "5", "Expected `str"),
]


@pytest.mark.parametrize(("type_", "token", "why"), NAMED, ids=[f"{t} {v}" for t, v, _ in NAMED])
def test_what_a_named_type_would_lose_of_json_is_refused(
    tmp_path: Path, type_: str, token: str, why: str
) -> None:
    (tmp_path / "a.jsonl").write_text(f'{{"value": null}}\n{{"value": {token}}}\n')
    source = Files(str(tmp_path / "a.jsonl"), "jsonl", columns={"value": type_})
    refused(source, rf"a\.jsonl, line 2.*({why})", f"value {type_.replace('text', 'varchar')}")


def test_json_becomes_each_type_as_it_is_written(tmp_path: Path) -> None:
    line = {
        "day": "2026-01-01",
        "at": "2026-01-01T00:00:00",
        "instant": "2026-01-01T00:00:00+02:00",
        "more": {"b": 1.50, "a": [1, None]},
        "code": "007",
    }
    text = json.dumps(line)[:-1] + ', "price": 12345678901234567.89, "large": 18446744073709551615}'
    (tmp_path / "a.jsonl").write_text(text + "\n{}\n")
    source = Files(str(tmp_path / "a.jsonl"), "jsonl", columns={"price": "decimal(30,2)"})
    [first, second] = loaded(source)
    assert first == (
        date(2026, 1, 1),
        datetime(2026, 1, 1),
        datetime(2025, 12, 31, 22, tzinfo=UTC),
        '{"b": 1.5, "a": [1, null]}',
        "007",
        Decimal("12345678901234567.89"),
        Decimal(2**64 - 1),
    )
    assert second == (None,) * 7
    assert types_loaded(source)[-1] == "DECIMAL(20,0)"


def json_rows(content: bytes) -> list[Any]:
    """Read JSON lines without a database."""
    types = {"id": pa.int64(), "note": pa.string()}
    reading = Reading(FileFormat.JSONL, types=types)
    with OpenFile(Storage(content), "a.jsonl", reading, {}) as opened:
        return [row for batch in opened for row in batch.to_pylist()]


ROWS = st.lists(
    st.fixed_dictionaries(
        {"id": st.integers(-(2**63), 2**63 - 1) | st.none(), "note": st.text(max_size=5)}
    ),
    max_size=4,
)


def check_json_cut(rows: list[dict[str, Any]], cut: float, *, ascii_: bool) -> None:
    """Cut a file anywhere: it is refused, or its rows are those of whole lines."""
    text = "".join(json.dumps(row, ensure_ascii=ascii_) + "\n" for row in rows)
    content = text.encode(errors="surrogatepass")
    content = content[: int(cut * (len(content) + 1))]
    try:
        expected = [json.loads(line) for line in content.decode().split("\n") if line.strip()]
    except ValueError:
        expected = None
    try:
        read = json_rows(content)
    except RunError:
        # Half a pair of surrogates is no text, and a NUL is none of every engine.
        assert expected is None or "\\u" in content.decode()
    else:
        assert read == expected


@settings(max_examples=10, deadline=None)
@given(ROWS, st.floats(0, 1), st.booleans())
def test_json_cut_anywhere_is_refused_or_read_as_python_reads_it(
    rows: list[dict[str, Any]], cut: float, ascii_: bool
) -> None:
    check_json_cut(rows, cut, ascii_=ascii_)


@pytest.mark.slow
@settings(max_examples=5000, deadline=None)
@given(ROWS, st.floats(0, 1), st.booleans())
def test_many_files_of_json_cut_anywhere(
    rows: list[dict[str, Any]], cut: float, ascii_: bool
) -> None:
    check_json_cut(rows, cut, ascii_=ascii_)


def zstd(content: bytes) -> bytes:
    return pa.compress(content, "zstd", asbytes=True)


PACKED: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("gz", gzip.compress),
    ("zst", zstd),
    ("bz2", bz2.compress),
]


@pytest.mark.sample(2)
@pytest.mark.parametrize(("suffix", "pack"), PACKED, ids=[suffix for suffix, _ in PACKED])
def test_packed_files_are_read_whole_or_refused(
    tmp_path: Path, suffix: str, pack: Callable[[bytes], bytes]
) -> None:
    parts = [b"id,note\n1,x\n", b"2,y\n"]
    file = tmp_path / f"a.csv.{suffix}"
    whole = b"".join(map(pack, parts))
    file.write_bytes(whole)
    source = Files(str(file), "csv")
    assert loaded(source) == [(1, "x"), (2, "y")]
    (tmp_path / "b.bin").write_bytes(whole)
    named = {"gz": "gzip", "zst": "zstd", "bz2": "bz2"}[suffix]
    assert loaded(Files(str(tmp_path / "b.bin"), "csv", compression=named)) == [(1, "x"), (2, "y")]
    second = len(pack(parts[0]))
    for end in (0, 1, 5, second - 1, second + 1, len(whole) - 1):
        file.write_bytes(whole[:end])
        refused(source, rf"a\.csv\.{suffix}: it", "id bigint, note varchar")
    file.write_bytes(b"id,note\n1,x\n")
    refused(source, rf"a\.csv\.{suffix}: it is broken", "id bigint, note varchar")
    lines = tmp_path / f"a.jsonl.{suffix}"
    lines.write_bytes(pack(b'{"id": 1}\n') + pack(b'{"id": 2}\n'))
    assert loaded(Files(str(lines), "jsonl")) == [(1,), (2,)]


def test_compression_is_one_of_some(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id\n1\n")
    with pytest.raises(ConfigError, match="compression='lzma': choose one of infer, none"):
        loaded(Files(str(tmp_path / "a.csv"), "csv", compression="lzma"))
    pyarrow.parquet.write_table(pa.table({"id": [1]}), tmp_path / "a.parquet")
    with pytest.raises(ConfigError, match="Parquet is packed inside"):
        loaded(Files(str(tmp_path / "a.parquet"), "parquet", compression="gzip"))


def test_a_later_file_is_read_by_the_types_of_the_first(tmp_path: Path) -> None:
    """Each by itself would be taken for numbers."""
    (tmp_path / "a.csv").write_text("id,n\nA1,1\n")
    (tmp_path / "b.csv").write_text("n,id\n2,007\n")
    source = Files(f"{tmp_path}/*.csv", "csv")
    assert loaded(source) == [("A1", 1), ("007", 2)]
    (tmp_path / "b.csv").write_text("n,id\n2.5,007\n")
    refused(source, r"b\.csv, row 1 .line 2., column 'n': '2.5' is no bigint", "id varchar, n int")


def write_parquet(path: Path, **columns: pa.Array) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pyarrow.parquet.write_table(pa.table(columns), path)


NAIVE, AWARE = pa.timestamp("us"), pa.timestamp("us", "UTC")
NOON = datetime(2026, 1, 1, 12)
CHANGED: list[tuple[pa.Array, pa.Array, str]] = [
    (pa.array([1]), pa.array(["007"]), "string"),
    (pa.array(["A1"]), pa.array([7]), "int64"),
    (pa.array([1]), pa.array([1.5]), "double"),
    (pa.array([1], pa.int32()), pa.array([2**40]), "is no integer"),
    (pa.array([1.5]), pa.array([2**53 + 1]), "is no double"),
    (pa.array([1.5], pa.float32()), pa.array([0.1]), "is no real"),
    (pa.array([date(2026, 1, 1)]), pa.array([NOON], NAIVE), "timestamp"),
    (pa.array([NOON], NAIVE), pa.array([NOON], AWARE), "an offset|zone"),
    (pa.array([NOON], AWARE), pa.array([NOON], NAIVE), "an offset|zone"),
    (pa.array([Decimal("1.50")]), pa.array([Decimal("1.555")]), "is no decimal"),
    (pa.array([Decimal("1.50")]), pa.array([1.239]), "double"),
]


@pytest.mark.parametrize(
    ("one", "other", "told"), CHANGED, ids=[f"{a.type} {b.type}" for a, b, _ in CHANGED]
)
def test_a_later_file_of_parquet_with_other_types_is_refused(
    tmp_path: Path, one: pa.Array, other: pa.Array, told: str
) -> None:
    write_parquet(tmp_path / "a.parquet", value=one)
    write_parquet(tmp_path / "b.parquet", value=other)
    refused(Files(f"{tmp_path}/*.parquet", "parquet"), rf"b\.parquet.*column 'value'.*({told})")


def test_a_later_file_of_parquet_may_have_narrower_types(tmp_path: Path) -> None:
    write_parquet(tmp_path / "a.parquet", value=pa.array([2**40]), at=pa.array([NOON], NAIVE))
    write_parquet(
        tmp_path / "b.parquet",
        value=pa.array([1], pa.int8()),
        at=pa.array([NOON], pa.timestamp("ms")),
    )
    assert loaded(Files(f"{tmp_path}/*.parquet", "parquet")) == [(2**40, NOON), (1, NOON)]


PARQUET_NAMED: list[tuple[pa.Array, str, str]] = [
    (pa.array([NOON], NAIVE), "date", "would not be the same value"),
    (pa.array([NOON], AWARE), "timestamp", "zone offset|time zone"),
    (pa.array([NOON], NAIVE), "timestamptz", "zone offset|time zone"),
    (pa.array([1.239]), "decimal(10,2)", "would not be the same value"),
    (pa.array([Decimal("12345678901234567.89")]), "double", "would not be the same value"),
    (pa.array(["2026-01-01T00:00:00+02:00"]), "timestamp", "it has an offset"),
    (pa.array(["9" * 40]), "decimal(38,0)", "more digits"),
]


@pytest.mark.parametrize(
    ("values", "type_", "told"), PARQUET_NAMED, ids=[f"{a.type} {t}" for a, t, _ in PARQUET_NAMED]
)
def test_what_a_named_type_would_lose_of_parquet_is_refused(
    tmp_path: Path, values: pa.Array, type_: str, told: str
) -> None:
    write_parquet(tmp_path / "a.parquet", value=values)
    refused(Files(f"{tmp_path}/*.parquet", "parquet", columns={"value": type_}), told)


def test_parquet_of_spark_keeps_its_last_day(tmp_path: Path) -> None:
    """As nanoseconds, which Arrow takes INT96 for, it would be a day of 1816."""
    last = pa.table({"at": pa.array([datetime(9999, 12, 31)], NAIVE)})
    pyarrow.parquet.write_table(last, tmp_path / "a.parquet", use_deprecated_int96_timestamps=True)
    assert loaded(Files(f"{tmp_path}/*.parquet", "parquet")) == [(datetime(9999, 12, 31),)]


def test_columns_that_files_lack_are_null_by_choice(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,a\n1,x\n")
    (tmp_path / "b.csv").write_text("b,id\n2026-01-01,2\n")
    both = f"{tmp_path}/*.csv"
    refused(Files(both, "csv"), r"b\.csv: .* lacks 'a' and has 'b' besides.*schemas='union'")
    rows = [(1, "x", None), (2, None, date(2026, 1, 1))]
    assert loaded(Files(both, "csv", schemas="union")) == rows
    with pytest.raises(ConfigError, match="schemas='any': choose one of same, union"):
        loaded(Files(both, "csv", schemas="any"))


def test_union_of_other_formats(tmp_path: Path) -> None:
    write_parquet(tmp_path / "a.parquet", id=pa.array([1]), a=pa.array(["x"]))
    write_parquet(tmp_path / "b.parquet", id=pa.array([2]), b=pa.array([1.5]))
    assert loaded(Files(f"{tmp_path}/*.parquet", "parquet", schemas="union")) == [
        (1, "x", None),
        (2, None, 1.5),
    ]
    (tmp_path / "a.jsonl").write_text('{"id": 1, "a": null}\n')
    (tmp_path / "b.jsonl").write_text('{"id": 2, "a": "y"}\n')
    assert loaded(Files(f"{tmp_path}/*.jsonl", "jsonl", schemas="union")) == [(1, None), (2, "y")]


@pytest.mark.parametrize("format_", ["csv", "parquet", "jsonl"])
def test_partitions_are_columns(tmp_path: Path, format_: str) -> None:
    for number, folder in enumerate(
        ["day=2026-01-01/shop=a%2Fb%20c", "day=__HIVE_DEFAULT_PARTITION__/shop=007"]
    ):
        path = tmp_path / folder / f"x.{format_}"
        path.parent.mkdir(parents=True)
        match format_:
            case "parquet":
                pyarrow.parquet.write_table(pa.table({"id": [number]}), path)
            case "csv":
                path.write_text(f"id\n{number}\n")
            case _:
                path.write_text(f'{{"id": {number}}}\n')
    source = Files(
        f"{tmp_path}/**/*.{format_}", format_, partitions={"day": "date", "shop": "text"}
    )
    assert loaded(source) == [(1, None, "007"), (0, date(2026, 1, 1), "a/b c")] or loaded(
        source
    ) == [(0, date(2026, 1, 1), "a/b c"), (1, None, "007")]


def test_a_partition_that_disagrees_with_its_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "day=2026-01-01" / "a.csv"
    path.parent.mkdir()
    path.write_text("id,day\n1,2026-01-01\n")
    source = Files(f"{tmp_path}/*/*.csv", "csv", partitions={"day": "date"})
    assert loaded(source) == [(1, date(2026, 1, 1))]
    for other in ("2026-01-02", ""):
        path.write_text(f"id,day\n1,2026-01-01\n2,{other}\n")
        refused(source, "its column 'day' says something else than its folder", "id int, day date")


@pytest.mark.parametrize(
    ("folder", "told"),
    [
        ("day=yesterday", "partition 'day': 'yesterday' is no date"),
        ("other=2026-01-01", "has 0 folders such as day=..."),
        ("day=2026-01-01/day=2026-01-02", "has 2 folders such as day=..."),
    ],
)
def test_paths_without_a_sound_partition_are_refused(
    tmp_path: Path, folder: str, told: str
) -> None:
    path = tmp_path / folder / "a.csv"
    path.parent.mkdir(parents=True)
    path.write_text("id\n1\n")
    refused(
        Files(f"{tmp_path}/**/*.csv", "csv", partitions={"day": "date"}), told, "id int, day date"
    )


def test_no_file_leaves_the_target_as_it_is_by_choice(tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        runner = DuckDBRunner(connection)
        runner.execute("create table arrived as select 1 as id")
        load = Load(target=TARGET, verb=Append(), attempt=Attempt(owner="a", run_id="b"))
        source = Files(f"{tmp_path}/*.csv", "csv", missing="skip")
        assert run_load(load, source, runner).staged == 0
        assert runner.fetch("select id from arrived") == [(1,)]
    refused(Files(f"{tmp_path}/*.csv", "csv"), "there is no such file.*missing='skip'")
    with pytest.raises(ConfigError, match="missing='maybe': choose one of fail, skip"):
        loaded(Files(f"{tmp_path}/*.csv", "csv", missing="maybe"))


@dataclass
class Bucket:
    """BigQuery's client, as far as a load job goes that finds no file."""

    told: str
    project: str = "shop"

    def load_table_from_uri(self, *_: Any, **__: Any) -> None:
        """Fail as BigQuery does."""
        raise NotFound(self.told)


def test_no_file_in_a_bucket_is_skipped_by_choice() -> None:
    runner: Any = SimpleNamespace(
        dialect="bigquery", labels={}, client=Bucket("Not found: URI gs://b/a.csv")
    )
    staging = Relation(identifier="staged", schema="raw")
    with pytest.raises(LoadEmptyError):
        BigQueryFiles("gs://b/a.csv", "csv", missing="skip").stage(runner, staging)
    with pytest.raises(RunError, match="cannot load it"):
        BigQueryFiles("gs://b/a.csv", "csv").stage(runner, staging)
    runner.client = Bucket("Not found: Table shop.raw.staged")
    with pytest.raises(RunError, match="cannot load it"):
        BigQueryFiles("gs://b/a.csv", "csv", missing="skip").stage(runner, staging)


def test_files_without_rows_among_others(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("")
    (tmp_path / "b.csv").write_text("id,note")
    (tmp_path / "c.csv").write_text("note,id\nx,1\n")
    (tmp_path / "d.csv").write_text("id,note\n")
    assert loaded(Files(f"{tmp_path}/*.csv", "csv")) == [("x", 1)]
    (tmp_path / "d.csv").write_text("id,other\n")
    refused(Files(f"{tmp_path}/*.csv", "csv"), r"d\.csv: .* lacks 'note'", "id int, note varchar")
    (tmp_path / "a.jsonl").write_text("")
    (tmp_path / "b.jsonl").write_text('{"id": 1}')
    assert loaded(Files(f"{tmp_path}/*.jsonl", "jsonl")) == [(1,)]


def test_only_files_without_rows(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("")
    refused(Files(f"{tmp_path}/*.csv", "csv"), r"a\.csv: 0 bytes, so that there are no columns")
    source = Files(f"{tmp_path}/*.csv", "csv", columns={"id": "bigint"})
    with pytest.raises(RunError, match="the source has no rows"):
        loaded(source)
    (tmp_path / "a.parquet").write_bytes(b"")
    refused(Files(f"{tmp_path}/*.parquet", "parquet"), r"a\.parquet")


def test_a_file_that_changes_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By whoever writes into the folder while the rows are on their way."""
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text("id\n1\n")
    real = file_rows.FileRows.rows
    changes: list[Callable[[], object]] = [
        lambda: (tmp_path / "a.csv").write_text("id\n1\n2\n"),
        lambda: (tmp_path / "b.csv").unlink(),
    ]

    def rows(self: file_rows.FileRows, schema: pa.Schema) -> Any:
        yield from real(self, schema)
        changes.pop()()

    monkeypatch.setattr(file_rows.FileRows, "rows", rows)
    source = Files(f"{tmp_path}/*.csv", "csv")
    for name in ("b", "a"):
        refused(source, rf"{name}\.csv: changed or gone", "id int", RetryableError)


def test_a_file_that_comes_while_others_are_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "a.csv").write_text("id\n1\n")
    real = file_rows.FileRows.rows

    def rows(self: file_rows.FileRows, schema: pa.Schema) -> Any:
        yield from real(self, schema)
        (tmp_path / "late.csv").write_text("id\n2\n")

    monkeypatch.setattr(file_rows.FileRows, "rows", rows)
    assert loaded(Files(f"{tmp_path}/*.csv", "csv")) == [(1,)]
    assert "late.csv" in caplog.text
