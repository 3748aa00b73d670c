"""The shape of a dialect."""

from __future__ import annotations

from enum import StrEnum

from airflow_dataops.core.model import Struct


class Replace(StrEnum):
    """How a table takes the place of an older one, atomically.

    `statement` is one CREATE OR REPLACE. `swap` builds beside it, drops the old one and
    renames, all in one transaction.
    """

    STATEMENT = "statement"
    SWAP = "swap"


class Strategy(StrEnum):
    """How an incremental model adds rows; the values are dbt's."""

    APPEND = "append"
    DELETE_INSERT = "delete+insert"
    MERGE = "merge"


class Dialect(Struct, frozen=True):
    """One engine's SQL, where engines differ.

    Attributes:
        name: the sqlglot name of the dialect.
        information_schema: the schema that lists tables and columns, ready to be embedded.
        current_database: SQL expression for the database (catalog) that unqualified names
            belong to.
        temporary: database and schema that list temporary tables, as text.
        replace_table: how a table is replaced.
        default_strategy: what dbt's adapter takes when a model names no strategy.
        strategies: the strategies that `core/sql/loads.py` can write for it.
    """

    name: str
    information_schema: str
    current_database: str
    temporary: tuple[str, str]
    replace_table: Replace
    default_strategy: Strategy
    strategies: tuple[Strategy, ...]
