"""Rows from a query on one engine to a table on another: what arrives is what was there."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

import pytest

from airflow_dataops.core.engines.identifiers import quote
from airflow_dataops.core.loads.run import run_load
from airflow_dataops.core.loads.sources import Query
from airflow_dataops.core.loads.specs import Append, Attempt, Load, Merge, OnEmpty, Replace
from airflow_dataops.core.model import Relation
from airflow_dataops.errors import ConfigError, DataOpsError, RetryableError, RunError
from airflow_dataops.hooks.connection_query import ConnectionQuery
from airflow_dataops.hooks.file_source import Files
from airflow_dataops.hooks.sql_runner import open_session
from tests.connections import connect_duckdb, connect_postgres
from tests.postgres import PostgresRunner, open_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from airflow_dataops.core.ports import SqlRunner

ENGINES = ("duckdb", "postgres")
HOSTILE = "we\"ird; drop' %s ? {x}"
TARGET = Relation(identifier="arrived", schema="transfers")

# From each engine, and into each; the slow tests try each pair.
pytestmark = pytest.mark.sample(3)

# For each type: how the engines spell it, and values as literals and as Python reads them.
TYPES: dict[str, tuple[dict[str, str], list[tuple[str, Any]]]] = {
    "boolean": ({}, [("true", True), ("false", False)]),
    "smallint": ({}, [("-32768", -32768), ("32767", 32767)]),
    "integer": ({}, [("-2147483647", -2147483647)]),
    "bigint": ({}, [("9223372036854775807", 2**63 - 1)]),
    "double precision": ({}, [("0.1", 0.1), ("'Infinity'", float("inf")), ("1e-300", 1e-300)]),
    "real": ({}, [("0.5", 0.5)]),
    "decimal(38,10)": ({}, [("-1234567890123456789012345678.0123456789", None), ("0", None)]),
    "varchar": (
        {},
        [
            ("''", ""),
            ("'NULL'", "NULL"),
            ("'a\"b,c;\\N\\.'", 'a"b,c;\\N\\.'),
            ("'ü\u2028😀'", None),
            ("'line\nand\r\nline'", "line\nand\r\nline"),
            ("'\\.'", "\\."),
        ],
    ),
    "date": ({}, [("'0001-01-01'", date(1, 1, 1)), ("'9999-12-31'", date(9999, 12, 31))]),
    "time": ({}, [("'23:59:59.999999'", time(23, 59, 59, 999999))]),
    "timestamp": ({}, [("'2026-01-31 12:34:56.000001'", datetime(2026, 1, 31, 12, 34, 56, 1))]),
    "timestamptz": (
        {},
        [("'2026-01-31 12:34:56.5+05:30'", datetime(2026, 1, 31, 7, 4, 56, 500000, UTC))],
    ),
    "bytes": ({"duckdb": "blob", "postgres": "bytea"}, [("'abc'", b"abc"), ("''", b"")]),
}


@pytest.fixture(autouse=True)
def connections(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    connect_postgres(monkeypatch, "postgres_in")
    connect_postgres(monkeypatch, "postgres_out")
    connect_duckdb(monkeypatch, "duckdb_in", tmp_path / "in.duckdb")
    connect_duckdb(monkeypatch, "duckdb_out", tmp_path / "out.duckdb")
    for engine in ENGINES:
        with open_session(f"{engine}_out") as session:
            session.execute("drop schema if exists transfers cascade")
            session.execute("create schema transfers")
    yield
    with open_session("postgres_out") as session:
        session.execute("drop schema transfers cascade")


@pytest.fixture(params=ENGINES)
def source(request: pytest.FixtureRequest) -> str:
    return f"{request.param}_in"


@pytest.fixture(params=ENGINES)
def target(request: pytest.FixtureRequest) -> Iterator[SqlRunner]:
    with open_session(f"{request.param}_out") as session:
        yield session


def transfer(query: ConnectionQuery, runner: SqlRunner, verb: Any = None, **settings: Any) -> Any:
    load = Load(
        target=TARGET,
        verb=verb or Replace(on_empty=OnEmpty.WRITE),
        attempt=Attempt(owner="shop.orders", run_id="monday"),
        **settings,
    )
    return run_load(load, query, runner)


def tables(runner: SqlRunner) -> set[str]:
    listing = "system.information_schema" if runner.dialect == "duckdb" else "information_schema"
    # Other tests leave theirs in the same server: only this target's count.
    query = f"select table_name from {listing}.tables where table_name like 'arrived%stg%'"
    return {name for (name,) in runner.fetch(query)}


def spelled(type_: str, engine: str) -> str:
    return TYPES[type_][0].get(engine.split("_")[0], type_)


@pytest.mark.sample(3)
@pytest.mark.parametrize("create", [False, True])
def test_a_semicolon_at_the_end_of_a_query_means_nothing(
    source: str, target: SqlRunner, create: bool
) -> None:
    """Nor does a comment after it; one in a text is a part of the text."""
    sql = "select ';' as id -- a; b\n; -- that is all;"
    for rows in (ConnectionQuery(source, sql), Query(sql=sql)):
        target.execute("drop table if exists transfers.arrived")
        if not create:
            target.execute("create table transfers.arrived (id varchar)")
        transfer(rows, target, create=create)
        assert target.fetch("select id from transfers.arrived") == [(";",)]
    with pytest.raises(ConfigError, match="several statements"):
        transfer(ConnectionQuery(source, "select 1 as id; select 2 as id"), target)
    assert target.fetch("select id from transfers.arrived") == [(";",)]


def test_values_of_json_arrive_as_they_are_written(target: SqlRunner, tmp_path: Path) -> None:
    """On each engine in a table that is made for them, and what it cannot hold leaves that be."""
    path = tmp_path / "a.jsonl"
    path.write_text(
        '{"large": 18446744073709551615, "price": 12345678901234567.89, "day": "2026-02-28",'
        ' "paid": "2026-01-01T00:00:00+02:00", "more": {"b": 1.50}, "code": "007"}\n{}\n'
    )
    files = Files(str(path), "jsonl", columns={"price": "decimal(30,2)"})
    transfer(files, target, create=True)
    rows = [
        (
            Decimal(2**64 - 1),
            Decimal("12345678901234567.89"),
            date(2026, 2, 28),
            datetime(2025, 12, 31, 22, tzinfo=UTC),
            '{"b": 1.50}',
            "007",
        ),
        (None,) * 6,
    ]
    query = "select large, price, day, paid, more, code from transfers.arrived order by day"
    assert target.fetch(query) == rows
    for wrong in ('{"code": "008"}\n{"day": "2026-02-31"}', '{"code": "008"}\n{"code": "0'):
        path.write_text(wrong)
        named = Files(str(path), "jsonl", columns={"code": "text", "day": "date"})
        with pytest.raises(RunError, match=r"a\.jsonl, line 2"):
            transfer(named, target)
        assert target.fetch(query) == rows
    assert tables(target) == set()


@pytest.mark.parametrize(
    "value",
    [
        "cast('12:00:00+02:00' as timetz)",
        "['12:00:00+02:00'::timetz]",
        "cast(340282366920938463463374607431768211455 as uhugeint)",
        "cast('101' as bit)",
        "{'a': [cast('101' as bit)]}",
        "cast(170141183460469231731687303715884105727 as hugeint)",
        "['NaN'::double]",
    ],
)
def test_what_duckdb_gives_as_another_value_is_refused(value: str) -> None:
    with open_session("duckdb_out") as target:
        target.execute("create table transfers.arrived as select 1 as id")
        with pytest.raises(RunError, match="'id'"):
            transfer(ConnectionQuery("duckdb_in", f"select {value} as id"), target)
        assert target.fetch("select id from transfers.arrived") == [(1,)]


def test_each_type_arrives_as_it_was(source: str, target: SqlRunner) -> None:
    for type_, (_, literals) in TYPES.items():
        values = [*literals, ("null", None)]
        rows = " union all ".join(
            f"select {n} as n, cast({literal} as {spelled(type_, source)}) as v"
            for n, (literal, _) in enumerate(values)
        )
        with open_session(source) as session:
            sent = session.fetch(f"{rows} order by n")
        for (_, value), (_, expected) in zip(sent, values, strict=True):
            assert expected is None or value == expected
        into = spelled(type_, target.dialect)
        target.execute(f"create table transfers.arrived (n int, v {into})")
        result = transfer(ConnectionQuery(source, rows), target)
        assert result.staged == len(values)
        arrived = target.fetch("select n, v from transfers.arrived order by n")
        assert [(n, plain(v)) for n, v in arrived] == [(n, plain(v)) for n, v in sent], type_
        target.execute("drop table transfers.arrived")


def plain(value: Any) -> Any:
    if isinstance(value, datetime) and value.tzinfo:
        return value.astimezone(UTC)
    return bytes(value) if isinstance(value, memoryview | bytearray) else value


def test_a_target_can_be_made_with_the_sources_columns(source: str, target: SqlRunner) -> None:
    columns = ", ".join(
        f"cast({values[0][0]} as {spelled(type_, source)}) as c{n}"
        for n, (type_, (_, values)) in enumerate(TYPES.items())
    )
    query = ConnectionQuery(source, f"select {columns}")
    for _ in range(2):
        assert transfer(query, target, create=True).staged == 1
    with open_session(source) as session:
        [sent] = session.fetch(query.sql)
    [arrived] = target.fetch("select * from transfers.arrived")
    assert list(map(plain, arrived)) == list(map(plain, sent))


def test_nested_values_arrive_as_json(source: str, target: SqlRunner) -> None:
    nested = {"duckdb_in": "[1, null, 3]", "postgres_in": "array[1, null, 3]"}[source]
    target.execute("create table transfers.arrived (v json)")
    transfer(ConnectionQuery(source, f"select {nested} as v"), target)
    [(value,)] = target.fetch("select cast(v as varchar) from transfers.arrived")
    assert value.replace(" ", "") == "[1,null,3]"


def test_uuids_and_json_arrive(source: str, target: SqlRunner) -> None:
    target.execute("create table transfers.arrived (u uuid, j json)")
    value = "00000000-0000-0000-0000-00000000002a"
    sql = f"""select cast('{value}' as uuid) as u, cast('{{"a": "ü"}}' as json) as j"""
    transfer(ConnectionQuery(source, sql), target)
    found = target.fetch("select cast(u as varchar), cast(j as varchar) from transfers.arrived")
    assert found == [(value, '{"a": "ü"}')]


def test_names_are_quoted_and_columns_go_by_name(source: str, target: SqlRunner) -> None:
    quoted = quote(HOSTILE, target.dialect)
    target.execute(f"create table transfers.arrived (b int, {quoted} int)")
    sql = f"select 1 as {quote(HOSTILE, source.split('_')[0])}, 2 as b"
    transfer(ConnectionQuery(source, sql), target)
    assert target.fetch(f"select b, {quoted} from transfers.arrived") == [(2, 1)]


def test_parameters_are_bound(source: str, target: SqlRunner) -> None:
    target.execute("create table transfers.arrived (a varchar, b varchar)")
    mark = "?" if source == "duckdb_in" else "%s"
    query = ConnectionQuery(
        source,
        f"select cast({mark} as varchar) as a, cast({mark} as varchar) as b",
        ("it's; --", None),
    )
    transfer(query, target)
    assert target.fetch("select * from transfers.arrived") == [("it's; --", None)]


@pytest.mark.parametrize("verb", [Replace(), Merge(keys=("id",))], ids=["replace", "merge"])
def test_the_size_of_the_rows_is_told(source: str, target: SqlRunner, verb: Any) -> None:
    series = "generate_series(1, 1000)" if source == "postgres_in" else "range(1, 1001)"
    sql = f"select cast(i as bigint) as id, 'abcdefgh' as name from {series} as s(i)"
    result = transfer(ConnectionQuery(source, sql), target, verb, create=True)
    assert 16_000 <= result.bytes <= 40_000  # 8 bytes each, and where each text begins


def test_a_query_without_rows_empties_the_table(source: str, target: SqlRunner) -> None:
    target.execute("create table transfers.arrived (a int)")
    target.execute("insert into transfers.arrived values (1)")
    assert transfer(ConnectionQuery(source, "select 1 as a where 1 = 0"), target).staged == 0
    assert target.fetch("select * from transfers.arrived") == []


def test_many_batches_are_merged_and_appended(source: str, target: SqlRunner) -> None:
    series = "generate_series(1, 150000)" if source == "postgres_in" else "range(1, 150001)"
    name = "as s(i)"
    sql = f"select cast(i as bigint) as id, 'name ' || i as name from {series} {name}"
    target.execute("create table transfers.arrived (id bigint primary key, name varchar)")
    target.execute("insert into transfers.arrived values (7, 'old'), (0, 'kept')")
    for verb in (Merge(keys=("id",)), Merge(keys=("id",)), Append(keys=("id",))):
        transfer(ConnectionQuery(source, sql), target, verb)
    assert target.fetch(
        "select count(*), sum(id), min(name) from transfers.arrived where id <> 7"
    ) == [(150000, Decimal(150000 * 150001 // 2 - 7), "kept")]
    assert target.fetch("select name from transfers.arrived where id = 7") == [("name 7",)]
    assert tables(target) == set()


@pytest.mark.sample(3)
@pytest.mark.parametrize(
    ("conn_id", "sql", "told"),
    [
        ("postgres_in", "select interval '1 day' as span", "'span' is month_day_nano"),
        ("postgres_in", "select 1::numeric as amount", "'amount' is numeric without precision"),
        ("postgres_in", "select 1::numeric(60,2) as amount", "'amount' is a decimal of 60 digits"),
        ("postgres_in", "select 1.5::money as price", "'price' is money"),
        ("postgres_in", "select date 'infinity' as day", "'day' holds a value .* an infinite"),
        ("postgres_in", "select timestamptz 'infinity' as t", "'t' holds a value .* an infinite"),
        ("postgres_in", "select 'NaN'::numeric(9,2) as n", "'n' holds a value"),
        ("postgres_in", "select 'a'::tsvector as words", "'words' is tsvector"),
        ("postgres_in", "select 1 as a, 2 as a", "two columns are named 'a'"),
        ("duckdb_in", "select interval 1 day as span", "'span' is month_day_nano"),
        ("duckdb_in", 'select 1 as a, 2 as "A"', "two columns are named 'A'"),
    ],
)
def test_what_cannot_be_carried_is_named_before_anything_is_written(
    target: SqlRunner, conn_id: str, sql: str, told: str
) -> None:
    target.execute("create table transfers.arrived (a int)")
    target.execute("insert into transfers.arrived values (1)")
    with pytest.raises(RunError, match=told):
        transfer(ConnectionQuery(conn_id, sql), target)
    assert target.fetch("select * from transfers.arrived") == [(1,)]
    assert tables(target) == set()


def test_a_query_that_fails_leaves_the_target(source: str, target: SqlRunner) -> None:
    target.execute("create table transfers.arrived (a int)")
    target.execute("insert into transfers.arrived values (1)")
    with pytest.raises(Exception, match="nowhere") as raised:
        transfer(ConnectionQuery(source, "select a from nowhere"), target)
    assert source == "duckdb_in" or isinstance(raised.value, RunError)
    assert target.fetch("select * from transfers.arrived") == [(1,)]


def test_a_source_that_fails_on_the_way_leaves_the_target(source: str, target: SqlRunner) -> None:
    """The first batches are already in the staging table when a later row cannot be made."""
    series = "generate_series(1, 400000)" if source == "postgres_in" else "range(1, 400001)"
    sql = f"select cast(10 / (i - 390000) as int) as a from {series} as s(i)"
    if source == "duckdb_in":
        sql = sql.replace("10 / (i - 390000)", "case when i = 390000 then error('zero') end")
    target.execute("create table transfers.arrived (a int)")
    target.execute("insert into transfers.arrived values (1)")
    with pytest.raises(Exception, match="zero"):
        transfer(ConnectionQuery(source, sql), target)
    assert target.fetch("select * from transfers.arrived") == [(1,)]
    assert tables(target) == set()


def sessions(server: PostgresRunner) -> int:
    """Return how many sessions clients have on the server."""
    query = "select count(*) from pg_stat_activity where backend_type = 'client backend'"
    [(number,)] = server.fetch(query)
    return int(number)


def test_a_source_whose_connection_dies_can_be_tried_again(target: SqlRunner) -> None:
    sql = (
        "select case when i = 300000 then pg_terminate_backend(pg_backend_pid())::text"
        " else i::text end as a from generate_series(1, 400000) as s(i)"
    )
    target.execute("create table transfers.arrived (a varchar)")
    target.execute("insert into transfers.arrived values ('old')")
    with open_postgres() as server:
        before = sessions(server)
        with pytest.raises(DataOpsError) as raised:
            transfer(ConnectionQuery("postgres_in", sql), target)
        assert isinstance(raised.value, RetryableError), raised.value
        assert "connection ended" in str(raised.value)
        deadline = monotonic() + 10
        while sessions(server) > before and monotonic() < deadline:
            sleep(0.01)
        assert sessions(server) <= before
    assert target.fetch("select * from transfers.arrived") == [("old",)]
    assert tables(target) == set()
    transfer(ConnectionQuery("postgres_in", "select 'new' as a"), target)
    assert target.fetch("select * from transfers.arrived") == [("new",)]


def test_a_replaced_postgres_table_is_written_once_and_keeps_what_it_has(source: str) -> None:
    """Rows of its columns and types fill a table like it, which takes its name."""
    query = ConnectionQuery(source, "select 7 as id, cast('a' as varchar) as name")
    with open_session("postgres_out") as target:
        target.execute(
            "create table transfers.arrived (id int primary key default 1, name varchar not null,"
            " constraint named check (name <> ''))"
        )
        result = transfer(query, target)
        assert (result.staged, result.inserted) == (1, 1)
        assert target.fetch("select * from transfers.arrived") == [(7, "a")]
        target.execute("insert into transfers.arrived (name) values ('b')")
        assert target.fetch("select id from transfers.arrived order by 1") == [(1,), (7,)]
        bad = ConnectionQuery(source, "select 8 as id, cast('' as varchar) as name")
        with pytest.raises(RunError, match="named"):
            transfer(bad, target)
        assert target.fetch("select count(*) from transfers.arrived") == [(2,)]
        assert tables(target) == set()


def test_duckdb_keeps_little_of_its_files_in_memory_while_rows_stream(
    target: SqlRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And has its memory back when they have arrived; a limit of the connection's own stays."""
    from airflow_dataops.hooks.bulk import batches

    seen: list[str] = []
    convert = batches.convert

    def look(*arguments: Any) -> Any:
        seen.append(limit(reader))
        return convert(*arguments)

    def limit(session: Any) -> str:
        with session.connection.native.cursor() as other:
            return str(other.execute("select current_setting('memory_limit')").fetchone()[0])

    monkeypatch.setattr(batches, "convert", look)
    target.execute("create table transfers.arrived (id int)")
    with open_session("duckdb_in") as reader:
        before = limit(reader)
        transfer(ConnectionQuery("duckdb_in", "select 1 as id"), target)
        assert seen
        assert all(found.endswith("MiB") for found in seen)
        assert limit(reader) == before
