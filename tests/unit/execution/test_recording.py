"""What the user is shown of what ran."""

from __future__ import annotations

import pytest

from airflow_dataops.core.execution.recording import RecordingRunner
from tests.fakes.sql_runner import FakeSqlRunner


def test_statements_are_kept_in_order_with_their_transaction() -> None:
    recording = RecordingRunner(FakeSqlRunner([(1,)], changed=7))
    with recording.transaction():
        assert recording.execute("insert") == 7
    assert recording.fetch("select") == [(1,)]
    assert recording.statements == ("begin", "insert", "commit", "select")
    assert recording.script() == "begin;\n\ninsert;\n\ncommit;\n\nselect;"


def test_what_was_looked_up_comes_last_and_waits_for_locks_not_at_all() -> None:
    """Whoever shows the text cuts it: Airflow, a rendered template after 4,096 characters."""
    recording = RecordingRunner(FakeSqlRunner([(1,)]))
    recording.fetch("select columns where name = ?", ["t"])
    with recording.transaction():
        for quiet in ("set local lock_timeout = 200", "savepoint a", "release savepoint a"):
            recording.execute(quiet)
        recording.execute("insert")
    expected = (
        "begin;\n\ninsert;\n\ncommit;\n\n-- looked up for it:\n\nselect columns where name = ?;"
    )
    assert recording.script() == expected
    assert recording.statements[0] == "select columns where name = ?"


def test_a_failed_transaction_ends_in_a_rollback() -> None:
    fake = FakeSqlRunner()
    recording = RecordingRunner(fake)
    with pytest.raises(KeyError), recording.transaction():
        raise KeyError
    assert recording.statements == ("begin", "rollback")
    assert [statement for statement, _ in fake.told] == ["BEGIN", "ROLLBACK"]


def test_a_statement_that_fails_is_shown_too() -> None:
    class Failing(FakeSqlRunner):
        def execute(self, sql: str, parameters: object = ()) -> int:
            raise ValueError(sql)

    recording = RecordingRunner(Failing())
    with pytest.raises(ValueError, match="bad"):
        recording.execute("bad")
    assert recording.statements == ("bad",)


def test_values_are_never_kept() -> None:
    fake = FakeSqlRunner()
    recording = RecordingRunner(fake)
    recording.execute("insert into t values (?)", ["secret"])
    assert fake.told == [("insert into t values (?)", ("secret",))]
    assert "secret" not in recording.script()


def test_repeats_are_kept_once_and_long_texts_cut() -> None:
    recording = RecordingRunner(FakeSqlRunner())
    for _ in range(3):
        recording.execute("insert")
    recording.execute("x" * 20_005)
    insert, long = recording.statements
    assert insert == "insert"
    assert long == "x" * 20_000 + "\n-- and 5 characters more"


def test_nothing_ran_shows_nothing() -> None:
    assert RecordingRunner(FakeSqlRunner()).script() == ""
