"""Loads on BigQuery."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.sql.dialects.loading import Loading, Locks, Swap, Types, Upsert
from airflow_dataops.core.sql.identifiers import literal, quote
from airflow_dataops.core.sql.statements import MARK, Statement
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from airflow_dataops.core.model import Relation


def _listing(relation: Relation) -> str:
    if relation.schema is None:
        raise ConfigError(f"{relation}: name its dataset; BigQuery has no default one here.")
    parts = (relation.database, relation.schema)
    named = ".".join(quote(part, "bigquery") for part in parts if part is not None)
    return f"{named}.INFORMATION_SCHEMA"


def _tables(relation: Relation) -> str:
    return f"{_listing(relation)}.TABLES"


_CLAUSE = (
    """concat(coalesce(concat(" collate '", nullif(c.collation_name, 'NULL'), "'"), ''),\n"""
    """    if(c.rounding_mode = 'ROUND_HALF_EVEN',"""
    """ " options (rounding_mode = 'ROUND_HALF_EVEN')", ''))"""
)


def _columns(relation: Relation) -> Statement:
    listing = _listing(relation)
    return Statement(
        sql=(
            "select c.column_name, c.data_type,\n"
            "  c.is_nullable = 'NO' and coalesce(c.column_default, 'NULL') = 'NULL',\n"
            f"  t.table_type = 'VIEW', null, {_CLAUSE},\n"
            "  regexp_extract(c.data_type, r'^(STRING|BYTES)')\n"
            f"from {listing}.COLUMNS as c join {listing}.TABLES as t\n"
            "  on t.table_name = c.table_name\n"
            f"where c.table_name = {MARK}\norder by c.ordinal_position"
        ),
        parameters=(relation.identifier,),
    )


def _json_field(value: str, name: str) -> str:
    # https://cloud.google.com/bigquery/docs/reference/standard-sql/json_functions#JSONPath_format
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    path = literal(f'$."{escaped}"', "bigquery")
    # JSON_VALUE has scalars alone; of an object or array this is its text, once it is told
    # whether the value is a STRING, whose text would be quoted again, or a JSON.
    nested = f"to_json_string(json_query({value}, {path}))"
    return (
        f"coalesce(json_value({value}, {path}), json_value({nested}, '$'),"
        f" nullif({nested}, 'null'))"
    )


BIGQUERY = Loading(
    name="bigquery",
    session=None,
    information_schema="INFORMATION_SCHEMA",
    longest_name=300,  # of a column; of a table 1,024
    types=Types(text="string", integer="int64"),
    epoch="unix_seconds(current_timestamp())",
    insert_once="",
    primary_key="primary key ({}) not enforced",
    upsert=Upsert.MERGE,
    # CREATE OR REPLACE cannot be part of a transaction, and the fence has to be.
    swap=Swap.ROWS,
    transactional_ddl=False,
    hashes_nulls=True,
    columns=_columns,
    json_field=_json_field,
    widest_decimal="bignumeric",
    fraction=None,
    incomparable=("JSON", "GEOGRAPHY"),
    tables_of=_tables,
    create_staging=(
        "create table {} options (expiration_timestamp ="
        " timestamp_add(current_timestamp(), interval 1 day))"
    ),
    # https://cloud.google.com/bigquery/docs/transactions#transaction_concurrency
    locks=Locks.TABLES,
)
