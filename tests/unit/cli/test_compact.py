"""What is left of dbt's manifest, and what is put in."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

from airflow_dataops.adapters.dbt_cli import Rendered
from airflow_dataops.cli.compact import compact, encode

MODEL = "model.shop.fct"
SEED = "seed.shop.codes"


def a_manifest(**sections: Any) -> dict[str, Any]:
    nodes = {
        MODEL: {
            "resource_type": "model",
            "name": "fct",
            "tags": [],
            "raw_code": "{{ ref('x') }}",
            "compiled_code": "select 1",
            "compiled_path": "/home/me/target/fct.sql",
            "created_at": 1.5,
            "config": {"materialized": "incremental", "full_refresh": False, "grants": {}},
            "depends_on": {"macros": ["macro.dbt.x"], "nodes": ["model.shop.x"]},
            "columns": {"id": {"name": "id"}},
        },
        SEED: {"resource_type": "seed", "name": "codes", "root_path": "/home/me", "config": {}},
    }
    metadata = {
        "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json",
        "project_name": "shop",
        "adapter_type": "duckdb",
        "generated_at": "2026-01-01T00:00:00Z",
        "invocation_id": "abc",
    }
    return {"metadata": metadata, "nodes": nodes, "macros": {}, **sections}


def a_macro(package: str, name: str) -> dict[str, Any]:
    return {
        "name": name,
        "package_name": package,
        "unique_id": f"macro.{package}.{name}",
        "resource_type": "macro",
        "original_file_path": "macros/x.sql",
        "macro_sql": "a long text",
        "depends_on": {"macros": ["macro.dbt.y"]},
    }


def compacted(**sections: Any) -> dict[str, Any]:
    touched = {MODEL: ["clock:run_started_at"]}
    rendered = Rendered(
        a_manifest(**sections), {MODEL: "select 2"}, {SEED: {"code": "text"}}, touched, ()
    )
    return compact(rendered, {SEED: "code\na\n"})


def test_metadata_says_who_wrote_it_and_not_when() -> None:
    assert compacted()["metadata"] == {
        "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json",
        "project_name": "shop",
        "adapter_type": "duckdb",
        "dataops": {"version": 3},
    }


def test_a_model_keeps_what_is_read_and_gets_its_second_rendering() -> None:
    """Settings that are false are kept; empty ones say nothing and go."""
    assert compacted()["nodes"][MODEL] == {
        "resource_type": "model",
        "name": "fct",
        "compiled_code": "select 1",
        "compiled_code_incremental": "select 2",
        "dataops_touched": ["clock:run_started_at"],
        "config": {"materialized": "incremental", "full_refresh": False},
        "depends_on": {"macros": [], "nodes": ["model.shop.x"]},
    }


def test_a_seed_brings_its_file() -> None:
    seed = compacted()["nodes"][SEED]

    assert seed["dataops_csv"] == "code\na\n"
    assert seed["dataops_column_types"] == {"code": "text"}
    assert "root_path" not in seed


def test_macros_are_left_out_of_a_project_that_replaces_none_of_dbts() -> None:
    macros = [a_macro("dbt", "create_view_as"), a_macro("shop", "cents_to_euros")]
    macros += [a_macro("dbt", "generate_schema_name"), a_macro("shop", "generate_schema_name")]

    assert compacted(macros={macro["unique_id"]: macro for macro in macros})["macros"] == {}


def test_macros_stay_without_their_code_where_the_project_replaces_one_of_dbts() -> None:
    """A reader must see that the project builds its views in a way of its own."""
    macros = [a_macro("dbt", "create_view_as"), a_macro("shop", "create_view_as")]

    kept = compacted(macros={macro["unique_id"]: macro for macro in macros})["macros"]

    assert kept.keys() == {"macro.dbt.create_view_as", "macro.shop.create_view_as"}
    assert kept["macro.dbt.create_view_as"]["depends_on"] == {"macros": ["macro.dbt.y"]}
    assert kept["macro.dbt.create_view_as"]["macro_sql"] == ""


def test_a_macro_for_one_adapter_replaces_the_one_for_all() -> None:
    macros = [a_macro("dbt", "default__create_view_as"), a_macro("shop", "duckdb__create_view_as")]

    assert len(compacted(macros={macro["unique_id"]: macro for macro in macros})["macros"]) == 2


def test_dates_of_yaml_are_written_as_text() -> None:
    """`begin: 2026-01-01` of a microbatch model is a date to YAML."""
    manifest = a_manifest()
    manifest["nodes"][MODEL]["config"] |= {"begin": date(2026, 1, 1), "end": datetime(2026, 1, 2)}
    content = encode(compact(Rendered(manifest, {}, {}, {}, ()), {}))

    config = json.loads(content)["nodes"][MODEL]["config"]
    assert (config["begin"], config["end"]) == ("2026-01-01", "2026-01-02T00:00:00")


def test_the_same_manifest_gives_the_same_bytes_whatever_the_order_of_its_keys() -> None:
    manifest = compacted()
    turned = {key: manifest[key] for key in reversed(manifest)}
    turned["nodes"] = dict(reversed(manifest["nodes"].items()))

    assert encode(turned) == encode(manifest)


def test_the_file_is_json_with_one_node_a_line() -> None:
    content = encode(compacted()).decode()

    assert json.loads(content) == compacted()
    assert sum(line.startswith((f'"{MODEL}"', f'"{SEED}"')) for line in content.splitlines()) == 2
