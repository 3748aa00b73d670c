"""The SLA file."""

from __future__ import annotations

import json
from datetime import date, time
from typing import Any

import pytest
import yaml

from airflow_dataops.core.decoding import schema
from airflow_dataops.core.sla.misses import SubjectKind, Tier
from airflow_dataops.core.sla.policies import (
    BUSINESS_DAYS,
    AfterTaskStart,
    ByTime,
    Calendar,
    CallbackRef,
    MaxAge,
)
from airflow_dataops.core.sla.rules import Rules, SlaFile, groups_of, read_rules
from airflow_dataops.errors import ConfigError

FILE = """
timezone: Europe/Berlin
calendars:
  bank: {days: workdays, holidays: [2026-12-25]}
tiers:
  critical:
    warn_at: 75
    escalate: [{after_minutes: 15, receivers: ["pagerduty:duty"]}]
    on_sla_miss: [airflow_dataops.callbacks.alerts.raise_alert]
  important: {warn_at: 0}
slas:
  - {dag: shop, by: 17:30, calendar: bank, tier: critical}
  - {dag: ["shop*", finance], task: "fct_*", within: 30m, name: quick}
  - {group: marts, by: "08:00", timezone: UTC}
  - {asset: "wh/*/orders", max_age: 1h}
"""


def rules(text: str = FILE) -> Rules:
    return read_rules(text, "slas.yaml")


def test_a_dag_gets_what_its_tasks_and_groups_match() -> None:
    tasks = ["fct_orders", "stg_orders", "marts.fct_x", "fct_sales"]
    found = rules().of_dag("shop", tasks, groups_of(tasks))
    whole, first, second, group = found
    calendar = Calendar(days=BUSINESS_DAYS, holidays=(date(2026, 12, 25),))
    assert whole.kind is SubjectKind.DAG
    assert whole.due == ByTime(at=time(17, 30), timezone="Europe/Berlin", calendar=calendar)
    assert (whole.warn_at, whole.tier) == (75, Tier.CRITICAL)
    assert [step.receivers for step in whole.escalate] == [("pagerduty:duty",)]
    assert whole.on_miss == (CallbackRef(path="airflow_dataops.callbacks.alerts.raise_alert"),)
    assert [first.task_id, second.task_id] == ["fct_orders", "fct_sales"]
    assert (first.due, first.name, first.warn_at) == (AfterTaskStart(minutes=30), "quick", 0)
    assert (group.kind, group.task_id) == (SubjectKind.TASK_GROUP, "marts")
    assert group.due == ByTime(at=time(8))
    assert {sla.dag_id for sla in found} == {"shop"}


def test_other_dags_get_what_is_for_all() -> None:
    assert rules().of_dag("other", ["fct_orders"], {}) == []
    [group] = rules().of_dag("other", [], {"marts": ("a", "b")})
    assert group.members == ("a", "b")
    assert [sla.task_id for sla in rules().of_dag("finance", ["fct_a"], {})] == ["fct_a"]
    assert not rules("slas: []").takes("shop")
    assert rules().takes("whatever")


def test_assets_are_found_by_their_names() -> None:
    [sla] = rules().of_assets(["wh/main/orders", "wh/main/other"])
    assert (sla.kind, sla.subject, sla.due) == (
        SubjectKind.ASSET,
        "wh/main/orders",
        MaxAge(minutes=60),
    )


def test_a_rule_that_names_a_dag_and_no_task_of_it_is_told() -> None:
    text = "slas: [{dag: shop, task: ordres, by: '07:00'}, {dag: 'sh*', task: x, within: 1h}]"
    assert rules(text).idle("shop", []) == ["task ordres"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("slas: [{dag: a, by: '07:00'}", r"\$: This is no YAML: "),
        ("slas: []\nslas: []", r"\$: This is no YAML: the key 'slas' is there twice.*line 2"),
        ("slas: [{by: '07:00'}]", r"\$\.slas\[0\]: Say what it is about: dag, task, group"),
        ("slas: [{dag: a, task: b, group: c, by: '07:00'}]", "It is about task and group"),
        ("slas: [{dag: a, asset: b, max_age: 1h}]", "An asset is no DAG's"),
        ("slas: [{asset: b, by: '07:00'}]", r"\$\.slas\[0\]: The SLA of an asset takes max_age"),
        ("slas: [{dag: a, by: '07:00', calendar: bank}]", "There is no calendar 'bank'"),
        ("calendars: {bank: {days: workday}}", r"\$\.calendars\.bank\.days: 'workday' is no day"),
        ("tiers: {urgent: {warn_at: 3}}", r"\$\.tiers.*: Invalid enum value 'urgent'"),
        ("timezone: Mars", r"\$\.timezone: 'Mars' is no time zone"),
        ("sla: []", r"\$\.sla: There is no such setting; do you mean slas\?"),
        ("[]", r"\$: Expected `object`"),
    ],
)
def test_a_mistake_is_told_at_its_path(text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=rf"(?s)^slas\.yaml: 1 mistake:.*{told}"):
        rules(text)


def test_every_mistake_is_told_at_once() -> None:
    text = """
    timezone: Mars
    calendars: {bank: {days: monday}}
    tiers: {critical: {warn_at: 100}}
    slas:
      - {dag: a}
      - {dag: a, by: "7", tier: urgent}
      - {dag: a, within: 1 week, on_sla_miss: [x]}
    """
    with pytest.raises(ConfigError, match="8 mistakes") as caught:
        rules(text)
    for path in ("timezone", "calendars.bank.days", "tiers.critical.warn_at", "slas[0]"):
        assert f"$.{path}: " in str(caught.value)
    for path in ("by", "tier"):
        assert f"$.slas[1].{path}: " in str(caught.value)


def test_the_schema_takes_the_file_and_refuses_others() -> None:
    import jsonschema

    found: Any = schema(SlaFile)
    jsonschema.Draft202012Validator.check_schema(found)
    validator = jsonschema.Draft202012Validator(found)
    data = json.loads(json.dumps(yaml.safe_load(FILE.replace("17:30", "'17:30'")), default=str))
    assert not [*validator.iter_errors(data)]
    assert [*validator.iter_errors({"slas": [{"dga": "a"}]})]


def test_numbers_are_still_numbers() -> None:
    [sla] = rules("slas: [{dag: a, by: '07:00', warn_at: 92.5}]").of_dag("a", [], {})
    assert sla.warn_at == 92.5
    [sla] = rules("slas: [{dag: 12, by: '07:00'}]".replace("12", "'12'")).of_dag("12", [], {})
    assert sla.dag_id == "12"
