"""SLAs on their way through a serialized DAG."""

from __future__ import annotations

import json
import random
from datetime import date, time

import pytest
from msgspec.structs import replace

from airflow_dataops.core.sla.declared import SlaList, slas_from_json, slas_to_json
from airflow_dataops.core.sla.misses import Escalation, SubjectKind, Tier
from airflow_dataops.core.sla.policies import (
    BUSINESS_DAYS,
    AfterRunStart,
    ByTime,
    Calendar,
    CallbackRef,
    MaxAge,
    Sla,
)
from airflow_dataops.errors import ConfigError

MORNING = ByTime(
    at=time(7),
    timezone="Europe/Berlin",
    calendar=Calendar(days=BUSINESS_DAYS, holidays=(date(2026, 12, 25),)),
)
SLAS = (
    Sla(name="a", kind=SubjectKind.TASK, dag_id="shop", task_id="load", due=MORNING),
    Sla(name="a", kind=SubjectKind.TASK, dag_id="shop", task_id="clean", due=MORNING),
    Sla(
        name="b",
        kind=SubjectKind.DAG,
        dag_id="shop",
        due=AfterRunStart(minutes=90),
        tier=Tier.CRITICAL,
        escalate=(Escalation(after_minutes=15, receivers=("slack:ops",)),),
        on_miss=(CallbackRef(path="shop.tell", kwargs={"whom": ["a", "b"]}),),
    ),
    Sla(name="c", kind=SubjectKind.TABLE, subject="shop.orders", due=MaxAge(minutes=60)),
)


def test_slas_survive_json_and_their_order_does_not_matter() -> None:
    written = json.dumps(slas_to_json(SLAS))
    found = slas_from_json(json.loads(written))
    assert sorted(found, key=_order) == sorted(SLAS, key=_order)
    shuffled = random.Random(1).sample(SLAS, len(SLAS))
    assert json.dumps(slas_to_json(shuffled)) == written


def _order(sla: Sla) -> tuple[str, str]:
    return sla.name, sla.task_id or ""


def test_what_many_tasks_share_is_written_once() -> None:
    many = [
        Sla(name="m", kind=SubjectKind.TASK, dag_id="shop", task_id=f"t{n}", due=MORNING)
        for n in range(10_000)
    ]
    [entry] = slas_to_json(many)
    assert len(entry["task_ids"]) == 10_000
    assert len(json.dumps(entry)) < 100_000
    assert {sla.task_id for sla in slas_from_json([entry])} == {sla.task_id for sla in many}


def test_every_mistake_is_told_at_its_path() -> None:
    wrong = [
        {"name": "x", "kind": "tusk", "due": {"type": "by_time", "at": "25:00"}},
        {"name": "y", "kind": "dag", "due": {"type": "after_run_start", "minute": 3}, "teir": 1},
    ]
    with pytest.raises(ConfigError) as caught:
        slas_from_json(wrong, "dag shop")
    text = str(caught.value)
    assert text.startswith("dag shop: 5 mistakes:")
    assert "$[0].kind: " in text
    assert "$[0].due.at: " in text
    assert "$[1].due.minute: There is no such setting; do you mean minutes?" in text
    assert "$[1].due.minutes: It is missing." in text
    assert "$[1].teir: There is no such setting; do you mean tier?" in text


def test_a_name_stands_for_one_sla_of_its_subject() -> None:
    first, _, whole, table = SLAS
    for sla in (first, whole, table):
        other = replace(sla, tier=Tier.NICE_TO_HAVE)
        assert slas_to_json([sla, sla]) == slas_to_json([sla])
        with pytest.raises(ConfigError, match=f"two different SLAs called '{sla.name}'"):
            slas_to_json([sla, other])
        elsewhere = replace(other, task_id="other", subject="other", kind=SubjectKind.TASK)
        assert len(slas_to_json([sla, elsewhere, elsewhere])) == 2


def test_a_name_is_one_slas_where_each_of_two_entries_has_its_tasks() -> None:
    first = SLAS[0]
    other = replace(first, tier=Tier.CRITICAL, task_id="other")
    with pytest.raises(ConfigError, match="'other' has two different SLAs called 'a'"):
        slas_to_json([first, other, replace(first, task_id="other")])


def test_entries_written_without_a_dag_join_those_of_one() -> None:
    plan = [replace(sla, dag_id=None) for sla in SLAS]
    found = SlaList([replace(SLAS[0], task_id="mine")])
    found.add_entries(slas_to_json(plan), lambda sla, id_: f"{sla.kind}/{id_}", "shop")
    ids = {entry["name"]: entry.get("task_ids", entry.get("subjects")) for entry in found}
    assert ids == {"a": ["mine", "task/clean", "task/load"], "b": [], "c": ["table/shop.orders"]}
    assert {sla.dag_id for sla in slas_from_json(list(found))} == {"shop"}
