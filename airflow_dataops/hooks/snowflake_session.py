"""A session with Snowflake, over its connector."""

from __future__ import annotations

import logging
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.sql import sessions, tags
from airflow_dataops.hooks.sql_session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airflow_dataops.core.sql.tags import Tag

log = logging.getLogger(__name__)


class SnowflakeSession(Session):
    """A session over Snowflake's connector.

    Transactions are begun and ended by statements of our own: whether the connector commits
    by itself depends on the `session_parameters` of the connection.
    """

    def interrupt(self) -> None:
        """Cancel what the session runs, over a session of its own."""
        with (
            closing(self._hook.get_conn()) as other,
            closing(other.cursor()) as cursor,
        ):
            cursor.execute(
                "select system$cancel_all_queries(%s)", [int(self._connection.session_id)]
            )

    def submit(self, sql: str) -> str:
        """Begin one statement; see `JobRunner.submit`. It outlives the session."""
        with closing(self._connection.cursor()) as cursor:
            # Where an account has set it, a statement whose session is gone is stopped.
            cursor.execute("alter session set abort_detached_query = false")
            cursor.execute_async(sql)
            return str(cursor.sfqid)

    def ended(self, job: str) -> bool:
        """Tell whether a statement has ended, well or not."""
        status = self._connection.get_query_status(job)
        return not self._connection.is_still_running(status)

    def result(self, job: str) -> list[tuple[Any, ...]]:
        """Return the rows of a statement that has ended; raise what it raised."""
        with _stated(), closing(self._connection.cursor()) as cursor:
            cursor.get_results_from_sfqid(job)
            return [tuple(row) for row in cursor.fetchall()]

    def cancel(self, job: str) -> None:
        """Stop a statement; one that has ended stays as it is."""
        self.fetch("select system$cancel_query(%s)", [job])

    def _begin_tagged(self, tag: Tag | None) -> None:
        # A tag of the session goes with every statement; comments would spoil result caching.
        self._comment = ""
        self._autocommit(True)
        self._bound_waits()
        if tag is not None:
            with closing(self._connection.cursor()) as cursor:
                cursor.execute("alter session set query_tag = %s", [tags.query_tag(tag)])

    def _bound_waits(self) -> None:
        try:
            self._say(sessions.bound_lock_waits(_LOCK_SECONDS))
        except Exception as error:  # noqa: BLE001 - it works without, as an account may demand
            log.debug("Waits for locks are not bounded: %s", error)

    def _begin(self) -> None:
        self._say("begin")

    def _commit(self) -> None:
        self._say("commit")

    def _rollback(self) -> None:
        self._say("rollback")

    def _run(self, cursor: Any, sql: str, parameters: Sequence[Any]) -> None:
        with _stated():
            super()._run(cursor, sql, parameters)

    def _say(self, statement: str) -> None:
        with _stated(), closing(self._connection.cursor()) as cursor:
            cursor.execute(statement)

    def _stop_for_good(self) -> None:
        self._over = True
        self.interrupt()


@contextmanager
def _stated() -> Iterator[None]:
    """Tell of a statement that did not get a lock that it may have it next time.

    Snowflake gives it the SQLSTATE of what a user has cancelled.
    """
    try:
        yield
    except Exception as error:
        if getattr(error, "errno", None) == _NO_LOCK:
            refused: Any = error
            refused.sqlstate = "55P03" if _HAS_WAITED in str(error) else "40001"
        raise


# "000625 (57014): .. was aborted because the number of waiters for this lock exceeds the 20
# statements limit", or, after LOCK_TIMEOUT, "Statement '..' has locked table '..' .. and this
# lock has not yet been released".
_NO_LOCK = 625
_HAS_WAITED = "has locked table"
_LOCK_SECONDS = 600
"""No statement waits longer for a lock; Snowflake's own bound is twelve hours."""
