"""Callbacks under Airflow: what they are given, what they keep, and that they never raise."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from airflow.sdk import DAG
from airflow.sdk.log import mask_secret
from sqlalchemy import select

from airflow_dataops.adapters.ledger.tables import alerts, outbox
from airflow_dataops.callbacks.alerts import (
    AlertNotifier,
    call_on_sla_miss,
    raise_alert,
    raise_alert_async,
)
from airflow_dataops.core.sla.misses import Past, SlaMiss, Subject, SubjectKind, Tier
from airflow_dataops.core.sla.policies import CallbackRef
from airflow_dataops.errors import ConfigError
from airflow_dataops.hooks import alerts as hooks
from airflow_dataops.hooks.alerts import alert_service, open_ledger, read_alerts_config

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
MISS = SlaMiss(
    sla="by noon",
    subject=Subject(kind=SubjectKind.TASK, dag_id="shop", run_id="r", task_id="orders"),
    due=NOON,
    detected_at=NOON,
    tier=Tier.CRITICAL,
    state="running",
    since=NOON,
    upstream="raw_orders",
    owner="ada",
    history=(Past(run_id="q", seconds=600),),
    links={"Log": "https://airflow.example.org/log"},
)
TI = SimpleNamespace(
    dag_id="shop",
    task_id="orders",
    run_id="r",
    map_index=3,
    try_number=2,
    start_date=NOON,
    log_url="https://airflow.example.org/log",
)
GIVEN: list[dict[str, Any]] = []


def remember(context: dict[str, Any]) -> None:
    GIVEN.append(context)


async def remember_later(context: dict[str, Any], whom: str) -> None:
    GIVEN.append({"whom": whom, "sla": context["sla"]})


def fail(context: dict[str, Any]) -> None:
    raise RuntimeError(f"cannot tell of {context['sla']}")


@pytest.fixture(autouse=True)
def own_ledger() -> Iterator[None]:
    GIVEN.clear()
    hooks._opened.cache_clear()
    yield
    hooks._opened.cache_clear()


def kept() -> list[dict[str, Any]]:
    with open_ledger().database.read() as connection:
        return list(connection.execute(select(alerts.c.alert)).scalars())


def receivers() -> list[str]:
    with open_ledger().database.read() as connection:
        return sorted(connection.execute(select(outbox.c.receiver)).scalars())


def alerts_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *routes: dict[str, Any], **rest: Any
) -> None:
    file = folder / "alerts.yaml"
    file.write_text(yaml.safe_dump({"routes": list(routes), **rest}))
    monkeypatch.setenv("AIRFLOW__DATAOPS__ALERTS_CONFIG", str(file))


def test_a_failed_task_is_told_with_its_reason_and_log() -> None:
    error = ValueError("no such column")
    assert raise_alert({"ti": TI, "exception": error}, ["slack:ops"])
    assert not raise_alert({"ti": TI, "exception": error}, ["slack:ops"])
    (alert,) = kept()
    assert alert["title"] == "shop.orders[3] failed"
    assert alert["facts"]["Why"] == "ValueError: no such column"
    assert alert["links"] == {"Log": "https://airflow.example.org/log"}


def test_routes_of_the_file_decide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alerts_file(
        tmp_path,
        monkeypatch,
        {"match": {"tier": "critical"}, "receivers": ["pagerduty:duty"]},
        {"receivers": ["slack:ops"]},
    )
    alert_service().miss(MISS)
    raise_alert({"ti": TI})
    assert receivers() == ["pagerduty:duty", "slack:ops"]


def test_a_miss_is_told_to_each_callback_even_when_one_fails() -> None:
    """By function, dotted path and notifier; each is given the documented keys."""
    path = f"{remember.__module__}.remember"
    import sys

    sys.modules.setdefault(remember.__module__, sys.modules[__name__])
    callbacks = [fail, remember, path, AlertNotifier("slack:ops"), "there.is.none"]
    assert call_on_sla_miss(MISS, callbacks) == 3
    given = GIVEN[0]
    assert given["subject"] == "shop.orders"
    assert (given["due"], given["state"], given["since"]) == (NOON, "running", NOON)
    assert (given["upstream"], given["owner"]) == ("raw_orders", "ada")
    assert given["history"] == [{"run_id": "q", "ended_at": None, "seconds": 600.0, "state": None}]
    assert kept()[0]["key"] == MISS.key
    assert kept()[0]["tier"] == "critical"


def test_what_an_sla_names_is_called_with_its_keyword_arguments() -> None:
    """A coroutine is awaited; a notifier is made of them and renders its templates."""
    import sys

    sys.modules.setdefault(remember.__module__, sys.modules[__name__])
    title = "{{ subject }} is late, waits for {{ upstream }}"
    notifier = {"receivers": ["slack:ops", "email:smtp/a@b.example"], "title": title}
    refs = [
        CallbackRef(path=f"{remember.__module__}.remember_later", kwargs={"whom": "ann"}),
        CallbackRef(path="airflow_dataops.callbacks.alerts.AlertNotifier", kwargs=notifier),
        CallbackRef(path="airflow_dataops.callbacks.alerts.raise_alert", kwargs={"nonsense": 1}),
        CallbackRef(path=f"{remember.__module__}.remember", kwargs={"no_such": 1}),
    ]
    assert call_on_sla_miss(MISS, refs) == 3
    assert GIVEN == [{"whom": "ann", "sla": "by noon"}]
    assert receivers() == ["email:smtp/a@b.example", "slack:ops"]
    assert kept()[0]["title"] == "shop.orders is late, waits for raw_orders"


def test_a_deadline_in_the_triggerer_raises_an_alert() -> None:
    context = {
        "dag_run": {"dag_id": "shop", "dag_run_id": "r", "state": "running"},
        "deadline": {"id": "1", "deadline_time": "2026-11-20T12:00:00Z"},
    }
    assert asyncio.run(raise_alert_async(context, ["slack:ops"]))
    assert kept()[0]["title"] == "shop is late: due 2026-11-20T12:00:00Z"


def test_a_failed_run_is_told() -> None:
    with DAG("shop", tags=["finance"]) as dag:
        pass
    run = SimpleNamespace(dag_id="shop", run_id="r", clear_number=0)
    raise_alert({"dag": dag, "dag_run": run, "run_id": "r", "reason": "task_failure"}, ["slack:o"])
    assert kept()[0]["title"] == "shop failed"
    assert kept()[0]["tags"] == ["finance"]


def test_a_notifier_renders_its_title_and_sets_the_tier() -> None:
    notifier = AlertNotifier("slack:ops", tier="critical", title="{{ ti.task_id }} is broken")
    notifier({"ti": TI})
    assert kept()[0]["title"] == "orders is broken"
    assert kept()[0]["tier"] == "critical"


def test_a_notifier_with_a_wrong_receiver_fails_when_the_dag_is_parsed() -> None:
    with pytest.raises(ConfigError, match=r"routes\[0\]\.receivers\[0\].*'ops' is no receiver"):
        AlertNotifier("ops")


def test_what_airflow_knows_to_be_secret_is_masked() -> None:
    mask_secret("correct-horse")
    raise_alert({"ti": TI, "exception": ValueError("login correct-horse refused")}, ["slack:ops"])
    assert "correct-horse" not in str(kept())


def test_a_broken_setting_never_hurts_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AIRFLOW__DATAOPS__LEDGER", "mysql://ada:hunter2@host/db")
    assert not raise_alert({"ti": TI}, ["slack:ops"])
    assert not raise_alert({}, ["slack:ops"])
    assert "hunter2" not in capsys.readouterr().out


def test_all_mistakes_of_a_file_are_told_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alerts_file(
        tmp_path,
        monkeypatch,
        {"match": {"teir": "critical"}, "receivers": ["fax:1"]},
        {"receivers": ["slack:ops"], "group": {"by": "moon", "within_minutes": "ten"}},
        {"match": {"hours": "25:00-26:00", "days": "someday"}},
        time_zone="Mars/Olympus",
    )
    with pytest.raises(ConfigError) as caught:
        read_alerts_config()
    text = str(caught.value)
    for part in (
        "$.routes[0].match.teir: There is no such setting; do you mean tier?",
        "$.routes[0].receivers[0]: 'fax:1' is no receiver",
        "$.routes[1].group.by: Invalid enum value 'moon'",
        "$.routes[1].group.within_minutes: Expected `float`, got `str`",
        "$.routes[2].receivers: It is missing",
        "$.routes[2].match.hours: '25:00-26:00': there is no such time",
        "$.routes[2].match.days: 'someday' is no day",
        "$.time_zone: 'Mars/Olympus' is no IANA time zone",
        "8 mistakes",
    ):
        assert part in text


def test_a_template_that_reaches_too_far_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Templates run in Jinja's sandbox; the usual text is sent instead."""
    alerts_file(
        tmp_path,
        monkeypatch,
        {"receivers": ["slack:ops"], "group": {"wait_seconds": 0}},
        messages={"title": "{{ ''.__class__.__mro__[1].__subclasses__() }}"},
    )
    raise_alert({"ti": TI})
    sent = []

    class Receiver:
        def send(self, message: Any) -> None:
            sent.append(message.title)

    assert hooks.alert_sender(open_address=lambda _: Receiver()).run_once() == 1
    assert sent == ["shop.orders[3] failed"]
