"""CSV that is cut, broken or means something else than it seems to."""

from __future__ import annotations

import csv
import gzip
import io
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_dataops.errors import ConfigError, RunError
from airflow_dataops.hooks import file_bytes
from airflow_dataops.hooks.file_formats import FileFormat, Reading
from airflow_dataops.hooks.file_reading import OpenFile
from airflow_dataops.hooks.file_source import Files
from tests.host.file_loading import loaded, refused, types_loaded

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "a.csv"


def found(content: bytes, types: dict[str, pa.DataType] | None = None, **options: Any) -> list[Any]:
    """Read CSV without a database."""
    reading = Reading(FileFormat.CSV, types=types or {}, options=options)
    with OpenFile(Storage(content), "a.csv", reading, {}) as opened:
        return [tuple(row.values()) for batch in opened for row in batch.to_pylist()]


class Storage:
    """A storage of one file."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def open(self, path: str, mode: str) -> io.BytesIO:
        """Open it."""
        return io.BytesIO(self._content)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b'id,note\n1,"cut in a field\n2,x\n', "line 2: the quote that opens here is never closed"),
        (b'id,note\n1,x\n2,"', "line 3: the quote that opens here is never closed"),
        (b'id,note\n1,"x\n2,"y"\n3,z\n', "line 3: more of a field after the quote that closes it"),
        (b'id,note\n1,"x\n2,"y\n3,z\n', "line 3: more of a field after the quote that closes it"),
        (b'id,note\n1,5" pipe\n', "line 2: a quote in the middle of a field without quotes"),
        (b'id,note\n1, "x"\n', "line 2: a quote in the middle of a field without quotes"),
        (b'id,note\r1,x\r2,"y\r', "line 3: the quote that opens here is never closed"),
        (b'"id,note\n1,x\n', "line 1: the quote that opens here is never closed"),
        (b"id,note\n1,a\0b\n", "line 2: a NUL byte"),
        ("id,note\n1,x\n".encode("utf-16"), "begins like UTF-16"),
        ("id,note\n1,x\n".encode("utf-16-le"), "a NUL byte"),
        ("id,note\n1,é\n".encode("latin-1"), "UTF8"),
        ("id,né\n1,x\n".encode("latin-1"), "utf-8"),
        (b"id,note\n1,\xc3", "UTF8"),
        (b"id,note\n1,x\n2\n", "Expected 2 columns, got 1"),
        (b"id,note\n1,x,y\n", "Expected 2 columns, got 3"),
        (b"id,id\n1,x\n", "two columns are named 'id'"),
        (b"id,\n1,x\n", "its column 2 has no name"),
        (
            gzip.compress(b"id,note\n1,x\n", mtime=0),
            "packed by gzip and its name or format does not say so",
        ),
        (b"PAR1\0\0", "packed by Parquet"),
    ],
)
def test_what_is_broken_is_refused_with_its_line(file: Path, content: bytes, line: str) -> None:
    file.write_bytes(content)
    refused(Files(str(file), "csv"), rf"a\.csv.*{line}", "id bigint, note varchar")


@pytest.mark.parametrize(
    "content",
    [
        b'id,note\n1,"a ""b"" c"\n',
        b'"id","note"\r\n"1","a ""b"" c"\r\n',
        b'\xef\xbb\xbf"id",note\n1,"a ""b"" c"',
        b'id,note\r1,"a ""b"" c"\r',
        b'\n\nid,note\n\n1,"a ""b"" c"\n\n',
    ],
    ids=["quotes", "crlf", "byte order mark", "cr", "empty lines"],
)
def test_what_is_sound_is_read(content: bytes) -> None:
    assert found(content) == [(1, 'a "b" c')]


def test_quotes_are_followed_over_the_ends_of_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of every size, so that each byte is once the last of its block."""
    rows = [[1, 'a "b"\r\n'], [2, '"'], [3, None], [4, 'x"y,z']]
    text = io.StringIO()
    csv.writer(text).writerows([["id", "note"], *rows])
    content, types = text.getvalue().encode(), {"id": pa.int64(), "note": pa.string()}
    for size in range(20, len(content)):
        monkeypatch.setattr(file_bytes, "BLOCK", size)
        assert found(content, types) == [tuple(row) for row in rows]
        for broken in (content[:-3], content.replace(b'"x""y', b'"x"y')):
            with pytest.raises(RunError, match=r"line [4-8]: "):
                found(broken, types)


def test_other_quotes_escapes_and_none() -> None:
    assert found(b"id;note\n1;'it''s \"x'\n", quote_char="'", delimiter=";") == [(1, "it's \"x")]
    escaped = rb"id,note" + b"\n" + rb'1,"a \"b\" \\"' + b"\n"
    assert found(escaped, escape_char="\\", double_quote=False) == [(1, 'a "b" \\')]
    with pytest.raises(RunError, match="line 2: the quote that opens here is never closed"):
        found(rb"id,note" + b"\n" + rb'1,"a \"' + b"\n", escape_char="\\", double_quote=False)
    assert found(b'id,note\n1,5" pipe\n', quote_char=False) == [(1, '5" pipe')]
    with pytest.raises(RunError, match="line 2: more of a field"):
        found(b'id,note\n1,"a ""b"\n', double_quote=False)


def test_an_encoding_that_is_named() -> None:
    content = 'id,note\n1,"né ""x"""\n'
    for encoding in ("latin-1", "utf-16", "utf-16-le", "cp1252"):
        assert found(content.encode(encoding), encoding=encoding) == [(1, 'né "x"')]
    with pytest.raises(RunError, match="truncated data"):
        found(content.encode("utf-16")[:-1], encoding="utf-16")
    with pytest.raises(ConfigError, match="no such encoding"):
        found(b"id\n1\n", encoding="klingon")


def test_lines_before_the_header_may_hold_anything() -> None:
    assert found(b'a "report\nof today\nid,note\n1,x\n', skip_rows=2) == [(1, "x")]
    with pytest.raises(RunError, match=r"row 1 \(line 4\), column 'id': 'y' is no bigint"):
        found(b'a "report\nof today\nid,note\ny,x\n', {"id": pa.int64()}, skip_rows=2)


def test_an_empty_line_is_a_value_of_the_only_column() -> None:
    assert found(b"id\n1\n\n3\n") == [(1,), (None,), (3,)]


FINDINGS: list[tuple[str, list[Any]]] = [
    ("007,1", ["007", "1"]),
    ("-07,1", ["-07", "1"]),
    ("0x10,1", ["0x10", "1"]),
    ("+49151,1", ["+49151", "1"]),
    ("0,-5", [0, -5]),
    ("9223372036854775808,18446744073709551615", [Decimal(2**63), Decimal(2**64 - 1)]),
    ("9007199254740993,1.5", ["9007199254740993", "1.5"]),
    ("12345678901234567.89,1", ["12345678901234567.89", "1"]),
    ("0.30000000000000004,1e22", [0.30000000000000004, 1e22]),
    ("1e400,1", ["1e400", "1"]),
    ("1e-400,1", ["1e-400", "1"]),
    ("NaN,1.5", ["NaN", "1.5"]),
    ("inf,1.5", ["inf", "1.5"]),
    (f"{'9' * 39},1", ["9" * 39, "1"]),
    ("true,FALSE", [True, False]),
    ("2026-01-01,2026-02-28", [date(2026, 1, 1), date(2026, 2, 28)]),
    ("2026-02-31,2026-01-01", ["2026-02-31", "2026-01-01"]),
    ("09:30,23:59:59.5", [time(9, 30), time(23, 59, 59, 500_000)]),
    ("2026-01-01 09:30,2026-01-01", [datetime(2026, 1, 1, 9, 30), datetime(2026, 1, 1)]),
    (
        "2026-01-01T00:00:00+02:00,2026-01-01T00:00Z",
        [datetime(2025, 12, 31, 22, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)],
    ),
    (
        "2026-01-01T00:00:00+02:00,2026-01-01T00:00:00",
        ["2026-01-01T00:00:00+02:00", "2026-01-01T00:00:00"],
    ),
    ("2026-01-01T00:00:00.123456789,x", ["2026-01-01T00:00:00.123456789", "x"]),
]


@pytest.mark.parametrize(("texts", "values"), FINDINGS, ids=[texts for texts, _ in FINDINGS])
def test_types_that_are_found_keep_what_is_written(texts: str, values: list[Any]) -> None:
    """Beside NULL, and an empty text in quotes, which makes texts of all."""
    lines = "".join(f"{text},x\n" for text in [*texts.split(","), ""])
    assert [row[0] for row in found(b"value,other\n" + lines.encode())] == [*values, None]


def test_unsigned_integers_are_decimals_where_the_table_is_made(file: Path) -> None:
    file.write_text("id\n18446744073709551615\n1\n")
    assert loaded(Files(str(file), "csv")) == [(Decimal(2**64 - 1),), (Decimal(1),)]
    assert types_loaded(Files(str(file), "csv")) == ["DECIMAL(20,0)"]


NAMED: list[tuple[str, str, str]] = [
    ("bigint", "9223372036854775808", "out of its range"),
    ("smallint", "70000", "out of its range"),
    ("bigint", "1.0", "not written like one"),
    ("bigint", "0x10", "hexadecimal"),
    ("double", "1e400", "larger than any double"),
    ("double", "1e-400", "smaller than any double"),
    ("double", "9007199254740993", "does not hold all of its digits"),
    ("real", "16777217", "does not hold it exactly"),
    ("real", "1e300", "does not hold it exactly"),
    ("decimal(10,2)", "1.239", "would cause data loss"),
    ("decimal(38,0)", "9" * 39, "more digits than 38"),
    ("decimal(38,0)", "1" * 40, "more digits than 38"),
    ("decimal(38,0)", "9e38", "more digits than 38"),
    ("decimal(10,2)", "NaN", "not a valid decimal"),
    ("boolean", "yes", "write true or false"),
    ("date", "2026-02-31", "not written like one"),
    ("date", "2026-01-01T05:00:00", "not written like one"),
    ("date", "01.02.2026", "not written like one"),
    ("time", "12:00:00.1234567", "would lose data"),
    ("time", "12:00+02:00", "it has an offset"),
    ("timestamp", "2026-01-01T00:00:00+02:00", "it has an offset, and the column has no time zone"),
    ("timestamp", "2026-01-01T00:00:00Z", "it has an offset"),
    ("timestamp", "2026-01-01 00:00:00 Europe/Vienna", "not written like one"),
    ("timestamp", "2026-01-01T00:00:00.123456789", "would lose data"),
    ("timestamptz", "2026-01-01T00:00:00", "it has no offset, and the column has a time zone"),
    ("timestamptz", "2026-01-01", "it has no offset"),
]


@pytest.mark.parametrize(("type_", "text", "why"), NAMED, ids=[f"{t} {v}" for t, v, _ in NAMED])
def test_what_a_named_type_would_lose_is_refused(
    file: Path, type_: str, text: str, why: str
) -> None:
    file.write_text(f"id,value\n1,\n2,{text}\n3,x\n")
    source = Files(str(file), "csv", columns={"value": type_})
    refused(source, rf"row 2 \(line 3\), column 'value': .* is no {type_.split('(')[0]}.*{why}")


def test_a_value_far_down_that_is_unlike_those_that_were_found_is_refused(file: Path) -> None:
    lines = [f"{n},{'x' * 90}" for n in range(100_000)]
    for last in ("007", "1.5", "+1", "9223372036854775808"):
        file.write_text("\n".join(["id,note", *lines, f"{last},x"]))
        match = rf"row 100001 \(line 100002\), column 'id': '{last.replace('+', '.')}' is no bigint"
        refused(Files(str(file), "csv"), match, "id bigint, note varchar")


def test_times_are_converted_by_the_zone_of_choice() -> None:
    content = b"naive,aware\n2026-07-01T12:00:00+00:00,2026-07-01T12:00:00\n2026-07-01,\n"
    types = {"naive": pa.timestamp("us"), "aware": pa.timestamp("us", "UTC")}
    reading = Reading(FileFormat.CSV, types=types, zone="Europe/Vienna")
    with OpenFile(Storage(content), "a.csv", reading, {}) as opened:
        [batch] = list(opened)
    assert batch.to_pylist() == [
        {
            "naive": datetime(2026, 7, 1, 14),
            "aware": datetime(2026, 7, 1, 10, tzinfo=UTC),
        },
        {"naive": datetime(2026, 7, 1), "aware": None},
    ]
    hour = b"naive,aware\n,2026-10-25T02:30:00\n"
    with (
        pytest.raises(RunError, match="ambiguous"),
        OpenFile(Storage(hour), "a.csv", reading, {}) as opened,
    ):
        list(opened)


def test_formats_of_dates(file: Path) -> None:
    file.write_text("day,at,plain\n28.02.2026,28.02.2026 09:30,2026-01-01\n,,\n")
    source = Files(str(file), "csv", formats={"day": "%d.%m.%Y", "at": "%d.%m.%Y %H:%M"})
    row = (date(2026, 2, 28), datetime(2026, 2, 28, 9, 30), date(2026, 1, 1))
    assert loaded(source) == [row, (None, None, None)]
    file.write_text("day\n31.02.2026\n")
    for named in ({"day": "date"}, {"day": "timestamp"}):
        wrong = Files(str(file), "csv", columns=named, formats={"day": "%d.%m.%Y"})
        refused(wrong, r"'31.02.2026' is no \w+: it is not written like 31.12.2026")
    parsers = Files(
        str(file), "csv", columns={"day": "timestamp"}, options={"timestamp_parsers": ["%d.%m.%Y"]}
    )
    refused(parsers, "it is not written like")


def python_reads(content: bytes) -> list[list[str]] | None:
    """Read CSV by Python's strict reader, as a whole; None where it is not whole or ragged."""
    try:
        text = content.decode()
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except (csv.Error, UnicodeError):
        return None
    return rows if len({len(row) for row in rows}) <= 1 else None


CELLS = st.text(st.sampled_from('ab7é",\n\r ;'), max_size=6)


def check_cut(rows: list[tuple[str, str]], cut: float) -> None:
    """Cut a file anywhere: it is refused, or its rows are those that Python reads."""
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_NONNUMERIC).writerows([("id", "note"), *rows])
    content = text.getvalue().encode()[: int(cut * (len(text.getvalue().encode()) + 1))]
    expected = python_reads(content)
    types = {"id": pa.string(), "note": pa.string()}
    try:
        read = found(content, types)
    except RunError:
        # What is whole is read, but for a header that is cut.
        assert expected is None or not expected or expected[0] != ["id", "note"]
    else:
        assert expected is not None
        assert [[text or "" for text in row] for row in read] == expected[1:]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(CELLS, CELLS), max_size=4), st.floats(0, 1))
def test_a_file_cut_anywhere_is_refused_or_read_as_python_reads_it(
    rows: list[tuple[str, str]], cut: float
) -> None:
    check_cut(rows, cut)


@pytest.mark.slow
@settings(max_examples=5000, deadline=None)
@given(st.lists(st.tuples(CELLS, CELLS), max_size=8), st.floats(0, 1))
def test_many_files_cut_anywhere(rows: list[tuple[str, str]], cut: float) -> None:
    check_cut(rows, cut)


def test_one_text_is_a_list_of_one(file: Path) -> None:
    """Letter by letter, NA would make NULL of N and of A."""
    file.write_text("id,note\n1,N\n2,A\n3,NA\n")
    assert loaded(Files(str(file), "csv", options={"null_values": "NA"})) == [
        (1, "N"),
        (2, "A"),
        (3, None),
    ]
    flags = {"true_values": "yes", "false_values": "no"}
    assert found(b"ok\nyes\nno\n", {"ok": pa.bool_()}, **flags) == [(True,), (False,)]
    with pytest.raises(RunError, match="'n' is no boolean"):
        found(b"ok\nn\n", {"ok": pa.bool_()}, **flags)


@pytest.mark.parametrize(
    ("what", "setting"),
    [
        *(
            (f"options {name}", {"options": {name: value}})
            for name, value in [
                ("delimiter", ";;"),
                ("delimiter", ""),
                ("delimiter", 5),
                ("quote_char", None),
                ("escape_char", 5),
                ("decimal_point", ",,"),
                ("double_quote", "no"),
                ("newlines_in_values", "false"),
                ("strings_can_be_null", "false"),
                ("encoding", 5),
                ("encoding", "utf-9"),
                ("skip_rows", -1),
                ("skip_rows", True),
                ("column_names", {"a": 1}),
                ("null_values", None),
                ("true_values", [1]),
                ("false_values", 0),
                ("timestamp_parsers", 5),
            ]
        ),
        ("options", {"options": [1]}),
        ("columns", {"columns": ["a"]}),
        ("columns", {"columns": {"a": None}}),
        ("formats", {"formats": {"a": ["%d"]}}),
        ("partitions", {"partitions": 5}),
        ("time_zone", {"time_zone": "Mars"}),
        ("time_zone", {"time_zone": 5}),
    ],
)
def test_settings_of_files_are_checked_where_they_are_written(
    what: str, setting: dict[str, Any]
) -> None:
    with pytest.raises(ConfigError, match=f"^{what}="):
        Files("a.csv", "csv", **setting)


@pytest.mark.parametrize(
    ("formats", "told"), [({"dya": "%Y-%d-%m"}, "no column 'dya'"), ({"id": "%Y"}, "holds bigint")]
)
def test_formats_that_set_nothing_are_refused(
    file: Path, formats: dict[str, str], told: str
) -> None:
    file.write_text("id,day\n1,2026-02-03\n")
    refused(Files(str(file), "csv", formats=formats), told, kind=ConfigError)
