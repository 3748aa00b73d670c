"""Alerts from the service to the receiver, over SQLite and Postgres, with a fake clock."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from sqlalchemy import select

from airflow_dataops.adapters.ledger.tables import outbox
from airflow_dataops.adapters.outbox.sender import Sender
from airflow_dataops.core.alerts.alert import Action
from airflow_dataops.core.alerts.receiver import ReceiverError
from airflow_dataops.core.sla.misses import SlaMiss, Subject, SubjectKind, Tier
from tests.databases import KINDS, empty_database
from tests.fakes.alert_house import NOW, OPS, PAGER, House, alert
from tests.fakes.receiver import FakeReceivers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=KINDS)
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    with empty_database(request.param, tmp_path) as url:
        found = House(url)
        yield found
        found.store.close()


def test_an_alert_is_told_once_however_often_it_is_raised(house: House) -> None:
    assert house.service.alert(alert())
    assert not house.service.alert(alert())
    assert house.send() == 1
    assert not house.service.alert(alert())
    assert house.send(hours=1) == 0
    assert house.titles() == ["a is late"]


def test_an_alert_that_no_route_wants_is_not_kept(house: House) -> None:
    house.configure({"match": {"tier": "critical"}, "receivers": [OPS]})
    assert not house.service.alert(alert())
    assert house.states() == []


def test_the_storm_of_one_cause_is_one_message(house: House) -> None:
    house.configure({"receivers": [OPS, PAGER], "group": {"wait_seconds": 10}})
    for number in range(100):
        house.service.alert(alert(f"task{number:03}", cause="raw_orders failed"))
    assert house.send() == 0
    assert house.send(seconds=10) == 2
    (message,) = house.receivers.got(OPS)
    assert message.title == "task000 is late (and 99 more with the same cause)"
    assert message.count == 100
    assert "task019 is late and 80 more" in message.text


def test_a_group_ends_after_its_time(house: House) -> None:
    house.configure({"receivers": [OPS], "group": {"within_minutes": 30, "wait_seconds": 0}})
    house.service.alert(alert("a", cause="c"))
    house.send()
    house.clock.forward(minutes=29)
    house.service.alert(alert("b", cause="c"))
    assert house.send() == 0
    house.clock.forward(minutes=2)
    house.service.alert(alert("d", cause="c"))
    assert house.send() == 1


def test_solving_the_last_alert_of_an_incident_tells_so(house: House) -> None:
    house.configure({"receivers": [PAGER], "group": {"wait_seconds": 0}})
    for key in "ab":
        house.service.alert(alert(key, cause="c"))
    house.send()
    assert house.service.resolve("a")
    assert house.send() == 0
    assert house.service.resolve("b")
    assert not house.service.resolve("b")
    assert house.send() == 1
    first, last = house.receivers.got(PAGER)
    assert (first.action, last.action) == (Action.TRIGGER, Action.RESOLVE)
    assert first.incident == last.incident
    assert last.title.startswith("Solved: a is late")


def test_a_solution_waits_for_the_message_that_it_follows(house: House) -> None:
    house.receivers.refuse[OPS] = ReceiverError("down")
    house.service.alert(alert())
    house.send()
    house.service.resolve("a")
    house.send(seconds=1)
    del house.receivers.refuse[OPS]
    house.send(hours=1)
    house.send()
    assert [message.action for message in house.receivers.got(OPS)] == ["trigger", "resolve"]


def test_after_a_solution_the_same_cause_is_told_anew(house: House) -> None:
    house.configure({"receivers": [OPS], "group": {"wait_seconds": 0}})
    house.service.alert(alert("a", cause="c"))
    house.send()
    house.service.resolve("a")
    house.service.alert(alert("b", cause="c"))
    house.send()
    assert house.titles() == ["a is late", "Solved: a is late", "b is late"] or sorted(
        house.titles()
    ) == ["Solved: a is late", "a is late", "b is late"]


def test_escalation_comes_when_nobody_solves_it(house: House) -> None:
    steps = [
        {"after_minutes": 15, "receivers": [PAGER]},
        {"after_minutes": 60, "receivers": [PAGER]},
    ]
    house.configure({"receivers": [OPS], "group": {"wait_seconds": 0}, "escalate": steps})
    house.service.alert(alert())
    assert house.send() == 1
    assert house.send(minutes=14) == 0
    assert house.send(minutes=1) == 1
    assert house.titles(PAGER) == ["Still open: a is late"]
    house.service.resolve("a")
    assert house.send() == 2
    assert house.send(hours=2) == 0
    assert sorted(house.states()) == ["cancelled", "sent", "sent", "sent", "sent"]


def test_whoever_was_not_told_is_not_told_of_the_solution(house: House) -> None:
    steps = [{"after_minutes": 15, "receivers": [PAGER]}]
    house.configure({"receivers": [OPS], "group": {"wait_seconds": 0}, "escalate": steps})
    house.service.alert(alert())
    house.send()
    house.service.resolve("a")
    house.send(hours=1)
    assert house.titles(PAGER) == []
    assert house.titles(OPS) == ["a is late", "Solved: a is late"]


def test_somebody_at_it_stops_the_escalation(house: House) -> None:
    steps = [{"after_minutes": 15, "receivers": [PAGER]}]
    house.configure({"receivers": [OPS], "group": {"wait_seconds": 0}, "escalate": steps})
    house.service.alert(alert())
    house.send()
    incident = house.receivers.got(OPS)[0].incident
    assert house.service.acknowledge(incident)
    assert not house.service.acknowledge(incident)
    assert house.send(hours=1) == 0


def test_quiet_hours_keep_a_message_until_the_morning(house: House) -> None:
    quiet = {"hours": "22:00-07:00", "except": ["critical"]}
    house.configure(
        {"receivers": [OPS], "quiet_hours": quiet, "group": {"by": "none", "wait_seconds": 0}},
        time_zone="Europe/Berlin",
    )
    house.clock.at = datetime(2026, 11, 20, 22, 30, tzinfo=UTC)  # 23:30 in Berlin
    house.service.alert(alert("a"))
    house.service.alert(alert("b", tier=Tier.CRITICAL))
    assert house.send() == 1
    assert house.titles() == ["b is late"]
    house.clock.at = datetime(2026, 11, 21, 5, 59, tzinfo=UTC)
    assert house.send() == 0
    assert house.send(minutes=1) == 1


def test_a_receiver_that_is_down_is_asked_again_until_it_takes_it(house: House) -> None:
    house.receivers.refuse[OPS] = ReceiverError("503")
    for number in range(50):
        house.service.alert(alert(f"a{number}"))
    for _ in range(8):
        house.send(minutes=20)
    assert house.receivers.messages == []
    # While it is down it is asked with one message, not with fifty.
    assert house.receivers.asked[OPS] <= 16
    del house.receivers.refuse[OPS]
    assert house.send(minutes=20) == 50
    assert len({message.key for message in house.receivers.got(OPS)}) == 50


def test_a_receiver_that_is_down_holds_up_no_other(house: House) -> None:
    house.configure({"receivers": [OPS, PAGER], "group": {"by": "none", "wait_seconds": 0}})
    house.receivers.refuse[OPS] = ReceiverError("down")
    house.service.alert(alert())
    assert house.send() == 1
    assert house.titles(PAGER) == ["a is late"]


def test_one_message_that_is_not_liked_holds_up_no_other(house: House) -> None:
    class Picky(FakeReceivers):
        def take(self, address: str, message: Any) -> None:
            if message.title.startswith("bad"):
                raise ReceiverError("invalid_payload", whole=False)
            super().take(address, message)

    house.receivers = Picky()
    for key in ("bad", "good", "better"):
        house.service.alert(alert(key))
    assert house.send() == 2


def test_what_a_receiver_asks_for_is_obeyed(house: House) -> None:
    house.receivers.refuse[OPS] = ReceiverError("429", retry_after=120)
    house.service.alert(alert())
    house.send()
    del house.receivers.refuse[OPS]
    assert house.send(seconds=119) == 0
    assert house.send(seconds=2) == 1


def test_what_nobody_takes_for_a_week_is_given_up(house: House) -> None:
    house.receivers.refuse[OPS] = ReceiverError("down")
    house.service.alert(alert())
    house.send()
    house.send(days=8)
    house.send(minutes=1)
    assert house.states() == ["expired"]


def test_a_rate_limit_spreads_messages(house: House) -> None:
    house.configure(
        {"receivers": [OPS, PAGER], "group": {"by": "none", "wait_seconds": 0}},
        rate_limits=[{"receiver": "slack:*", "messages": 3, "per_minutes": 1}],
    )
    for number in range(7):
        house.service.alert(alert(f"a{number}"))
    house.send()
    house.send(seconds=30)
    assert (len(house.titles(OPS)), len(house.titles(PAGER))) == (3, 7)
    house.send(seconds=31)
    assert len(house.titles(OPS)) == 6
    house.send(seconds=61)
    assert len(house.titles(OPS)) == 7


def test_several_senders_send_nothing_twice(house: House) -> None:
    for number in range(120):
        house.service.alert(alert(f"a{number}"))
    threads = [threading.Thread(target=house.sender().run_once) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    house.send()
    assert len(house.titles()) == 120
    assert len(set(house.titles())) == 120


def test_what_a_killed_sender_held_is_sent_after_its_lease(house: House) -> None:
    house.service.alert(alert())

    class Killed(BaseException):
        pass

    def die(_: str) -> Any:
        raise Killed

    with pytest.raises(Killed):
        Sender(house.store.database, house.config, die, house.clock).run_once()
    assert house.send(seconds=59) == 0
    assert house.send(seconds=2) == 1


def test_a_miss_and_its_alert_are_kept_together_and_once(house: House) -> None:
    subject = Subject(kind=SubjectKind.TASK, dag_id="shop", run_id="r", task_id="orders")
    miss = SlaMiss(sla="by noon", subject=subject, due=NOW, detected_at=NOW, state="running")
    assert house.service.miss(miss)
    assert not house.service.miss(
        msgspec.structs.replace(miss, detected_at=NOW + timedelta(hours=1))
    )
    house.send()
    assert house.titles() == ["shop.orders is late: by noon, due 2026-11-20 12:00 UTC"]
    assert house.service.solve(miss.key)
    assert not house.service.solve(miss.key)
    house.send()
    assert house.titles()[1].startswith("Solved: shop.orders")


def test_clearing_a_run_arms_its_slas_anew(house: House) -> None:
    for cleared in (0, 1):
        subject = Subject(kind=SubjectKind.DAG, dag_id="shop", run_id="r", clear_number=cleared)
        miss = SlaMiss(sla="s", subject=subject, due=NOW, detected_at=NOW)
        assert house.service.miss(miss)


def test_secrets_are_kept_nowhere(house: House) -> None:
    facts = {"Why": "postgresql://ada:hunter2@db failed, token=abcdef123"}
    house.service.alert(alert(facts=facts, context={"deep": ["password: hunter2"]}))
    house.receivers.refuse[OPS] = ReceiverError("https://hooks.slack.com/services/T0/B0/hunter2")
    house.send()
    del house.receivers.refuse[OPS]
    with house.store.database.read() as connection:
        kept = "".join(
            str(row) for row in connection.exec_driver_sql("SELECT * FROM dataops_alerts")
        )
        kept += "".join(str(row) for row in connection.execute(select(outbox)))
    house.send(minutes=1)
    told = str(house.receivers.messages)
    assert "hunter2" not in kept + told
    assert "abcdef123" not in kept + told


def test_retention_keeps_what_is_still_to_be_sent(house: House) -> None:
    house.receivers.refuse[OPS] = ReceiverError("down")
    house.service.alert(alert("a"))
    house.send()
    assert house.store.prune(NOW + timedelta(days=30)) == 0
    del house.receivers.refuse[OPS]
    house.send(minutes=1)
    assert house.store.prune(NOW + timedelta(days=30)) == 3
