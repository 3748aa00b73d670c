"""Statements around bulk paths: tables made by column types that all engines have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.engines import get_engine
from airflow_dataops.core.engines.identifiers import literal, quote, quote_all
from airflow_dataops.core.engines.relations import render
from airflow_dataops.core.engines.statements import MARK, Statement
from airflow_dataops.core.model import Struct
from airflow_dataops.core.sql.staging import is_of_session

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from airflow_dataops.core.engines.base import Engine
    from airflow_dataops.core.model import Relation
    from airflow_dataops.core.sql.catalog import Column


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
    listed = ", ".join(f"{quote(c.name, dialect)} {_type(c, dialect)}" for c in columns)
    kept = get_engine(dialect).loads.create_staging
    create = "create temporary table {}" if is_of_session(relation, dialect) else kept
    return create.replace("{}", f"{render(relation, dialect)} ({listed})")


def create_table(
    relation: Relation, columns: Iterable[Column], key: Sequence[str], engine: Engine
) -> str:
    """Return the statement that makes a table unless there is one.

    Args:
        columns: with types as the engine spells them.
        key: the columns that name a row; may be none.
    """
    parts = [f"{quote(column.name, engine.name)} {column.type}" for column in columns]
    if key:
        parts.append(engine.loads.primary_key.format(quote_all(key, engine.name)))
    listed = ",\n  ".join(parts)
    return f"create table if not exists {render(relation, engine.name)} (\n  {listed}\n)"


def insert_from(relation: Relation, columns: Sequence[str], view: str, dialect: str) -> str:
    """Return the statement that copies columns of the same names from a view."""
    names = quote_all(columns, dialect)
    table = render(relation, dialect)
    return f"insert into {table} ({names}) select {names} from {quote(view, dialect)}"


def insert_rows(
    relation: Relation, columns: Sequence[BulkColumn], rows: int, dialect: str
) -> Statement:
    """Return the statement that adds so many rows, row by row; its parameters are to be given.

    A text is not cast, which would cut it to a limit. Bytes are given as hexadecimal digits.
    """
    values = ", ".join(_bound(column, dialect) for column in columns)
    names = quote_all([column.name for column in columns], dialect)
    listed = ",\n".join([f"({values})"] * rows)
    return Statement(
        sql=f"insert into {render(relation, dialect)} ({names}) values\n{listed}",
        parameters=(None,) * (rows * len(columns)),
    )


def copy_from_client(relation: Relation, columns: Sequence[str], dialect: str) -> str:
    """Return the statement by which Postgres reads CSV from the client; NULL has no quotes."""
    names = quote_all(columns, dialect)
    return (
        f"copy {render(relation, dialect)} ({names}) from stdin with (format csv, encoding 'UTF8')"
    )


def expire_table(relation: Relation) -> Statement:
    """Return the statement that lets BigQuery drop a staging table after a day."""
    return Statement(
        sql=(
            f"alter table {render(relation, 'bigquery')} set options (expiration_timestamp ="
            " timestamp_add(current_timestamp(), interval 1 day))"
        )
    )


def empty_table(relation: Relation) -> Statement:
    """Return the statement that takes all rows out of a BigQuery table."""
    return Statement(sql=f"truncate table {render(relation, 'bigquery')}")


def create_stage(relation: Relation) -> str:
    """Return the statement that makes a Snowflake stage of a table's name; the session ends it."""
    return f"create temporary stage {render(relation, 'snowflake')}"


def put_file(path: str, relation: Relation) -> str:
    """Return the statement that uploads a file into that stage.

    https://docs.snowflake.com/en/sql-reference/sql/put
    """
    file = literal(f"file://{path}", "snowflake")
    stage = render(relation, "snowflake")
    return f"put {file} @{stage} auto_compress = false overwrite = true"


def copy_parquet(relation: Relation) -> str:
    """Return the statement that loads the Parquet files of that stage, by column name.

    https://docs.snowflake.com/en/sql-reference/sql/copy-into-table
    """
    name = render(relation, "snowflake")
    return (
        f"copy into {name} from @{name}\n"
        "file_format = (type = parquet use_logical_type = true binary_as_text = false)\n"
        "match_by_column_name = case_insensitive on_error = abort_statement"
    )


def _bound(column: BulkColumn, dialect: str) -> str:
    if column.type == "bytes":
        return f"to_varbyte({MARK}, 'hex')"
    return MARK if column.type == "text" else f"cast({MARK} as {_type(column, dialect)})"


def _type(column: BulkColumn, dialect: str) -> str:
    values = get_engine(dialect).values
    if column.size is None:
        return values.bulk_types.get(column.type, column.type)
    return values.decimal(*column.size)
