"""A circuit breaker in Airflow: around calls, around operators, as a gate."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import psycopg
import pytest
import requests
from airflow.sdk.definitions.retry_policy import RetryAction
from typer.testing import CliRunner

from airflow_dataops import BreakerClosedSensor, CircuitBreaker, ErrorRetryPolicy, guarded
from airflow_dataops.cli.app import app
from airflow_dataops.core.breaker import BreakerOpenError, State
from airflow_dataops.errors import ConfigError, RetryableError, RunError
from airflow_dataops.hooks.outages import is_outage

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    monkeypatch.setenv("AIRFLOW__DATAOPS__LEDGER", url)
    return url


def fail(breaker: CircuitBreaker, error: Exception) -> None:
    with pytest.raises(type(error)), breaker.call():
        raise error


def test_calls_stop_once_the_service_is_down_and_say_why() -> None:
    breaker = CircuitBreaker("api", threshold=2, reset_after=60)
    fail(breaker, RunError("a value does not fit"))
    fail(breaker, ConnectionError("refused"))
    fail(breaker, RunError("an answer, at last"))
    fail(breaker, ConnectionError("refused"))
    fail(breaker, ConnectionError("refused again"))
    again = CircuitBreaker("api", threshold=2, reset_after=60)
    with pytest.raises(BreakerOpenError, match="refused again") as told, again.call():
        raise AssertionError("no call is made")
    assert 0 < told.value.retry_after <= 72
    with CircuitBreaker("other").call():
        pass


def test_without_a_ledger_calls_go_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__DATAOPS__LEDGER", "mysql://nowhere/db")
    breaker = CircuitBreaker("api", threshold=1)
    for _ in range(3):
        fail(breaker, ConnectionError("refused"))
    with breaker.call():
        pass
    with pytest.raises(ConfigError):
        breaker.read()


def response(status: int) -> requests.Response:
    found = requests.Response()
    found.status_code = status
    return found


def chained(error: Exception) -> Exception:
    wrapped = RetryableError("it did not work")
    wrapped.__cause__ = error
    return wrapped


@pytest.mark.parametrize(
    ("error", "is_down"),
    [
        (ConnectionRefusedError("x"), True),
        (TimeoutError("x"), True),
        (requests.ConnectionError("x"), True),
        (requests.HTTPError("x", response=response(503)), True),
        (requests.HTTPError("x", response=response(429)), True),
        (requests.HTTPError("x", response=response(404)), False),
        (httpx.ConnectError("x"), True),
        (psycopg.OperationalError("no route to host"), True),
        (psycopg.errors.AdminShutdown("x"), True),
        (psycopg.errors.UndefinedTable("x"), False),
        (psycopg.errors.LockNotAvailable("x"), False),
        (chained(ConnectionError("x")), True),
        (FileNotFoundError("x"), False),
        (PermissionError("x"), False),
        (RunError("x"), False),
        (ValueError("x"), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_a_service_that_is_down_raises(error: Exception, is_down: bool) -> None:
    assert is_outage(error) is is_down


def test_retries_go_by_the_kind_of_error() -> None:
    policy = ErrorRetryPolicy(first=10, most=100)
    final = policy.evaluate(psycopg.errors.UndefinedTable("x"), 1, 5)
    assert final.action is RetryAction.FAIL
    delays = [policy.evaluate(ConnectionError("x"), n, 9).retry_delay for n in range(1, 60)]
    for n, delay in enumerate(delays):
        longest = timedelta(seconds=min(100, 10 * 2.0**n))
        assert delay is not None
        assert longest / 2 <= delay <= longest
    assert policy.evaluate(ValueError("x"), 1, 9).action is RetryAction.RETRY
    with pytest.raises(ConfigError, match="most"):
        ErrorRetryPolicy(first=10, most=1)


def test_an_operator_behind_a_breaker_waits_until_it_may_be_tried() -> None:
    breaker = CircuitBreaker("api", threshold=1, reset_after=1000)
    arguments = guarded(breaker, first=1)
    policy = arguments["retry_policy"]
    arguments["pre_execute"]({})
    down = policy.evaluate(ConnectionError("refused"), 1, 5)
    assert down.retry_delay > timedelta(seconds=900)
    assert breaker.read().state is State.OPEN
    with pytest.raises(BreakerOpenError) as refused:
        guarded(breaker)["pre_execute"]({})
    waits = policy.evaluate(refused.value, 2, 5)
    assert (waits.action, waits.retry_delay > timedelta(seconds=900)) == (RetryAction.RETRY, True)
    assert breaker.read().failures == 1, "what was refused is no failure"


def test_a_task_that_ends_well_closes_the_breaker_it_probed() -> None:
    breaker = CircuitBreaker("api", threshold=1, reset_after=0.001)
    fail(breaker, ConnectionError("refused"))
    probe = guarded(breaker)
    while breaker.left():
        pass
    probe["pre_execute"]({})
    assert breaker.read().state is State.HALF_OPEN
    probe["post_execute"]({}, None)
    assert breaker.read().state is State.CLOSED


def test_the_gate_waits_while_the_breaker_is_open() -> None:
    breaker = CircuitBreaker("api", threshold=1, reset_after=1000)
    gate = BreakerClosedSensor(task_id="gate", breaker=breaker, mode="poke")
    assert gate.poke({})
    fail(breaker, ConnectionError("refused"))
    told = gate.poke({})
    assert not told
    assert "refused" in str(told.xcom_value)
    deferred = BreakerClosedSensor(task_id="deferred", breaker=breaker, timeout=0.01)
    trigger = deferred._trigger()

    async def run() -> Any:
        return [event async for event in trigger.run()]

    [event] = asyncio.run(run())
    assert event.payload["seen"] == "late"


def test_the_command_lists_and_closes_breakers() -> None:
    breaker = CircuitBreaker("api", threshold=1, reset_after=1000)
    fail(breaker, ConnectionError("refused\nby a wall"))

    def run(*arguments: str) -> Any:
        return CliRunner().invoke(app, ["breaker", *arguments], catch_exceptions=False)

    assert run("list").stdout.split("\t")[:3] == ["api", "open", "1"]
    assert run("reset", "nobody").exit_code == 1
    assert run("reset", "api").stdout == "api is closed\n"
    with breaker.call():
        pass
