"""Snowflake's COPY INTO from a stage or from cloud storage.

https://docs.snowflake.com/en/sql-reference/sql/copy-into-table
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.engines import get_engine
from airflow_dataops.core.engines.identifiers import literal, quote, quote_all
from airflow_dataops.core.engines.relations import render
from airflow_dataops.core.model import Struct
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_dataops.core.model import Relation

_DIALECT = "snowflake"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")
_TYPE = re.compile(r"[A-Za-z_][A-Za-z0-9_ ]*(\(\s*\d+\s*(,\s*\d+\s*)?\))?")
_FORMATS = ("csv", "json", "parquet", "avro", "orc")
_ON_ERROR = re.compile(r"abort_statement|continue|skip_file(_\d+%?)?", re.IGNORECASE)


class Copy(Struct, frozen=True):
    """What is copied.

    Attributes:
        location: a stage and a path in it (`@raw.landing/sales/`), or a URL.
        format: csv, json, parquet, avro or orc.
        format_name: a named file format instead.
        options: of the format, by name.
        columns: Snowflake's types by name; of CSV without a header in the order of the fields.
        pattern: a regular expression that the whole paths of files match.
        files: names below the location instead.
        on_error: abort_statement, continue, skip_file, skip_file_<n> or skip_file_<n>%.
        integration: the storage integration of a URL.
    """

    location: str
    format: str = "csv"
    format_name: str | None = None
    options: dict[str, Any] = {}
    columns: dict[str, str] = {}
    pattern: str | None = None
    files: tuple[str, ...] = ()
    on_error: str = "abort_statement"
    integration: str | None = None


def create_for_copy(staging: Relation, copy: Copy) -> str:
    """Return the statement that makes the table to copy into.

    Without columns they are those that Snowflake finds in the files of a stage.
    """
    create = get_engine(_DIALECT).loads.create_staging.replace("{}", render(staging, _DIALECT))
    if copy.columns:
        listed = ", ".join(f"{quote(n, _DIALECT)} {_typed(n, t)}" for n, t in copy.columns.items())
        return f"{create} ({listed})"
    if copy.format_name is None or not copy.location.startswith("@"):
        raise ConfigError(
            f"{copy.location}: name the columns with their types. Only for a stage and a named "
            "file format (format_name) does Snowflake find them in the files."
        )
    found = [
        f"location => {_located(copy)}",
        f"file_format => {literal(_named(copy.format_name), _DIALECT)}",
        *([f"files => {_listed(copy.files)}"] if copy.files else []),
        "ignore_case => true",
    ]
    return (
        f"{create} using template (\n  select array_agg(object_construct(*))\n"
        f"  from table(infer_schema({', '.join(found)}))\n)"
    )


def copy_files(staging: Relation, copy: Copy) -> str:
    """Return the statement that loads the files; each is a row of its result.

    The table is new, so Snowflake has loaded no file into it before: what it remembers of
    loaded files, for 64 days and for each table, keeps none back. PURGE is left out: a retry
    has to find the files.
    """
    by_name = copy.format != "csv" or bool(copy.options.get("parse_header")) or not copy.columns
    names = "" if by_name else f" ({quote_all(copy.columns, _DIALECT)})"
    if not _ON_ERROR.fullmatch(copy.on_error):
        raise ConfigError(
            f"on_error={copy.on_error!r}: choose abort_statement, continue, skip_file, "
            "skip_file_<n> or skip_file_<n>%."
        )
    if copy.files and copy.pattern:
        raise ConfigError(f"{copy.location}: give files or a pattern, not both.")
    lines = [
        f"copy into {render(staging, _DIALECT)}{names}",
        f"from {_located(copy)}",
        *([f"storage_integration = {_identifier(copy.integration)}"] if copy.integration else []),
        *([f"files = {_listed(copy.files)}"] if copy.files else []),
        *([f"pattern = {literal(copy.pattern, _DIALECT)}"] if copy.pattern else []),
        f"file_format = ({_format(copy)})",
        *(["match_by_column_name = case_insensitive"] if by_name else []),
        f"on_error = {_error(copy.on_error)}",
    ]
    return "\n".join(lines)


def _located(copy: Copy) -> str:
    if not copy.location.startswith(("@", "s3://", "gcs://", "azure://", "s3gov://", "s3china://")):
        raise ConfigError(
            f"{copy.location!r} is neither a stage (@name/path) nor a URL that Snowflake reads "
            "(s3://, gcs://, azure://). For files elsewhere, use Files."
        )
    return literal(copy.location, _DIALECT)


def _format(copy: Copy) -> str:
    if copy.format_name is None and copy.format not in _FORMATS:
        raise ConfigError(f"format={copy.format!r}: choose one of {', '.join(_FORMATS)}.")
    of = (
        f"type = {copy.format}"
        if copy.format_name is None
        else f"format_name = {literal(_named(copy.format_name), _DIALECT)}"
    )
    return " ".join([of, *(f"{_identifier(n)} = {_option(v)}" for n, v in copy.options.items())])


def _error(on_error: str) -> str:
    # SKIP_FILE_10% is only understood in quotes.
    return literal(on_error, _DIALECT) if "%" in on_error else on_error


def _option(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list | tuple):
        return _listed(value)
    if value is None:
        return "none"
    return literal(str(value), _DIALECT)


def _listed(values: Mapping[str, Any] | list[Any] | tuple[Any, ...]) -> str:
    return f"({', '.join(literal(str(value), _DIALECT) for value in values)})"


def _identifier(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{name!r} is not the name of an option of a Snowflake file format.")
    return name


def _named(name: str) -> str:
    if not all(_NAME.fullmatch(part) for part in name.split(".")):
        raise ConfigError(f"format_name={name!r}: write name, schema.name or database.schema.name.")
    return name


def _typed(name: str, type_: str) -> str:
    if not _TYPE.fullmatch(type_):
        raise ConfigError(f"column {name!r}: {type_!r} is not one of Snowflake's types.")
    return type_
