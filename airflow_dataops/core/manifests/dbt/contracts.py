"""Enforced contracts: the columns and constraints that a model's table is made with.

Source: https://docs.getdbt.com/reference/resource-properties/constraints
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from airflow_dataops.core.manifests.dbt import wire
from airflow_dataops.core.manifests.dbt.columns import decoded, written_columns
from airflow_dataops.core.manifests.dbt.hooks import has_jinja
from airflow_dataops.core.manifests.dbt.names import expressions, is_column, is_relation
from airflow_dataops.core.model import Constraint, ContractedColumn, ModelContract

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_dataops.core.manifests.dbt.context import Entry
    from airflow_dataops.core.manifests.dbt.settings import Settings

# `Column.TYPE_LABELS` of dbt's adapters: what `alias_types` makes of a type.
_ALIASES = {"bigquery": {"TEXT": "STRING", "FLOAT": "FLOAT64", "INTEGER": "INT64"}}
_MOST_ALIASES = {"STRING": "TEXT"}
# dbt-duckdb and dbt-bigquery compare the fields of such types, and not the types.
_NESTED = {"duckdb": re.compile(r"\bstruct\b", re.I), "bigquery": re.compile(r"\bstruct\b", re.I)}


def is_enforced(settings: Settings) -> bool:
    """Tell whether a model's contract is enforced."""
    return bool(settings.mapping("contract").get("enforced"))


def read_contract(entry: Entry) -> ModelContract | None:
    """Read a model's contract; None where it has none that is enforced."""
    if not is_enforced(entry.settings):
        return None
    adapter = entry.context.adapter or ""
    aliases = _ALIASES.get(adapter, _MOST_ALIASES)
    if entry.settings.mapping("contract").get("alias_types") is False:
        aliases = {}
    written = written_columns(entry)
    return ModelContract(
        columns=tuple(
            _column(name, written[name], aliases)
            for name in entry.node.dataops_columns or written
            if name in written
        ),
        constraints=tuple(
            map(_constraint, decoded(entry, "constraints", list[wire.Constraint]) or ())
        ),
    )


def contract_reasons(contract: ModelContract | None, adapter: str | None) -> list[str]:
    """Return what of a model's contract only dbt can enforce."""
    if contract is None:
        return []
    if not contract.columns or not all(column.type for column in contract.columns):
        return ["a contract with columns of no data_type"]
    nested, keys = _NESTED.get(adapter or ""), list(_all_constraints(contract))
    found = []
    if nested and any("." in c.name or nested.search(c.type) for c in contract.columns):
        found.append("a contract with fields of a STRUCT")
    if any(not is_column(c.name) for c in contract.columns if not c.quoted):
        found.append("a contract with odd names of columns")
    if adapter == "duckdb" and any(c.type == "foreign_key" for c in keys):
        # A table that one refers to cannot be replaced; dbt-duckdb drops and remakes the other.
        found.append("a foreign key on DuckDB")
    if not all(map(_is_plain, keys)) or any(has_jinja(c.type) for c in contract.columns):
        found.append("constraints with Jinja or odd names")
    return found


def contract_ties(contract: ModelContract | None) -> list[str]:
    """Return what of a contract names tables of the environment that it was compiled for."""
    keys = () if contract is None else _all_constraints(contract)
    return ["a foreign key"] if any(key.type == "foreign_key" for key in keys) else []


def _column(name: str, column: wire.Column, aliases: dict[str, str]) -> ContractedColumn:
    type_ = column.data_type or ""
    return ContractedColumn(
        name=column.name or name,
        type=aliases.get(type_.upper(), type_),
        quoted=bool(column.quote),
        constraints=tuple(map(_constraint, column.constraints or ())),
    )


def _constraint(found: wire.Constraint) -> Constraint:
    return Constraint(
        type=found.type,
        name=found.name or "",
        expression=found.expression or "",
        columns=tuple(found.columns or ()),
        to=found.to or "",
        to_columns=tuple(found.to_columns or ()),
    )


def _all_constraints(contract: ModelContract) -> Iterator[Constraint]:
    for column in contract.columns:
        yield from column.constraints
    yield from contract.constraints


def _is_plain(constraint: Constraint) -> bool:
    names = (*constraint.columns, *constraint.to_columns, *filter(None, [constraint.name]))
    return (
        not expressions(names)
        and not has_jinja(constraint.expression)
        and (not constraint.to or is_relation(constraint.to))
    )
