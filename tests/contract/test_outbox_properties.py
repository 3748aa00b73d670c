"""Whatever comes in whatever order: every alert is in a message, at its severity, to everybody."""

from __future__ import annotations

import shutil
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_dataops.core.alerts.alert import Action
from airflow_dataops.core.alerts.receiver import ReceiverError
from airflow_dataops.core.sla.misses import Tier
from tests.fakes.alert_house import OPS, PAGER, House, alert

if TYPE_CHECKING:
    from airflow_dataops.core.alerts.alert import Message

RECEIVERS = (OPS, PAGER)
KEYS = st.sampled_from("abcdef")
EVENTS = st.one_of(
    st.tuples(st.just("raise"), KEYS, st.sampled_from(Tier), st.sampled_from(("x", "y"))),
    st.tuples(st.just("raise"), KEYS, st.sampled_from(Tier), st.sampled_from(("x", "y"))),
    st.tuples(st.just("solve"), KEYS),
    st.tuples(st.just("send"), st.sampled_from((0, 1, 6, 70, 400, 3000, 40_000))),
    st.tuples(st.just("down"), st.sampled_from(RECEIVERS)),
    st.tuples(st.just("up"), st.sampled_from(RECEIVERS)),
    st.tuples(st.just("acknowledge")),
)
ROUTES = st.fixed_dictionaries(
    {
        "group": st.fixed_dictionaries(
            {
                "by": st.sampled_from(("cause", "dag", "owner", "none")),
                "wait_seconds": st.sampled_from((0, 5)),
                "within_minutes": st.sampled_from((1, 30)),
            }
        ),
        "quiet_hours": st.none()
        | st.fixed_dictionaries(
            {"hours": st.sampled_from(("22:00-07:00", "12:30-13:00", "11:00-23:00"))},
            # Who is told at once: critical ones by default.
            optional={"except": st.lists(st.sampled_from([*map(str, Tier)]), max_size=2)},
        ),
        "escalate": st.sampled_from(([], [{"after_minutes": 15, "receivers": [PAGER]}])),
    }
)


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables that each example has a copy of."""
    path = tmp_path_factory.mktemp("ledger") / "ledger.db"
    House(f"sqlite:///{path}").store.close()
    return path


class Days:
    """Plays events; `raised` is what was taken, `told` at what severity subjects were named."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.raised: list[tuple[str, Tier]] = []

    def play(self, event: tuple[Any, ...]) -> None:
        getattr(self, f"do_{event[0]}")(*event[1:])

    def do_raise(self, key: str, tier: Tier, owner: str) -> None:
        fields = {"subject": f"shop.{key}", "cause": "raw", "dag_id": "shop", "owner": owner}
        self.house.service.alert(alert(key, tier=tier, **fields))
        # Whether it is new or not: at this severity, or a higher one, it is to be told.
        self.raised.append((f"shop.{key}", tier))

    def do_solve(self, key: str) -> None:
        self.house.service.resolve(key)

    def do_send(self, seconds: float) -> None:
        self.house.send(seconds=seconds)

    def do_down(self, receiver: str) -> None:
        self.house.receivers.refuse[receiver] = ReceiverError("down")

    def do_up(self, receiver: str) -> None:
        self.house.receivers.refuse.pop(receiver, None)

    def do_acknowledge(self) -> None:
        for message in self.house.receivers.got(OPS):
            self.house.service.acknowledge(message.incident)


def named(message: Message, subject: str) -> bool:
    return subject in f"{message.title} {message.text} {message.subject}"


HEALTH = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
DAYS = {"route": ROUTES, "events": st.lists(EVENTS, min_size=3, max_size=14)}


@settings(max_examples=25, deadline=None, suppress_health_check=HEALTH)
@given(**DAYS)
def test_every_alert_is_told_at_its_severity(
    ready: Path, route: dict[str, Any], events: list[tuple[Any, ...]]
) -> None:
    check_days(ready, route, events)


@pytest.mark.slow
@settings(max_examples=2000, deadline=None, suppress_health_check=HEALTH)
@given(**DAYS)
def test_2000_days(ready: Path, route: dict[str, Any], events: list[tuple[Any, ...]]) -> None:
    check_days(ready, route, events)


def check_days(ready: Path, route: dict[str, Any], events: list[tuple[Any, ...]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        shutil.copy(ready, path)
        house = House(f"sqlite:///{path}")
        given_ = {name: value for name, value in route.items() if value}
        house.configure({"receivers": list(RECEIVERS), **given_})
        days = Days(house)
        for event in events:
            days.play(event)
        house.receivers.refuse.clear()
        for _ in range(6):
            house.send(hours=7)
        house.store.close()
    for receiver in RECEIVERS:
        messages = house.receivers.got(receiver)
        for subject, tier in days.raised:
            assert any(
                named(message, subject) and message.tier.rank <= tier.rank for message in messages
            ), (receiver, subject, tier)
        keys = [message.key for message in messages]
        assert len(keys) == len(set(keys)), "nothing is sent twice"
        in_order = defaultdict[str, list[Action]](list)
        for message in messages:
            in_order[message.incident].append(message.action)
        for actions in in_order.values():
            assert actions[0] is Action.TRIGGER
            assert Action.RESOLVE not in actions[:-1]
