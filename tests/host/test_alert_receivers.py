"""The official providers' hooks against real servers: what arrives, and what does not twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from sqlalchemy import func, select, update

from airflow_dataops.adapters.ledger.store import LedgerStore
from airflow_dataops.adapters.ledger.tables import outbox
from airflow_dataops.adapters.outbox import leases
from airflow_dataops.adapters.outbox.sender import Sender
from airflow_dataops.adapters.outbox.service import AlertService
from airflow_dataops.core.alerts.alert import Action, Alert, Message
from airflow_dataops.core.alerts.config import parse_config
from airflow_dataops.core.alerts.receiver import ReceiverError
from airflow_dataops.core.sla.misses import Tier
from airflow_dataops.errors import ConfigError
from airflow_dataops.hooks import receivers
from airflow_dataops.hooks.alerts import SystemClock
from airflow_dataops.hooks.receivers import open_receiver, seconds_of, slack
from airflow_dataops.hooks.receivers import pagerduty as pagerduty_module
from tests.pace import at_most
from tests.receivers.alerting import mail_server, web

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.receivers.alerting import Mailbox, Web

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
MESSAGE = Message(
    key="0" * 31 + "1",
    incident="0" * 31 + "2",
    action=Action.TRIGGER,
    title="shop.orders is late <!channel> & more",
    text="Waits for: raw_orders",
    at=NOW,
    tier=Tier.CRITICAL,
    subject="shop.orders",
    facts={"Waits for": "<raw_orders>"},
    links={"Log": "https://airflow.example.org/log"},
)


def connect(monkeypatch: pytest.MonkeyPatch, name: str, **connection: Any) -> None:
    monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(connection))


@pytest.fixture
def server() -> Iterator[Web]:
    with web() as found:
        yield found


@pytest.fixture
def webhook(server: Web, monkeypatch: pytest.MonkeyPatch) -> str:
    host = f"127.0.0.1:{server.port}/services"
    connect(
        monkeypatch, "hook", conn_type="slackwebhook", host=host, schema="http", password="T0/B0/x"
    )
    return "slack:hook"


@pytest.fixture
def slack_api(server: Web, monkeypatch: pytest.MonkeyPatch) -> str:
    extra = {"base_url": f"{server.url}/api/"}
    connect(monkeypatch, "api", conn_type="slack", password="xoxb-1", extra=extra)
    return "slack:api#alerts"


@pytest.fixture
def pagerduty(server: Web, monkeypatch: pytest.MonkeyPatch) -> str:
    """The client refuses plain http, so its address is set behind its back."""
    from pagerduty import EventsApiV2Client

    def local(self: Any, *_: Any) -> None:
        self._url = server.url

    monkeypatch.setattr(EventsApiV2Client, "url", property(lambda _: server.url, local))
    connect(monkeypatch, "duty", conn_type="pagerduty_events", password="routing-key-1")
    return "pagerduty:duty"


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    with mail_server() as box:
        extra = {"disable_ssl": True, "disable_tls": True, "from_email": "airflow@example.com"}
        connect(monkeypatch, "mail", conn_type="smtp", host="127.0.0.1", port=box.port, extra=extra)
        yield box


def test_a_slack_webhook_gets_its_wire_format(server: Web, webhook: str) -> None:
    open_receiver(webhook).send(MESSAGE)
    (body,) = server.taken
    assert body["text"] == ":rotating_light: shop.orders is late &lt;!channel&gt; &amp; more"
    assert body["attachments"][0]["color"] == "#d1242f"
    assert body["metadata"]["event_payload"]["key"] == MESSAGE.key


def test_slacks_api_gets_its_wire_format(server: Web, slack_api: str) -> None:
    open_receiver(slack_api).send(MESSAGE)
    assert server.taken[0]["channel"] == "#alerts"
    assert server.taken[0]["metadata"]["event_payload"]["incident"] == MESSAGE.incident


def test_pagerduty_gets_a_trigger_and_a_resolve_with_one_dedup_key(
    server: Web, pagerduty: str
) -> None:
    receiver = open_receiver(pagerduty)
    receiver.send(MESSAGE)
    receiver.send(msgspec.structs.replace(MESSAGE, action=Action.RESOLVE))
    first, last = server.taken
    assert (first["event_action"], last["event_action"]) == ("trigger", "resolve")
    assert first["dedup_key"] == last["dedup_key"] == MESSAGE.incident
    assert first["routing_key"] == "routing-key-1"
    assert first["payload"]["severity"] == "critical"
    assert first["payload"]["custom_details"]["Waits for"] == "<raw_orders>"
    assert first["links"] == [{"href": "https://airflow.example.org/log", "text": "Log"}]


def test_pagerduty_is_paged_again_when_the_severity_is_raised(server: Web, pagerduty: str) -> None:
    """It notifies nobody of an event with the key of an alert that it has."""
    receiver = open_receiver(pagerduty)
    update_ = msgspec.structs.replace(MESSAGE, action=Action.UPDATE)
    receiver.send(update_)
    receiver.send(msgspec.structs.replace(update_, raised=(Tier.CRITICAL,)))
    end = msgspec.structs.replace(MESSAGE, action=Action.RESOLVE, raised=(Tier.CRITICAL,))
    receiver.send(end)
    own, new = MESSAGE.incident, f"{MESSAGE.incident}-critical"
    assert [(body["event_action"], body["dedup_key"]) for body in server.taken] == [
        *(("trigger", own), ("trigger", new)),
        *(("resolve", own), ("resolve", new)),
    ]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("120", 120), ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("soon", None), ("", None), (None, None)],
)
def test_how_long_a_receiver_asks_to_wait(value: str | None, seconds: float | None) -> None:
    assert seconds_of(value) == seconds


def test_a_date_to_wait_for_is_read() -> None:
    asked = seconds_of(format_datetime(datetime.now(UTC) + timedelta(hours=2), usegmt=True))
    assert asked == pytest.approx(7200, abs=60)


def test_a_mail_goes_to_all_and_is_escaped(mailbox: Mailbox) -> None:
    receiver = open_receiver("email:mail/ada@example.com,bob@example.com")
    receiver.send(MESSAGE)
    receiver.send(msgspec.structs.replace(MESSAGE, action=Action.RESOLVE, key="f" * 32))
    first, last = mailbox.mails
    assert first["To"] == "ada@example.com, bob@example.com"
    assert first["From"] == "airflow@example.com"
    assert first["Message-ID"] == f"<{MESSAGE.key}@airflow-dataops>"
    assert last["References"] == f"<{MESSAGE.incident}@airflow-dataops>"
    page = first.get_body().get_content()
    assert "&lt;raw_orders&gt;" in page
    assert "<raw_orders>" not in page


def test_a_mail_server_that_refuses_is_tried_again(mailbox: Mailbox) -> None:
    mailbox.refuse = True
    with pytest.raises(ReceiverError, match="451"):
        open_receiver("email:mail/ada@example.com").send(MESSAGE)


def test_apprise_takes_what_it_speaks(server: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    connect(
        monkeypatch,
        "any",
        conn_type="generic",
        password=f"json://127.0.0.1:{server.port}/services/",
    )
    open_receiver("apprise:any").send(MESSAGE)
    assert server.taken[0]["title"] == MESSAGE.title
    server.verdict = lambda _: (500, 0)
    with pytest.raises(ReceiverError, match="did not take it"):
        open_receiver("apprise:any").send(MESSAGE)


@pytest.mark.parametrize("kind", ["webhook", "slack_api", "pagerduty"])
def test_refusals_are_told_apart(kind: str, server: Web, request: pytest.FixtureRequest) -> None:
    """Each is asked once: trying again is the outbox's work."""
    receiver = open_receiver(request.getfixturevalue(kind))
    for status, wait in ((429, 1.0), (500, None)):
        server.verdict = lambda _, status=status: (status, 0)
        before = server.requests
        with pytest.raises(ReceiverError) as caught:
            receiver.send(MESSAGE)
        assert (caught.value.retry_after, caught.value.whole) == (wait, True)
        assert str(status) in str(caught.value)
        assert server.requests == before + 1


@pytest.mark.sample(3)
@pytest.mark.parametrize("kind", ["webhook", "slack_api", "pagerduty"])
def test_who_hangs_is_left_after_a_while(
    kind: str, server: Web, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slack, "TIMEOUT", 1)
    monkeypatch.setattr(pagerduty_module._OnceClient, "timeout", 1)
    receiver = open_receiver(request.getfixturevalue(kind))
    server.verdict = lambda _: (200, 4.0)
    start = time.perf_counter()
    with pytest.raises(ReceiverError, match="cannot be reached"):
        receiver.send(MESSAGE)
    assert time.perf_counter() - start < at_most(3.5)


@pytest.mark.parametrize("kind", ["webhook", "slack_api", "pagerduty"])
def test_who_is_not_there_is_tried_again(
    kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    with web() as gone:
        pass
    server: Web = request.getfixturevalue("server")
    server.port, mine = gone.port, server.port
    receiver = open_receiver(request.getfixturevalue(kind))
    with pytest.raises(ReceiverError, match="cannot be reached"):
        receiver.send(MESSAGE)
    server.port = mine


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("fax:1", "is no receiver"),
        ("email:mail/nobody", "write email:"),
        ("slack:api", "needs a channel"),
        ("import:tests.nothing.There", "nothing"),
    ],
)
def test_wrong_addresses_say_so(address: str, problem: str, slack_api: str) -> None:
    with pytest.raises((ConfigError, ImportError), match=problem):
        open_receiver(address)


class Line:
    """A service, a ledger and the real receivers."""

    def __init__(self, folder: Path, *to: str) -> None:
        self.url = f"sqlite:///{folder / 'ledger.db'}"
        self.store = LedgerStore(self.url)
        self.config = parse_config(
            {"routes": [{"receivers": list(to), "group": {"by": "none", "wait_seconds": 0}}]}
        )
        self.service = AlertService(self.store.database, self.config, SystemClock())

    def raise_many(self, count: int) -> list[float]:
        took = []
        for number in range(count):
            start = time.perf_counter()
            self.service.alert(Alert(key=f"a{number}", title=f"a{number} is late", at=NOW))
            took.append(time.perf_counter() - start)
        return sorted(took)

    def sender(self) -> Sender:
        return Sender(self.store.database, self.config, open_receiver, SystemClock())

    def waiting(self) -> int:
        with self.store.database.read() as connection:
            query = select(func.count()).where(outbox.c.state == "waiting")
            return int(connection.execute(query).scalar_one())

    def hurry(self) -> None:
        """Let the next attempts come now instead of in some seconds; leases stay."""
        with self.store.database.write() as connection:
            connection.execute(
                update(outbox)
                .where(outbox.c.state == "waiting", outbox.c.leased_by.is_(None))
                .values(next_at=datetime.now(UTC) - timedelta(seconds=1))
            )


@pytest.mark.parametrize("count", [150, pytest.param(1000, marks=pytest.mark.slow)])
def test_alerts_through_a_bad_receiver_arrive_once(
    count: int, tmp_path: Path, server: Web, webhook: str
) -> None:
    """Every seventh request fails, every eleventh is told to wait; two senders share the work."""
    line = Line(tmp_path, webhook)
    line.raise_many(count)

    def verdict(number: int) -> tuple[int, float]:
        if number % 11 == 0:
            return 429, 0
        return (500 if number % 7 == 0 else 200), 0

    server.verdict = verdict
    from threading import Event, Thread

    stop = Event()
    senders = [Thread(target=line.sender().run, args=(stop, 0.05)) for _ in range(2)]
    for sender in senders:
        sender.start()
    until = time.monotonic() + 90
    while line.waiting() and time.monotonic() < until:
        line.hurry()
        time.sleep(0.1)
    stop.set()
    for sender in senders:
        sender.join()
    assert line.waiting() == 0
    assert len(server.taken) == count
    assert len(set(server.keys())) == count


def bad_days(number: int) -> tuple[int, float]:
    """Every 97th request hangs, every eleventh is told to wait, every seventh fails."""
    if number % 97 == 0:
        return 503, 2.5
    return (429 if number % 11 == 0 else 500 if number % 7 == 0 else 200), 0


@pytest.mark.slow
def test_a_thousand_alerts_reach_slack_pagerduty_and_mail_once_each(
    tmp_path: Path,
    server: Web,
    webhook: str,
    pagerduty: str,
    mailbox: Mailbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The HTTP receivers fail, hang and answer 429, the mail server refuses now and then."""
    from threading import Event, Thread

    monkeypatch.setattr(slack, "TIMEOUT", 1)
    monkeypatch.setattr(pagerduty_module._OnceClient, "timeout", 1)
    server.verdict = bad_days
    line = Line(tmp_path, webhook, pagerduty, "email:mail/ops@example.com")
    line.raise_many(1000)
    stop = Event()
    senders = [Thread(target=line.sender().run, args=(stop, 0.05)) for _ in range(2)]
    for sender in senders:
        sender.start()
    until = time.monotonic() + 800
    while line.waiting() and time.monotonic() < until:
        mailbox.refuse = not mailbox.refuse
        line.hurry()
        time.sleep(0.25)
    stop.set()
    for sender in senders:
        sender.join()
    assert line.waiting() == 0
    told = {
        "slack": [
            body["metadata"]["event_payload"]["key"] for body in server.taken if "metadata" in body
        ],
        "pagerduty": [body["dedup_key"] for body in server.taken if "dedup_key" in body],
        "mail": [str(mail["Subject"]) for mail in mailbox.mails],
    }
    assert {name: (len(found), len(set(found))) for name, found in told.items()} == dict.fromkeys(
        told, (1000, 1000)
    )


@pytest.mark.slow
def test_the_storm_of_one_cause_is_one_message_to_each(
    tmp_path: Path, server: Web, webhook: str, pagerduty: str, mailbox: Mailbox
) -> None:
    """1,000 alerts of one cause, through receivers that fail: one message, and one resolve."""
    line = Line(tmp_path, webhook, pagerduty, "email:mail/ops@example.com")
    route = {"receivers": [webhook, pagerduty, "email:mail/ops@example.com"]}
    line.config = parse_config({"routes": [route | {"group": {"wait_seconds": 1}}]})
    service = AlertService(line.store.database, line.config, SystemClock())
    server.verdict = lambda number: (429 if number == 1 else 500 if number == 2 else 200, 0)
    for number in range(1000):
        service.alert(
            Alert(key=f"a{number}", title=f"a{number} is late", at=NOW, cause="raw failed")
        )
    time.sleep(1.2)
    while line.waiting():
        line.sender().run_once()
        line.hurry()
    assert len(mailbox.mails) == 1
    assert len(server.taken) == 2
    assert sum("999 more" in json.dumps(body) for body in server.taken) == 2
    for number in range(1000):
        service.resolve(f"a{number}")
    while line.waiting():
        line.sender().run_once()
        line.hurry()
    assert (len(mailbox.mails), len(server.taken)) == (2, 4)


def test_a_storm_of_one_cause_is_one_message_on_the_wire(
    tmp_path: Path, server: Web, webhook: str
) -> None:
    line = Line(tmp_path, webhook)
    line.config = parse_config({"routes": [{"receivers": [webhook], "group": {"wait_seconds": 1}}]})
    service = AlertService(line.store.database, line.config, SystemClock())
    for number in range(300):
        service.alert(
            Alert(key=f"a{number}", title=f"a{number} is late", at=NOW, cause="raw failed")
        )
    time.sleep(1)
    assert line.sender().run_once() == 1
    assert line.sender().run_once() == 0
    (body,) = server.taken
    assert "299 more" in body["text"]


def test_a_receiver_that_is_down_delays_nobody_who_raises(
    tmp_path: Path, server: Web, webhook: str
) -> None:
    """Raising takes milliseconds while the receiver hangs and a sender waits for it."""
    line = Line(tmp_path, webhook)
    line.raise_many(1)
    told = Event()

    def hang(_: object) -> tuple[int, float]:
        told.wait(60)
        return 503, 0.0

    server.verdict = hang
    sender = Thread(target=line.sender().run_once)
    sender.start()
    took = line.raise_many(200)
    assert sender.is_alive()
    told.set()
    sender.join()
    assert took[100] < at_most(0.02)
    assert took[-1] < at_most(1.0)


@pytest.mark.foreign_clock
def test_a_sender_killed_in_the_middle_loses_nothing(
    tmp_path: Path, server: Web, webhook: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGKILL, while a message is under way; the next sender waits for the lease and goes on.

    What was under way may come twice, with one key: that is what the key is for.
    """
    line = Line(tmp_path, webhook)
    line.raise_many(100)
    server.verdict = lambda _: (200, 0.02)
    script = Path(__file__).with_name("sender_process.py")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, script, line.url], env=environment) as process:
        until = time.monotonic() + 60
        while len(server.taken) < 20 and time.monotonic() < until:
            time.sleep(0.01)
        process.kill()
    at_death = len(server.taken)
    assert 20 <= at_death < 100
    server.verdict = lambda _: (200, 0)
    assert line.sender().run_once() == 0
    with line.store.database.write() as connection:
        past = datetime.now(UTC) - timedelta(seconds=1)
        held = outbox.c.leased_until > datetime.now(UTC) - leases.LEASE
        connection.execute(update(outbox).where(held).values(leased_until=past))
    assert line.sender().run_once() >= 100 - at_death
    assert len(set(server.keys())) == 100
    assert len(server.taken) <= 101
    assert max(Counter(server.keys()).values()) <= 2


def test_all_receivers_take_a_limited_time() -> None:
    assert leases.LEASE.total_seconds() > receivers.TIMEOUT * 2
