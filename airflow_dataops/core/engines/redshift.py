"""Amazon Redshift, provisioned and serverless, as dbt-redshift uses it.

What it has of Postgres it has of version 8: no IS DISTINCT FROM, no alias in DELETE, no ON
CONFLICT, no CREATE OR REPLACE TABLE, keys that are declared and not enforced, one lock for each
table that is written. DDL is part of a transaction. Names are in small letters even in quotes.

Sources: https://docs.aws.amazon.com/redshift/latest/dg/cm_chap_SQLCommandRef.html and, for what
dbt's adapter does, the macros of dbt-redshift 1.10.

Errors: redshift_connector's; its session reads the SQLSTATE out of them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from airflow_dataops.core.assets import ascii_lower
from airflow_dataops.core.engines.base import Engine
from airflow_dataops.core.engines.contracts import Contracts, without_limits
from airflow_dataops.core.engines.error_codes import DB_API_NAMES, ErrorCodes, ErrorKind
from airflow_dataops.core.engines.finishing import Finishing, Grants
from airflow_dataops.core.engines.loads import LoadSql, Locks, Swap, Types, Upsert
from airflow_dataops.core.engines.lookup import Lookup
from airflow_dataops.core.engines.models import (
    Databases,
    Macros,
    ModelSql,
    Names,
    Replace,
    SeedRows,
    Seeds,
    Strategy,
    TextNulls,
)
from airflow_dataops.core.engines.naming import Naming
from airflow_dataops.core.engines.relations import render
from airflow_dataops.core.engines.statements import MARK, Statement
from airflow_dataops.core.engines.types import Family
from airflow_dataops.core.engines.values import ValueSql

if TYPE_CHECKING:
    from airflow_dataops.core.model import Relation

# Lengths are of bytes. TEXT, and VARCHAR without a length, have 256.
_TEXT = "varchar(65535)"
_UNLIMITED = "character varying(65535)"

_SCHEMATA = (
    "(select current_database() as catalog_name, nspname as schema_name\n"
    "from pg_catalog.pg_namespace) as listed"
)


def _named(relation: Relation, table: str, schema: str) -> tuple[str, tuple[str, ...]]:
    """Return the condition for a relation by the columns of a list, and its values."""
    if relation.schema is None:
        return f"{table} = lower({MARK}) and {schema} = current_schema()", (relation.identifier,)
    test = f"{table} = lower({MARK}) and {schema} = lower({MARK})"
    return test, (relation.identifier, relation.schema)


# Late-binding views have no columns in pg_attribute:
# https://docs.aws.amazon.com/redshift/latest/dg/PG_GET_LATE_BINDING_VIEW_COLS.html
def _columns(relation: Relation) -> Statement:
    table, values = _named(relation, "c.relname", "n.nspname")
    view, _ = _named(relation, "v.view_name", "v.view_schema")
    type_ = "format_type(a.atttypid, a.atttypmod)"
    return Statement(
        sql=(
            "select name, type, required, is_view, filled, null, unlimited from (\n"
            f"select cast(a.attname as varchar(128)) as name,\n"
            f"  cast({type_} as varchar(128)) as type,\n"
            "  a.attnotnull and not a.atthasdef as required, c.relkind = 'v' as is_view,\n"
            "  case when pg_get_expr(d.adbin, d.adrelid) like '\"identity\"(%'"
            " then 'numbered' end as filled,\n"
            f"  case when {type_} like 'character%' then '{_UNLIMITED}' end as unlimited,\n"
            "  a.attnum as position\n"
            "from pg_attribute as a join pg_class as c on c.oid = a.attrelid\n"
            "join pg_namespace as n on n.oid = c.relnamespace\n"
            "left join pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum\n"
            f"where {table} and c.relkind in ('r', 'v')\n"
            "  and a.attnum > 0 and not a.attisdropped\n"
            "union all\n"
            "select cast(v.col_name as varchar(128)), v.col_type, false, true, null, null,"
            " v.col_num\n"
            "from pg_get_late_binding_view_cols() as v(view_schema name, view_name name,\n"
            "  col_name name, col_type varchar, col_num int)\n"
            f"where {view}\n) as listed\norder by position"
        ),
        parameters=values * 2,
    )


def _last_altered(relation: Relation) -> Statement:
    test, values = _named(relation, "c.relname", "n.nspname")
    return Statement(
        sql=(
            "select extract(epoch from max(q.start_time))\n"
            "from pg_class as c join pg_namespace as n on n.oid = c.relnamespace\n"
            "join sys_query_detail as q on q.table_id = c.oid\n"
            f"where q.step_name = 'insert' and {test}"
        ),
        parameters=values,
    )


def _grants(relation: Relation) -> Statement:
    listed = "\n  union all ".join(
        f"select cast('{privilege}' as varchar(16)) as privilege"
        for privilege in ("select", "insert", "update", "delete", "references")
    )
    return Statement(
        sql=(
            f"select u.usename, p.privilege from pg_user as u cross join (\n  {listed}\n) as p\n"
            f"where has_table_privilege(u.usename, {MARK}, p.privilege)\n"
            "  and u.usename <> current_user and not u.usesuper"
        ),
        parameters=(render(relation, "redshift"),),
    )


_MODELS = ModelSql(
    finishing=Finishing(
        grants=Grants(listed=_grants, read=lambda rows: [(who, what) for who, what in rows])
    ),
    contracts=Contracts(
        inserts=True,
        seen=without_limits,
        written=frozenset({"not_null", "unique", "primary_key", "foreign_key"}),
    ),
    databases=Databases.OF_SESSION,
    schemata=lambda _: _SCHEMATA,
    current_database="current_database()",
    names=Names.FOLDED,
    replace_table=Replace.SWAP,
    replace_view=Replace.SWAP,
    macros=Macros.DBT,
    merges_on_constants=False,
    default_strategy=Strategy.DELETE_INSERT,
    strategies=(Strategy.APPEND, Strategy.DELETE_INSERT, Strategy.MERGE),
    seeds=Seeds(
        nulls=TextNulls.BLANK_OR_NULL,
        rows=SeedRows.VALUES,
        types={"text": "varchar({})", "time": "varchar(24)"},
    ),
    last_altered=_last_altered,
    # As getdate(), which dbt takes, but of the transaction: several statements ask for it.
    now="date_trunc('second', sysdate)",
    sized_texts="character varying",
)

_LOADS = LoadSql(
    # A temporary table is in no schema that a statement could name.
    session=None,
    information_schema="information_schema",
    types=Types(text=_TEXT, integer="bigint"),
    # Without the cast it would be the clock of the session's time zone.
    epoch="extract(epoch from cast(getdate() as timestamptz))",
    # Keys are not enforced: two rows of one lease are updated, read and fenced as one.
    insert_once="",
    primary_key="primary key ({})",
    # MERGE takes no subquery, no condition beside the match, and does what these two do.
    upsert=Upsert.DELETE_INSERT,
    # Of a table made anew, grants, keys of distribution and sort, and views would be lost.
    swap=Swap.ROWS,
    transactional_ddl=True,
    hashes_nulls=False,
    columns=_columns,
    json_field=None,
    incomparable=("super", "geometry", "geography", "hllsketch"),
    # https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation.html
    locks=Locks.TABLES,
    trims_texts=True,
)

_CONFLICT = re.compile(
    r"serializable isolation violation|\b1023\b|conflict with concurrent transaction"
    r"|(?:dropped|updated|deleted) by (?:a )?concurrent transaction"
    r"|could not open relation with OID",
    re.IGNORECASE,
)
_ERRORS = ErrorCodes(
    title="Redshift",
    modules=("redshift_connector",),
    texts=(
        (_CONFLICT, ErrorKind.CONFLICT),
        (re.compile(r"authentication failed", re.IGNORECASE), ErrorKind.DENIED),
        (re.compile(r"too many connections|connection limit", re.IGNORECASE), ErrorKind.BUSY),
        (re.compile(r"correlated subquery pattern is not supported"), ErrorKind.UNSUPPORTED),
        (re.compile(r"canceled on user|cancelled on user", re.IGNORECASE), ErrorKind.CANCELLED),
    ),
    names=DB_API_NAMES,
)


def _not_finite(value: str, family: Family) -> str | None:
    # Neither NUMERIC nor times have such values.
    if family is not Family.FLOAT:
        return None
    return f"cast({value} as varchar(32)) in ('NaN', 'Infinity', '-Infinity')"


_VALUES = ValueSql(
    whole="numeric(38,0)",
    is_whole="{} ~ '^-?[0-9]{{1,38}}$'",
    not_finite=_not_finite,
    number="double precision",
    text=_TEXT,
    aware="timestamptz",
    day_as_text="to_char({}, 'YYYY-MM-DD')",
    as_comparable="json_serialize({})",
    same="({0} = {1} or ({0} is null and {1} is null))",
    differ=(
        "({0} <> {1} or ({0} is null and {1} is not null) or ({0} is not null and {1} is null))"
    ),
    target_alias=False,
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
    bulk_types={"text": _TEXT, "bytes": "varbyte(1024000)", "double": "double precision"},
)

ENGINE = Engine(
    name="redshift",
    naming=Naming(
        longest=127,
        folded=ascii_lower,
        one_database=True,
        view_is_renamed_as="table",
        drops_dependents=True,
    ),
    values=_VALUES,
    # https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_COLUMNS.html: of tables, of views of
    # either binding, and of external tables.
    lookup=Lookup(listing=lambda _: "svv_columns", in_database="current_database() = {}"),
    models=_MODELS,
    loads=_LOADS,
    errors=_ERRORS,
)
