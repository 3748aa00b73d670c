"""No receiver waits for another: each has a queue, a limit and a pause of its own."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

from airflow_dataops.adapters.ledger.tables import alerts, outbox
from airflow_dataops.adapters.outbox.raising import raise_alert
from airflow_dataops.core.alerts.receiver import ReceiverError
from airflow_dataops.core.alerts.routing import route_alert
from airflow_dataops.core.sla.misses import Tier
from tests.databases import KINDS, empty_database
from tests.fakes.alert_house import OPS, PAGER, House, alert
from tests.fakes.receiver import FakeReceivers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from airflow_dataops.core.alerts.alert import Message

EACH = {"by": "none", "wait_seconds": 0}
ROUTES: tuple[dict[str, Any], ...] = (
    {"match": {"tier": "critical"}, "receivers": [PAGER], "group": EACH, "continue": True},
    {"receivers": [OPS], "group": EACH},
)


@pytest.fixture(params=KINDS)
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    with empty_database(request.param, tmp_path) as url:
        found = House(url)
        found.configure(*ROUTES)
        yield found
        found.store.close()


def flood(house: House, count: int) -> None:
    """Raise many alerts in one transaction."""
    now = house.clock.now()
    with house.store.database.write() as connection:
        for number in range(count):
            each = alert(f"noise{number}")
            raise_alert(connection, each, route_alert(each, house.config, now), now)


class Hanging(FakeReceivers):
    """`held` does not answer until it is let go."""

    def __init__(self, held: str) -> None:
        super().__init__()
        self.held = held
        self.let_go = threading.Event()

    def take(self, address: str, message: Message) -> None:
        if address == self.held:
            self.let_go.wait(30)
        super().take(address, message)


def test_a_page_does_not_wait_for_a_channel_at_its_limit(house: House) -> None:
    """The trial: more limited messages than a batch held up the page for hours."""
    house.configure(*ROUTES, rate_limits=[{"receiver": "slack:*", "messages": 30}])
    flood(house, 210)
    house.send()
    house.service.alert(alert("page", tier=Tier.CRITICAL))
    house.send()
    assert house.titles(PAGER) == ["page is late"]
    assert len(house.titles()) == 30
    house.send(seconds=61)
    assert house.titles()[30] == "page is late"


def test_the_worst_is_sent_first_and_then_the_oldest(house: House) -> None:
    for key, tier in (("a", "nice_to_have"), ("b", "important"), ("c", "critical")):
        house.service.alert(alert(key, tier=Tier(tier)))
        house.clock.forward(seconds=1)
    house.service.alert(alert("d"))
    house.send()
    assert house.titles() == ["c is late", "b is late", "d is late", "a is late"]


def test_what_is_worse_and_comes_meanwhile_is_next(house: House) -> None:
    """Messages are leased one by one, so that a lane under way sees what came."""

    class Busy(FakeReceivers):
        def take(self, address: str, message: Message) -> None:
            super().take(address, message)
            if len(self.messages) == 1:
                house.service.alert(alert("worse", tier=Tier.CRITICAL))

    house.receivers = Busy()
    house.configure({"receivers": [OPS], "group": EACH})
    flood(house, 5)
    house.send()
    assert house.titles()[1] == "worse is late"
    assert len(house.titles()) == 6


def test_a_receiver_that_hangs_holds_up_no_other_and_is_left(house: House) -> None:
    house.receivers = hanging = Hanging(OPS)
    house.service.alert(alert("page", tier=Tier.CRITICAL))
    sender = house.sender(patience=0.5)
    assert sender.run_once() == 1
    assert house.titles(PAGER) == ["page is late"]
    assert sender.run_once() == 0, "it is left alone for a while"
    hanging.let_go.set()
    house.clock.forward(seconds=10)
    assert sender.run_once() == 1


def test_a_running_sender_pages_while_a_receiver_hangs(house: House) -> None:
    """Lanes are started by each look, not when all lanes of the look before have ended."""
    house.receivers = hanging = Hanging(OPS)
    house.service.alert(alert("first"))
    stop = threading.Event()
    thread = threading.Thread(target=house.sender().run, args=(stop, 0.02))
    thread.start()
    try:
        paged = threading.Event()
        house.service.alert(alert("page", tier=Tier.CRITICAL))
        for _ in range(500):
            if house.titles(PAGER):
                paged.set()
                break
            paged.wait(0.02)
        assert paged.is_set()
        assert house.titles() == []
    finally:
        hanging.let_go.set()
        stop.set()
        thread.join()


def test_a_long_retry_after_is_of_the_receiver_not_of_one_message(house: House) -> None:
    house.receivers.refuse[OPS] = ReceiverError("429", retry_after=3000)
    house.service.alert(alert("a"))
    house.send()
    for number in range(20):
        house.service.alert(alert(f"b{number}"))
        house.send(seconds=10)
    house.service.alert(alert("page", tier=Tier.CRITICAL))
    house.send()
    assert house.receivers.asked[OPS] == 1
    assert house.titles(PAGER) == ["page is late"]
    del house.receivers.refuse[OPS]
    assert house.send(seconds=2800) == 22
    assert house.titles()[0] == "page is late"


def test_the_pause_of_a_receiver_grows_and_ends_with_its_answer(house: House) -> None:
    house.receivers.refuse[OPS] = ReceiverError("down")
    flood(house, 3)
    for _ in range(6):
        house.send(minutes=16)
    assert house.send(seconds=30) == 0
    assert house.receivers.asked[OPS] == 6
    del house.receivers.refuse[OPS]
    house.send(minutes=16)
    house.receivers.refuse[OPS] = ReceiverError("down")
    house.service.alert(alert("later"))
    house.send()
    del house.receivers.refuse[OPS]
    assert house.send(seconds=4) == 1, "the pause is short again"


def test_a_row_that_cannot_be_read_holds_up_no_other(house: House) -> None:
    flood(house, 3)
    with house.store.database.write() as connection:
        connection.execute(
            update(alerts).where(alerts.c.key == "noise0").values(alert={"tier": "unheard of"})
        )
    house.service.alert(alert("page", tier=Tier.CRITICAL))
    assert house.send() == 4
    assert set(house.titles()) == {"noise1 is late", "noise2 is late", "page is late"}


def test_what_is_refused_for_itself_is_told_in_one_line(house: House) -> None:
    """A receiver that never likes a text still gets the title, and with it the alert."""

    class Picky(FakeReceivers):
        def take(self, address: str, message: Message) -> None:
            self.asked[address] += 1
            if message.text:
                raise ReceiverError("invalid_blocks", whole=False)
            super().take(address, message)

    house.receivers = Picky()
    house.service.alert(alert("a"))
    for _ in range(4):
        house.send(minutes=16)
    assert house.titles() == ["a is late"]
    house.service.resolve("a")
    for _ in range(4):
        house.send(minutes=16)
    assert house.titles() == ["a is late", "Solved: a is late"]


def test_a_message_of_a_later_release_is_left_to_it(house: House) -> None:
    flood(house, 2)
    with house.store.database.write() as connection:
        first = connection.execute(outbox.select()).first()
        assert first is not None
        connection.execute(update(outbox).where(outbox.c.key == first.key).values(action="digest"))
    assert house.send() == 1


def test_a_receiver_that_cannot_be_opened_holds_up_no_other(house: House) -> None:
    class Missing(FakeReceivers):
        def open(self, address: str) -> Any:
            if address == OPS:
                raise LookupError("no connection ops")
            return super().open(address)

    house.receivers = Missing()
    house.service.alert(alert("page", tier=Tier.CRITICAL))
    assert house.send() == 1
    assert house.titles(PAGER) == ["page is late"]


def test_a_database_that_fails_does_not_end_the_sender(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.service.alert(alert())
    sender, stop, failed = house.sender(), threading.Event(), threading.Event()
    read = house.store.database.read

    def broken() -> Any:
        if failed.is_set():
            return read()
        failed.set()
        raise OSError("the database is away")

    monkeypatch.setattr(house.store.database, "read", broken)
    thread = threading.Thread(target=sender.run, args=(stop, 0.01))
    thread.start()
    for _ in range(500):
        if house.titles():
            break
        threading.Event().wait(0.02)
    stop.set()
    thread.join()
    assert house.titles() == ["a is late"]
