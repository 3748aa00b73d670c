"""The SQL that differs on Snowflake and BigQuery, to be read: no real server is here to try it."""

from __future__ import annotations

from datetime import UTC, date, datetime

import msgspec
import pytest

from airflow_dataops.core.engines import get_engine, relations
from airflow_dataops.core.model import (
    HardDeletes,
    ModelSpec,
    Node,
    NodeKind,
    Orchestration,
    PartitionBy,
    Range,
    Relation,
    SnapshotColumns,
)
from airflow_dataops.core.sql import columns, days, freshness, loads, seeds, snapshots
from airflow_dataops.core.sql.catalog import Column
from airflow_dataops.core.sql.makings import among, clustering, making_of, partition

ORDERS = Relation(database="SHOP", schema="MARTS", identifier="ORDERS")
NODE = Node(
    id="model.shop.orders",
    kind=NodeKind.MODEL,
    name="orders",
    package="shop",
    spec=ModelSpec(materialized="table"),
)


def configured(by: PartitionBy | None = None, /, **config: object) -> Node:
    return msgspec.structs.replace(
        NODE, config=config, orchestration=Orchestration(partition_by=by)
    )


@pytest.mark.parametrize(
    ("dialect", "node", "statement"),
    [
        ("snowflake", NODE, 'create or replace transient table "SHOP"."MARTS"."ORDERS" as'),
        (
            "snowflake",
            configured(transient=False),
            'create or replace table "SHOP"."MARTS"."ORDERS" as',
        ),
        ("bigquery", NODE, "create or replace table `SHOP`.`MARTS`.`ORDERS` as"),
        (
            "bigquery",
            configured(PartitionBy(field="day"), cluster_by=["shop", "id"]),
            "create or replace table `SHOP`.`MARTS`.`ORDERS`\npartition by `day`\n"
            "cluster by `shop`, `id` as",
        ),
        (
            "bigquery",
            configured(
                PartitionBy(
                    field="n", data_type="int64", range=Range(start=0, end=100, interval=10)
                ),
                partition_by={"field": "n"},
                labels={"team": "o'neill \\", "tier": ""},
                hours_to_expiration=24,
                partition_expiration_days=3,
                require_partition_filter=True,
                kms_key_name="key",
            ),
            "create or replace table `SHOP`.`MARTS`.`ORDERS`\n"
            "partition by range_bucket(`n`, generate_array(0, 100, 10))\n"
            "options (expiration_timestamp = timestamp_add(current_timestamp(), interval 24 hour),"
            " labels = [('team', 'o\\'neill \\\\'), ('tier', '')], kms_key_name = 'key',"
            " require_partition_filter = true, partition_expiration_days = 3) as",
        ),
        (
            "snowflake",
            configured(copy_grants=True),
            'create or replace transient table "SHOP"."MARTS"."ORDERS"\ncopy grants as',
        ),
        (
            "duckdb",
            configured(transient=True),
            'create or replace table "SHOP"."MARTS"."ORDERS" as',
        ),
    ],
)
def test_tables_are_made_as_configured(dialect: str, node: Node, statement: str) -> None:
    made = relations.replace_table_as(ORDERS, "select 1", dialect, making_of(node, dialect))
    assert made == f"{statement} (\nselect 1\n)"


@pytest.mark.parametrize(
    ("by", "expression"),
    [
        (PartitionBy(field="d"), "`d`"),
        (PartitionBy(field="d", granularity="MONTH"), "date_trunc(`d`, month)"),
        (PartitionBy(field="t", data_type="timestamp"), "timestamp_trunc(`t`, day)"),
        (
            PartitionBy(field="t", data_type="datetime", granularity="hour"),
            "datetime_trunc(`t`, hour)",
        ),
    ],
)
def test_partitions_are_bigquerys(by: PartitionBy, expression: str) -> None:
    assert partition(by) == expression


def test_partitions_by_whole_numbers_are_replaced_too() -> None:
    by = PartitionBy(field="n", data_type="int64", range=Range(start=0, end=9, interval=1))
    assert among(by, [3, 5], "d.") == "d.`n` in (3, 5)"


def test_clusters_order_rows_on_snowflake_and_stay_in_order() -> None:
    node = configured(cluster_by=["to_date(at)", "id"], automatic_clustering=True)
    made = relations.replace_table_as(ORDERS, "select 1", "snowflake", making_of(node, "snowflake"))
    assert made == (
        'create or replace transient table "SHOP"."MARTS"."ORDERS" as (\n'
        "select * from (\nselect 1\n)\norder by (\nto_date(at), id\n)\n)"
    )
    assert clustering(node, ORDERS, "snowflake") == (
        'alter table "SHOP"."MARTS"."ORDERS" cluster by (\nto_date(at), id\n)',
        'alter table "SHOP"."MARTS"."ORDERS" resume recluster',
    )
    assert clustering(node, ORDERS, "bigquery") == ()


def test_partitions_are_replaced_by_one_merge() -> None:
    by = PartitionBy(field="d")
    condition = among(by, [date(2026, 1, 2), date(2026, 1, 3)], "DBT_INTERNAL_DEST.")
    assert loads.overwrite_partitions("t", "s", ["id", "d"], condition, "bigquery") == (
        "merge into t as DBT_INTERNAL_DEST\n"
        "using s as DBT_INTERNAL_SOURCE\n"
        "on false\n"
        "when not matched by source and DBT_INTERNAL_DEST.`d`"
        " in (date '2026-01-02', date '2026-01-03') then delete\n"
        "when not matched then insert (`id`, `d`)\n"
        "values (`id`, `d`)"
    )
    assert among(by, [], "") == "false"


def test_snowflake_merges_on_no_constant() -> None:
    merged = loads.merge(
        "t",
        "s",
        (),
        insert_columns=["ID"],
        update_columns=["ID"],
        predicates=(),
        dialect="snowflake",
    )
    assert merged == 'insert into t ("ID")\nselect "ID"\nfrom s'


def test_snowflake_overwrites_all_rows_by_one_statement() -> None:
    assert loads.overwrite("t", "s", ["ID"], "snowflake") == (
        'insert overwrite into t ("ID")\nselect "ID"\nfrom s'
    )


def test_types_change_as_dbts_adapters_change_them() -> None:
    column = Column(name="N", type="NUMBER(38,2)")
    assert columns.change_type(ORDERS, column, "snowflake") == (
        'alter table "SHOP"."MARTS"."ORDERS" alter column "N" set data type NUMBER(38,2)',
    )
    made = making_of(configured(PartitionBy(field="day")), "bigquery")
    assert columns.change_type(ORDERS, Column(name="n", type="NUMERIC"), "bigquery", made) == (
        "create or replace table `SHOP`.`MARTS`.`ORDERS`\npartition by `day` as (\n"
        "select * replace (cast(`n` as NUMERIC) as `n`)\nfrom `SHOP`.`MARTS`.`ORDERS`\n)",
    )


def test_texts_grow_on_snowflake() -> None:
    query, table = [Column(name="N", type="VARCHAR(9)")], [Column(name="N", type="VARCHAR(1)")]
    assert columns.wider_texts(query, table, "snowflake") == (Column(name="N", type="varchar(9)"),)
    assert not columns.wider_texts(table, query, "snowflake")


@pytest.mark.parametrize(
    ("dialect", "type_", "since"),
    [
        ("snowflake", "TIMESTAMP_NTZ", "cast('2026-01-02 00:00:00' as timestamp_ntz)"),
        ("snowflake", "TIMESTAMP_TZ", "cast('2026-01-02 00:00:00 +0000' as timestamp_tz)"),
        ("bigquery", "TIMESTAMP", "timestamp '2026-01-02 00:00:00+00:00'"),
        ("bigquery", "DATETIME", "datetime '2026-01-02 00:00:00'"),
        ("bigquery", "DATE", "date '2026-01-02'"),
    ],
)
def test_days_are_written_in_the_columns_type(dialect: str, type_: str, since: str) -> None:
    written = days.within(
        Column(name="AT", type=type_), date(2026, 1, 2), date(2026, 1, 3), dialect
    )
    assert f">= {since}\n" in written


@pytest.mark.parametrize(
    ("dialect", "asked"),
    [
        ("snowflake", 'select date_part(epoch_millisecond, max("AT")) / 1000\n'),
        ("bigquery", "select unix_micros(cast(max(`AT`) as timestamp)) / 1000000\n"),
    ],
)
def test_the_age_of_a_source_is_asked_in_seconds(dialect: str, asked: str) -> None:
    assert freshness.newest_row(ORDERS, "at", None, ["AT"], dialect).startswith(asked)


@pytest.mark.parametrize(
    ("dialect", "asked", "bound"),
    [
        (
            "snowflake",
            "select date_part(epoch_millisecond, last_altered) / 1000"
            ' from "SHOP".information_schema.tables\nwhere table_name = \0 and table_schema = \0',
            ("ORDERS", "MARTS"),
        ),
        (
            "bigquery",
            "select last_modified_time / 1000 from `SHOP`.`MARTS`.__TABLES__ where table_id = \0",
            ("ORDERS",),
        ),
    ],
)
def test_a_tables_last_change(dialect: str, asked: str, bound: tuple[str, ...]) -> None:
    last_altered = get_engine(dialect).models.last_altered
    assert last_altered is not None
    statement = last_altered(ORDERS)
    assert (statement.sql, statement.parameters) == (asked, bound)


@pytest.mark.parametrize(
    ("dialect", "rows"),
    [
        (
            "snowflake",
            "select\n  cast(cast(line.value[0] as varchar) as integer)\n"
            "from table(flatten(input => parse_json(?))) as line",
        ),
        (
            "bigquery",
            "select\n  cast(json_value(line, '$[0]') as integer)\n"
            "from unnest(json_query_array(?)) as line",
        ),
    ],
)
def test_a_seeds_rows_are_bound_as_one_text(dialect: str, rows: str) -> None:
    made = seeds.insert_json("t", [Column(name="ID", type="integer")], dialect, "?")
    assert made.endswith(f"\n{rows}")


def test_a_snapshots_ids_are_those_of_dbts_adapters() -> None:
    assert snapshots.scd_id(["`id`", "`at`"], "bigquery") == (
        "to_hex(md5(coalesce(cast(`id` as string), '') || '|' ||"
        " coalesce(cast(`at` as string), '')))"
    )
    history = snapshots.History(
        relation=ORDERS,
        names=SnapshotColumns(),
        hard_deletes=HardDeletes.IGNORE,
        valid_to_current=None,
        dialect="snowflake",
    )
    assert history.now == "to_timestamp_ntz(convert_timezone('UTC', current_timestamp()))"


def test_a_batch_on_snowflake_is_deleted_by_its_times_and_all_rows_come_in() -> None:
    batch = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
    assert loads.delete_batch('"T"', "at", batch, ["shop = 1"], "snowflake") == (
        'delete from "T" as DBT_INTERNAL_TARGET\n'
        "where shop = 1\n"
        "  and DBT_INTERNAL_TARGET.at >= to_timestamp_tz('2026-01-01 00:00:00+00:00')\n"
        "  and DBT_INTERNAL_TARGET.at < to_timestamp_tz('2026-01-02 00:00:00+00:00')"
    )
    assert loads.insert_batch('"T"', '"S"', ["A"], "at", batch, "snowflake") == (
        'insert into "T" ("A")\nselect "A"\nfrom "S"'
    )
