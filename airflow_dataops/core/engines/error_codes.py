"""What the errors of engines mean, as data; one `error_codes_<engine>.py` per engine.

Loads, builds, tests, freshness, health checks and cost queries all go by these tables.
"""

from __future__ import annotations

import re
from enum import StrEnum

from airflow_dataops.core.model import Struct


class Fate(StrEnum):
    """What running the same again would bring."""

    FINAL = "final"
    """The same error."""
    RETRYABLE = "retryable"
    """Perhaps another outcome."""
    UNKNOWN = "unknown"
    """Nobody knows; it is retried as Airflow does by default."""


class ErrorKind(StrEnum):
    """What an engine's error is about, in words for people."""

    SYNTAX = "the SQL does not fit"
    MISSING = "something that the SQL names does not exist, or may not be seen"
    DENIED = "permission denied"
    DATA = "a value does not fit"
    CONSTRAINT = "a constraint is violated"
    UNSUPPORTED = "the engine does not do this"
    EXISTS = "what was to be made exists already"
    CONFLICT = "another transaction was in the way"
    LOCKED = "a lock was not free in time"
    LOST = "the connection was lost"
    BUSY = "the engine had no room"
    CANCELLED = "the statement was cancelled"
    OTHER = "an error of no known kind"

    @property
    def fate(self) -> Fate:
        """What running the same again would bring."""
        if self in _FINAL:
            return Fate.FINAL
        return Fate.RETRYABLE if self in _RETRYABLE else Fate.UNKNOWN


_FINAL = {
    ErrorKind.SYNTAX,
    ErrorKind.MISSING,
    ErrorKind.DENIED,
    ErrorKind.DATA,
    ErrorKind.CONSTRAINT,
    ErrorKind.UNSUPPORTED,
}
_RETRYABLE = {ErrorKind.CONFLICT, ErrorKind.LOCKED, ErrorKind.LOST, ErrorKind.BUSY}

# Of the SQL standard and of Postgres, which Snowflake's are a part of:
# https://www.postgresql.org/docs/current/errcodes-appendix.html
STATES = {
    "08": ErrorKind.LOST,
    "0A": ErrorKind.UNSUPPORTED,
    "21": ErrorKind.DATA,
    "22": ErrorKind.DATA,
    "23": ErrorKind.CONSTRAINT,
    "28": ErrorKind.DENIED,
    "3D": ErrorKind.MISSING,
    "3F": ErrorKind.MISSING,
    "40": ErrorKind.CONFLICT,
    "40002": ErrorKind.CONSTRAINT,  # a deferred one, at the end of the transaction
    "40003": ErrorKind.LOST,  # completion unknown
    "42": ErrorKind.SYNTAX,
    "42501": ErrorKind.DENIED,
    "42704": ErrorKind.MISSING,  # object
    "42703": ErrorKind.MISSING,  # column
    "42883": ErrorKind.MISSING,  # function
    "42P01": ErrorKind.MISSING,  # table
    "42710": ErrorKind.EXISTS,  # object
    "42P04": ErrorKind.EXISTS,  # database
    "42P06": ErrorKind.EXISTS,  # schema
    "42P07": ErrorKind.EXISTS,  # table
    "53": ErrorKind.BUSY,
    "54": ErrorKind.UNSUPPORTED,  # beyond a limit of the program
    "55006": ErrorKind.LOCKED,
    "55P03": ErrorKind.LOCKED,
    "57014": ErrorKind.CANCELLED,
    "57P01": ErrorKind.LOST,  # admin shutdown
    "57P02": ErrorKind.LOST,  # crash shutdown
    "57P03": ErrorKind.LOST,  # cannot connect now
    "57P05": ErrorKind.LOST,  # idle session timeout
    "25P03": ErrorKind.LOST,  # idle in transaction timeout
    "25P04": ErrorKind.LOST,  # transaction timeout
    "58": ErrorKind.BUSY,  # the system below
}
"""Kinds by SQLSTATE, or by its class."""


DB_API_NAMES = {
    "OperationalError": ErrorKind.LOST,
    "InterfaceError": ErrorKind.LOST,
    "DataError": ErrorKind.DATA,
    "IntegrityError": ErrorKind.CONSTRAINT,
    "NotSupportedError": ErrorKind.UNSUPPORTED,
}
"""What the exceptions of PEP 249 stand for, where a driver tells nothing better."""


class ErrorCodes(Struct, frozen=True):
    """How one engine's driver tells what happened. What stands first is asked first.

    Attributes:
        title: the engine's name for people.
        modules: the packages whose exceptions are the engine's.
        texts: kinds by what a message holds, where nothing better tells.
        numbers: kinds by the driver's `errno`.
        reasons: kinds by the `reason` that Google's errors carry.
        names: kinds by the names of the exception's classes, the nearest first.
    """

    title: str
    modules: tuple[str, ...]
    texts: tuple[tuple[re.Pattern[str], ErrorKind], ...] = ()
    numbers: dict[int, ErrorKind] = {}
    reasons: dict[str, ErrorKind] = {}
    names: dict[str, ErrorKind] = {}
