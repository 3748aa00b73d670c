"""Loads on Snowflake."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.sql.dialects.loading import Loading, Locks, Swap, Types, Upsert
from airflow_dataops.core.sql.identifiers import literal, quote
from airflow_dataops.core.sql.statements import MARK, Statement

if TYPE_CHECKING:
    from airflow_dataops.core.model import Relation

# information_schema gives types without their sizes.
_TYPE = (
    "case when c.data_type = 'NUMBER' then 'NUMBER(' || c.numeric_precision || ','"
    " || c.numeric_scale || ')'\n"
    "    when c.data_type = 'TEXT' and c.character_maximum_length is not null"
    " then 'VARCHAR(' || c.character_maximum_length || ')'\n"
    "    when c.data_type = 'TEXT' then 'VARCHAR'\n"
    "    when c.datetime_precision is not null and c.data_type <> 'DATE'"
    " then c.data_type || '(' || c.datetime_precision || ')' else c.data_type end"
)
_COLLATION = (
    "case when c.collation_name is not null"
    " then ' collate ''' || replace(c.collation_name, '''', '''''') || '''' end"
)


def _listing(relation: Relation) -> str:
    database = "" if relation.database is None else f"{quote(relation.database, 'snowflake')}."
    return f"{database}information_schema"


def _tables(relation: Relation) -> str:
    return f"{_listing(relation)}.tables"


def _columns(relation: Relation) -> Statement:
    listing = _listing(relation)
    schema = "current_schema()" if relation.schema is None else MARK
    return Statement(
        sql=(
            f"select c.column_name, {_TYPE},\n"
            "  c.is_nullable = 'NO' and c.column_default is null,\n"
            "  v.table_name is not null, null,\n"
            f"  {_COLLATION},\n"
            "  case when c.data_type = 'TEXT' then 'VARCHAR' end\n"
            f"from {listing}.columns as c left join {listing}.views as v\n"
            "  on v.table_schema = c.table_schema and v.table_name = c.table_name\n"
            f"where c.table_name = {MARK} and c.table_schema = {schema}\n"
            "order by c.ordinal_position"
        ),
        parameters=tuple(filter(None, (relation.identifier, relation.schema))),
    )


def _json_field(value: str, name: str) -> str:
    field = literal(name, "snowflake")
    # A text loses its quotes and JSON's null becomes NULL.
    return f"cast(parse_json(cast({value} as varchar))[{field}] as varchar)"


def _json_keys(table: str, value: str) -> str:
    return (
        f"select distinct f.key\n"
        f"from {table}, lateral flatten(input => parse_json(cast({value} as varchar))) as f"
    )


SNOWFLAKE = Loading(
    name="snowflake",
    # Temporary tables would do, but a name of theirs hides a table of the same name.
    session=None,
    information_schema="information_schema",
    longest_name=255,
    types=Types(text="varchar", integer="bigint"),
    epoch="date_part(epoch_second, current_timestamp())",
    # Keys are not enforced: two rows of one lease are updated, read and fenced as one.
    insert_once="",
    primary_key="primary key ({})",
    upsert=Upsert.MERGE,
    # SWAP WITH is DDL: it would commit the fence before it and the watermark apart from it.
    swap=Swap.ROWS,
    transactional_ddl=False,
    hashes_nulls=True,
    columns=_columns,
    json_field=_json_field,
    json_keys=_json_keys,
    tables_of=_tables,
    # Without fail-safe, which a table of minutes needs as little as it needs its price.
    create_staging="create transient table {}",
    # https://docs.snowflake.com/en/sql-reference/transactions#resource-locking
    locks=Locks.TABLES,
)
