"""Alerts of failed tasks and runs end when these succeed after all; people end the others."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_dataops.adapters.outbox.failures import succeeded_in
from airflow_dataops.adapters.outbox.incidents import find_incident, list_incidents
from airflow_dataops.core.alerts.receiver import ReceiverError
from airflow_dataops.core.ledger.events import RunEvent, TaskEvent
from airflow_dataops.core.sla.misses import Tier
from airflow_dataops.errors import ConfigError
from tests.databases import KINDS, empty_database
from tests.fakes.alert_house import NOW, OPS, PAGER, House, alert

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROUTE: dict[str, Any] = {
    "receivers": [OPS],
    "group": {"by": "none", "wait_seconds": 0},
    "escalate": [{"after_minutes": 15, "receivers": [PAGER]}],
}


@pytest.fixture(params=KINDS)
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    with empty_database(request.param, tmp_path) as url:
        found = House(url)
        found.configure(ROUTE)
        yield found
        found.store.close()


def fail(house: House, task: str = "orders", run: str = "monday", kind: str = "task") -> None:
    subject = f"shop.{task}" if kind == "task" else "shop"
    fields = {"kind": f"{kind}_failure", "subject": subject, "dag_id": "shop", "run_id": run}
    house.service.alert(alert(f"{subject} {run} {kind}", title=f"{subject} failed", **fields))


def end(
    house: House, run: str = "monday", state: str = "success", hours: float = 1, **tasks: str
) -> int:
    """Let a run end that began so many hours after noon, as the ledger's feed tells it."""
    began = NOW + timedelta(hours=hours)
    common = {"dag_id": "shop", "run_id": run, "observed_at": began, "started_at": began}
    events: list[Any] = [RunEvent(**common, state=state)]  # type: ignore[arg-type]
    for name, of in tasks.items():
        task, _, index = name.partition("__")
        place = {"task_id": task, "map_index": int(index or -1)}
        events += [
            TaskEvent(**common, **place, try_number=1, state="failed"),  # type: ignore[arg-type]
            TaskEvent(**common, **place, try_number=2, state=of),  # type: ignore[arg-type]
        ]
    done = succeeded_in(events)
    assert done is not None
    return house.service.succeeded(done)


def test_a_task_that_succeeds_after_all_resolves_its_alert(house: House) -> None:
    fail(house)
    house.send()
    assert end(house, state="failed", orders="failed") == 0
    assert end(house, state="failed", orders="success") == 1
    house.send(hours=1)
    assert house.titles() == ["shop.orders failed", "Solved: shop.orders failed"]
    assert house.titles(PAGER) == [], "nothing is escalated after that"


def test_each_instance_of_a_mapped_task_is_its_own(house: House) -> None:
    for index in (0, 1):
        fail(house, f"load[{index}]")
    assert end(house, state="failed", load__0="success", load__1="failed") == 1
    house.send()
    assert "Solved: shop.load[0] failed" in house.titles()
    assert "Solved: shop.load[1] failed" not in house.titles()


def test_a_run_that_succeeds_resolves_its_own_alert_and_no_tasks(house: House) -> None:
    fail(house, kind="run")
    fail(house, "stock")
    assert end(house, stock="skipped") == 1
    house.send()
    assert "Solved: shop failed" in house.titles()


def test_another_run_resolves_nothing_by_default(house: House) -> None:
    fail(house, run="monday")
    fail(house, run="tuesday")
    assert end(house, "tuesday", orders="success") == 1
    assert end(house, "wednesday", orders="success") == 0


def test_the_next_run_resolves_by_choice_and_an_earlier_one_never(house: House) -> None:
    house.configure(ROUTE, resolve_failures="next_run")
    fail(house, run="monday")
    fail(house, run="monday", kind="run")
    assert end(house, "sunday", hours=-1, orders="success") == 0
    assert end(house, "tuesday", orders="success") == 2


def test_nothing_resolves_by_choice(house: House) -> None:
    house.configure(ROUTE, resolve_failures="never")
    fail(house)
    assert end(house, orders="success") == 0


def test_other_alerts_of_the_dag_are_left_alone(house: House) -> None:
    house.service.alert(alert("late", kind="sla_miss", subject="shop.orders", dag_id="shop"))
    assert end(house, orders="success") == 0


def test_incidents_are_listed_the_worst_first(house: House) -> None:
    house.receivers.refuse[OPS] = ReceiverError("503 from ops")
    house.service.alert(alert("a"))
    house.service.alert(alert("b", tier=Tier.CRITICAL))
    house.send()
    house.service.resolve("a")
    with house.store.database.read() as connection:
        [worst] = list_incidents(connection, solved=False)
        both = list_incidents(connection, solved=True)
        assert find_incident(connection, worst.id[:10].upper()) == worst.id
        for given in ("", "ffffffffffff", "%"):
            with pytest.raises(ConfigError, match="incident"):
                find_incident(connection, given)
    assert (worst.title, worst.state, worst.tier) == ("b is late", "open", "critical")
    assert worst.waiting == (OPS,)
    assert "503 from ops" in worst.errors[0]
    assert worst.escalates_at == NOW + timedelta(minutes=15)
    assert [each.state for each in both] == ["open", "solved"]


def test_an_incident_that_somebody_closes_is_told_as_solved(house: House) -> None:
    house.service.alert(alert("a"))
    house.send()
    incident = house.receivers.got(OPS)[0].incident
    assert house.service.close(incident)
    assert not house.service.close(incident)
    house.send(hours=1)
    assert house.titles() == ["a is late", "Solved: a is late"]
    assert house.titles(PAGER) == []
    assert house.service.alert(alert("a")), "raised again it is told again"


def test_a_key_of_any_length_is_kept(house: House) -> None:
    key = "x" * 200
    assert house.service.alert(alert(key, title="long"))
    assert not house.service.alert(alert(key, title="long"))
    assert house.service.resolve(key)
