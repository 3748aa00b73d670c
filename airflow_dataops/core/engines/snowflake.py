"""Snowflake, as dbt-snowflake uses it.

DDL commits by itself, so that a build is not one transaction: a table is replaced by one
statement, and the statements that change rows are a transaction of their own.

Errors: Snowflake: told by the number of the error, then by SQLSTATE.

https://github.com/snowflakedb/snowflake-connector-python/blob/main/src/snowflake/connector/errorcode.py
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from airflow_dataops.core.engines.base import Engine
from airflow_dataops.core.engines.contracts import Contracts, without_limits
from airflow_dataops.core.engines.error_codes import DB_API_NAMES, ErrorCodes, ErrorKind
from airflow_dataops.core.engines.finishing import Comments, Finishing, Grants
from airflow_dataops.core.engines.identifiers import literal, quote
from airflow_dataops.core.engines.loads import LoadSql, Locks, Swap, Types, Upsert
from airflow_dataops.core.engines.lookup import Lookup
from airflow_dataops.core.engines.metering import Metering
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
    TypeChange,
)
from airflow_dataops.core.engines.naming import Naming
from airflow_dataops.core.engines.relations import render
from airflow_dataops.core.engines.statements import MARK, Statement
from airflow_dataops.core.engines.types import Family
from airflow_dataops.core.engines.values import SUPERSEDED, ScriptSql, ValueSql

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from airflow_dataops.core.engines.finishing import Commented
    from airflow_dataops.core.model import Relation


# https://docs.snowflake.com/en/sql-reference/functions/date_part
_EPOCH = "date_part(epoch_millisecond, {}) / 1000"


def _listing(relation: Relation, name: str) -> str:
    database = "" if relation.database is None else f"{quote(relation.database, 'snowflake')}."
    return f"{database}information_schema.{name}"


def _last_altered(relation: Relation) -> Statement:
    schema = "current_schema()" if relation.schema is None else MARK
    return Statement(
        sql=(
            f"select {_EPOCH.format('last_altered')} from {_listing(relation, 'tables')}\n"
            f"where table_name = {MARK} and table_schema = {schema}"
        ),
        parameters=tuple(filter(None, (relation.identifier, relation.schema))),
    )


def _grants(relation: Relation) -> Statement:
    return Statement(sql=f"show grants on {render(relation, 'snowflake')}")


def _granted(rows: Iterable[tuple[Any, ...]]) -> list[tuple[str, str]]:
    # created_on, privilege, granted_on, name, granted_to, grantee_name, ...
    return [(r[5], r[1]) for r in rows if r[4] in ("ROLE", "DATABASE_ROLE") and r[1] != "OWNERSHIP"]


def _column_comments(name: str, columns: Sequence[Commented]) -> list[str]:
    return [f"alter table {name} alter " + ", ".join(f"{c} comment {text}" for c, text in columns)]


_FINISHING = Finishing(
    comments=Comments(
        columns=_column_comments,
        view_column="{0} comment {1}",
        every_column=True,
        named=lambda name: (name.upper(), name.lower(), name),
        written=lambda text: text.replace("$", "[$]"),
    ),
    grants=Grants(listed=_grants, read=_granted, together=False, copied=True),
)

# The connector's names of types, under which dbt-snowflake compares them.
_TYPE_NAMES = {"NUMBER": "FIXED", "FLOAT": "REAL", "VARCHAR": "TEXT"}

_MODELS = ModelSql(
    finishing=_FINISHING,
    contracts=Contracts(
        seen=lambda type_: _TYPE_NAMES.get(without_limits(type_), without_limits(type_)),
        written=frozenset({"not_null", "unique", "primary_key", "foreign_key"}),
    ),
    clustered=True,
    use_warehouse="use warehouse {}",
    current_warehouse="current_warehouse()",
    databases=Databases.ANY,
    schemata=lambda relation: _listing(relation, "schemata"),
    current_database="current_database()",
    names=Names.EXACT,
    replace_table=Replace.STATEMENT,
    replace_view=Replace.STATEMENT,
    macros=Macros.SNOWFLAKE,
    merges_on_constants=False,
    microbatch=Strategy.DELETE_BATCH_INSERT,
    default_strategy=Strategy.MERGE,
    strategies=(
        Strategy.APPEND,
        Strategy.DELETE_INSERT,
        Strategy.MERGE,
        Strategy.INSERT_OVERWRITE,
    ),
    seeds=Seeds(
        nulls=TextNulls.BLANK_OR_NULL,
        rows=SeedRows.JSON,
        quoted=False,
        json_rows="table(flatten(input => parse_json({}))) as line",
        json_field="cast(line.value[{}] as varchar)",
    ),
    epoch=_EPOCH,
    last_altered=_last_altered,
    now="to_timestamp_ntz(convert_timezone('UTC', current_timestamp()))",
    midnight={
        Family.DATE: "date '{day}'",
        Family.NAIVE: "cast('{day} 00:00:00' as timestamp_ntz)",
        Family.AWARE: "cast('{day} 00:00:00 +0000' as timestamp_tz)",
    },
    type_change=TypeChange.ALTER,
    transient=True,
    # A session's own: no build has to sweep what a dead one left, as there is no lease.
    create_staging="create temporary table {}",
    sized_texts="varchar",
    time_digits=False,
)


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


def _beside(relation: Relation) -> str:
    database = "" if relation.database is None else f"{quote(relation.database, 'snowflake')}."
    return f"{database}information_schema"


def _tables(relation: Relation) -> str:
    return f"{_beside(relation)}.tables"


def _columns(relation: Relation) -> Statement:
    listing = _beside(relation)
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


_LOADS = LoadSql(
    # Temporary tables would do, but a name of theirs hides a table of the same name.
    session=None,
    information_schema="information_schema",
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


_ERRORS = ErrorCodes(
    title="Snowflake",
    modules=("snowflake",),
    texts=(
        (re.compile(r"resource monitor", re.I), ErrorKind.BUSY),
        (re.compile(r"already exists", re.I), ErrorKind.EXISTS),
    ),
    numbers={
        604: ErrorKind.CANCELLED,
        606: ErrorKind.MISSING,  # no active warehouse
        630: ErrorKind.CANCELLED,  # statement timeout
        904: ErrorKind.MISSING,  # invalid identifier
        1003: ErrorKind.SYNTAX,
        2003: ErrorKind.MISSING,  # or not authorized
        2043: ErrorKind.MISSING,  # or operation cannot be performed
        3001: ErrorKind.DENIED,
        90105: ErrorKind.MISSING,  # no current database
        90106: ErrorKind.MISSING,  # no current schema
        100051: ErrorKind.DATA,  # division by zero
        100072: ErrorKind.CONSTRAINT,  # NULL in a NOT NULL column
        100090: ErrorKind.DATA,  # duplicate row in MERGE
        # of the connector and the login
        250001: ErrorKind.LOST,
        250002: ErrorKind.LOST,
        250003: ErrorKind.LOST,
        251001: ErrorKind.DENIED,  # no account
        251005: ErrorKind.DENIED,  # no user
        251006: ErrorKind.DENIED,  # no password
        290404: ErrorKind.MISSING,  # no such account
        290403: ErrorKind.DENIED,
        290429: ErrorKind.BUSY,
        290502: ErrorKind.BUSY,
        290503: ErrorKind.BUSY,
        290504: ErrorKind.BUSY,
        390100: ErrorKind.DENIED,  # name or password
        390111: ErrorKind.LOST,  # session gone
        390114: ErrorKind.LOST,  # token expired
        390144: ErrorKind.DENIED,  # JWT
        390189: ErrorKind.DENIED,  # role
        390201: ErrorKind.DENIED,  # warehouse
    },
    names=DB_API_NAMES,
)


def _not_finite(value: str, family: Family) -> str | None:
    if family is not Family.FLOAT:
        return None
    return f"{value} in (cast('nan' as double), cast('inf' as double), cast('-inf' as double))"


_VALUES = ValueSql(
    whole="number(38,0)",
    is_whole="regexp_like({}, '-?[0-9]{{1,38}}')",
    not_finite=_not_finite,
    naive="timestamp_ntz",
    aware="timestamp_tz",
    epoch="date_part(epoch_microsecond, {}) / 1000000",
    day_in_zone="cast(convert_timezone({zone}, {value}) as date)",
    day_as_text="to_char({}, 'YYYY-MM-DD')",
    time_digits=9,
    type_aliases={
        "VARCHAR": "TEXT",
        "STRING": "TEXT",
        "INTEGER": "NUMBER",
        "DOUBLE": "FLOAT",
        "TIMESTAMP": "TIMESTAMP_NTZ",
    },
    bulk_types={
        "text": "varchar",
        "bytes": "binary",
        "time": "time(6)",
        "timestamp": "timestamp_ntz(6)",
        "timestamptz": "timestamp_tz(6)",
    },
)
_LOOKUP = Lookup(
    listing=lambda beside: (
        f"{quote(beside.database or '', 'snowflake')}.information_schema.columns"
    ),
)


# https://docs.snowflake.com/en/developer-guide/snowflake-scripting/blocks
def _publication(fence: str, statements: Sequence[str]) -> str:
    counted = "".join(
        f"  {sql};\n  dataops_changed := dataops_changed || ',' || sqlrowcount;\n"
        for sql in statements
    )
    block = (
        "declare\n  dataops_changed varchar;\nbegin\n  begin transaction;\n"
        f"  {fence};\n  dataops_changed := sqlrowcount;\n"
        f"  if (dataops_changed = '{SUPERSEDED}') then\n"
        "    rollback;\n    return dataops_changed;\n  end if;\n"
        f"{counted}  commit;\n  return dataops_changed;\n"
        "exception\n  when other then\n    rollback;\n    raise;\nend;"
    )
    quoted = f"$$\n{block}\n$$" if "$$" not in block else literal(block, "snowflake")
    return f"execute immediate {quoted}"


_SCRIPTS = ScriptSql(
    publication=_publication, naive="to_timestamp_ntz('{}')", aware="to_timestamp_tz('{}')"
)

ENGINE = Engine(
    name="snowflake",
    naming=Naming(longest=255, folded=str.upper, text_escapes=(("'", "''"), ("\\", "\\\\"))),
    values=_VALUES,
    lookup=_LOOKUP,
    models=_MODELS,
    loads=_LOADS,
    errors=_ERRORS,
    scripts=_SCRIPTS,
    metering=Metering.WAREHOUSES,
)
