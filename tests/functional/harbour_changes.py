"""A day's work on tests/projects/harbour: one change of each sort that dbt tells apart."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

# File, what is written there, what is written there afterwards.
_EDITS = (
    # The body of a model, of a seed, of a singular test.
    ("models/staging/stg_berths.sql", "berth_id, depth", "berth_id, depth, length"),
    ("seeds/flags.csv", "DE,Germany", "DE,Germany\nMT,Malta"),
    ("tests/assert_flags.sql", "code is null", "code is null or country is null"),
    # Configuration; tags and groups do not count for it.
    ("models/marts/billing/_billing.yml", "access: protected\n", "config: {materialized: view}\n"),
    ("models/staging/_staging.yml", "severity: warn, tags: [slow]", "severity: error"),
    ("models/marts/core/_core.yml", "tags: [hourly]", "tags: [hourly, changed]"),
    # Where it is built, and who may use it.
    ("seeds/_seeds.yml", "config:\n", "config:\n      alias: tariff_rates\n"),
    (
        "models/staging/_staging.yml",
        "  - name: stg_calls",
        "  - name: stg_calls\n    access: public",
    ),
    ("models/marts/core/_core.yml", "latest_version: beta", "latest_version: gamma"),
    # Descriptions, persisted and not.
    ("models/marts/core/_core.yml", "description: Berths.", "description: All berths."),
    ("models/staging/_staging.yml", "One row a ship.", "A ship a row."),
    # A macro below a macro, one of a package, one of a generic test.
    ("macros/tidy.sql", "trim({{ column }})", "trim(both from {{ column }})"),
    ("macros/tidy.sql", "<= {{ least }}", "< {{ least }} + 1"),
    ("packages/tide_tools/macros/tide_level.sql", ", 0)", ", -1)"),
    # A contract gains a column.
    (
        "models/marts/core/_core.yml",
        "{name: name, data_type: varchar}",
        "{name: name, data_type: varchar}\n      - {name: flag, data_type: varchar}",
    ),
    # Sources: freshness, name in the warehouse, a new one.
    ("models/staging/_sources.yml", "count: 2, period: day", "count: 3, period: day"),
    ("models/staging/_sources.yml", "identifier: port_calls", "identifier: port_visits"),
    ("models/staging/_sources.yml", "- name: crews", "- name: crews\n      - name: flags"),
    # Exposures and unit tests.
    ("models/marts/billing/_billing.yml", "bi.example.com/harbour", "bi.example.com/port"),
    ("models/staging/_staging.yml", "rows: [{ship_id: 1, name: A}]", "rows: [{ship_id: 1}]"),
    # What was disabled comes back.
    ("models/ops/retired.sql", "enabled=false", "enabled=true"),
)
_NEW = {
    "models/ops/ops_new.sql": "select * from {{ ref('stg_calls') }}",
    "models/ops/_ops.yml": """
models:
  - name: ops_new
    columns:
      - name: call_id
        data_tests: [unique]
exposures:
  - name: night_shift
    type: analysis
    owner: {name: Nils, email: nils@example.com}
    depends_on: [ref('ops_new')]
unit_tests:
  - name: new_is_empty
    model: ops_new
    given: [{input: ref('stg_calls'), rows: []}]
    expect: {rows: []}
""",
    "seeds/new_flags.csv": "code\nMT\n",
}


def change(folder: Path) -> None:
    """Edit, add, remove and move files of a copy of harbour."""
    for name, before, after in _EDITS:
        file = folder / name
        text = file.read_text()
        assert text.count(before) == 1, f"{before!r} is not once in {name}"
        file.write_text(text.replace(before, after))
    for name, text in _NEW.items():
        (folder / name).write_text(text)
    (folder / "models/ops/ops_alerts.py").unlink()
    calendar = folder / "models/ops/shared_calendar.sql"
    (calendar.parent / "calendars").mkdir()
    calendar.rename(calendar.parent / "calendars" / calendar.name)


_STATUSES = {
    "model.harbour.stg_ships": "success",
    "model.harbour.stg_berths": "success",
    "model.harbour.stg_crews": "error",
    "model.harbour.dim_ships.v2": "skipped",
    "model.harbour.fct_calls": "skipped",
    "model.harbour.ops_alerts": "error",
    "test.harbour.assert_flags": "fail",
    "test.harbour.assert_calls_have_ships": "warn",
    "test.harbour.not_null_stg_berths_berth_id.54039b77e3": "fail",
}
_LOADED_BEFORE = {
    "source.harbour.register.ships": "2026-01-01T00:00:00Z",
    "source.harbour.register.crews": "2026-01-01T00:00:00Z",
    "source.harbour.quay.berths": None,
}
_LOADED_NOW = {
    "source.harbour.register.ships": "2026-01-02T00:00:00Z",
    "source.harbour.register.crews": "2026-01-01T00:00:00Z",
    "source.harbour.quay.berths": "2026-01-01T00:00:00Z",
    "source.harbour.quay.calls": None,
}
_COMMON: dict[str, Any] = {
    "timing": [],
    "thread_id": "Thread-1",
    "execution_time": 0.1,
    "adapter_response": {},
}


def leave_results(before: Path, now: Path) -> None:
    """Write run_results.json and sources.json as dbt does."""
    ended = [_result(id_, status) for id_, status in _STATUSES.items()]
    _write(before / "run_results.json", "run-results/v6", ended)
    for folder, loaded in ((before, _LOADED_BEFORE), (now, _LOADED_NOW)):
        looks = [_source(id_, when) for id_, when in loaded.items()]
        _write(folder / "sources.json", "sources/v3", looks)


def _write(file: Path, schema: str, results: list[dict[str, Any]]) -> None:
    address = f"https://schemas.getdbt.com/dbt/{schema}.json"
    artifact = {
        "metadata": {"dbt_schema_version": address, "generated_at": "2026-01-02T00:00:00Z"},
        "results": results,
        "elapsed_time": 1.0,
        "args": {},
    }
    file.write_text(json.dumps(artifact))


def _result(id_: str, status: str) -> dict[str, Any]:
    details = {"message": None, "failures": None, "compiled": None}
    code = {"compiled_code": None, "relation_name": None}
    return _COMMON | {"unique_id": id_, "status": status} | details | code


def _source(id_: str, loaded: str | None) -> dict[str, Any]:
    if loaded is None:
        return {"unique_id": id_, "status": "runtime error", "error": "no such table"}
    return _COMMON | {
        "unique_id": id_,
        "status": "pass",
        "max_loaded_at": loaded,
        "snapshotted_at": "2026-01-02T00:00:00Z",
        "max_loaded_at_time_ago_in_s": 1.0,
        "criteria": {"warn_after": None, "error_after": None, "filter": None},
    }
