"""Reading from a manifest what state selectors compare."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from airflow_dataops.core.manifests import read_state
from airflow_dataops.core.model import NodeState, ProjectState
from airflow_dataops.errors import ManifestError

ORDERS: dict[str, Any] = {
    "name": "orders",
    "resource_type": "model",
    "fqn": ["shop", "orders"],
    "raw_code": "select 1",
    "unrendered_config": {"materialized": "table", "tags": ["daily"], "alias": "o"},
    "description": "All orders.",
    "columns": {"id": {"name": "id", "description": "The number."}},
    "contract": {"enforced": False, "checksum": None},
    "access": "protected",
    "depends_on": {"nodes": [], "macros": ["macro.shop.tidy"]},
}


def state_of(**changes: Any) -> ProjectState:
    """Read a manifest of one model, changed as told."""
    manifest = {
        "metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json"},
        "nodes": {"model.shop.orders": ORDERS | changes},
        "macros": {"macro.shop.tidy": {"name": "tidy", "macro_sql": "{% macro tidy() %}"}},
    }
    return read_state(msgspec.json.encode(manifest), source="manifest.json")


def changed_parts(**changes: Any) -> set[str]:
    """Return the parts of the model's state that a change touches."""
    before, now = (state_of(**each).nodes["model.shop.orders"] for each in ({}, changes))
    fields = NodeState.__struct_fields__
    return {field for field in fields if getattr(before, field) != getattr(now, field)}


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"raw_code": "select 2"}, {"body"}),
        ({"compiled_code": "select 1", "created_at": 2.5}, set()),
        ({"fqn": ["shop", "marts", "orders"]}, {"fqn"}),
        ({"unrendered_config": {"materialized": "view", "alias": "o"}}, {"configs"}),
        ({"unrendered_config": {"alias": "o", "materialized": "table"}}, set()),
        ({"unrendered_config": {"materialized": "table", "alias": "p"}}, {"relation"}),
        ({"description": ""}, {"description"}),
        ({"columns": {}}, {"columns"}),
        ({"contract": {"enforced": True, "checksum": "c"}}, {"contract"}),
        ({"contract": {"enforced": False, "checksum": "c"}}, set()),
        ({"access": "public"}, {"rest"}),
        ({"latest_version": 2}, {"rest"}),
        ({"depends_on": {"macros": []}}, {"macros"}),
        ({"tags": ["nightly"], "group": "finance"}, set()),
    ],
)
def test_parts(changes: dict[str, Any], parts: set[str]) -> None:
    """Each change touches the part that dbt counts it to, and no other."""
    assert changed_parts(**changes) == parts


def test_macros() -> None:
    """Macros are there by id, to be followed."""
    assert state_of().macros["macro.shop.tidy"].body


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b'{"nodes": {', "cut off"),
        (b'{"metadata": {}}', "no dbt manifest"),
        (b'{"metadata": {"dbt_schema_version": "x/dbt/manifest/v4.json"}}', "oldest"),
        (
            b'{"metadata": {"dbt_schema_version": "x/dbt/manifest/v12.json",'
            b' "dataops": {"version": 1}}}',
            "leaves out what `state:` compares",
        ),
    ],
)
def test_no_manifest(data: bytes, said: str) -> None:
    """The errors are those of the manifest reader."""
    with pytest.raises(ManifestError, match=said):
        read_state(data, source="prod/manifest.json")


def test_an_entry_of_a_wrong_shape() -> None:
    """What only the comparison looks at is checked too."""
    with pytest.raises(ManifestError, match="Let dbt write the manifest again"):
        state_of(unrendered_config=5)
