"""Sessions with Snowflake, over a connection that fails; what the server does is not tried here."""

from __future__ import annotations

from typing import Any

import pytest
from snowflake.connector.errors import ProgrammingError

from airflow_dataops.core.loads.failures import is_conflict
from airflow_dataops.hooks.snowflake_session import SnowflakeSession


class Connection:
    """Its statements fail; it is its own cursor and hook."""

    placeholder = "%s"
    rowcount = 0

    def __init__(self, errno: int, sqlstate: str) -> None:
        self.errno = errno
        self.sqlstate = sqlstate

    def cursor(self) -> Connection:
        return self

    def execute(self, sql: str, parameters: object = None) -> None:
        if sql.startswith("alter session"):
            return
        raise ProgrammingError(msg="turned away", errno=self.errno, sqlstate=self.sqlstate)

    get_results_from_sfqid = execute

    def set_autocommit(self, connection: object, on: bool) -> None:
        return

    def close(self) -> None:
        return


@pytest.mark.parametrize(
    ("errno", "conflicts"),
    [(625, True), (604, False)],  # too many wait for a lock; cancelled by a user
)
@pytest.mark.parametrize("call", ["execute", "result"])
def test_who_is_turned_away_from_a_lock_may_try_again(
    call: str, errno: int, conflicts: bool
) -> None:
    connection: Any = Connection(errno, "57014")
    session = SnowflakeSession(connection, connection, "snowflake")
    with pytest.raises(ProgrammingError) as caught:
        getattr(session, call)("update t set a = 1")
    assert is_conflict(caught.value) is conflicts
