"""SLAs on hand-written DAGs: what they are set on, and how they travel."""

from __future__ import annotations

import functools
import random
from datetime import date, datetime, time, timedelta
from typing import Any

import pendulum
import pytest
from airflow.models.serialized_dag import SerializedDagModel
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import DAG, Asset, TaskGroup, task
from airflow.sdk.definitions._internal.contextmanager import DagContext
from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference
from airflow.serialization.serialized_objects import DagSerialization

from airflow_dataops import AlertNotifier, set_sla
from airflow_dataops.callbacks.alerts import raise_alert, raise_alert_async
from airflow_dataops.core.sla.declared import slas_from_json
from airflow_dataops.core.sla.misses import Escalation, SubjectKind, Tier
from airflow_dataops.core.sla.policies import (
    BUSINESS_DAYS,
    AfterInterval,
    AfterRunStart,
    AfterTaskStart,
    ByTime,
    Calendar,
    CallbackRef,
    MaxAge,
    Sla,
)
from airflow_dataops.errors import ConfigError


def slas(dag: DAG) -> list[Sla]:
    """Return what is left after the DAG went through Airflow's database."""
    serialized = DagSerialization.from_dict(DagSerialization.to_dict(dag))
    return list(slas_from_json(serialized.default_args["slas"]))


def only(dag: DAG) -> Sla:
    [sla] = slas(dag)
    return sla


def hash_of(dag: DAG) -> str:
    found: str = SerializedDagModel.hash(DagSerialization.to_dict(dag))
    return found


def test_each_subject_and_each_way_to_be_due_reaches_the_serialized_dag() -> None:
    with DAG("shop", start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Berlin")) as dag:
        load = EmptyOperator(task_id="load")
        mapped = PythonOperator.partial(task_id="each", python_callable=print).expand(
            op_args=[[1], [2]]
        )

        @task
        def clean(x: int) -> int:
            return x

        cleaned = clean(1)
        many = clean.expand(x=[1, 2])
        with TaskGroup("marts") as marts:
            EmptyOperator(task_id="orders")
        with TaskGroup("bare", prefix_group_id=False) as bare:
            EmptyOperator(task_id="customers")
        set_sla(load, by="07:00", days="workdays", holidays=[date(2026, 12, 25)])
        set_sla(mapped, within=timedelta(minutes=30))
        assert set_sla(cleaned, after_run_start="2h") is cleaned
        set_sla(many, after_interval="90m")
        set_sla([marts, bare], by=time(8), timezone="UTC")
        set_sla(dag, within="3h")
        set_sla(Asset("orders"), max_age="1h")
    found = {(sla.kind, sla.task_id or sla.subject or sla.dag_id): sla for sla in slas(dag)}
    calendar = Calendar(days=BUSINESS_DAYS, holidays=(date(2026, 12, 25),))
    kind = SubjectKind
    assert {key: sla.due for key, sla in found.items()} == {
        (kind.TASK, "load"): ByTime(at=time(7), timezone="Europe/Berlin", calendar=calendar),
        (kind.TASK, "each"): AfterTaskStart(minutes=30),
        (kind.TASK, "clean"): AfterRunStart(minutes=120),
        (kind.TASK, "clean__1"): AfterInterval(minutes=90),
        (kind.TASK_GROUP, "marts"): ByTime(at=time(8)),
        (kind.TASK_GROUP, "bare"): ByTime(at=time(8)),
        (kind.DAG, "shop"): AfterRunStart(minutes=180),
        (kind.ASSET, "orders"): MaxAge(minutes=60),
    }
    assert found[kind.TASK_GROUP, "marts"].members == ()
    assert found[kind.TASK_GROUP, "bare"].members == ("customers",)
    assert {sla.dag_id for sla in found.values()} == {"shop"}
    assert dag.tags == {"sla"}


def test_tasks_made_after_an_sla_was_set_ignore_it() -> None:
    """Airflow hands a DAG's default arguments to each operator."""
    with DAG("shop", default_args={"retries": 3}) as dag:
        set_sla(dag, within="1h")
        plain = EmptyOperator(task_id="a")
        PythonOperator.partial(task_id="b", python_callable=print).expand(op_args=[[1]])
        with TaskGroup("g", default_args={"retries": 4}):

            @task
            def c(x: int) -> int:
                return x

            c.expand(x=[1])
    assert plain.retries == 3
    assert set(DagSerialization.from_dict(DagSerialization.to_dict(dag)).task_dict) == {
        "a",
        "b",
        "g.c",
    }


def test_all_the_rest_of_an_sla_is_kept() -> None:
    with DAG("shop") as dag:
        set_sla(
            EmptyOperator(task_id="a"),
            by="07:00",
            name="morning",
            tier="critical",
            owner="ann",
            tags=["finance"],
            warn_at=80,
            run_types=["scheduled", "manual"],
            escalate=[
                Escalation(after_minutes=15, receivers=("pagerduty:duty",)),
                {"after_minutes": 60, "receivers": ["email:smtp/cto@shop.example"]},
            ],
            on_sla_miss=raise_alert,
        )
    sla = only(dag)
    assert (sla.name, sla.tier, sla.owner) == ("morning", Tier.CRITICAL, "ann")
    assert (sla.tags, sla.warn_at, sla.run_types) == (("finance",), 80, ("scheduled", "manual"))
    assert [step.after_minutes for step in sla.escalate] == [15, 60]
    assert sla.on_miss == (CallbackRef(path="airflow_dataops.callbacks.alerts.raise_alert"),)


ALERTS = "airflow_dataops.callbacks.alerts"


@pytest.mark.parametrize(
    ("given", "path", "kwargs"),
    [
        (raise_alert_async, f"{ALERTS}.raise_alert_async", {}),
        (f"{ALERTS}.raise_alert", f"{ALERTS}.raise_alert", {}),
        (
            functools.partial(raise_alert, receivers=("slack:ops",)),
            f"{ALERTS}.raise_alert",
            {"receivers": ["slack:ops"]},
        ),
        (AlertNotifier, f"{ALERTS}.AlertNotifier", {}),
        (
            AlertNotifier("slack:ops", tier="critical"),
            f"{ALERTS}.AlertNotifier",
            {"receivers": ["slack:ops"], "tier": "critical"},
        ),
        (
            CallbackRef(path="airflow.providers.smtp.notifications.smtp.SmtpNotifier"),
            "airflow.providers.smtp.notifications.smtp.SmtpNotifier",
            {},
        ),
        ({"path": f"{ALERTS}.raise_alert", "kwargs": {"a": 1}}, f"{ALERTS}.raise_alert", {"a": 1}),
    ],
)
def test_callbacks_travel_as_paths_with_plain_arguments(
    given: Any, path: str, kwargs: dict[str, Any]
) -> None:
    with DAG("shop") as dag:
        set_sla(dag, within="1h", on_sla_miss=[given])
    assert only(dag).on_miss == (CallbackRef(path=path, kwargs=kwargs),)


class _Callable:
    def __call__(self, context: Any) -> None:
        """Do nothing."""


def _nested() -> Any:
    def inner(context: Any) -> None:
        """Do nothing."""

    return inner


def _of_dag_file(context: Any) -> None:
    """Do nothing."""


_of_dag_file.__module__ = "unusual_prefix_1a2b_shop"


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({}, r"set_sla\(shop\.a\): 1 mistake:\n  - \$: Say once when it is due"),
        ({"by": "07:00", "within": "1h"}, "it has by and within"),
        ({"by": "07:00", "timezone": "Berlin"}, r"\$\.timezone: 'Berlin' is no time zone"),
        ({"within": timedelta(0)}, r"\$\.within: .* is no duration"),
        ({"within": 30}, r"\$\.within: Expected `str \| null`, got `int`|\$\.within: Expected"),
        ({"bye": "07:00"}, r"\$\.bye: There is no such setting; do you mean by\?"),
        ({"by": object()}, "set_sla: by is <object object.*unsupported"),
        ({"max_age": "1h"}, "The SLA of a task takes by, within"),
        ({"by": "07:00", "tier": "urgent", "warn_at": 101}, "2 mistakes"),
        ({"within": "1h", "on_sla_miss": lambda context: None}, "a lambda cannot be stored"),
        ({"within": "1h", "on_sla_miss": _nested()}, "inner is inside of something else"),
        ({"within": "1h", "on_sla_miss": _Callable()}, "an object of type _Callable.*partial"),
        ({"within": "1h", "on_sla_miss": _of_dag_file}, "is written in the DAG file"),
        ({"within": "1h", "on_sla_miss": "no.such.thing"}, "there is no module 'no.such'"),
        ({"within": "1h", "on_sla_miss": "tell"}, "'tell'"),
        (
            {"within": "1h", "on_sla_miss": functools.partial(raise_alert, x=object())},
            "not plain data",
        ),
        (
            {"within": "1h", "on_sla_miss": functools.partial(raise_alert, {})},
            "give its arguments by keyword",
        ),
    ],
)
def test_a_wrong_value_is_told_when_the_dag_is_parsed(asked: dict[str, Any], told: str) -> None:
    with DAG("shop") as dag:
        load = EmptyOperator(task_id="a")
        with pytest.raises(ConfigError, match=told):
            set_sla(load, **asked)
    assert "slas" not in dag.default_args
    assert not dag.tags


def test_what_is_in_no_dag_has_no_sla() -> None:
    with pytest.raises(ConfigError, match="the task 'a' is in no DAG"):
        set_sla(EmptyOperator(task_id="a"), within="1h")
    with pytest.raises(ConfigError, match="the asset 'a' is in no DAG; call it inside"):
        set_sla(Asset("a"), max_age="1h")
    with pytest.raises(ConfigError, match="an object of type str has no SLA"):
        set_sla("shop.orders", max_age="1h")
    assert DagContext.get_current() is None


def test_a_group_that_names_its_tasks_otherwise_needs_them() -> None:
    with DAG("shop"), TaskGroup("g", prefix_group_id=False) as group:
        with pytest.raises(ConfigError, match="'g' has no tasks yet"):
            set_sla(group, within="1h")
        EmptyOperator(task_id="a")
        set_sla(group, within="1h")


def test_two_slas_of_one_name_are_refused_and_the_same_one_twice_is_one() -> None:
    with DAG("shop") as dag:
        load = EmptyOperator(task_id="a")
        set_sla([load, load], within="1h")
        with pytest.raises(ConfigError, match="two different SLAs called 'within 1 h'"):
            set_sla(load, within="1h", tier="critical")
        set_sla(load, within="1h", tier="critical", name="loud")
    assert [sla.name for sla in slas(dag)] == ["loud", "within 1 h"]


def test_there_is_one_deadline_for_each_due_time_and_the_authors_own_stay() -> None:
    own = DeadlineAlert(
        DeadlineReference.DAGRUN_LOGICAL_DATE,
        timedelta(hours=1),
        AsyncCallback(raise_alert_async),
    )
    with DAG("shop", deadline=own) as dag:
        tasks = [EmptyOperator(task_id=f"t{n}") for n in range(20)]
        set_sla(tasks, by="07:00")
        set_sla(tasks[:10], by="08:00", tier="critical")
        set_sla(tasks[10:], by="07:00", timezone="Asia/Tokyo")
        set_sla(dag, after_interval="2h")
        set_sla(tasks, within="10m")
        set_sla(tasks, after_run_start="1h")
    assert dag.deadline is not None
    names = [alert.name for alert in dag.deadline]  # type: ignore[union-attr]
    assert names[0] is None
    assert sorted(names[1:]) == [
        "SLA 2 h after the data interval",
        "SLA by 07:00 Asia/Tokyo",
        "SLA by 07:00 UTC",
        "SLA by 08:00 UTC",
    ]


def test_the_same_slas_are_the_same_version_in_whatever_order_they_are_set() -> None:
    def built(seed: int) -> str:
        with DAG("shop", start_date=datetime(2026, 1, 1)) as dag:
            tasks = [EmptyOperator(task_id=f"t{n}") for n in range(30)]
            shuffled = random.Random(seed)
            for each in shuffled.sample(tasks, len(tasks)):
                asked = [{"by": "07:00"}, {"by": "08:00", "tier": "critical"}, {"within": "5m"}]
                for one in shuffled.sample(asked, len(asked)):
                    set_sla(each, **one)
        return hash_of(dag)

    assert len({built(seed) for seed in range(5)}) == 1


def test_default_arguments_that_two_dags_share_carry_no_sla_over() -> None:
    with DAG("first") as first:
        set_sla(first, within="1h")
    with DAG("second", default_args=first.default_args) as second:
        set_sla(second, within="2h")
    assert [sla.dag_id for sla in slas(first)] == ["first"]
    assert [sla.dag_id for sla in slas(second)] == ["second"]


def test_a_worker_sets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """It builds a part of the DAG only, and nobody there looks at SLAs."""
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "shop")
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_TASK_ID", "a")
    with DAG("shop") as dag:
        group = TaskGroup("g", prefix_group_id=False)
        assert set_sla(group, by="07:00") is group
    assert "slas" not in dag.default_args
    assert dag.deadline is None
