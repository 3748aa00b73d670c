"""The JSON Schema of a pipeline's file, for the completion of editors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from airflow_dataops.core.pipelines.fields import DAG_FIELDS, GROUP_FIELDS, TASK_FIELDS
from airflow_dataops.core.pipelines.names import OPERATORS
from airflow_dataops.core.pipelines.schedules import schedule_schema
from airflow_dataops.core.sla.spec import SlaSpec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_dataops.core.pipelines.fields import Field

_NAMES = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
_NAME = "^[A-Za-z0-9_-]+$"


def pipeline_schema() -> dict[str, Any]:
    """Return the schema."""
    (sla,), definitions = msgspec.json.schema_components([SlaSpec], ref_template="#/$defs/{name}")
    body = {
        **_properties(DAG_FIELDS),
        "schedule": schedule_schema(),
        "sla": {"$ref": "#/$defs/sla"},
        "tasks": {"$ref": "#/$defs/tasks"},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A pipeline of airflow-dataops",
        "type": "object",
        "properties": {
            **body,
            "extends": {"type": "string", "description": "a file that this one goes over"},
            "parameters": {
                "type": "object",
                "description": "of a family: written as ${{ name }}",
                "additionalProperties": {
                    "type": ["object", "null"],
                    "properties": {"default": {}, "description": {"type": "string"}},
                    "additionalProperties": False,
                },
            },
            "for_each": {
                "description": "a DAG for each: a list of values by parameter, or lists",
                "anyOf": [
                    {"type": "array", "items": {"type": "object"}, "minItems": 1},
                    {"type": "object", "additionalProperties": {"type": "array"}},
                ],
            },
            "environments": {
                "type": "object",
                "description": "settings that hold in an environment, by its name",
                "additionalProperties": {
                    "type": ["object", "null"],
                    "properties": body,
                    "additionalProperties": False,
                },
            },
        },
        "additionalProperties": False,
        "$defs": {
            **definitions,
            "sla": {"anyOf": [sla, {"type": "array", "items": sla}]},
            "tasks": {
                "type": "object",
                "minProperties": 1,
                "patternProperties": {
                    _NAME: {
                        "if": {"required": ["tasks"]},
                        "then": {"$ref": "#/$defs/group"},
                        "else": {"anyOf": [{"$ref": "#/$defs/task"}, {"type": "null"}]},
                    }
                },
                "additionalProperties": False,
            },
            "group": _group(),
            "task": _task(),
        },
    }


def _group() -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            **_properties(GROUP_FIELDS),
            "tasks": {"$ref": "#/$defs/tasks"},
            "depends_on": _NAMES,
            "sla": {"$ref": "#/$defs/sla"},
        },
        "additionalProperties": False,
    }


def _task() -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            **_properties(TASK_FIELDS),
            "operator": {
                "type": "string",
                "description": "a short name, or an import path",
                "examples": sorted(OPERATORS),
            },
            "depends_on": _NAMES,
            "arguments": {"type": "object", "description": "of the operator"},
            "partial": {"type": "object", "description": "arguments that are not mapped"},
            "expand": {"type": "object", "description": "mapped arguments, by name"},
            "expand_kwargs": {"type": ["array", "object"]},
            "setup": {"type": "boolean"},
            "teardown": {"anyOf": [{"type": "boolean"}, *_NAMES["anyOf"]]},
            "on_failure_fail_dagrun": {"type": "boolean"},
            "sla": {"$ref": "#/$defs/sla"},
        },
        "additionalProperties": True,
    }


def _properties(fields: Mapping[str, Field]) -> dict[str, Any]:
    return {
        name: field.schema | ({"description": field.about} if field.about else {})
        for name, field in fields.items()
    }
