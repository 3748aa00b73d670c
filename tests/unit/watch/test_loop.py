"""Passes one after the other: how long to wait, and what an error means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from airflow_dataops.adapters.watch.loop import WatchLoop
from airflow_dataops.adapters.watch.reconciler import Pass
from airflow_dataops.errors import ConfigError, RetryableError

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


class Watch:
    """Gives these answers in turn."""

    def __init__(self, *answers: Pass | Exception) -> None:
        self.answers = list(answers)
        self.opened = 0

    def open(self) -> Watch:
        self.opened += 1
        return self

    def run_once(self) -> Pass:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def loop(watch: Watch) -> WatchLoop:
    return WatchLoop(watch.open, lambda: NOON, poll=10)


@pytest.mark.parametrize(("seconds", "wait"), [(None, 10), (60, 10), (4, 4.25), (0.1, 1), (-5, 1)])
def test_it_wakes_when_the_next_sla_is_due(seconds: float | None, wait: float) -> None:
    due = None if seconds is None else NOON + timedelta(seconds=seconds)
    assert loop(Watch(Pass(next_due=due))).step().wait == wait


def test_an_airflow_that_is_away_is_asked_again() -> None:
    watch = Watch(RetryableError("away"), ValueError("strange"), Pass(runs=3))
    watching = loop(watch)
    assert [watching.step().found for _ in range(3)] == [None, None, Pass(runs=3)]
    assert watch.opened == 2, "after a strange error it begins anew"


def test_a_setting_that_stays_wrong_is_told_in_the_end() -> None:
    watching = loop(Watch(*[ConfigError("no login")] * 10))
    assert [watching.step().found for _ in range(9)] == [None] * 9
    with pytest.raises(ConfigError, match="no login"):
        watching.step()


def test_a_setting_that_is_wrong_at_first_is_told_at_once() -> None:
    def fails() -> Watch:
        raise ConfigError("no connection")

    with pytest.raises(ConfigError, match="no connection"):
        WatchLoop(fails, lambda: NOON).step()
