"""A project of enforced contracts: what holds, what breaks them, and every kind of constraint."""

from __future__ import annotations

import json
from typing import Any

ROWS = (
    "select n as id, n * 10 as amount, 'x' || n as label, date '2026-01-02' as made from raw.days"
)
CONTRACT = "contract={'enforced': true}"
CONFIGS = {
    "t": "materialized='table'",
    "v": "materialized='view'",
    "i": "materialized='incremental', incremental_strategy='append',"
    " on_schema_change='append_new_columns'",
    "k": "materialized='incremental', unique_key='id', on_schema_change='fail'",
    "type": "materialized='table'",
    "more": "materialized='view'",
    "less": "materialized='incremental', on_schema_change='fail'",
    "null": "materialized='table'",
    "check": "materialized='table'",
    "case": "materialized='table'",
}
WRONG = {"type", "more", "less", "null", "check", "case"}
QUERIES = {
    "v": 'select n as "order", cast(n as varchar(20)) as b, cast(1.5 as numeric(9, 2)) as c,'
    " cast(null as time) as d, true as e, cast(n as double precision) as f,"
    " cast('2026-01-01 10:00:00' as timestamp) as g, cast(n as bigint) as h from raw.days",
    "type": "select n as id, cast(n as varchar) as amount, 1 as label from raw.days",
    "more": "select n as id, n as extra, n as another from raw.days",
    "less": "select n as id from raw.days",
    "null": "select cast(null as integer) as id from raw.days",
    "check": "select n as id, -1 as amount from raw.days",
    "case": 'select n as "Id" from raw.days',
}


def files(*, foreign_keys: bool) -> dict[str, str]:
    """Return the files of the project."""
    found = {"models/contracts.yml": json.dumps(_yaml(foreign_keys=foreign_keys))}
    for name, config in CONFIGS.items():
        query = QUERIES.get(name, ROWS)
        found[f"models/{name}.sql"] = f"{{{{ config({config}, {CONTRACT}) }}}}\n{query} -- end"
    return found


def _column(name: str, type_: str, *constraints: str | dict[str, Any], **more: Any) -> Any:
    listed = [{"type": c} if isinstance(c, str) else c for c in constraints]
    return {"name": name, "data_type": type_, "constraints": listed, **more}


def _yaml(*, foreign_keys: bool) -> dict[str, Any]:
    positive = {"type": "check", "expression": "amount >= 0"}
    to_t = {"type": "foreign_key", "to": "ref('t')", "to_columns": ["id"]}
    whole = [_column("label", "text", "not_null"), _column("made", "date")]
    columns = {
        "t": [
            *whole,
            _column("amount", "integer", positive),
            _column("id", "integer", "not_null", "primary_key"),
        ],
        "v": [
            _column("h", "bigint"),
            _column("order", "integer", quote=True),
            _column("b", "varchar"),
            _column("c", "numeric(9, 2)"),
            _column("d", "time", "not_null"),
            _column("e", "boolean"),
            _column("f", "double precision"),
            _column("g", "timestamp"),
        ],
        "i": [*whole, _column("id", "integer"), _column("amount", "integer", positive)],
        "k": [
            _column("id", "integer", *([to_t] if foreign_keys else [])),
            _column("amount", "integer", {"type": "custom", "expression": "default 7"}),
            *whole,
        ],
        "type": [_column("id", "integer"), _column("amount", "integer"), _column("label", "text")],
        "more": [_column("id", "integer"), _column("wanted", "date")],
        "less": [_column("id", "integer"), _column("amount", "integer")],
        "null": [_column("id", "integer", "not_null")],
        "check": [_column("id", "integer"), _column("amount", "integer", positive)],
        "case": [_column("id", "integer")],
    }
    of_table = {
        "i": [
            {"type": "primary_key", "columns": ["id", "label"]},
            {"type": "check", "name": "few", "expression": "id < 1000 and label <> ''"},
        ],
        "k": [{"type": "unique", "columns": ["id", "amount"]}],
    }
    models = [
        {"name": name, "columns": found, "constraints": of_table.get(name, [])}
        for name, found in columns.items()
    ]
    return {"version": 2, "models": models}
