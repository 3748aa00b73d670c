"""Recorded answers are dbt's, of the same types, and never those to another question."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.oracle import recording
from tests.oracle.json_values import decoded, encoded
from tests.oracle.recording import Recording, Way

HERE = Path("/tmp/here")
VALUES = [
    None,
    True,
    1,
    1.5,
    "x",
    b"\0x",
    Decimal("1.50"),
    date(2026, 1, 5),
    datetime(2026, 1, 5, 1, 2, 3, 4),
    datetime(2026, 1, 5, tzinfo=UTC),
    time(1, 2, 3),
    timedelta(days=-1, microseconds=7),
    UUID(int=7),
    math.inf,
    (1, ("a", None)),
    [{"a": (1,), 2: []}],
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    found = decoded(encoded(value))
    assert (type(found), found) == (type(value), value)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(recording, "FOLDER", tmp_path)
    return tmp_path


def asked(way: Way, question: str, answer: str) -> str:
    opened = Recording("some", way, "the command", HERE)
    found: str = opened.answer(question, lambda: answer)
    opened.close()
    return found


@pytest.mark.usefixtures("folder")
def test_what_was_written_is_read_without_asking() -> None:
    asked(Way.WRITE, "which?", "that")
    assert asked(Way.READ, "which?", "never asked") == "that"


@pytest.mark.usefixtures("folder")
def test_a_question_that_was_never_asked_fails_and_names_the_command() -> None:
    asked(Way.WRITE, "which?", "that")
    with pytest.raises(AssertionError, match="the command"):
        asked(Way.READ, "which else?", "that")


@pytest.mark.usefixtures("folder")
def test_who_asks_again_and_hears_something_else_fails() -> None:
    asked(Way.WRITE, "which?", "that")
    assert asked(Way.ASK, "which?", "that") == "that"
    with pytest.raises(AssertionError, match="otherwise than recorded"):
        asked(Way.ASK, "which?", "this")


@pytest.mark.usefixtures("folder")
def test_another_version_of_dbt_is_another_question(monkeypatch: pytest.MonkeyPatch) -> None:
    asked(Way.WRITE, "which?", "that")
    monkeypatch.setattr(recording, "_versions", lambda: ("dbt-core 9",))
    with pytest.raises(AssertionError, match="never asked"):
        asked(Way.READ, "which?", "that")


@pytest.mark.usefixtures("folder")
def test_the_folder_of_a_run_and_the_order_of_threads_are_no_part_of_an_answer() -> None:
    def told(run: int, verdicts: dict[str, str]) -> Any:
        opened = Recording("some", Way.WRITE if run == 1 else Way.ASK, "the command", HERE)
        found = opened.answer("which?", lambda: (f"no file /tmp/here/seeds{run}/a.csv", verdicts))
        opened.close()
        return found

    told(1, {"a": "pass", "b": "fail"})
    told(2, {"b": "fail", "a": "pass"})
    with pytest.raises(AssertionError, match="otherwise than recorded"):
        told(3, {"b": "pass", "a": "pass"})
