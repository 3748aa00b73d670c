"""SQLSTATEs for BigQuery's errors, which have none.

The texts are those of https://cloud.google.com/bigquery/docs/troubleshoot-queries and
https://cloud.google.com/bigquery/docs/transactions#transaction_concurrency.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOOKED_AT = 2_000
"""Characters of an error: the rest may be the text of a statement."""
_STATES = (
    # "Transaction is aborted due to concurrent update against table", "Could not serialize
    # access to table .. due to concurrent update"
    (re.compile(r"due to concurrent (?:update|write)|concurrent transaction", re.I), "40001"),
    (re.compile(r"already exists", re.I), "42P07"),
    (re.compile(r"session.*(?:not found|not exist|expired|terminated|aborted)", re.I), "08003"),
    (re.compile(r"invalid input session id", re.I), "08003"),
)


@contextmanager
def stated() -> Iterator[None]:
    """Give what BigQuery raises in the block an attribute `sqlstate`, where one says more."""
    from google.api_core.exceptions import GoogleAPIError

    try:
        yield
    except GoogleAPIError as error:
        state = _state(error)
        if state is not None:
            noted: Any = error
            noted.sqlstate = state
        raise


def _state(error: Exception) -> str | None:
    text = str(error)[:_LOOKED_AT]
    return next((state for pattern, state in _STATES if pattern.search(text)), None)
