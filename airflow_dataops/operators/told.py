"""What a task's log says of the SQL that ran, and of what went wrong."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from airflow.sdk.exceptions import AirflowFailException

from airflow_dataops.errors import (
    ConfigError,
    DataOpsError,
    ManifestError,
    MissingExtraError,
    RunError,
)
from airflow_dataops.hooks.masking import redacted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

log = logging.getLogger(__name__)

_FINAL = (RunError, ConfigError, ManifestError, MissingExtraError)
"""What goes wrong again when the same is tried again."""


@contextmanager
def told(conn_id: str) -> Iterator[None]:
    """Raise what a task does not survive, in one short piece: what would come again, finally.

    What it came from is in the log at level debug.

    Args:
        conn_id: the connection that is opened in the block.
    """
    try:
        yield
    except _FINAL as error:
        _debug(error)
        raise AirflowFailException(redacted(str(error))) from None
    except DataOpsError as error:
        _debug(error)
        raise type(error)(redacted(str(error))) from None
    except Exception as error:
        # It knows SQL, which no DAG file needs.
        from airflow_dataops.core.execution.explained import Place, explained

        place = Place(name=f"connection {conn_id!r} (conn_id=)")
        found = explained(error, place=place, redact=redacted)
        if found is None:
            raise
        _debug(error)
        if isinstance(found, _FINAL):
            raise AirflowFailException(str(found)) from None
        raise found from None


def log_script(title: str, statements: Sequence[str]) -> None:
    """Log what ran, whole and in order, in a group that Airflow's pages show folded."""
    if not statements:
        return
    log.info("::group::%s", title)
    for statement in statements:
        log.info("%s;", redacted(statement))
    log.info("::endgroup::")


def _debug(error: BaseException) -> None:
    log.debug("It came from:", exc_info=error)
