"""What joins an incident is told too: at its severity, and once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_dataops.core.alerts.alert import Action
from airflow_dataops.core.alerts.receiver import ReceiverError
from airflow_dataops.core.sla.misses import Tier
from tests.databases import KINDS, empty_database
from tests.fakes.alert_house import NOW, OPS, PAGER, House, alert

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BY_DAG: dict[str, Any] = {"by": "dag", "wait_seconds": 5}
STEPS = [{"after_minutes": 15, "receivers": [PAGER]}]


@pytest.fixture(params=KINDS)
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    with empty_database(request.param, tmp_path) as url:
        found = House(url)
        found.configure({"receivers": [OPS], "group": BY_DAG, "escalate": STEPS})
        yield found
        found.store.close()


def raised(house: House, task: str, tier: str = "important", **fields: Any) -> bool:
    return house.service.alert(
        alert(
            fields.pop("key", f"{task} {house.clock.now()}"),
            title=f"shop.{task} failed",
            subject=f"shop.{task}",
            dag_id="shop",
            tier=Tier(tier),
            **fields,
        )
    )


def told(house: House, receiver: str = OPS) -> list[tuple[str, str, str]]:
    return [(m.action, m.title, m.tier) for m in house.receivers.got(receiver)]


def test_what_raises_the_severity_is_told(house: House) -> None:
    """The trial: a failure at 12:00, a critical one of another task of the DAG at 12:01."""
    raised(house, "orders")
    house.send(seconds=5)
    house.clock.forward(minutes=1)
    raised(house, "stock", "critical")
    house.send(seconds=5)
    assert told(house) == [
        ("trigger", "shop.orders failed", "important"),
        ("update", "Update: shop.stock failed (and 1 more with the same cause)", "critical"),
    ]
    first, last = house.receivers.got(OPS)
    assert first.incident == last.incident
    assert "New: shop.stock" in last.text


def test_a_new_subject_is_told_and_a_known_one_waits_for_the_end_of_the_group(
    house: House,
) -> None:
    raised(house, "orders")
    house.send(seconds=5)
    raised(house, "stock")
    raised(house, "prices")
    raised(house, "orders", key="orders again")
    house.send(seconds=5)
    assert len(told(house)) == 2
    assert "New: shop.stock, shop.prices, shop.orders" in house.receivers.got(OPS)[1].text
    raised(house, "orders", key="and again")
    house.send(minutes=14)
    assert len(told(house)) == 2
    house.send(minutes=21)
    assert [action for action, *_ in told(house)] == ["trigger", "update", "update"]
    assert house.receivers.got(OPS)[2].count == 5


def test_the_same_subject_at_a_higher_severity_is_told(house: House) -> None:
    raised(house, "stock", "critical")
    raised(house, "orders")
    house.send(seconds=5)
    raised(house, "orders", "critical")
    house.send(seconds=5)
    assert told(house)[1][1:] == (
        "Update: shop.orders failed (and 2 more with the same cause)",
        "critical",
    )


def test_an_open_alert_that_is_raised_again_at_a_higher_severity_is_told(house: House) -> None:
    for tier in ("important", "nice_to_have", "critical", "important", "critical"):
        raised(house, "orders", tier, key="one key")
        house.send(seconds=5)
    assert told(house) == [
        ("trigger", "shop.orders failed", "important"),
        ("update", "Update: shop.orders failed", "critical"),
    ]


def test_an_alert_that_is_raised_again_after_its_solution_is_told(house: House) -> None:
    for _ in range(2):
        assert raised(house, "orders", key="one key")
        house.send(seconds=5)
        assert house.service.resolve("one key")
        house.send()
    assert [action for action, *_ in told(house)] == ["trigger", "resolve"] * 2
    assert len({message.incident for message in house.receivers.got(OPS)}) == 2


def test_a_severity_that_was_solved_does_not_hide_the_next(house: House) -> None:
    raised(house, "orders", "critical", key="a")
    raised(house, "stock", key="b")
    house.send(seconds=5)
    house.service.resolve("a")
    raised(house, "orders", "critical", key="c")
    house.send(seconds=5)
    assert told(house)[1][0] == "update"
    assert told(house)[1][2] == "critical"


def test_quiet_hours_hold_back_what_is_told_when_they_end(house: House) -> None:
    """A critical alert is exempt; what joins it is not, and needs no new event to be told."""
    quiet = {"hours": "22:00-07:00"}
    house.configure({"receivers": [OPS], "group": BY_DAG, "quiet_hours": quiet})
    house.clock.at = NOW.replace(hour=23)
    raised(house, "stock", "critical")
    house.send(seconds=5)
    raised(house, "orders")
    house.send(hours=8)
    assert len(told(house)) == 2
    assert told(house)[1] == (
        "update",
        "Update: shop.orders failed (and 1 more with the same cause)",
        "critical",
    )


def test_who_is_exempt_brings_forward_what_quiet_hours_hold_back(house: House) -> None:
    quiet = {"hours": "22:00-07:00"}
    house.configure({"receivers": [OPS], "group": BY_DAG, "quiet_hours": quiet})
    house.clock.at = NOW.replace(hour=23)
    raised(house, "orders")
    assert house.send(minutes=1) == 0
    raised(house, "stock", "critical")
    house.send(seconds=5)
    assert told(house) == [
        ("trigger", "shop.stock failed (and 1 more with the same cause)", "critical")
    ]
    assert "shop.orders (important)" in house.receivers.got(OPS)[0].text


def test_who_was_paged_is_told_of_the_solution_in_quiet_hours(house: House) -> None:
    """What was held back until the morning is named by the resolve."""
    quiet = {"hours": "22:00-07:00"}
    house.configure({"receivers": [OPS], "group": BY_DAG, "quiet_hours": quiet})
    house.clock.at = NOW.replace(hour=23)
    raised(house, "stock", "critical", key="a")
    house.send(seconds=5)
    raised(house, "orders", key="b")
    house.service.resolve("a")
    house.service.resolve("b")
    house.send(seconds=1)
    assert [action for action, *_ in told(house)] == ["trigger", "resolve"]
    assert "All 2: shop.orders (important), shop.stock" in house.receivers.got(OPS)[1].text
    assert house.send(hours=12) == 0


def test_an_acknowledged_incident_that_gets_worse_is_nobodys_again(house: House) -> None:
    raised(house, "orders")
    house.send(seconds=5)
    incident = house.receivers.got(OPS)[0].incident
    house.service.acknowledge(incident)
    raised(house, "stock")
    house.send(seconds=5)
    assert house.send(minutes=20) == 0, "no escalation: somebody is at it, and it is no worse"
    raised(house, "prices", "critical")
    house.send(seconds=5)
    house.send(minutes=15)
    assert [title for _, title, _ in told(house, PAGER)] == [
        "Still open: shop.prices failed (and 2 more with the same cause)"
    ]
    assert house.service.acknowledge(incident)


def test_a_pager_is_told_that_the_severity_was_raised_and_of_all_at_the_end(house: House) -> None:
    """PagerDuty notifies nobody of what it adds to an alert that it has."""
    house.configure({"receivers": [PAGER], "group": BY_DAG})
    for key, task, tier in (
        ("a", "orders", "nice_to_have"),
        ("b", "stock", "nice_to_have"),
        ("c", "prices", "important"),
        ("d", "shops", "critical"),
        ("e", "cities", "critical"),
    ):
        raised(house, task, tier, key=key)
        house.send(seconds=5)
    for key in "abcde":
        house.service.resolve(key)
    house.send()
    assert [message.raised for message in house.receivers.got(PAGER)] == [
        *((), (), ("important",), ("critical",), ()),
        ("critical", "important"),
    ]


def test_what_joins_after_an_escalation_is_escalated_in_its_turn(house: House) -> None:
    raised(house, "orders")
    house.send(seconds=5)
    house.send(minutes=16)
    raised(house, "stock")
    house.send(seconds=5)
    house.send(minutes=14)
    assert len(told(house, PAGER)) == 1
    house.send(minutes=2)
    assert len(told(house, PAGER)) == 2
    assert "All 2: shop.orders, shop.stock" in house.receivers.got(PAGER)[1].text


def test_an_escalation_tells_of_what_is_still_open(house: House) -> None:
    raised(house, "stock", "critical", key="a")
    raised(house, "orders", key="b")
    house.send(seconds=5)
    house.service.resolve("a")
    house.send(minutes=16)
    assert told(house, PAGER) == [("trigger", "Still open: shop.orders failed", "important")]


def test_a_receiver_that_is_added_later_is_told_of_all(house: House) -> None:
    raised(house, "orders")
    house.send(seconds=5)
    house.configure({"receivers": [OPS, "slack:new"], "group": BY_DAG})
    raised(house, "stock")
    house.send(seconds=5)
    (message,) = house.receivers.got("slack:new")
    assert (message.action, message.count) == (Action.TRIGGER, 2)


def test_a_receiver_that_was_down_gets_one_message_of_all(house: House) -> None:
    house.receivers.refuse[OPS] = ReceiverError("down")
    for number in range(5):
        raised(house, f"task{number}")
        house.send(seconds=30)
    del house.receivers.refuse[OPS]
    house.send(minutes=16)
    assert [message.count for message in house.receivers.got(OPS)] == [5]


def test_an_alert_that_comes_while_a_message_is_on_its_way_is_told(house: House) -> None:
    class Slow:
        def send(self, message: Any) -> None:
            if not house.receivers.messages:
                raised(house, "stock")
            house.receivers.take(OPS, message)

    raised(house, "orders")
    house.clock.forward(seconds=5)
    open_, house.receivers.open = house.receivers.open, lambda _: Slow()  # type: ignore[method-assign,assignment,return-value]
    house.send()
    house.receivers.open = open_  # type: ignore[method-assign]
    house.send(seconds=5)
    assert [action for action, *_ in told(house)] == ["trigger", "update"]


def test_an_alert_that_comes_while_a_resolve_is_on_its_way_is_told(house: House) -> None:
    raised(house, "orders", key="a")
    house.send(seconds=5)
    house.service.resolve("a")
    raised(house, "stock", key="b")
    house.send(seconds=5)
    actions = sorted(action for action, *_ in told(house))
    assert actions == ["resolve", "trigger", "trigger"]


def test_the_worst_of_a_huge_incident_is_named_and_gives_the_severity(house: House) -> None:
    for number in range(30):
        raised(house, f"task{number:02}", "critical" if number == 29 else "nice_to_have")
    house.send(seconds=5)
    (message,) = house.receivers.got(OPS)
    assert message.tier is Tier.CRITICAL
    assert message.title.startswith("shop.task29 failed (and 29 more")
    assert "All 30: shop.task29, shop.task00 (nice_to_have)" in message.text
    assert "and 10 more" in message.text


def test_long_names_are_counted_where_they_do_not_fit(house: House) -> None:
    """Receivers cut what is too long; what stands in the cut is told as a number instead."""
    for number in range(20):
        raised(house, f"{number:02}{'x' * 200}", facts={"Why": "y" * 900})
    house.send(seconds=5)
    (message,) = house.receivers.got(OPS)
    names = message.text.partition("\n")[0]
    assert names.endswith(f" and {20 - names.count('shop.')} more")
    assert len(names) < 2000
