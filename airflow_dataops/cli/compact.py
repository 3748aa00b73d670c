"""A dbt manifest cut down to what is read from it, with what dbt leaves out put in.

The result is still a dbt manifest (schema v12), in which `metadata.dataops` marks the additions:
`compiled_code_incremental` of incremental models, `dataops_csv` and `dataops_column_types` of
seeds, `dataops_touched` of what touches something while it is rendered (the warehouse, the
clock), `dataops_slots` of code that values of a run go into, `dataops_refreshed` of code that is
another one on a full refresh, `dataops_batched` of microbatch models whose code has places for the
times of a batch, and `dataops_columns`, the order of the columns of a contract.
It holds no times, no ids of a run and no paths of a machine: the same project gives the same
bytes, one node a line.
"""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from airflow_dataops.adapters.dbt_cli import Rendered

Entry = dict[str, Any]

VERSION = 3
"""Version of the additions, in `metadata.dataops`."""

_METADATA = ("dbt_schema_version", "project_name", "adapter_type")

_KEYS = frozenset(
    {
        "access",
        "alias",
        "attached_node",
        "checksum",
        "column_name",
        "compiled",
        "compiled_code",
        "config",
        "database",
        "depends_on",
        "description",
        "external",
        "fqn",
        "freshness",
        "group",
        "identifier",
        "label",
        "language",
        "latest_version",
        "loaded_at_field",
        "loaded_at_query",
        "loader",
        "maturity",
        "meta",
        "model",
        "name",
        "original_file_path",
        "owner",
        "package_name",
        "patch_path",
        "path",
        "relation_name",
        "resource_type",
        "schema",
        "source_name",
        "tags",
        "test_metadata",
        "type",
        "unique_id",
        "url",
        "version",
        "versions",
    }
)

_COLUMN_KEYS = ("description", "name", "policy_tags")
_CONTRACT_KEYS = ("constraints", "data_type", "name", "quote")

_SECTIONS = (
    "nodes",
    "sources",
    "exposures",
    "unit_tests",
    "groups",
    "functions",
    "metrics",
    "semantic_models",
    "saved_queries",
)

_EXPECTED = ("macros", "docs", "disabled")
"""Sections that readers of manifests expect to be there, if only empty."""

# What these macros answer is in the compiled manifest already.
_RESOLVED = {
    "generate_alias_name",
    "generate_database_name",
    "generate_schema_name",
    "is_incremental",
    "ref",
    "source",
}


def compact(
    rendered: Rendered,
    seeds: Mapping[str, str],
    variables: Mapping[str, Any] | None = None,
    runtime_vars: Collection[str] = (),
) -> Entry:
    """Return the manifest to write.

    Args:
        seeds: the text of each seed's file by unique id.
        variables: what dbt's `--vars` gave.
        runtime_vars: the vars that each run sets for itself.
    """
    manifest = rendered.manifest
    found = manifest["metadata"]
    result: Entry = {
        "metadata": {key: found[key] for key in _METADATA if key in found}
        | {"dataops": _dataops(rendered, variables or {}, runtime_vars) | _settings(rendered)},
        "selectors": manifest.get("selectors") or {},
    }
    for section in _SECTIONS:
        entries = manifest.get(section) or {}
        result[section] = {id_: _prune(entry) for id_, entry in entries.items()}
    result |= {section: {} for section in _EXPECTED}
    result["macros"] = _macros(manifest, rendered.dispatch)
    for id_, text in rendered.incremental.items():
        result["nodes"][id_]["compiled_code_incremental"] = text
    for id_, touched in rendered.touched.items():
        _entry(result, id_)["dataops_touched"] = touched
    for id_, slots in rendered.slots.items():
        _entry(result, id_)["dataops_slots"] = slots
    for id_, code in rendered.refreshed.items():
        _entry(result, id_)["dataops_refreshed"] = code
    for id_ in rendered.batched:
        result["nodes"][id_]["dataops_batched"] = True
    for id_, text in seeds.items():
        result["nodes"][id_]["dataops_csv"] = text
        result["nodes"][id_]["dataops_column_types"] = rendered.column_types[id_]
    return result


def encode(manifest: Entry) -> bytes:
    """Write a manifest as JSON: sorted, one entry a line, so that a diff shows what changed."""
    return ("{\n" + ",\n".join(_sections(manifest)) + "\n}\n").encode()


def _sections(manifest: Entry) -> Iterator[str]:
    for name, section in sorted(manifest.items()):
        if name == "metadata" or not section:
            yield f"{_dump(name)}: {_dump(section)}"
        else:
            lines = ",\n".join(f"{_dump(id_)}: {_dump(section[id_])}" for id_ in sorted(section))
            yield f"{_dump(name)}: {{\n{lines}\n}}"


def _dump(value: object) -> str:
    return json.dumps(
        value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_text
    )


def _text(value: object) -> str:
    """Write what YAML knows and JSON does not: dates and times."""
    if isinstance(value, date):  # a datetime is a date
        return value.isoformat()
    raise TypeError(f"{value!r} cannot be written as JSON")


def _prune(entry: Entry) -> Entry:
    kept = {key: value for key, value in entry.items() if key in _KEYS and not _is_empty(value)}
    if "config" in kept:
        kept["config"] = {k: v for k, v in kept["config"].items() if not _is_empty(v)}
    if entry.get("resource_type") == "operation":  # a hook around the run; dbt may have to run it
        kept["raw_code"] = entry.get("raw_code") or ""
    if columns := _columns(entry):
        kept["columns"] = columns
    if _has_contract(entry):
        kept["dataops_columns"] = list(entry.get("columns") or {})
        kept["constraints"] = entry.get("constraints") or []
    if "depends_on" in kept:
        kept["depends_on"] = {"macros": [], "nodes": entry["depends_on"].get("nodes", [])}
    return kept


def _columns(entry: Entry) -> Entry:
    """Return a node's columns, if the warehouse is told of them: they are many."""
    asked = (entry.get("config") or {}).get("persist_docs") or {}
    keys = {*(_COLUMN_KEYS if asked.get("columns") else ())}
    keys |= {*(_CONTRACT_KEYS if _has_contract(entry) else ())}
    return {
        name: {key: column[key] for key in sorted(keys) if not _is_empty(column.get(key))}
        for name, column in (entry.get("columns") or {}).items()
        if keys
    }


def _has_contract(entry: Entry) -> bool:
    contract = (entry.get("config") or {}).get("contract") or {}
    return entry.get("resource_type") == "model" and bool(contract.get("enforced"))


def _is_empty(value: object) -> bool:
    return value is None or value in ("", [], {})


def _entry(manifest: Entry, id_: str) -> Entry:
    found: Entry = manifest["sources" if id_ in manifest["sources"] else "nodes"][id_]
    return found


def _dataops(
    rendered: Rendered, variables: Mapping[str, Any], runtime_vars: Collection[str]
) -> Entry:
    found = {
        "dispatch": list(rendered.dispatch),
        "target": rendered.target,
        "vars": {name: value for name, value in variables.items() if name not in runtime_vars},
        "runtime_vars": sorted(runtime_vars),
        "given": rendered.given,
    }
    return {"version": VERSION} | {name: value for name, value in found.items() if value}


def _settings(rendered: Rendered) -> Entry:
    found = rendered.settings
    if found is None:
        return {}
    told = {
        "session": found.session,
        "left_out": list(found.left_out),
        "warn_error": found.warn_error,
        "fail_fast": found.fail_fast,
    }
    return {name: value for name, value in told.items() if value}


def _macros(manifest: Entry, dispatch: tuple[str, ...]) -> dict[str, Entry]:
    """Return the macros without their code, if the project or a package replaces dbt's own.

    Such a project may build its tables in another way than dbt does; a reader can find out from
    the names, and from who calls whom.
    """
    macros = manifest["macros"]
    root = manifest["metadata"]["project_name"]
    own = {_bare(macro["name"]) for macro in macros.values() if macro["package_name"] == root}
    others = {_bare(macro["name"]) for macro in macros.values() if macro["package_name"] != root}
    internal = {root, "dbt", f"dbt_{manifest['metadata'].get('adapter_type')}"}
    replacing = any(
        macro["package_name"] in dispatch
        or (macro["package_name"] not in internal and macro["name"].startswith("materialization_"))
        for macro in macros.values()
    )
    if not replacing and not (own & others) - _RESOLVED:
        return {}
    keys = ("name", "package_name", "unique_id", "resource_type", "original_file_path")
    return {
        id_: {
            **{key: macro[key] for key in keys},
            "path": macro["original_file_path"],
            "depends_on": {"macros": macro["depends_on"]["macros"]},
            "macro_sql": "",
        }
        for id_, macro in macros.items()
    }


def _bare(name: str) -> str:
    """Return a macro's name without the adapter it is for: `duckdb__x` stands in for `x`."""
    return name.rpartition("__")[2]
