"""The pages of loads: each verb and operator of a block loads a table, which is looked at."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from airflow.serialization.serialized_objects import DagSerialization

from airflow_dataops.core.engines.names import parse_relation
from airflow_dataops.core.loads.run import run_load
from airflow_dataops.core.loads.sources import Query
from airflow_dataops.core.loads.specs import Attempt, Load
from airflow_dataops.errors import RunError
from airflow_dataops.hooks.sql_runner import open_session
from tests.docs.blocks import block
from tests.docs.running import run, run_task

if TYPE_CHECKING:
    from tests.docs.running import Desk

APPEND = block("docs/loads/append.md", 1)
CHANGES = block("docs/loads/changes.md", 1)
DEFERRABLE = block("docs/loads/deferrable.md", 1)
FILES = block("docs/loads/files.md", 1)
HISTORY = block("docs/loads/history.md", 1)
INCREMENT = block("docs/loads/increment.md", 1)
BY_HAND = block("docs/loads/index.md", 1)
KAFKA = block("docs/loads/kafka.md", 1)
ON_ARRIVAL = block("docs/loads/kafka.md", 2)
MERGE = block("docs/loads/merge.md", 1)
OPERATORS = block("docs/loads/operators.md", 1)
CHECKED = block("docs/loads/operators.md", 2)
PARTITION = block("docs/loads/partition.md", 1)
REPLACE = block("docs/loads/replace.md", 1)
TRANSFER = block("docs/loads/transfer.md", 1)


def load(verb: Any, rows: str, target: str = "t") -> Any:
    """Load rows (`select ...`) into a table of the page's warehouse."""
    attempt = Attempt(owner="docs.load", run_id="run")
    with open_session("warehouse") as runner:
        asked = Load(target=parse_relation(target), verb=verb, attempt=attempt)
        return run_load(asked, Query(sql=rows), runner)


def values(rows: str, columns: str) -> str:
    return f"select * from (values {rows}) v({columns})"


def test_append_adds_what_is_not_there(desk: Desk) -> None:
    verbs = desk.run_file(APPEND)
    desk.sql("create table t (event_id integer, page text); insert into t values (1, 'a')")
    source = values("(1, 'b'), (2, 'c')", "event_id, page")
    for _ in range(2):
        load(verbs["clicks"], source)
    assert desk.rows("from t order by 1") == [(1, "a"), (2, "c")]
    for _ in range(2):
        load(verbs["lines"], source)
    assert desk.rows("from t order by all") == [(1, "a"), (1, "b"), (2, "c")]


def test_changes_are_applied_in_order(desk: Desk) -> None:
    """An older event changes nothing, even after a deletion; a soft one marks the row."""
    verbs = desk.run_file(CHANGES)
    desk.sql(
        "create table t (id integer, name text, _sequence bigint);"
        "create table s (id integer, name text, _sequence bigint, is_deleted boolean);"
        "create table d (id integer, name text, _sequence bigint)"
    )
    events = values(
        "(1, 'new', 'u', 2), (1, 'old', 'c', 1), (2, 'x', 'c', 3), (2, 'x', 'd', 4)",
        "id, name, op, lsn",
    )
    for _ in range(2):
        load(verbs["plain"], events)
        load(verbs["soft"], events, "s")
    load(verbs["plain"], values("(2, 'late', 'u', 3)", "id, name, op, lsn"))
    assert desk.rows("select id, name from t") == [(1, "new")]
    assert desk.rows("select id, is_deleted from s order by id") == [(1, False), (2, True)]
    debezium = values(
        """(null, '{"id": 1, "name": "a"}', 'c', 1),
        ('{"id": 1}', '{"id": 1, "name": "b"}', 'u', 2)""",
        "before, after, op, lsn",
    )
    load(verbs["debezium"], debezium, "d")
    assert desk.rows("select id, name from d") == [(1, "b")]


def test_history_keeps_versions_that_do_not_overlap(desk: Desk) -> None:
    verbs = desk.run_file(HISTORY)
    columns = "customer_id integer, city text, valid_from timestamp, valid_to timestamp"
    desk.sql(f"create table t ({columns}, is_current boolean)")
    first = "(1, 'lyon', timestamp '2026-03-01'), (2, 'bonn', timestamp '2026-03-01')"
    load(verbs["changes_only"], values(first, "customer_id, city, updated_at"))
    later = values("(1, 'rome', timestamp '2026-03-02')", "customer_id, city, updated_at")
    for _ in range(2):
        load(verbs["changes_only"], later)
    one, two = datetime(2026, 3, 1), datetime(2026, 3, 2)
    shown = "select customer_id, city, valid_from, valid_to, is_current from t order by 1, 3"
    assert desk.rows(shown) == [
        (1, "lyon", one, two, False),
        (1, "rome", two, None, True),
        (2, "bonn", one, None, True),
    ]
    load(verbs["full_picture"], later)
    assert desk.rows("select city from t where valid_to is null") == [("rome",)]


def test_an_increment_takes_over_what_is_new(desk: Desk) -> None:
    """With what came late within the lag; each country has a watermark of its own."""
    verbs = desk.run_file(INCREMENT)
    desk.sql(
        "create table t (event_id integer, created_at timestamp);"
        "create table s (event_id integer, created_at timestamp);"
        "insert into s values (1, '2026-03-01 10:00'), (2, '2026-03-01 12:00');"
        "create table c (id integer, country text); create table b (id integer, country text);"
        "insert into b values (1, 'de'), (5, 'fr')"
    )
    assert load(verbs["events"], "select * from s").inserted == 2
    desk.sql("insert into s values (3, '2026-03-01 11:00'), (4, '2026-03-01 09:00')")
    assert load(verbs["events"], "select * from s").inserted == 1
    assert desk.rows("select event_id from t order by 1") == [(1,), (2,), (3,)]
    load(verbs["by_country"], "select * from b", "c")
    desk.sql("insert into b values (2, 'de'), (4, 'fr')")
    load(verbs["by_country"], "select * from b", "c")
    assert desk.rows("from c order by 1") == [(1, "de"), (2, "de"), (5, "fr")]


def test_merge_lets_the_last_row_of_a_key_win(desk: Desk) -> None:
    verbs = desk.run_file(MERGE)
    desk.sql(
        "create table t (order_id integer, state text, updated_at integer);"
        "insert into t values (1, 'new', 1), (2, 'new', 1);"
        "create table w (order_id integer, line integer, item text);"
        "insert into w values (1, 1, 'tea')"
    )
    source = values(
        "(1, 'paid', 2, false), (1, 'sent', 3, false), (2, 'gone', 2, true), (3, 'new', 1, false)",
        "order_id, state, updated_at, is_deleted",
    )
    for _ in range(2):
        load(verbs["orders"], source)
    assert desk.rows("from t order by 1") == [(1, "sent", 3), (3, "new", 1)]
    wide = values("(1, 1, 'tea'), (1, 2, 'rice')", "order_id, line, item")
    assert load(verbs["wide"], wide, "w").updated == 0
    assert desk.rows("from w order by 2") == [(1, 1, "tea"), (1, 2, "rice")]


def test_a_partition_is_replaced_and_the_others_stay(desk: Desk) -> None:
    verbs = desk.run_file(PARTITION)
    desk.sql(
        "create table t (day date, shop text, n integer);"
        "insert into t values ('2026-03-01', 'a', 1), ('2026-03-01', null, 2);"
        "insert into t values ('2026-03-02', 'a', 3)"
    )
    columns = "day, shop, n"
    load(verbs["of_a_day_and_shop"], values("(date '2026-03-01', null, 20)", columns))
    assert desk.rows("select n from t order by n") == [(1,), (3,), (20,)]
    load(verbs["of_a_day"], values("(date '2026-03-01', 'b', 10)", columns))
    assert desk.rows("select n from t order by n") == [(3,), (10,)]
    load(verbs["of_a_week"], values("(date '2026-03-08', 'c', 30)", columns))
    assert desk.rows("select day, n from t order by n") == [
        (date(2026, 3, 1), 10),
        (date(2026, 3, 8), 30),
    ]


def test_a_table_is_replaced_as_a_whole(desk: Desk) -> None:
    verbs = desk.run_file(REPLACE)
    desk.sql("create table t (code text); insert into t values ('de')")
    load(verbs["countries"], "select 'fr' as code")
    assert desk.rows("from t") == [("fr",)]
    with pytest.raises(RunError):
        load(verbs["countries"], "select 'x' as code where false")
    assert desk.rows("from t") == [("fr",)]
    load(verbs["may_be_empty"], "select 'x' as code where false")
    assert desk.rows("from t") == []


def test_a_load_by_hand(desk: Desk) -> None:
    desk.sql(
        "create schema raw; create schema shop;"
        "create table raw.sales (day date, n integer);"
        "create table shop.sales (day date, n integer);"
        "insert into raw.sales values ('2026-01-05', 1), ('2026-01-05', 2), ('2026-01-06', 3);"
        "insert into shop.sales values ('2026-01-05', 9), ('2026-01-04', 8)"
    )
    load_day = desk.run_file(BY_HAND)["load_day"]
    assert [load_day("2026-01-05", "run", number) for number in (1, 2)] == [2, 2]
    assert desk.rows("select n from shop.sales order by n") == [(1,), (2,), (8,)]


def test_the_dag_of_operators_runs(desk: Desk) -> None:
    """Twice, to the same tables."""
    desk.sql(
        "create schema raw; create schema sales;"
        "create table raw.orders (id integer, ordered_on date);"
        "insert into raw.orders values (1, '2026-01-05'), (2, '2026-01-06');"
        "create table sales.orders (id integer, ordered_on date);"
        "create table raw.customers (customer_id integer, name text, updated_at integer);"
        "insert into raw.customers values (1, 'ada', 1), (1, 'Ada', 2);"
        "create table sales.customers (customer_id integer, name text, updated_at integer);"
        "create table raw.clicks (click_id integer, clicked_at timestamp);"
        "insert into raw.clicks values (1, '2026-01-05 10:00');"
        "create table sales.clicks (click_id integer, clicked_at timestamp)"
    )
    dag = desk.dags(OPERATORS)["sales"]
    assert dag.get_task("orders_of_the_day").upstream_task_ids == {"customers", "clicks"}
    for _ in range(2):
        run(dag)
        assert desk.rows("from sales.orders") == [(1, date(2026, 1, 5))]
        assert desk.rows("from sales.customers") == [(1, "Ada", 2)]
        assert desk.rows("from sales.clicks") == [(1, datetime(2026, 1, 5, 10))]


def test_rows_that_do_not_pass_the_gates_are_not_published(desk: Desk) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    desk.sql(
        "create schema raw; create schema sales;"
        "create table raw.orders (id int, customer_id int, amount int, ordered_on date);"
        "insert into raw.orders values (1, null, 5, '2026-01-05');"
        "create table sales.orders as from raw.orders where false"
    )
    dag = desk.dags(CHECKED)["checked_sales"]
    assert dag.get_task("orders.publish").upstream_task_ids == {"orders.check"}
    run(dag)
    assert desk.rows("select id, amount from sales.orders") == [(1, 5)]
    desk.sql("insert into raw.orders values (2, 7, -1, '2026-01-05')")
    with pytest.raises(AirflowFailException, match="priced: 1 rows wrong"):
        run(dag)
    assert desk.rows("select id, amount from sales.orders") == [(1, 5)]


def test_rows_come_from_another_connection_and_from_files(desk: Desk) -> None:
    """The files are in a local folder here, in place of the bucket."""
    app = desk.folder / "app.duckdb"
    desk.connect("app_db", app)
    desk.sql("create table orders as select 1 as id, date '2026-01-05' as day", app)
    desk.sql(
        "create schema raw; create table raw.orders (id integer, day date);"
        "create table raw.prices (sku text, price decimal(18, 2))"
    )
    tasks = desk.run_file(TRANSFER)
    run_task(tasks["orders"])
    assert desk.rows("from raw.orders") == [(1, date(2026, 1, 5))]
    folder = desk.folder / "prices" / "2026-01-05"
    folder.mkdir(parents=True)
    (folder / "a.csv").write_text("sku,price\ntea,3.5\n")
    prices = tasks["prices"]
    assert (prices.source.url, prices.source.conn_id) == ("s3://lake/prices/{{ ds }}/*.csv", "lake")
    prices.source.url, prices.source.conn_id = f"{desk.folder}/prices/{{{{ ds }}}}/*.csv", None
    run_task(prices)
    assert desk.rows("from raw.prices") == [("tea", Decimal("3.50"))]


def test_files_of_a_day_are_a_partition(desk: Desk) -> None:
    """In a local folder in place of the bucket; the day is in the path, dates are German."""
    desk.sql(
        "create schema raw;"
        "create table raw.orders (id text, price decimal(18, 2), shipped date, day date)"
    )
    task = desk.run_file(FILES)["orders"]
    assert task.source.url == "s3://lake/orders/day={{ ds }}/*.csv.gz"
    folder = desk.folder / "orders" / "day=2026-01-05"
    folder.mkdir(parents=True)
    (folder / "a.csv.gz").write_bytes(gzip.compress(b"id,price,shipped\n007,3.5,06.01.2026\n"))
    task.source.url = f"{desk.folder}/orders/day={{{{ ds }}}}/*.csv.gz"
    task.source.conn_id = None
    run_task(task)
    row = ("007", Decimal("3.50"), date(2026, 1, 6), date(2026, 1, 5))
    assert desk.rows("from raw.orders") == [row]


def test_deferrable_loads_are_made(desk: Desk) -> None:
    """On DuckDB, which publishes at once, it is a load like any other."""
    task = desk.run_file(DEFERRABLE)["customers"]
    assert (task.deferrable, task.keys) == (True, ("CUSTOMER_ID",))
    desk.connect("snowflake", desk.file)
    desk.sql(
        'create schema "RAW"; create table "RAW"."CUSTOMERS" as select 1 as "CUSTOMER_ID";'
        'create schema "SALES"; create table "SALES"."CUSTOMERS" ("CUSTOMER_ID" integer)'
    )
    run_task(task)
    assert desk.rows('from "SALES"."CUSTOMERS"') == [(1,)]


def test_topics_are_loaded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """From librdkafka's mock cluster."""
    from tests.contract.test_kafka_topic import Broker

    broker = Broker()
    extra = {"bootstrap.servers": broker.address, "group.id": "docs"}
    monkeypatch.setenv("AIRFLOW_CONN_KAFKA", json.dumps({"conn_type": "kafka", "extra": extra}))
    broker.send("clicks", {"user_id": 1, "at": "2026-01-05T10:00:00"}, {"user_id": 2, "at": None})
    broker.send("customers", {"id": 1, "name": "ada"}, {"id": 1, "name": "Ada"})
    after = {"id": 7, "amount": 3}
    broker.send("shop.public.orders", {"before": None, "after": after, "op": "c", "ts_ms": 1})
    desk.sql(
        "create schema raw;"
        "create table raw.customers (id bigint, name text, kafka_partition integer, "
        "kafka_offset bigint, kafka_timestamp timestamptz);"
        "create table raw.orders (id bigint, amount integer, _sequence bigint)"
    )
    tasks = desk.run_file(KAFKA)
    for _ in range(2):
        run_task(tasks["clicks"])
        run_task(tasks["customers"])
        run_task(tasks["orders"])
    assert desk.rows("select user_id from raw.clicks order by 1") == [(1,), (2,)]
    assert desk.rows("select id, name from raw.customers") == [(1, "Ada")]
    assert desk.rows("select id, amount from raw.orders") == [(7, 3)]


def test_a_dag_is_started_by_what_arrives(desk: Desk) -> None:
    """As Airflow keeps it: the trigger that its triggerer will run."""
    [dag] = desk.dags(ON_ARRIVAL).values()
    kept = json.dumps(DagSerialization.to_dict(dag))
    assert "airflow_dataops.triggers.kafka.KafkaArrivalTrigger" in kept
    assert '"poll_interval": 30' in kept
    assert DagSerialization.from_dict(json.loads(kept)).timetable.asset_condition is not None


def test_days_are_those_of_the_run() -> None:
    """What the other tests stand on."""
    from tests.docs.running import DAY

    assert datetime(2026, 1, 5, tzinfo=UTC) == DAY
