"""Snowflake: told by the number of the error, then by SQLSTATE.

https://github.com/snowflakedb/snowflake-connector-python/blob/main/src/snowflake/connector/errorcode.py
"""

from __future__ import annotations

import re

from airflow_dataops.core.sql.dialects.error_codes import ErrorCodes, ErrorKind

SNOWFLAKE = ErrorCodes(
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
    names={
        "OperationalError": ErrorKind.LOST,
        "InterfaceError": ErrorKind.LOST,
        "IntegrityError": ErrorKind.CONSTRAINT,
        "DataError": ErrorKind.DATA,
        "NotSupportedError": ErrorKind.UNSUPPORTED,
    },
)
