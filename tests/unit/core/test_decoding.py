"""A config's mistakes: all at once, each at its path."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from airflow_dataops.core.decoding import MistakesError, decode, schema
from airflow_dataops.core.health.config import HealthConfig

EXAMPLE = Path(__file__).parents[3] / "examples" / "orchestration" / "health-config.json"


def mistakes(data: Any) -> dict[str, str]:
    with pytest.raises(MistakesError) as caught:
        decode(json.dumps(data), HealthConfig, source="health.json")
    return {mistake.path: mistake.message for mistake in caught.value.mistakes}


def test_every_mistake_is_told_at_its_path() -> None:
    found = mistakes(
        {
            "tables": [
                {
                    "table_id": "a.b.c.d",
                    "freshness": {
                        "max_age_hours": -1,
                        "timestamp_colum": "at",
                        "timezone": "Europe/Nowhere",
                    },
                },
                {"table_id": 3, "row_count": {"min_rows": 5, "max_rows": 1}},
                {"checks": [{"name": "x"}, {"name": "y", "python": "nothing"}]},
                7,
                {"table_id": "t", "check_partitions": True},
            ],
            "check_failures": "yes",
            "cost_threshold_usd": -3,
            "zz y": 1,
        }
    )
    assert found.pop('$["zz y"]').startswith("There is no such setting; it takes check_costs")
    assert found == {
        "$.tables[0].table_id": "'a.b.c.d' has 4 parts; write database.schema.table.",
        "$.tables[0].freshness.timestamp_colum": (
            "There is no such setting; do you mean timestamp_column?"
        ),
        "$.tables[0].freshness.timestamp_column": "It is missing.",
        "$.tables[0].freshness.max_age_hours": "Expected `float` > 0.0.",
        "$.tables[0].freshness.timezone": (
            "'Europe/Nowhere' is no IANA time zone, such as Europe/Berlin."
        ),
        "$.tables[1].table_id": "Expected `str`, got `int`.",
        "$.tables[1].row_count": "min_rows 5 is above max_rows 1.",
        "$.tables[2].table_id": "It is missing.",
        "$.tables[2].checks[0]": "Set either sql or python.",
        "$.tables[2].checks[1]": "Write 'nothing' as package.module:function.",
        "$.tables[3]": "Expected `object`, got `int`.",
        "$.tables[4]": "check_partitions needs a partition_column.",
        "$.check_failures": "Expected `bool`, got `str`.",
        "$.cost_threshold_usd": "Expected `float` >= 0.0.",
    }


def test_what_is_no_json_is_said_to_be_none() -> None:
    with pytest.raises(
        MistakesError, match=r"h\.json: 1 mistake:\n  - \$: This is no JSON: .*line 1"
    ):
        decode("{,}", HealthConfig, source="h.json")
    with pytest.raises(MistakesError, match=r"\$: Expected `object`, got `array`"):
        decode("[]", HealthConfig, source="h.json")


def test_the_example_is_read_and_null_is_a_default() -> None:
    config = decode(EXAMPLE.read_bytes(), HealthConfig, source="example")
    assert config.tables[0].table_id == "project.dataset.fct_orders"
    assert decode('{"conn_id": null}', HealthConfig, source="x") == HealthConfig()


def test_the_schema_names_every_setting_and_fits_the_example() -> None:
    import jsonschema

    found = schema(HealthConfig)
    jsonschema.Draft202012Validator.check_schema(found)
    validator = jsonschema.Draft202012Validator(found)
    assert not [*validator.iter_errors(json.loads(EXAMPLE.read_bytes()))]
    assert [*validator.iter_errors({"tables": [{"table_i": 1}]})]
    names = set(found["$defs"]["HealthConfig"]["properties"])
    assert names == {field.name for field in msgspec.structs.fields(HealthConfig)}
