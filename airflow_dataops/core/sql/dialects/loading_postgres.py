"""Loads on Postgres."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.sql.dialects import bystanders_postgres, swapping_postgres, waits_postgres
from airflow_dataops.core.sql.dialects.loading import Loading, Swap, Types, Upsert
from airflow_dataops.core.sql.identifiers import literal
from airflow_dataops.core.sql.relations import render
from airflow_dataops.core.sql.statements import MARK, Statement

if TYPE_CHECKING:
    from airflow_dataops.core.model import Relation


# A domain's own type, through domains over domains; -1 leaves out the limit.
_UNLIMITED = """case when ty.typtype = 'd' then (
    with recursive base as (
      select ty.oid, ty.typtype, ty.typbasetype
      union all select b.oid, b.typtype, b.typbasetype
      from pg_type as b join base on b.oid = base.typbasetype
    ) select format_type(oid, -1) from base where typtype <> 'd')
  else format_type(a.atttypid, -1) end"""
_COLLATION = """case when a.attcollation <> ty.typcollation then (
    select ' collate ' || quote_ident(n.nspname) || '.' || quote_ident(l.collname)
    from pg_collation as l join pg_namespace as n on n.oid = l.collnamespace
    where l.oid = a.attcollation) end"""


def _columns(relation: Relation) -> Statement:
    return Statement(
        sql=(
            "select a.attname, format_type(a.atttypid, a.atttypmod),\n"
            "  a.attnotnull and not a.atthasdef and a.attidentity = '', c.relkind in ('v', 'm'),\n"
            "  case when a.attgenerated <> '' then 'computed'\n"
            "    when a.attidentity = 'a' then 'numbered' end,\n"
            f"  {_COLLATION},\n  {_UNLIMITED}\n"
            "from pg_attribute as a join pg_class as c on c.oid = a.attrelid\n"
            "join pg_type as ty on ty.oid = a.atttypid\n"
            f"where a.attrelid = to_regclass({MARK}) and a.attnum > 0 and not a.attisdropped\n"
            "order by a.attnum"
        ),
        parameters=(render(relation, "postgres"),),
    )


def _unique_keys(relation: Relation) -> Statement:
    return Statement(
        sql=(
            "select array_agg(cast(a.attname as text))\n"
            "from pg_index as i join pg_attribute as a\n"
            "  on a.attrelid = i.indrelid and a.attnum = any(i.indkey[0:i.indnkeyatts - 1])\n"
            f"where i.indrelid = to_regclass({MARK}) and i.indisunique and i.indisvalid\n"
            "  and i.indimmediate and i.indpred is null and i.indexprs is null\n"
            "group by i.indexrelid"
        ),
        parameters=(render(relation, "postgres"),),
    )


def _size(relation: Relation) -> Statement:
    sql = f"select pg_table_size(to_regclass({MARK}))"
    return Statement(sql=sql, parameters=(render(relation, "postgres"),))


def _json_field(value: str, name: str) -> str:
    return f"(cast({value} as jsonb) ->> {literal(name, 'postgres')})"


def _json_keys(table: str, value: str) -> str:
    return (
        f"select distinct name from {table}\n"
        f"cross join lateral jsonb_object_keys(cast({value} as jsonb)) as name"
    )


POSTGRES = Loading(
    name="postgres",
    session=(None, "pg_temp"),
    information_schema="information_schema",
    longest_name=63,
    types=Types(text="text", integer="bigint"),
    epoch="extract(epoch from clock_timestamp())",
    insert_once=" on conflict do nothing",
    primary_key="primary key ({})",
    upsert=Upsert.CONFLICT,
    swap=Swap.RENAME,
    transactional_ddl=True,
    # Such joins are nested loops.
    hashes_nulls=False,
    columns=_columns,
    json_field=_json_field,
    json_keys=_json_keys,
    widest_decimal="numeric",
    size=_size,
    trims_texts=True,
    incomparable=("json", "xml", "point", "polygon"),
    unique_keys=_unique_keys,
    in_the_way=swapping_postgres.in_the_way,
    belongings=swapping_postgres.belongings,
    belonging=swapping_postgres.belonging,
    bystanders=bystanders_postgres.bystanders,
    waits=waits_postgres.POSTGRES,
)
