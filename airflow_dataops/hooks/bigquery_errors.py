"""SQLSTATEs for BigQuery's errors, which have none; the table of its errors tells them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.engines.error_codes import ErrorKind
from airflow_dataops.core.engines.errors import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_STATES = {
    ErrorKind.CONFLICT: "40001",
    ErrorKind.EXISTS: "42P07",
    ErrorKind.LOST: "08003",
}


@contextmanager
def stated() -> Iterator[None]:
    """Give what BigQuery raises in the block an attribute `sqlstate`, where one says more."""
    from google.api_core.exceptions import GoogleAPIError

    try:
        yield
    except GoogleAPIError as error:
        kind = kind_of(error)
        if kind in _STATES:
            noted: Any = error
            noted.sqlstate = _STATES[kind]
        raise
