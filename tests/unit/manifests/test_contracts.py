"""Enforced contracts as the manifest has them, and what of them only dbt can enforce."""

from __future__ import annotations

import json
from typing import Any

import pytest

from airflow_dataops.cli.compact import encode
from airflow_dataops.core.model import Constraint, ContractedColumn, ModelContract, ModelSpec
from tests.unit.cli.test_compact import MODEL, a_manifest, compacted
from tests.unit.manifests.built import entry, read

CONFIG = {"enabled": True, "materialized": "table", "contract": {"enforced": True}}
COLUMNS = {
    "b": {"name": "b", "data_type": "string", "quote": True, "constraints": []},
    "a": {
        "name": "a",
        "data_type": "int",
        "constraints": [{"type": "check", "expression": "a > 0", "columns": None}],
    },
}
KEY = {"type": "foreign_key", "columns": ["a"], "to": '"db"."main"."p"', "to_columns": ["id"]}


def spec(adapter: str = "postgres", **fields: Any) -> ModelSpec:
    """Read a model with a contract."""
    nodes = {
        "model.shop.m": entry("model.shop.m", **({"config": CONFIG, "columns": COLUMNS} | fields))
    }
    found = read(nodes=nodes, metadata={"adapter_type": adapter}).project.nodes["model.shop.m"].spec
    assert isinstance(found, ModelSpec)
    return found


def test_reads_a_contract() -> None:
    """Also the name that `alias_types` gives a type, and that the SQL names another table."""
    found = spec(constraints=[KEY])
    assert found.unsupported == ()
    assert found.tied == ("a foreign key",)
    assert found.contract == ModelContract(
        columns=(
            ContractedColumn(name="b", type="TEXT", quoted=True),
            ContractedColumn(
                name="a", type="int", constraints=(Constraint(type="check", expression="a > 0"),)
            ),
        ),
        constraints=(
            Constraint(
                type="foreign_key", columns=("a",), to='"db"."main"."p"', to_columns=("id",)
            ),
        ),
    )


def test_types_are_as_written_without_alias_types() -> None:
    contract = spec(config=CONFIG | {"contract": {"enforced": True, "alias_types": False}}).contract
    assert contract is not None
    assert contract.columns[0].type == "string"


@pytest.mark.parametrize(
    ("adapter", "fields", "reason"),
    [
        ("postgres", {"columns": {}}, "a contract with columns of no data_type"),
        ("postgres", {"columns": {"a": {"name": "a"}}}, "a contract with columns of no data_type"),
        (
            "postgres",
            {"columns": {"a": {"name": "a int); drop table p; --", "data_type": "int"}}},
            "a contract with odd names of columns",
        ),
        (
            "postgres",
            {"constraints": [KEY | {"to": "p (id); drop table p; --"}]},
            "constraints with Jinja or odd names",
        ),
        (
            "postgres",
            {"constraints": [{"type": "check", "expression": "{{ x }}"}]},
            "constraints with Jinja or odd names",
        ),
        ("duckdb", {"constraints": [KEY]}, "a foreign key on DuckDB"),
        (
            "bigquery",
            {"columns": {"a.b": {"name": "a.b", "data_type": "int64", "quote": True}}},
            "a contract with fields of a STRUCT",
        ),
    ],
)
def test_what_only_dbt_can_enforce(adapter: str, fields: dict[str, Any], reason: str) -> None:
    assert spec(adapter, **fields).unsupported == (reason,)


def test_compile_keeps_the_order_of_a_contracts_columns() -> None:
    """All else is sorted in its file."""
    manifest = a_manifest()
    node = manifest["nodes"][MODEL]
    node["config"]["contract"] = {"enforced": True}
    node |= {"columns": COLUMNS, "constraints": [KEY]}
    kept = json.loads(encode(compacted(nodes=manifest["nodes"])))["nodes"][MODEL]
    assert kept["dataops_columns"] == ["b", "a"]
    assert kept["constraints"] == [KEY]
    found = spec(config=CONFIG, **{k: kept[k] for k in ("columns", "dataops_columns")}).contract
    assert found is not None
    assert [column.name for column in found.columns] == ["b", "a"]
