"""The trigger and the resumed task of a publication that nobody waits for, without a server."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from airflow.sdk.exceptions import TaskDeferred
from google.api_core.exceptions import BadRequest

from airflow_dataops.core.engines.statements import Effect
from airflow_dataops.core.engines.values import SUPERSEDED
from airflow_dataops.core.loads.detached import Detached
from airflow_dataops.core.model import Relation
from airflow_dataops.errors import RetryableError, SupersededError
from airflow_dataops.operators.loads.merge import MergeOperator
from airflow_dataops.triggers import publication
from airflow_dataops.triggers.publication import PublicationTrigger
from tests.fakes.sql_runner import FakeSqlRunner

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airflow_dataops.operators.loads.base import LoadOperator

BEGUN = Detached(
    job="q1",
    script="execute immediate 'begin .. end'",
    target="SALES.ITEMS",
    partition="",
    leases=Relation(identifier="dataops_leases", schema="SALES"),
    token=7,
    seconds=3600,
    staged=5,
    effects=(Effect.REMOVED, Effect.INSERTED),
    staging=(Relation(identifier="ITEMS__stg_1", schema="SALES"),),
)


class Jobs(FakeSqlRunner):
    """Answers in turn whether the job has ended; an exception is raised."""

    def __init__(self, answers: Sequence[bool | Exception] = (), result: Any = "1,2,3") -> None:
        super().__init__([(7, "o", "r", 1, "h", 60)], changed=1, dialect="snowflake")
        self.answers = list(answers)
        self.outcome = result
        self.opened = 0
        self.closed = 0

    def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        if sql == "select current_database()":
            return [("WH",)]
        return super().fetch(sql, parameters)

    def submit(self, sql: str) -> str:
        self.told.append(("SUBMIT", (sql,)))
        return "q2"

    def ended(self, job: str) -> bool:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def result(self, job: str) -> list[tuple[Any, ...]]:
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return [(self.outcome,)]

    def cancel(self, job: str) -> None:
        self.told.append(("CANCEL", (job,)))

    def said(self, text: str) -> bool:
        return any(text in sql for sql, _ in self.told)


@contextmanager
def opened(jobs: Jobs) -> Iterator[Jobs]:
    jobs.opened += 1
    yield jobs
    jobs.closed += 1


def fired(jobs: Jobs, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> Any:
    """Run a trigger, as another triggerer would make it, to its event."""
    monkeypatch.setattr(publication, "open_session", lambda conn_id: opened(jobs))
    monkeypatch.setattr(publication, "_LONGEST_PAUSE", 0.001)
    begun = msgspec.to_builtins(msgspec.structs.replace(BEGUN, script=""))
    _, arguments = PublicationTrigger("wh", begun, poll_interval=0.001, **settings).serialize()

    async def run() -> Any:
        trigger = PublicationTrigger(**arguments)
        events = [event async for event in trigger.run()]
        await trigger.cleanup()
        return events

    [event] = asyncio.run(run())
    return event.payload


def test_one_session_asks_until_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = Jobs([False, False, True])
    assert fired(jobs, monkeypatch)["status"] == "ended"
    assert (jobs.opened, jobs.closed) == (1, 1)
    assert not jobs.said("CANCEL")


def test_a_lost_connection_is_opened_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = Jobs([False, ConnectionError("down"), False, True])
    assert fired(jobs, monkeypatch)["status"] == "ended"
    assert (jobs.opened, jobs.closed) == (2, 2)


def test_a_warehouse_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    told = fired(Jobs([ConnectionError("down")] * 20), monkeypatch)
    assert told == {"status": "lost", "error": "ConnectionError: down"}


def test_the_deadline_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    past = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    assert fired(Jobs(), monkeypatch, deadline=past)["status"] == "late"


def test_who_kills_the_task_stops_the_script(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = Jobs()
    monkeypatch.setattr(publication, "open_session", lambda conn_id: opened(jobs))
    trigger = PublicationTrigger("wh", msgspec.to_builtins(BEGUN))
    asyncio.run(trigger.on_kill())
    assert jobs.told[0] == ("CANCEL", ("q1",))
    assert jobs.said('update "SALES"."dataops_leases"')
    assert jobs.said('drop table if exists "SALES"."ITEMS__stg_1"')


class Resumed(MergeOperator):
    """A task that goes on in a session of the test's."""

    jobs: Jobs

    @contextmanager
    def _recorded(self) -> Iterator[Any]:
        yield self.jobs

    def defer(self, **arguments: Any) -> Any:
        raise TaskDeferred(**arguments)


def resumed(jobs: Jobs, status: str = "ended") -> Any:
    task = Resumed(task_id="t", target="sales.items", conn_id="wh", table="feed", keys=["id"])
    task.jobs = jobs
    task.outlets = []
    event = {"status": status, "error": "no route"}
    return task.execute_complete({}, event, msgspec.to_builtins(BEGUN))  # type: ignore[typeddict-item]


def test_the_counts_are_those_of_the_script() -> None:
    jobs = Jobs(result="1,2,3")
    found = resumed(jobs)
    assert (found["staged"], found["updated"], found["inserted"]) == (5, 2, 1)
    assert jobs.said("drop table")


@pytest.mark.parametrize(("status", "why"), [("late", "execution_timeout"), ("lost", "no route")])
def test_what_is_stopped_can_be_tried_again(status: str, why: str) -> None:
    jobs = Jobs()
    with pytest.raises(RetryableError, match=why):
        resumed(jobs, status)
    assert jobs.told[0] == ("CANCEL", ("q1",))


def test_nr_19_a_script_that_was_overtaken_says_so() -> None:
    with pytest.raises(SupersededError, match="another attempt"):
        resumed(Jobs(result=SUPERSEDED))


def test_a_conflict_is_sent_again_and_waited_for() -> None:
    conflict: Any = BadRequest("concurrent update")  # type: ignore[no-untyped-call]
    conflict.sqlstate = "40001"
    jobs = Jobs(result=conflict)
    with pytest.raises(TaskDeferred) as deferred:
        resumed(jobs)
    assert ("SUBMIT", (BEGUN.script,)) in jobs.told
    kwargs: Any = deferred.value.kwargs
    assert (kwargs["detached"]["job"], kwargs["detached"]["tries"]) == ("q2", 2)
    assert not jobs.said("drop table")


def test_airflows_option_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    def made(**arguments: Any) -> LoadOperator:
        return MergeOperator(
            task_id="t", target="a.b", conn_id="wh", table="c", keys=["id"], **arguments
        )

    assert made().deferrable is False
    monkeypatch.setenv("AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE", "True")
    assert made().deferrable is True
    assert made(deferrable=False).deferrable is False
