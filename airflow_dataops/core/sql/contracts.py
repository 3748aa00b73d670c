"""Statements for an enforced contract: the columns of a table, and what a query has of them.

Source: dbt's macros `columns_spec_ddl`, and `render_column_constraint` and
`render_model_constraint` of its adapters. Types and expressions are the author's SQL; names are
plain or in quotes, as the reader of the manifest has seen to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.engines import get_engine
from airflow_dataops.core.engines.identifiers import quote
from airflow_dataops.core.engines.relations import subquery

if TYPE_CHECKING:
    from airflow_dataops.core.model import Constraint, ContractedColumn, ModelContract


def column_list(contract: ModelContract, dialect: str) -> str:
    """Return the columns and constraints of a table, for CREATE TABLE."""
    listed = [_column(column, dialect) for column in contract.columns]
    listed += _constraints(contract.constraints, dialect, of_table=True)
    between = ",\n  "
    return f" (\n  {between.join(listed)}\n)"


def name_list(contract: ModelContract, dialect: str) -> str:
    """Return the names of a contract's columns."""
    return ", ".join(_name(column, dialect) for column in contract.columns)


def in_order(query: str, contract: ModelContract, dialect: str) -> str:
    """Return a query for the columns of another in the contract's order."""
    return f"select {name_list(contract, dialect)}\nfrom {subquery(query)} as model_subq"


def empty(query: str) -> str:
    """Return a query for the columns of another, without rows."""
    return f"select * from {subquery(query)} as __dbt_sbq\nwhere false\nlimit 0"


def promised(contract: ModelContract, dialect: str) -> str:
    """Return a query whose columns are the contract's."""
    listed = (f"cast(null as {c.type}) as {_name(c, dialect)}" for c in contract.columns)
    return f"select {', '.join(listed)}"


def _column(column: ContractedColumn, dialect: str) -> str:
    parts = (_name(column, dialect), column.type, *_constraints(column.constraints, dialect))
    return " ".join(parts)


def _name(column: ContractedColumn, dialect: str) -> str:
    return quote(column.name, dialect) if column.quoted else column.name


def _constraints(
    constraints: tuple[Constraint, ...], dialect: str, *, of_table: bool = False
) -> list[str]:
    known = get_engine(dialect).models.contracts
    found = []
    for constraint in constraints:
        if constraint.type not in known.written and constraint.type != "custom":
            continue
        sql = (_of_table if of_table else _of_column)(constraint)
        if sql and constraint.type in known.unenforced:
            sql += " not enforced"
        found.append(sql)
    return [sql for sql in found if sql]


def _of_column(constraint: Constraint) -> str:
    expression = constraint.expression
    match constraint.type:
        case "check":
            return f"check ({expression})" if expression else ""
        case "custom":
            return expression
        case "foreign_key":
            target = _target(constraint)
            return f"references {target}" if target else ""
        case _:
            return f"{constraint.type.replace('_', ' ')} {expression}".strip()


def _of_table(constraint: Constraint) -> str:
    expression, columns = constraint.expression, f"({', '.join(constraint.columns)})"
    named = f"constraint {constraint.name} " if constraint.name else ""
    match constraint.type:
        case "check":
            return f"{named}check ({expression})" if expression else ""
        case "custom":
            return f"{named}{expression}" if expression else ""
        case "foreign_key":
            target = _target(constraint)
            return f"{named}foreign key {columns} references {target}" if target else ""
        case "unique" | "primary_key":
            words = constraint.type.replace("_", " ")
            return f"{named}{words}{' ' if expression else ''}{expression} {columns}"
        case _:  # dbt writes no NOT NULL of several columns
            return ""


def _target(constraint: Constraint) -> str:
    if constraint.to and constraint.to_columns:
        return f"{constraint.to} ({', '.join(constraint.to_columns)})"
    return constraint.expression
