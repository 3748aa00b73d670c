"""Which route takes an alert, and what it makes of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from airflow_dataops.core.alerts.alert import Alert
from airflow_dataops.core.alerts.config import RateLimit, parse_config
from airflow_dataops.core.alerts.routing import allowance, limit_of, matches, route_alert
from airflow_dataops.core.sla.misses import Escalation, Tier

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)  # a Friday
ALERT = Alert(
    key="k",
    title="t",
    at=NOW,
    tier=Tier.CRITICAL,
    owner="finance-eu",
    tags=("daily", "pii"),
    dag_id="shop",
    subject="shop.orders",
    kind="sla_miss",
)


def routed(*routes: dict[str, Any], alert: Alert = ALERT) -> list[tuple[str, ...]]:
    found = route_alert(alert, parse_config({"routes": list(routes)}), NOW)
    return [tuple(delivery.receiver for delivery in ticket.deliveries) for ticket in found]


@pytest.mark.parametrize(
    ("match", "taken"),
    [
        ({}, True),
        ({"tier": "critical"}, True),
        ({"tier": ["important", "nice_to_have"]}, False),
        ({"owner": "finance*"}, True),
        ({"owner": "sales"}, False),
        ({"tag": ["pii", "none"]}, True),
        ({"tag": "weekly"}, False),
        ({"dag": "sh?p", "subject": "*.orders", "kind": "sla_*"}, True),
        ({"owner": "finance*", "tag": "weekly"}, False),
        ({"hours": "08:00-18:00", "days": "workdays"}, True),
        ({"hours": "18:00-08:00"}, False),
        ({"days": ["sat", "sun"]}, False),
    ],
)
def test_everything_asked_for_must_be_so(match: dict[str, Any], taken: bool) -> None:
    config = parse_config({"routes": [{"match": match, "receivers": ["slack:a"]}]})
    assert matches(ALERT, config.routes[0].match, config, NOW) is taken


def test_the_first_route_takes_it_unless_it_lets_go_on() -> None:
    first, second = {"receivers": ["slack:a"]}, {"receivers": ["slack:b"]}
    assert routed(first, second) == [("slack:a",)]
    assert routed(first | {"continue": True}, second) == [("slack:a",), ("slack:b",)]


def test_an_alert_of_its_own_escalation_is_told_on_besides_its_routes() -> None:
    """Two of one cause share it, whoever is told first."""
    steps = (Escalation(after_minutes=15, receivers=("pagerduty:duty",)),)
    config = parse_config({"routes": [{"receivers": ["slack:a"]}]})
    routed, own = route_alert(replace(ALERT, escalate=steps), config, NOW)
    assert [each.receiver for each in routed.deliveries] == ["slack:a"]
    [step] = own.deliveries
    assert (step.receiver, step.step) == ("pagerduty:duty", 1)
    assert step.at >= NOW + timedelta(minutes=15)
    nobody = parse_config({"routes": [{"match": {"dag": "x"}, "receivers": ["slack:a"]}]})
    [alone] = route_alert(replace(ALERT, escalate=steps), nobody, NOW)
    assert alone.open_key == own.open_key


@pytest.mark.parametrize(
    ("by", "same"), [("cause", False), ("dag", True), ("owner", True), ("none", False)]
)
def test_what_alerts_of_one_incident_share(by: str, same: bool) -> None:
    other = Alert(key="l", title="u", at=NOW, owner="finance-eu", dag_id="shop")
    config = parse_config({"routes": [{"receivers": ["slack:a"], "group": {"by": by}}]})
    first, second = (route_alert(each, config, NOW)[0].open_key for each in (ALERT, other))
    assert (first == second) is same


def test_a_limit_counts_what_was_sent_in_its_time() -> None:
    limit = RateLimit(messages=3, per_minutes=1)
    sent = [NOW - timedelta(seconds=seconds) for seconds in (10, 59, 60, 61)]
    assert allowance(limit, sent, NOW) == 1
    assert allowance(limit, [NOW] * 9, NOW) == 0


def test_a_limit_is_found_by_the_receivers_name() -> None:
    config = parse_config({"rate_limits": [{"receiver": "slack:*", "messages": 1}]})
    assert limit_of("slack:ops", config) is not None
    assert limit_of("pagerduty:duty", config) is None
