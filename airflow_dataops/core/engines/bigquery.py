"""BigQuery, as dbt-bigquery uses it.

DDL cannot be part of a transaction, so that a build is not one: a table is replaced by one
statement, and the statements that change rows are a transaction of their own.

Errors: BigQuery: told by the reason of the error, then by the HTTP status' class.

https://cloud.google.com/bigquery/docs/error-messages
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from airflow_dataops.core.engines.base import Engine
from airflow_dataops.core.engines.contracts import Contracts, without_limits
from airflow_dataops.core.engines.error_codes import ErrorCodes, ErrorKind
from airflow_dataops.core.engines.finishing import Comments, Finishing
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
from airflow_dataops.core.engines.sessions import SessionSql
from airflow_dataops.core.engines.statements import MARK, Statement
from airflow_dataops.core.engines.types import Family
from airflow_dataops.core.engines.values import SUPERSEDED, ScriptSql, ValueSql
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_dataops.core.engines.finishing import Commented
    from airflow_dataops.core.model import Relation


def _schemata(relation: Relation) -> str:
    project = "" if relation.database is None else f"{quote(relation.database, 'bigquery')}."
    return f"{project}INFORMATION_SCHEMA.SCHEMATA"


def _last_altered(relation: Relation) -> Statement:
    parts = (relation.database, relation.schema)
    dataset = ".".join(quote(part, "bigquery") for part in parts if part is not None)
    # INFORMATION_SCHEMA tells it by region only, which nobody here knows.
    return Statement(
        sql=f"select last_modified_time / 1000 from {dataset}.__TABLES__ where table_id = {MARK}",
        parameters=(relation.identifier,),
    )


def _comment(kind: str, name: str, text: str) -> str:
    return f"alter {kind} {name} set options (description = {text})"


def _column_comments(name: str, columns: Sequence[Commented]) -> list[str]:
    changes = ",\n".join(
        f"  alter column {column} set options (description = {text})" for column, text in columns
    )
    return [f"alter table {name}\n{changes}"]


_MODELS = ModelSql(
    finishing=Finishing(
        comments=Comments(
            relation=_comment,
            columns=_column_comments,
            view_column="{0} options (description = {1})",
        ),
    ),
    contracts=Contracts(
        seen=without_limits,
        written=frozenset({"not_null", "primary_key", "foreign_key"}),
        unenforced=frozenset({"primary_key", "foreign_key"}),
    ),
    table_options=True,
    databases=Databases.ANY,
    schemata=_schemata,
    current_database="@@project_id",
    names=Names.EXACT,
    replace_table=Replace.STATEMENT,
    replace_view=Replace.STATEMENT,
    macros=Macros.BIGQUERY,
    microbatch=Strategy.INSERT_OVERWRITE,
    default_strategy=Strategy.MERGE,
    strategies=(Strategy.MERGE, Strategy.INSERT_OVERWRITE),
    seeds=Seeds(
        nulls=TextNulls.NEVER,
        rows=SeedRows.JSON,
        json_rows="unnest(json_query_array({})) as line",
        json_field="json_value(line, '$[{}]')",
        types={
            "integer": "int64",
            "float8": "float64",
            "text": "string",
            "boolean": "bool",
            "timestamp without time zone": "datetime",
        },
    ),
    epoch="unix_micros(cast({} as timestamp)) / 1000000",
    last_altered=_last_altered,
    now="current_timestamp()",
    row_id="to_hex(md5({}))",
    midnight={
        Family.DATE: "date '{day}'",
        Family.NAIVE: "datetime '{day} 00:00:00'",
        Family.AWARE: "timestamp '{day} 00:00:00+00:00'",
    },
    type_change=TypeChange.REWRITE,
    partitioned=True,
)


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


_LOADS = LoadSql(
    session=None,
    information_schema="INFORMATION_SCHEMA",
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


_ERRORS = ErrorCodes(
    title="BigQuery",
    modules=("google",),
    texts=(
        (
            re.compile(
                r"due to concurrent (?:update|write)|concurrent transaction"
                r"|too many (?:table update|DML) (?:operations|statements)",
                re.I,
            ),
            ErrorKind.CONFLICT,
        ),
        (re.compile(r"already exists", re.I), ErrorKind.EXISTS),
        (
            re.compile(
                r"session.*(?:not found|not exist|expired|terminated|aborted)"
                r"|invalid input session id",
                re.I,
            ),
            ErrorKind.LOST,
        ),
        (re.compile(r"rate ?limit|quota ?exceeded", re.I), ErrorKind.BUSY),
        (
            re.compile(
                r"division by zero|bad (?:int64|double|numeric|bool)|could not (?:cast|parse)"
                r"|out of range|overflow",
                re.I,
            ),
            ErrorKind.DATA,
        ),
        (
            re.compile(
                r"(?:dataset|table|project|model|routine|function) .*not found|not found: "
                r"|unrecognized name",
                re.I,
            ),
            ErrorKind.MISSING,
        ),
    ),
    reasons={
        "accessDenied": ErrorKind.DENIED,
        "backendError": ErrorKind.BUSY,
        "badRequest": ErrorKind.SYNTAX,
        "billingNotEnabled": ErrorKind.DENIED,
        "billingTierLimitExceeded": ErrorKind.UNSUPPORTED,
        "blocked": ErrorKind.DENIED,
        "bytesBilledLimitExceeded": ErrorKind.UNSUPPORTED,
        "duplicate": ErrorKind.EXISTS,
        "internalError": ErrorKind.BUSY,
        "invalid": ErrorKind.DATA,
        "invalidQuery": ErrorKind.SYNTAX,
        "invalidUser": ErrorKind.DENIED,
        "jobBackendError": ErrorKind.BUSY,
        "jobInternalError": ErrorKind.BUSY,
        "jobRateLimitExceeded": ErrorKind.BUSY,
        "notFound": ErrorKind.MISSING,
        "notImplemented": ErrorKind.UNSUPPORTED,
        "proxyAuthenticationRequired": ErrorKind.DENIED,
        "quotaExceeded": ErrorKind.BUSY,
        "rateLimitExceeded": ErrorKind.BUSY,
        "resourceInUse": ErrorKind.LOCKED,
        "responseTooLarge": ErrorKind.UNSUPPORTED,
        "stopped": ErrorKind.CANCELLED,
        "tableUnavailable": ErrorKind.BUSY,
        "timeout": ErrorKind.BUSY,
    },
    names={
        "NotFound": ErrorKind.MISSING,
        "Unauthorized": ErrorKind.DENIED,
        "Forbidden": ErrorKind.DENIED,
        "TooManyRequests": ErrorKind.BUSY,
        "ResourceExhausted": ErrorKind.BUSY,
        "Conflict": ErrorKind.EXISTS,
        "Cancelled": ErrorKind.CANCELLED,
        "BadRequest": ErrorKind.SYNTAX,
        "MethodNotImplemented": ErrorKind.UNSUPPORTED,
        "ServerError": ErrorKind.BUSY,
        "RetryError": ErrorKind.LOST,
        "TransportError": ErrorKind.LOST,
        "DefaultCredentialsError": ErrorKind.DENIED,
        "MutualTLSChannelError": ErrorKind.DENIED,
    },
)


def _not_finite(value: str, family: Family) -> str | None:
    return f"(is_nan({value}) or is_inf({value}))" if family is Family.FLOAT else None


def _decimal(precision: int, scale: int) -> str:
    # https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#decimal_types
    is_small = scale <= 9 and precision - scale <= 29
    return f"{'numeric' if is_small else 'bignumeric'}({precision}, {scale})"


_VALUES = ValueSql(
    whole="bignumeric",
    is_whole="regexp_contains({}, r'^-?[0-9]{{1,38}}$')",
    not_finite=_not_finite,
    number="float64",
    text="string",
    naive="datetime",
    aware="timestamp",
    epoch="unix_micros(cast({} as timestamp)) / 1000000",
    day_in_zone="date({value}, {zone})",
    day_as_text="cast({} as string)",
    # As a key it would be added again by each load.
    nan_differs=True,
    except_once="except distinct",
    # https://cloud.google.com/bigquery/docs/reference/standard-sql/window-function-calls
    grouped_float="cast({} as string)",
    as_comparable="to_json_string({})",
    delete_all=" where true",
    # Of its API, and those of INFORMATION_SCHEMA.
    type_aliases={
        "INTEGER": "INT64",
        "FLOAT": "FLOAT64",
        "BOOLEAN": "BOOL",
        "RECORD": "STRUCT",
    },
    bulk_types={
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
    decimal=_decimal,
)


def _listed_columns(beside: Relation) -> str:
    parts = (beside.database, beside.schema)
    dataset = ".".join(quote(part, "bigquery") for part in parts if part)
    return f"{dataset}.INFORMATION_SCHEMA.COLUMNS"


_LOOKUP = Lookup(
    listing=_listed_columns,
    home=None,
    by_schema=True,
    nameless=(
        "BigQuery needs project.dataset.table. For a table of another warehouse name its Airflow "
        "connection: conn_id, or --conn-id."
    ),
)


# https://cloud.google.com/bigquery/docs/multi-statement-queries
def _publication(fence: str, statements: Sequence[str]) -> str:
    counted = "".join(
        f"    {sql};\n    set dataops_changed ="
        " concat(dataops_changed, ',', cast(@@row_count as string));\n"
        for sql in statements
    )
    return (
        "declare dataops_changed string;\nbegin\n  begin transaction;\n"
        f"  {fence};\n  set dataops_changed = cast(@@row_count as string);\n"
        f"  if dataops_changed = '{SUPERSEDED}' then\n    rollback transaction;\n  else\n"
        f"{counted}    commit transaction;\n  end if;\n"
        "exception when error then\n  set dataops_changed = @@error.message;\n"
        # Some errors end a transaction by themselves, and another ROLLBACK would hide them.
        "  begin\n    rollback transaction;\n"
        "  exception when error then\n    select 'rolled back';\n  end;\n"
        "  raise using message = dataops_changed;\nend;\n"
        "select dataops_changed"
    )


_SCRIPTS = ScriptSql(publication=_publication, naive="datetime '{}'", aware="timestamp '{}'")
# A name in quotes has a string's escapes, and none of these is of a name anyway:
# https://cloud.google.com/bigquery/docs/reference/standard-sql/lexical#quoted_identifiers
_NAMING = Naming(
    quote="`",
    unquotable=frozenset("`\\\n\r"),
    longest=1024,
    longest_column=300,
    paths_in_quotes=True,
    text_escapes=(
        ("\\", "\\\\"),
        ("'", "\\'"),
        ('"', '\\"'),
        ("\n", "\\n"),
        ("\r", "\\r"),
    ),
)

ENGINE = Engine(
    name="bigquery",
    naming=_NAMING,
    values=_VALUES,
    lookup=_LOOKUP,
    models=_MODELS,
    loads=_LOADS,
    errors=_ERRORS,
    scripts=_SCRIPTS,
    metering=Metering.JOBS,
    session=SessionSql(
        settings=frozenset({"maximum_bytes_billed", "priority", "job_execution_timeout_seconds"})
    ),
)
