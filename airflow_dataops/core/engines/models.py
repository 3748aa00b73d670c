"""What engine `sql` needs to know of an engine, and of what dbt's adapter for it does.

How tables are looked up, staged and written is in the engine's `Loading`, which loads use too.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

import msgspec

from airflow_dataops.core.engines.contracts import Contracts
from airflow_dataops.core.engines.finishing import Finishing
from airflow_dataops.core.engines.statements import Statement
from airflow_dataops.core.engines.types import Family
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
    INSERT_OVERWRITE = "insert_overwrite"
    DELETE_BATCH_INSERT = "the batch's rows are deleted, then inserted"
    """Of microbatch models; no word of dbt's."""


class Macros(StrEnum):
    """Whose incremental macros `core/sql/loads.py` writes: they differ in what they forgive."""

    DBT = "dbt's own"
    DUCKDB = "dbt-duckdb's"
    SNOWFLAKE = "dbt-snowflake's"
    BIGQUERY = "dbt-bigquery's"


class Names(StrEnum):
    """Whether two names that differ in case alone are one."""

    EXACT = "exact"
    FOLDED = "folded"


class TextNulls(StrEnum):
    """Which fields of a seed's text column are NULL, with dbt's adapter."""

    EMPTY = "empty"
    BLANK_OR_NULL = "blank or the word null"
    NEVER = "none of them"


MIDNIGHTS = {
    Family.DATE: "date '{day}'",
    Family.NAIVE: "timestamp '{day} 00:00:00'",
    Family.AWARE: "cast('{day} 00:00:00+00:00' as timestamp with time zone)",
}
"""As the SQL standard writes them."""


class Databases(StrEnum):
    """Which databases a statement may name."""

    OF_SESSION = "those that the session has opened"
    ANY = "all that the account may use"


class TypeChange(StrEnum):
    """How a column gets another type."""

    SUCCESSOR = "a new column takes the values over and then the name"
    ALTER = "alter column"
    REWRITE = "the table is made anew"


class SeedRows(StrEnum):
    """How a batch of a seed's rows is bound."""

    LISTS = "a list for each column"
    JSON = "one text: a JSON list of rows"
    VALUES = "each value by itself"


class Seeds(Struct, frozen=True):
    """How dbt's adapter makes a table of a seed.

    Attributes:
        nulls: what is NULL in texts.
        rows: how rows are bound.
        types: the engine's types for those inferred, where they have other names; `{}` stands
            for the bytes of the longest text.
        quoted: whether columns' names are quoted unless `quote_columns` says otherwise.
        json_rows: of `SeedRows.JSON`, the rows of the list `{}`, called `line`.
        json_field: the text of a row's field by number.
    """

    nulls: TextNulls
    rows: SeedRows = SeedRows.LISTS
    types: dict[str, str] = {}
    quoted: bool = True
    json_rows: str = ""
    json_field: str = ""


class ModelSql(Struct, frozen=True):
    """One engine's SQL for what dbt builds, where engines or dbt's adapters differ.

    Attributes:
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
        microbatch: how a batch of a microbatch model is written; None where only dbt does.
        strategies: the strategies that `core/sql/loads.py` can write for it.
        merges_on_constants: whether MERGE takes a match that names no column.
        seeds: see `Seeds`.
        epoch: the seconds since 1970, with `{}` for a date or a time; see `core/sql/freshness`.
        last_altered: the query for those of a table's last change; None where it cannot be
            asked.
        now: the present time as snapshots write it.
        row_id: a snapshot's id of a row, with `{}` for a text.
        midnight: a literal of midnight in UTC, by the family of its type.
        type_change: see `TypeChange`.
        transient: whether tables are transient unless a model says otherwise.
        create_staging: how a table for the time of a build begins, where it is not as for
            loads; `{}` is its name.
        sized_texts: the type of texts with a limit, where dbt widens such columns.
        partitioned: whether tables have the partitions and clusters of a model.
        contracts: what becomes of an enforced contract.
        finishing: what is done once a table is built.
        table_options: whether tables and views have OPTIONS.
        clustered: whether a table is ordered and clustered by what its model names.
        use_warehouse: makes the session work on the compute `{}`; None where there is none to
            choose.
        current_warehouse: SQL expression for its name.
        time_digits: whether dbt's adapter sees the digits of a time's type.
    """

    databases: Databases
    schemata: Callable[[Relation], str]
    current_database: str
    names: Names
    replace_table: Replace
    replace_view: Replace
    macros: Macros
    default_strategy: Strategy
    strategies: tuple[Strategy, ...]
    seeds: Seeds
    merges_on_constants: bool = True
    microbatch: Strategy | None = None
    epoch: str = "extract(epoch from {})"
    last_altered: Callable[[Relation], Statement] | None = None
    now: str = "cast(current_timestamp as timestamp)"
    row_id: str = "md5({})"
    midnight: dict[Family, str] = msgspec.field(default_factory=lambda: MIDNIGHTS)
    type_change: TypeChange = TypeChange.SUCCESSOR
    transient: bool = False
    create_staging: str | None = None
    sized_texts: str | None = None
    partitioned: bool = False
    contracts: Contracts = Contracts()
    finishing: Finishing = Finishing()
    table_options: bool = False
    clustered: bool = False
    use_warehouse: str | None = None
    current_warehouse: str = ""
    time_digits: bool = True
