"""References in SQL that move with their tables; a real engine and sqlglot are the oracles."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest
from msgspec.structs import replace

from airflow_dataops.core.model import Node, Project, Relation
from airflow_dataops.core.relocation import Relocation, read_relocation
from airflow_dataops.core.sql.relocated import relocated
from airflow_dataops.errors import ConfigError
from tests.unit.plan.projects import model, project

MOVES = {"database": {"dev": "prod"}, "schema": {"me": "main"}, "alias": {"old": "new"}}


def relocation(dialect: str = "duckdb", value: Any = MOVES) -> Relocation:
    found = read_relocation(value, dialect)
    assert found is not None
    return found


def moved(sql: str, dialect: str = "duckdb") -> str:
    return relocated(sql, relocation(dialect), dialect, "model.p.m")


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select a from dev.me.t -- dev.me", 'select a from "prod"."main".t -- dev.me'),
        ('select "dev"."me"."t".a from "dev"."me"."t"', None),
        ("select 'dev.me.t' as x from other.t", "select 'dev.me.t' as x from other.t"),
        ("select me.a from t me", "select me.a from t me"),
        ("with me as (select 1 as a) select * from me", None),
        ("with old as (select 1 as a) select old.a from old", None),
        ("select old.a from me.old", 'select old.a from "main"."new" as "old"'),
        ("select a from me.old as o", 'select a from "main"."new" as o'),
        ("delete from dev.me.t where a in (select a from me.u)", None),
        (
            "insert into me.t select * from DEV.ME.u",
            'insert into "main".t select * from "prod"."main".u',
        ),
        ("t.a > (select max(a) from dev.me.t)", 't.a > (select max(a) from "prod"."main".t)'),
    ],
)
def test_names_move_and_all_else_stays(sql: str, expected: str | None) -> None:
    same = sql.replace('"dev"."me"', '"prod"."main"').replace("dev.me", '"prod"."main"')
    same = same.replace("from me.u", 'from "main".u')
    assert moved(sql) == (same if expected is None else expected)


def test_a_moved_query_reads_the_moved_tables() -> None:
    sql = "select old.a, u.b from dev.me.old join dev.me.u using (a)"
    with duckdb.connect() as session:
        session.execute("attach ':memory:' as prod")
        session.execute("create table prod.main.new as select 1 as a")
        session.execute("create table prod.main.u as select 1 as a, 2 as b")
        assert session.execute(moved(sql)).fetchall() == [(1, 2)]


@pytest.mark.parametrize(
    ("sql", "dialect", "expected"),
    [
        ("select 1 from `dev.me.t`", "bigquery", "select 1 from `prod`.`main`.`t`"),
        ("select 1 from dev.me.t", "snowflake", 'select 1 from "PROD"."MAIN".t'),
        ('select 1 from "dev"."me".t', "snowflake", 'select 1 from "dev"."me".t'),
        ("select 1 from Me.t", "postgres", 'select 1 from "main".t'),
        ('select 1 from "Me".t', "postgres", 'select 1 from "Me".t'),
        ("grant select on dev.me.t to r", "postgres", 'grant select on "prod"."main".t to r'),
    ],
)
def test_names_fold_as_the_engine_has_it(sql: str, dialect: str, expected: str) -> None:
    assert moved(sql, dialect) == expected


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("select me.f(1)", "a function that may not be there"),
        ("select from where me", "not understood"),
        ("vacuum me.t", "cannot be applied to"),
    ],
)
def test_what_is_not_understood_is_refused(sql: str, said: str) -> None:
    with pytest.raises(ConfigError, match=f"model.p.m: relations= .*{said}"):
        moved(sql, "postgres")


def test_sql_that_names_nothing_that_moves_is_not_read() -> None:
    assert moved("select from where") == "select from where"


@pytest.mark.parametrize("value", [7, {"table": {}}, {"schema": "x"}, {"schema": {"a": ""}}])
def test_another_form_is_refused(value: Any) -> None:
    with pytest.raises(ConfigError, match="relations"):
        read_relocation(value, "duckdb")


def test_a_name_of_no_relation_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"relations\['database'\]: the manifest has no database"):
        relocation().project(Project(name="p", nodes={}))


def test_relations_move_by_the_rules_of_the_engine() -> None:
    table = Relation(database="DEV", schema="ME", identifier="OLD")
    assert str(relocation("snowflake").relation(table)) == "PROD.MAIN.NEW"
    assert str(relocation("postgres").relation(table)) == "DEV.ME.OLD"
    assert str(relocation("duckdb").relation(table)) == "prod.main.new"


@pytest.mark.parametrize(
    "value",
    [
        {"schema": {"stg": "analytics", "marts": "analytics"}},
        {"schema": {"stg": "marts"}},
        {"schema": {"marts": "STG"}},
    ],
)
def test_two_tables_never_become_one(value: Any) -> None:
    """`stg.orders` and `marts.orders`: the one would be written over the other, all green."""
    before = project(*(orders(schema) for schema in ("stg", "marts")))
    with pytest.raises(ConfigError, match="would both be"):
        relocation(value=value).project(before)
    apart = relocation(value={"schema": {"stg": "marts", "marts": "stg"}}).project(before)
    schemas = [node.relation.schema for node in apart.nodes.values() if node.relation]
    assert sorted(map(str, schemas)) == ["marts", "stg"]


def orders(schema: str) -> Node:
    at = Relation(database="dev", schema=schema, identifier="orders")
    return replace(model(f"{schema}_orders"), relation=at)
