"""The pages on DAGs of dbt projects: Airflow parses each block, and what it builds is looked at."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_dataops.errors import ConfigError
from tests.docs.blocks import block, rows_of
from tests.docs.conftest import shop_nodes
from tests.docs.running import run
from tests.host.manifests import manifest, write

if TYPE_CHECKING:
    from pathlib import Path

    from airflow.sdk import DAG

    from tests.docs.running import Desk

FOLDER = block("docs/guide.md", 1)
ONE_DAG = block("docs/guide.md", 2)
GROUP = block("docs/guide.md", 3)
WITH_DBT = block("docs/engine.md", 1)
ASSET_URI = block("docs/assets.md", 1)
ASSETS = block("docs/assets.md", 2)
CHAIN = block("docs/granularity.md", 1)
WITH_MODEL = block("docs/granularity.md", 2)
SELECTION = block("docs/selection.md", 1)
COMPOSE = block("docs/docker-compose.md", 3)
SCHEDULES = block("docs/splitting.md", 1)
OWNERS = block("docs/splitting.md", 2)
SELECTORS = block("docs/splitting.md", 3)
INPUTS = block("docs/splitting.md", 4)
CIRCLE = block("docs/splitting.md", 5)
SOURCES = block("docs/splitting.md", 6)

FACTS = [(1, 10), (3, 7)]
Shop = "Callable[..., Path]"


def facts(desk: Desk) -> list[tuple[Any, ...]]:
    return desk.rows("from wh.main.fct_orders order by id")


@pytest.mark.parametrize("found", [FOLDER, WITH_DBT], ids=["guide", "engine"])
def test_a_folder_of_manifests_runs(desk: Desk, shop: Shop, found: Any) -> None:
    """With dbt at hand as well: what compiled SQL says faithfully, it runs."""
    shop()
    (dag,) = desk.dags(found).values()
    assert dag.dag_id == "shop"
    run(dag)
    assert facts(desk) == FACTS


def test_one_dag_takes_what_it_selects(desk: Desk, shop: Shop) -> None:
    shop(snapshots=True)
    dag = desk.dags(ONE_DAG)["shop_daily"]
    assert (dag.schedule, dag.max_active_runs) == ("@daily", 1)
    assert sorted(dag.task_ids) == ["dim_customers", "fct_orders"]
    assert set(dag.task_group_dict) >= {"marts"}
    run(desk.dags(FOLDER)["shop"], only={"stg_orders"})
    run(dag)
    assert facts(desk) == FACTS


def test_a_group_in_a_dag_of_ones_own(desk: Desk, shop: Shop) -> None:
    """`export` waits for the group, whose id goes before those of its tasks."""
    shop()
    dag = desk.dags(GROUP)["shop_and_friends"]
    assert sorted(dag.task_ids) == ["export", "marts.fct_orders", "marts.stg_orders"]
    assert dag.get_task("export").upstream_task_ids == {"marts.fct_orders"}
    run(dag, only={"marts.stg_orders", "marts.fct_orders"})
    assert facts(desk) == FACTS


def test_a_chain_is_one_task_called_like_its_first_model(desk: Desk, shop: Shop) -> None:
    shop()
    (dag,) = desk.dags(CHAIN).values()
    assert all(id_.startswith("chain.") for id_ in dag.task_ids)
    assert "chain.stg_orders" in dag.task_ids
    run(dag)
    assert facts(desk) == FACTS
    ids = {row[0]: row[2] for row in rows_of("docs/granularity.md", "task ids")}
    assert ids["chain"] == "chain.<first model>"


def test_the_tests_of_a_model_run_in_its_task(desk: Desk, shop: Shop) -> None:
    path = shop()
    content = json.loads(path.read_text())
    query = 'select * from "wh"."main"."fct_orders" where id is null'
    content["nodes"]["test.shop.ids"] = {
        "unique_id": "test.shop.ids",
        "resource_type": "test",
        "name": "ids",
        "alias": "ids",
        "package_name": "shop",
        "original_file_path": "tests/ids.sql",
        "path": "ids.sql",
        "fqn": ["shop", "ids"],
        "database": "wh",
        "schema": "main",
        "language": "sql",
        "depends_on": {"nodes": ["model.shop.fct_orders"], "macros": []},
        "config": {"severity": "ERROR", "enabled": True},
        "raw_code": query,
        "compiled_code": query,
    }
    write(path, content)
    (dag,) = desk.dags(WITH_MODEL).values()
    parts = dag.get_task("fct_orders").parts
    assert [part.id for part in parts] == ["fct_orders", "fct_orders.test"]
    run(dag)
    assert facts(desk) == FACTS


def test_selection_is_a_union_of_intersections(desk: Desk, shop: Shop) -> None:
    """Blanks join, commas intersect, `@` takes what is needed to build the descendants."""
    shop(snapshots=True)
    (dag,) = desk.dags(SELECTION).values()
    assert sorted(dag.task_ids) == ["dim_customers", "fct_orders", "stg_orders"]
    run(dag)
    assert facts(desk) == FACTS


def test_the_warehouse_of_the_compose_file_is_named(desk: Desk, shop: Shop) -> None:
    """Postgres there; the folder is another one."""
    shop("my_manifests")
    (dag,) = desk.dags(COMPOSE).values()
    assert {task.conn_id for task in dag.tasks} == {"warehouse_postgres"}


HOURLY_AND_DAILY = {
    "stg_orders": {"schedule": "hourly", "owner": "ada"},
    "fct_orders": {"schedule": "daily", "owner": "bob"},
    "dim_customers": {"schedule": "daily", "owner": "bob"},
}


def test_several_schedules_are_several_dags(desk: Desk, shop: Shop) -> None:
    shop(**HOURLY_AND_DAILY)
    dags = desk.dags(SCHEDULES)
    assert list(dags) == ["shop__daily", "shop__hourly"]
    assert (dags["shop__hourly"].schedule, dags["shop__daily"].schedule) == ("@hourly", "@daily")
    assert "inputs.wait" in dags["shop__daily"].task_ids
    run(dags["shop__hourly"])
    run(dags["shop__daily"], only={"fct_orders", "dim_customers"})
    assert facts(desk) == FACTS


def test_parts_by_owner(desk: Desk, shop: Shop) -> None:
    shop(**HOURLY_AND_DAILY)
    dags = desk.dags(OWNERS)
    assert {id_: sorted(dag.task_ids) for id_, dag in dags.items()} == {
        "shop__ada": ["stg_orders"],
        "shop__bob": ["dim_customers", "fct_orders", "inputs.wait"],
    }


def test_parts_by_selectors_and_the_rest(desk: Desk, shop: Shop) -> None:
    shop()
    dags = desk.dags(SELECTORS)
    assert {id_: sorted(dag.task_ids) for id_, dag in dags.items()} == {
        "shop__finance": ["fct_orders"],
        "shop__marketing": ["dim_customers"],
        "shop__rest": ["stg_orders"],
    }
    for dag in (dags["shop__rest"], dags["shop__finance"]):
        run(dag)
    assert facts(desk) == FACTS


def test_the_sensor_takes_arguments_of_its_group(desk: Desk, shop: Shop) -> None:
    shop(**HOURLY_AND_DAILY)
    sensor = desk.dags(INPUTS)["shop__daily"].get_task("inputs.wait")
    assert sensor.poke_interval in (120, timedelta(seconds=120))
    assert sensor.timeout in (3 * 3600, timedelta(hours=3))


def test_dags_of_ones_own_start_by_the_asset_of_a_table(desk: Desk) -> None:
    """Written as a table's name, or as the uri of the page."""
    dags = desk.dags(ASSETS)
    assert {id_: [asset.uri for asset in dag.schedule] for id_, dag in dags.items()} == {
        "report": ["dataops://warehouse/shop/main/orders"],
        "export": ["dataops://warehouse/shop/main/orders"],
    }
    parts = {"conn_id": "warehouse", "database": "shop", "schema": "main", "table": "orders"}
    uri = ASSET_URI.text.strip()
    for name, value in parts.items():
        uri = uri.replace(f"<{name}>", value)
    assert uri == "dataops://warehouse/shop/main/orders"


def test_a_cycle_is_told_in_the_words_of_the_page(desk: Desk, tmp_path: Path) -> None:
    from airflow_dataops import load_dags

    nodes = shop_nodes(
        stg_orders={"schedule": "hourly"},
        dim_customers={"schedule": "daily"},
        fct_orders={"schedule": "hourly"},
    )
    text = str(manifest(*nodes, project="shop")).replace("stg_orders", "stg")
    for name, short in (("dim_customers", "dim"), ("fct_orders", "fct")):
        text = text.replace(name, short)
    content = eval(text)
    content["nodes"]["model.shop.fct"]["depends_on"]["nodes"] = ["model.shop.dim"]
    write(tmp_path / "cycle" / "manifest.json", content)
    namespace: dict[str, Any] = {"__file__": str(tmp_path / "dags.py")}
    load_dags("cycle", namespace, conn_id="warehouse", cycles="refuse")
    (error,) = [value for name, value in namespace.items() if name.startswith("dataops_errors")]
    with pytest.raises(ValueError, match="cannot be split") as caught:
        error.validate()
    assert " ".join(CIRCLE.text.split()) in " ".join(str(caught.value).split())


def test_a_source_that_another_dag_fills_starts_a_dag(desk: Desk) -> None:
    content = manifest(*shop_nodes(), project="shop")
    content["nodes"]["model.shop.stg_orders"]["depends_on"]["nodes"] = ["source.shop.raw.orders"]
    content["sources"]["source.shop.raw.orders"] = {
        "unique_id": "source.shop.raw.orders",
        "resource_type": "source",
        "source_name": "raw",
        "name": "orders",
        "identifier": "orders",
        "database": "wh",
        "schema": "raw",
        "package_name": "shop",
        "original_file_path": "models/raw.yml",
        "path": "models/raw.yml",
        "fqn": ["shop", "raw", "orders"],
        "config": {"enabled": True},
    }
    write(desk.folder / "manifests" / "manifest.json", content)
    dag: DAG = desk.dags(SOURCES)["shop"]
    assert [asset.name for asset in dag.schedule.objects] == ["dataops://warehouse/wh/raw/orders"]


def test_a_wrong_word_of_a_block_would_be_seen(desk: Desk, shop: Shop) -> None:
    """The runner refuses what Airflow refuses."""
    from airflow_dataops import dbt_dag

    path = shop()
    with pytest.raises(ConfigError, match="granularity"):
        dbt_dag(manifest=path, conn_id="warehouse", granularity="chains")
