"""Postgres, from version 15 on: the first with MERGE.

Its own list of schemas is read in place of `information_schema`, which leaves out what a role
may not use.

Errors: Postgres through psycopg and ADBC: almost all is told by SQLSTATE.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from airflow_dataops.core.assets import ascii_lower
from airflow_dataops.core.engines import postgres_belongings, postgres_bystanders, postgres_waits
from airflow_dataops.core.engines.base import Engine
from airflow_dataops.core.engines.contracts import Contracts
from airflow_dataops.core.engines.error_codes import DB_API_NAMES, ErrorCodes, ErrorKind
from airflow_dataops.core.engines.finishing import Finishing, Grants
from airflow_dataops.core.engines.identifiers import literal
from airflow_dataops.core.engines.loads import LoadSql, Swap, Types, Upsert
from airflow_dataops.core.engines.lookup import Lookup
from airflow_dataops.core.engines.models import (
    Databases,
    Macros,
    ModelSql,
    Names,
    Replace,
    Seeds,
    Strategy,
    TextNulls,
)
from airflow_dataops.core.engines.naming import Naming
from airflow_dataops.core.engines.relations import render
from airflow_dataops.core.engines.sessions import SessionSql
from airflow_dataops.core.engines.statements import MARK, Statement
from airflow_dataops.core.engines.types import TIMES, Family
from airflow_dataops.core.engines.values import ValueSql

if TYPE_CHECKING:
    from airflow_dataops.core.model import Relation


_SCHEMATA = (
    "(select current_database() as catalog_name, nspname as schema_name\n"
    "from pg_catalog.pg_namespace) as listed"
)


def _grants(relation: Relation) -> Statement:
    schema = "current_schema()" if relation.schema is None else MARK
    return Statement(
        sql=(
            "select grantee, privilege_type from information_schema.role_table_grants\n"
            "where grantor = current_role and grantee != current_role\n"
            f"  and table_name = {MARK} and table_schema = {schema}"
        ),
        parameters=tuple(filter(None, (relation.identifier, relation.schema))),
    )


def _type_name(type_: str) -> str:
    base, array = type_.removesuffix("[]"), "ARRAY" if type_.endswith("[]") else ""
    return f"{_TYPE_NAMES[base]}{array}" if base in _TYPE_NAMES else type_


_FINISHING = Finishing(
    grants=Grants(listed=_grants, read=lambda rows: [(who, what) for who, what in rows]),
    indexes=True,
    index_methods=("btree", "hash", "gist", "spgist", "gin", "brin"),
)

# psycopg2's names of types, under which dbt-postgres compares them.
_TYPE_NAMES = {
    "smallint": "INTEGER",
    "integer": "INTEGER",
    "bigint": "LONGINTEGER",
    "real": "FLOAT",
    "double precision": "FLOAT",
    "numeric": "DECIMAL",
    "boolean": "BOOLEAN",
    '"char"': "TEXT",
    "name": "TEXT",
    "text": "TEXT",
    "character": "TEXT",
    "bpchar": "TEXT",
    "character varying": "TEXT",
    "bytea": "BINARY",
    "oid": "ROWID",
    "date": "DATE",
    "interval": "INTERVAL",
    "json": "JSON",
    "jsonb": "JSONB",
    "time without time zone": "TIME",
    "time with time zone": "TIME",
    "timestamp without time zone": "DATETIME",
    "timestamp with time zone": "DATETIMETZ",
}

_MODELS = ModelSql(
    finishing=_FINISHING,
    contracts=Contracts(inserts=True, seen=_type_name),
    databases=Databases.OF_SESSION,
    schemata=lambda _: _SCHEMATA,
    current_database="current_database()",
    names=Names.EXACT,
    # A view's columns cannot be taken away, and a table cannot be replaced at all.
    replace_table=Replace.SWAP,
    replace_view=Replace.SWAP,
    macros=Macros.DBT,
    microbatch=Strategy.MERGE,
    default_strategy=Strategy.DELETE_INSERT,
    strategies=(Strategy.APPEND, Strategy.DELETE_INSERT, Strategy.MERGE),
    seeds=Seeds(nulls=TextNulls.BLANK_OR_NULL),
    sized_texts="character varying",
)


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


_LOADS = LoadSql(
    session=(None, "pg_temp"),
    information_schema="information_schema",
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
    in_the_way=postgres_belongings.in_the_way,
    belongings=postgres_belongings.belongings,
    belonging=postgres_belongings.belonging,
    bystanders=postgres_bystanders.bystanders,
    waits=postgres_waits.POSTGRES,
)


_ERRORS = ErrorCodes(
    title="Postgres",
    modules=("psycopg", "psycopg2", "adbc_driver_manager", "adbc_driver_postgresql"),
    texts=(
        # Before a session is there the driver passes on no SQLSTATE.
        (
            re.compile(r"authentication failed|no pg_hba\.conf entry|no password supplied", re.I),
            ErrorKind.DENIED,
        ),
        (re.compile(r'FATAL: +(?:role|database) ".*" does not exist'), ErrorKind.MISSING),
        (re.compile(r"FATAL: +permission denied"), ErrorKind.DENIED),
        (
            re.compile(r"too many (?:clients|connections)|remaining connection slots"),
            ErrorKind.BUSY,
        ),
    ),
    names=DB_API_NAMES | {"ProgrammingError": ErrorKind.SYNTAX},
)


def _not_finite(value: str, family: Family) -> str | None:
    if family in (Family.FLOAT, Family.DECIMAL):
        return f"cast({value} as text) in ('NaN', 'Infinity', '-Infinity')"
    return f"not isfinite({value})" if family in TIMES else None


_VALUES = ValueSql(
    whole="numeric(38,0)",
    is_whole="{} ~ '^-?[0-9]{{1,38}}$'",
    not_finite=_not_finite,
    number="double precision",
    day_as_text="to_char({}, 'YYYY-MM-DD')",
    except_all=True,
    type_aliases={
        "INT": "INTEGER",
        "INT8": "BIGINT",
        "VARCHAR": "CHARACTER VARYING",
        "TIMESTAMP": "TIMESTAMP WITHOUT TIME ZONE",
        "TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE",
        "FLOAT8": "DOUBLE PRECISION",
        "BOOL": "BOOLEAN",
        "DECIMAL": "NUMERIC",
    },
    bulk_types={"double": "double precision", "bytes": "bytea"},
)
_COLUMNS = """(select n.nspname as table_schema, c.relname as table_name,
  a.attname as column_name, pg_catalog.format_type(a.atttypid, a.atttypmod) as data_type,
  case when a.attnotnull then 'NO' else 'YES' end as is_nullable, a.attnum as ordinal_position
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
join pg_catalog.pg_attribute as a on a.attrelid = c.oid
where c.relkind in ('r', 'p', 'f', 'v', 'm') and a.attnum > 0 and not a.attisdropped) as listed"""
_LOOKUP = Lookup(listing=lambda _: _COLUMNS, in_database="current_database() = {}")

ENGINE = Engine(
    name="postgres",
    naming=Naming(longest=63, folded=ascii_lower, one_database=True, drops_dependents=True),
    values=_VALUES,
    lookup=_LOOKUP,
    models=_MODELS,
    loads=_LOADS,
    errors=_ERRORS,
    session=SessionSql(
        settings=frozenset({"search_path", "role"}),
        statement="select set_config({literal}, {value}, false)",
    ),
)
