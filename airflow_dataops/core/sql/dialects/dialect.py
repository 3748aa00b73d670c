"""What engine `sql` needs to know of an engine, and of what dbt's adapter for it does.

How tables are looked up, staged and written is in the engine's `Loading`, which loads use too.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from airflow_dataops.core.model import Relation, Struct


class Replace(StrEnum):
    """How a table or view takes the place of an older one, atomically.

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


class Macros(StrEnum):
    """Whose incremental macros `core/sql/loads.py` writes: they differ in what they forgive."""

    DBT = "dbt's own"
    DUCKDB = "dbt-duckdb's"


class Names(StrEnum):
    """Whether two names that differ in case alone are one."""

    EXACT = "exact"
    FOLDED = "folded"


class TextNulls(StrEnum):
    """Which fields of a seed's text column are NULL, with dbt's adapter."""

    EMPTY = "empty"
    BLANK_OR_NULL = "blank or the word null"


class Databases(StrEnum):
    """Which databases a statement may name."""

    OF_SESSION = "those that the session has opened"
    ANY = "all that the account may use"


class Dialect(Struct, frozen=True):
    """One engine's SQL for what dbt builds, where engines or dbt's adapters differ.

    Attributes:
        name: the sqlglot name of the dialect.
        databases: see `Databases`.
        schemata: where the schemas beside a relation are looked up: a table expression with
            information_schema's columns.
        current_database: SQL expression for the database (catalog) that unqualified names
            belong to.
        names: how names are compared.
        replace_table: how a table is replaced.
        replace_view: how a view is replaced by a view.
        macros: whose incremental strategies are written.
        default_strategy: what dbt's adapter takes when a model names no strategy.
        strategies: the strategies that `core/sql/loads.py` can write for it.
        seed_nulls: what is NULL in a seed's texts.
        sized_texts: the type of texts with a limit, where dbt widens such columns.
    """

    name: str
    databases: Databases
    schemata: Callable[[Relation], str]
    current_database: str
    names: Names
    replace_table: Replace
    replace_view: Replace
    macros: Macros
    default_strategy: Strategy
    strategies: tuple[Strategy, ...]
    seed_nulls: TextNulls
    sized_texts: str | None = None
