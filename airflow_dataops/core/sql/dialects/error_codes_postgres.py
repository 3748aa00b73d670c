"""Postgres through psycopg and ADBC: almost all is told by SQLSTATE."""

from __future__ import annotations

import re

from airflow_dataops.core.sql.dialects.error_codes import ErrorCodes, ErrorKind

POSTGRES = ErrorCodes(
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
    names={
        "OperationalError": ErrorKind.LOST,
        "InterfaceError": ErrorKind.LOST,
        "DataError": ErrorKind.DATA,
        "IntegrityError": ErrorKind.CONSTRAINT,
        "ProgrammingError": ErrorKind.SYNTAX,
        "NotSupportedError": ErrorKind.UNSUPPORTED,
    },
)
