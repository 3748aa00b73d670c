"""Contracts in files: our own YAML, the Open Data Contract Standard v3, and dbt's contracts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import yaml

from airflow_dataops.adapters.local_files import read_regular, read_settings_file
from airflow_dataops.core.quality.contract import Contract, ContractColumn
from airflow_dataops.core.yaml_loader import Bounded
from airflow_dataops.errors import ConfigError

# https://bitol-io.github.io/open-data-contract-standard/v3.0.2/
_STANDARD = re.compile(r"v?3\.")
_HOURS = {"h": 1.0, "hour": 1.0, "hours": 1.0, "d": 24.0, "day": 24.0, "days": 24.0}
_HOURS |= {"m": 1 / 60, "minute": 1 / 60, "minutes": 1 / 60}
_FRESH = ("freshness", "latency")


def read_contract(path: str | Path, *, table: str | None = None, **more: Any) -> Contract:
    """Read a contract from YAML: ours, or one of the Open Data Contract Standard v3.

    Args:
        table: which of the standard's `schema` is meant, where there are several.
        more: settings that the standard has no words for, such as `on_column="evolve"`.

    Raises:
        ConfigError: the file cannot be read, or says something that is no contract.
    """
    try:
        found = yaml.load(read_settings_file(Path(path)), Bounded)  # noqa: S506 - a safe loader
    except (ConfigError, yaml.YAMLError) as error:
        raise ConfigError(f"Contract {path}: {error}") from error
    if not isinstance(found, dict):
        raise ConfigError(f"Contract {path}: write a mapping with name and columns.")
    try:
        if "apiVersion" in found or found.get("kind") == "DataContract":
            return of_standard(found, table=table, **more)
        return _ours(found | more)
    except (ConfigError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"Contract {path}: {error}") from error


def _ours(found: dict[str, Any]) -> Contract:
    columns = found.get("columns")
    if not isinstance(columns, list) or not all(isinstance(each, dict) for each in columns):
        raise ConfigError("columns: write a list of mappings with a name each.")
    _refuse_unknown(found, Contract, "the contract")
    for each in columns:
        _refuse_unknown(each, ContractColumn, f"column {each.get('name')!r}")
    return Contract(**{**found, "columns": [ContractColumn(**each) for each in columns]})


def of_standard(found: dict[str, Any], *, table: str | None = None, **more: Any) -> Contract:
    """Return the contract of one table of a document of the Open Data Contract Standard v3."""
    if not _STANDARD.match(str(found.get("apiVersion"))):
        raise ConfigError(f"apiVersion {found.get('apiVersion')!r}: v3 of the standard is read.")
    schemas = found.get("schema") or []
    named = [each for each in schemas if table in (None, each.get("name"))]
    if len(named) != 1:
        names = ", ".join(str(each.get("name")) for each in schemas) or "none"
        raise ConfigError(f"name the table that is meant with table=; there are {names}.")
    [schema] = named
    properties = schema.get("properties") or []
    keys = [p for p in properties if p.get("primaryKey")]
    keys.sort(key=lambda p: p.get("primaryKeyPosition", 1))
    return Contract(
        name=str(schema.get("physicalName") or schema["name"]),
        columns=[_property(each) for each in properties],
        primary_key=[_name(each) for each in keys],
        **(_freshness(found.get("slaProperties") or [], schema["name"]) | more),
    )


def _property(given: dict[str, Any]) -> ContractColumn:
    options = given.get("logicalTypeOptions") or {}
    accepted: list[Any] | None = None
    for rule in given.get("quality") or []:
        arguments = rule.get("arguments") or {}
        accepted = arguments.get("validValues") or rule.get("validValues") or accepted
    return ContractColumn(
        name=_name(given),
        type=given.get("physicalType"),
        required=bool(given.get("required")),
        min=options.get("minimum"),
        max=options.get("maximum"),
        accepted=accepted,
    )


def _name(given: dict[str, Any]) -> str:
    return str(given.get("physicalName") or given["name"])


def _freshness(slas: list[dict[str, Any]], table: str) -> dict[str, Any]:
    for each in slas:
        of, _, column = str(each.get("element") or "").rpartition(".")
        if each.get("property") in _FRESH and column and of in ("", table):
            unit = _HOURS.get(str(each.get("unit", "h")))
            if unit is None:
                raise ConfigError(f"slaProperties: unit {each.get('unit')!r} is no time.")
            return {"fresh_by": column, "max_age_hours": float(each["value"]) * unit}
    return {}


def contract_of_dbt(manifest: str | Path, node: str, **more: Any) -> Contract:
    """Return the contract of a dbt model: its columns' types and constraints.

    Args:
        manifest: the path of a `manifest.json`.
        node: the model's unique id, such as `model.shop.orders`.
        more: settings that dbt has no words for, such as `on_column="evolve"`.

    Raises:
        ConfigError: there is no such model, or it has no enforced contract.
    """
    try:
        nodes = msgspec.json.decode(read_regular(Path(manifest)))["nodes"]
        model = nodes[node]
    except (OSError, msgspec.DecodeError, KeyError, TypeError) as error:
        raise ConfigError(f"Contract of {node} in {manifest}: {error!r}") from error
    if not (model.get("config") or {}).get("contract", {}).get("enforced"):
        raise ConfigError(f"{node} in {manifest} has no enforced contract.")
    columns, keys = [], []
    for each in model["columns"].values():
        kinds = {constraint["type"] for constraint in each.get("constraints") or []}
        columns.append(
            ContractColumn(
                name=each["name"], type=each.get("data_type"), required="not_null" in kinds
            )
        )
        keys += [each["name"]] if "primary_key" in kinds else []
    for constraint in model.get("constraints") or []:
        keys += constraint.get("columns") or [] if constraint["type"] == "primary_key" else []
    return Contract(name=node, columns=columns, primary_key=keys, **more)


def _refuse_unknown(given: dict[str, Any], kind: type[msgspec.Struct], where: str) -> None:
    if unknown := [each for each in given if each not in kind.__struct_fields__]:
        known = ", ".join(kind.__struct_fields__)
        raise ConfigError(f"{where} has no {unknown[0]!r}; there are {known}.")
