"""The page on values of a run, and of an environment: its DAGs run on DuckDB."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.docs.blocks import block
from tests.docs.running import run
from tests.host.manifests import manifest, model, write

if TYPE_CHECKING:
    from tests.docs.running import Desk

RUN_DAY = block("docs/values.md", 2)
ELSEWHERE = block("docs/values.md", 3)


def test_each_run_has_its_day(desk: Desk) -> None:
    sql = "select 'run_day' as d"
    slot = {"at": 8, "length": 7, "place": "text", "value": {"source": "var", "name": "run_day"}}
    node = model("days", project="shop", compiled_code=sql, dataops_slots={"sql": [slot]})
    content = manifest(node, project="shop", dataops={"version": 3, "runtime_vars": ["run_day"]})
    write(desk.folder / "manifests" / "shop" / "manifest.json", content)
    for day in (5, 6):
        run(desk.dags(RUN_DAY)["shop"], datetime(2026, 1, day, tzinfo=UTC))
        assert desk.rows("from wh.main.days") == [(f"2026-01-0{day}",)]


def test_tables_are_where_the_environment_has_them(desk: Desk) -> None:
    place = {"database": "dev", "schema": "dbt_me", "project": "shop"}
    first = model("stg", compiled_code="select 1 as id, 'dev.dbt_me' as text", **place)
    reads = 'select s.id, s.text, "dbt_me".stg.id as n from "dev"."dbt_me"."stg" s, dbt_me.stg'
    then = model("fct", "stg", compiled_code=reads, **place)
    content = manifest(first, then, project="shop")
    write(desk.folder / "manifests" / "shop" / "manifest.json", content)
    desk.file = desk.folder / "prod.duckdb"
    desk.connect("warehouse", desk.file)
    dag = desk.dags(ELSEWHERE)["shop"]
    assert [asset.uri for asset in dag.get_task("fct").outlets] == [
        "dataops://warehouse/prod/analytics/fct"
    ]
    run(dag)
    assert desk.rows("from prod.analytics.fct") == [(1, "dev.dbt_me", 1)]
