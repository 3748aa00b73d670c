"""DuckDB and MotherDuck: told by the class of the exception.

https://github.com/duckdb/duckdb/blob/main/src/include/duckdb/common/exception.hpp
"""

from __future__ import annotations

import re

from airflow_dataops.core.sql.dialects.error_codes import ErrorCodes, ErrorKind

DUCKDB = ErrorCodes(
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
