"""Statements around bulk paths: tables made by column types that all engines have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.model import Struct
from airflow_dataops.core.sql.identifiers import literal, quote, quote_all
from airflow_dataops.core.sql.relations import render
from airflow_dataops.core.sql.staging import is_of_session

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from airflow_dataops.core.model import Relation

# Engines' spellings where they differ from the name in the first column of docs/loads/transfer.md.
_SPELLINGS = {
    "duckdb": {"text": "varchar", "bytes": "blob", "real": "float"},
    "postgres": {"double": "double precision", "bytes": "bytea"},
    "snowflake": {
        "text": "varchar",
        "bytes": "binary",
        "time": "time(6)",
        "timestamp": "timestamp_ntz(6)",
        "timestamptz": "timestamp_tz(6)",
    },
    "bigquery": {
        "boolean": "bool",
        "smallint": "int64",
        "integer": "int64",
        "bigint": "int64",
        "real": "float64",
        "double": "float64",
        "text": "string",
        "timestamp": "datetime",
        "timestamptz": "timestamp",
    },
}


class BulkColumn(Struct, frozen=True):
    """A column that goes through a bulk path.

    Attributes:
        type: boolean, smallint, integer, bigint, real, double, decimal, text, bytes, date,
            time, timestamp or timestamptz; times are in microseconds.
        size: precision and scale of a decimal.
    """

    name: str
    type: str
    size: tuple[int, int] | None = None


def create_bulk_table(relation: Relation, columns: Iterable[BulkColumn], dialect: str) -> str:
    """Return the statement that makes a staging table."""
    temporary = "temporary " if is_of_session(relation, dialect) else ""
    return f"create {temporary}table {render(relation, dialect)} ({_listed(columns, dialect)})"


def create_missing_table(relation: Relation, columns: Iterable[BulkColumn], dialect: str) -> str:
    """Return the statement that makes a table of these columns unless there is one."""
    return f"create table if not exists {render(relation, dialect)} ({_listed(columns, dialect)})"


def insert_from(relation: Relation, columns: Sequence[str], view: str, dialect: str) -> str:
    """Return the statement that copies columns of the same names from a view."""
    names = quote_all(columns, dialect)
    table = render(relation, dialect)
    return f"insert into {table} ({names}) select {names} from {quote(view, dialect)}"


def copy_from_client(relation: Relation, columns: Sequence[str], dialect: str) -> str:
    """Return the statement by which Postgres reads CSV from the client; NULL has no quotes."""
    names = quote_all(columns, dialect)
    return (
        f"copy {render(relation, dialect)} ({names}) from stdin with (format csv, encoding 'UTF8')"
    )


def put_file(path: str, stage: str) -> str:
    """Return the statement that uploads a file into a folder of the user's Snowflake stage.

    https://docs.snowflake.com/en/sql-reference/sql/put
    """
    file = literal(f"file://{path}", "snowflake")
    return f"put {file} {_stage(stage)} auto_compress = false overwrite = true"


def copy_parquet(relation: Relation, stage: str) -> str:
    """Return the statement that loads the Parquet files of a stage's folder, by column name.

    https://docs.snowflake.com/en/sql-reference/sql/copy-into-table
    """
    return (
        f"copy into {render(relation, 'snowflake')} from {_stage(stage)}\n"
        "file_format = (type = parquet use_logical_type = true binary_as_text = false)\n"
        "match_by_column_name = case_sensitive purge = true on_error = abort_statement"
    )


def remove_files(stage: str) -> str:
    """Return the statement that empties a folder of the user's Snowflake stage."""
    return f"remove {_stage(stage)}"


def _stage(folder: str) -> str:
    return literal(f"@~/{folder}", "snowflake")


def _listed(columns: Iterable[BulkColumn], dialect: str) -> str:
    return ", ".join(f"{quote(c.name, dialect)} {_type(c, dialect)}" for c in columns)


def _type(column: BulkColumn, dialect: str) -> str:
    if column.size is None:
        return _SPELLINGS[dialect].get(column.type, column.type)
    precision, scale = column.size
    if dialect == "bigquery":
        # https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#decimal_types
        small = scale <= 9 and precision - scale <= 29
        return f"{'numeric' if small else 'bignumeric'}({precision}, {scale})"
    return f"decimal({precision}, {scale})"
