"""DuckDB and MotherDuck.

Errors: DuckDB and MotherDuck: told by the class of the exception.

https://github.com/duckdb/duckdb/blob/main/src/include/duckdb/common/exception.hpp
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from airflow_dataops.core.engines.base import Engine
from airflow_dataops.core.engines.contracts import Contracts
from airflow_dataops.core.engines.error_codes import ErrorCodes, ErrorKind
from airflow_dataops.core.engines.finishing import Finishing
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
from airflow_dataops.core.engines.sessions import SessionSql
from airflow_dataops.core.engines.statements import MARK, Statement
from airflow_dataops.core.engines.types import TIMES, Family
from airflow_dataops.core.engines.values import ValueSql

if TYPE_CHECKING:
    from airflow_dataops.core.model import Relation


_MODELS = ModelSql(
    # Of grants dbt-duckdb only warns that there are none.
    finishing=Finishing(indexes=True),
    contracts=Contracts(inserts=True, describe="describe (\n{}\n)"),
    databases=Databases.OF_SESSION,
    # Qualified by `system`: a database may hold a schema of this name.
    schemata=lambda _: "system.information_schema.schemata",
    current_database="current_database()",
    names=Names.FOLDED,
    replace_table=Replace.STATEMENT,
    replace_view=Replace.STATEMENT,
    macros=Macros.DUCKDB,
    microbatch=Strategy.DELETE_BATCH_INSERT,
    default_strategy=Strategy.DELETE_INSERT,
    strategies=(Strategy.APPEND, Strategy.DELETE_INSERT, Strategy.MERGE),
    seeds=Seeds(nulls=TextNulls.EMPTY),
)


def _same(relation: Relation, prefix: str = "") -> tuple[str, tuple[str, ...]]:
    """The condition for a table in DuckDB's own lists. Unqualified names: the session's."""
    tests, values = [f"lower({prefix}table_name) = lower({MARK})"], [relation.identifier]
    for column, part, default in (
        ("schema_name", relation.schema, "current_schema()"),
        ("database_name", relation.database, "current_database()"),
    ):
        if part is None:
            tests.append(f"{prefix}{column} = {default}")
        else:
            tests.append(f"lower({prefix}{column}) = lower({MARK})")
            values.append(part)
    return " and ".join(tests), tuple(values)


def _columns(relation: Relation) -> Statement:
    where, values = _same(relation, "c.")
    # DuckDB tells a collation in the definition of the table alone.
    name = """regexp_escape(replace(c.column_name, '"', '""'))"""
    collated = rf"""'[(,] ?"?' || {name} || '"? VARCHAR COLLATE ([\w.]+)'"""
    return Statement(
        sql=(
            "select c.column_name, c.data_type,\n"
            "  not c.is_nullable and c.column_default is null, t.table_oid is null,\n"
            "  case when c.is_generated then 'computed' end,\n"
            "  case when contains(t.sql, ' COLLATE ')\n"
            f"    then ' collate ' || nullif(regexp_extract(t.sql, {collated}, 1), '') end\n"
            "from duckdb_columns() as c left join duckdb_tables() as t\n"
            "  on t.table_oid = c.table_oid and t.database_name = c.database_name\n"
            "  and t.schema_name = c.schema_name\n"
            f"where {where} order by c.column_index"
        ),
        parameters=values,
    )


def _in_the_way(relation: Relation) -> Statement:
    where, values = _same(relation)
    return Statement(
        sql=(
            "select 'constraint ' || constraint_text from duckdb_constraints()\n"
            f"where {where}\n"
            "union all select 'index ' || index_name from duckdb_indexes()\n"
            f"where {where}\n"
            "union all select 'comment' from duckdb_tables()\n"
            f"where {where} and comment is not null\n"
            "union all select 'collations' from duckdb_tables()\n"
            f"where {where} and contains(sql, ' COLLATE ')\n"
            "union all select 'default of ' || column_name from duckdb_columns()\n"
            f"where {where} and (column_default is not null or comment is not null)"
        ),
        parameters=values * 5,
    )


def _json_path(name: str) -> str:
    # https://duckdb.org/docs/stable/data/json/json_functions: a path quotes a name with ".
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return literal(f'$."{escaped}"', "duckdb")


def _json_field(value: str, name: str) -> str:
    return f"json_extract_string({value}, {_json_path(name)})"


def _json_rounds(value: str, name: str) -> str:
    # A number with a point goes through a double; up to 15 digits come out as they went in.
    return (
        f"(json_type({value}, {_json_path(name)}) = 'DOUBLE'"
        f" and length({_json_field(value, name)}) > 16)"
    )


def _json_keys(table: str, value: str) -> str:
    names = f"select distinct json_keys({value}) as names from {table}"
    return f"select distinct unnest(names) from ({names}) as found"


_LOADS = LoadSql(
    session=("temp", "main"),
    information_schema="system.information_schema",
    types=Types(text="varchar", integer="bigint"),
    epoch="epoch(now())",
    insert_once=" on conflict do nothing",
    primary_key="primary key ({})",
    upsert=Upsert.DELETE_INSERT,
    swap=Swap.STATEMENT,
    transactional_ddl=True,
    hashes_nulls=True,
    columns=_columns,
    json_field=_json_field,
    json_keys=_json_keys,
    json_rounds=_json_rounds,
    in_the_way=_in_the_way,
)


_ERRORS = ErrorCodes(
    title="DuckDB",
    modules=("duckdb", "_duckdb"),
    texts=(
        (re.compile(r"set lock on file|write-write conflict|Conflict on"), ErrorKind.CONFLICT),
        (re.compile(r"already exists", re.I), ErrorKind.EXISTS),
        (re.compile(r"No files found that match|No such file or directory"), ErrorKind.MISSING),
        (re.compile(r"Cannot open file .* in read-only mode|read-only mode!"), ErrorKind.DENIED),
        (re.compile(r"HTTP (?:Error:? )?(?:\S+ )*(?:401|403)\b"), ErrorKind.DENIED),
        (re.compile(r"HTTP (?:Error:? )?(?:\S+ )*404\b"), ErrorKind.MISSING),
    ),
    names={
        "ParserException": ErrorKind.SYNTAX,
        "SyntaxException": ErrorKind.SYNTAX,
        "BinderException": ErrorKind.SYNTAX,
        "CatalogException": ErrorKind.MISSING,
        "PermissionException": ErrorKind.DENIED,
        "ConversionException": ErrorKind.DATA,
        "OutOfRangeException": ErrorKind.DATA,
        "TypeMismatchException": ErrorKind.DATA,
        "InvalidTypeException": ErrorKind.DATA,
        "InvalidInputException": ErrorKind.DATA,
        "SequenceException": ErrorKind.DATA,
        "ConstraintException": ErrorKind.CONSTRAINT,
        "NotImplementedException": ErrorKind.UNSUPPORTED,
        "DependencyException": ErrorKind.CONSTRAINT,
        "TransactionException": ErrorKind.CONFLICT,
        "ConnectionException": ErrorKind.LOST,
        "HTTPException": ErrorKind.BUSY,
        "OutOfMemoryException": ErrorKind.BUSY,
        "InterruptException": ErrorKind.CANCELLED,
    },
)


def _not_finite(value: str, family: Family) -> str | None:
    return f"not isfinite({value})" if family in (Family.FLOAT, *TIMES) else None


_VALUES = ValueSql(
    whole="decimal(38,0)",
    is_whole="regexp_full_match({}, '-?[0-9]{{1,38}}')",
    not_finite=_not_finite,
    except_all=True,
    type_aliases={
        "TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE",
        "INT": "INTEGER",
        "TEXT": "VARCHAR",
    },
    bulk_types={"text": "varchar", "bytes": "blob", "real": "float"},
)
_LOOKUP = Lookup(
    listing=lambda _: "system.information_schema.columns",
    in_database="lower(table_catalog) = lower({})",
)

ENGINE = Engine(
    name="duckdb",
    naming=Naming(),
    values=_VALUES,
    lookup=_LOOKUP,
    models=_MODELS,
    loads=_LOADS,
    errors=_ERRORS,
    # Its sessions share one process, whose threads it uses by itself.
    concurrent=False,
    session=SessionSql(
        # DuckDB's own settings, which dbt-duckdb has under `settings`.
        settings=frozenset(
            {
                "binary_as_string",
                "calendar",
                "default_collation",
                "default_null_order",
                "default_order",
                "disable_timestamptz_casts",
                "error_on_division_by_zero",
                "ieee_floating_point_ops",
                "integer_division",
                "null_order",
                "old_implicit_casting",
                "order_by_non_integer_literal",
                "preserve_identifier_case",
                "preserve_insertion_order",
                "regex_match_operator_semantics",
                "scalar_subquery_error_on_multiple_rows",
                "search_path",
                "timezone",
            }
        ),
        statement="set {identifier} = {value}",
    ),
)
