"""`meta.airflow`: what the reader of manifests takes is what Airflow takes, and no more."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.sdk import TriggerRule, WeightRule

from airflow_dataops import DbtBuildOperator
from airflow_dataops.core.manifests.task_settings import (
    NAMES,
    TRIGGER_RULES,
    WEIGHT_RULES,
    mistakes_in,
)
from airflow_dataops.core.plan import ArgumentLayers, arguments_of
from airflow_dataops.core.plan.structs import Profile
from airflow_dataops.operators.arguments import accepted

VALUES: list[Any] = [
    *(None, True, False, 0, 1, -1, 3, 0.5, "", "x", "3", "30m", "all_success", "absolute"),
    *([], ["x"], {}, {"a": "b"}, {"a": 1}),
]


def build(settings: dict[str, Any]) -> DbtBuildOperator:
    arguments = arguments_of(Profile(airflow=settings), ArgumentLayers())
    place: dict[str, Any] = {"task_id": "t", "manifest": "m.json", "conn_id": "w"}
    return DbtBuildOperator(nodes="model.a.b", **place, **arguments)


def test_the_words_are_those_of_airflow() -> None:
    assert set(TRIGGER_RULES) == {str(rule.value) for rule in TriggerRule}
    assert set(WEIGHT_RULES) == {str(rule.value) for rule in WeightRule}
    assert accepted(DbtBuildOperator) >= NAMES


@pytest.mark.parametrize("name", sorted(NAMES))
def test_what_the_reader_takes_airflow_takes(name: str) -> None:
    taken = [value for value in VALUES if not mistakes_in({name: value})]
    assert taken
    for value in taken:
        build({name: value})


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"poool": "x"}, "'poool' is not for a manifest to set, did you mean 'pool'?"),
        ({"pool": 5}, "meta.airflow.pool: Expected `str`, got `int`"),
        ({"pool_slots": 0}, "meta.airflow.pool_slots: Expected `int` >= 1"),
        ({"pool_slots": None}, "meta.airflow.pool_slots: Expected `int`, got `null`"),
        ({"retries": "many"}, "meta.airflow.retries: Expected a whole number from 0 on"),
        ({"retries": -1}, "meta.airflow.retries: Expected `int` >= 0"),
        ({"retry_delay": "soon"}, "meta.airflow.retry_delay: Expected seconds or a duration"),
        ({"execution_timeout": True}, "meta.airflow.execution_timeout: Expected"),
        ({"trigger_rule": "al_done"}, "got 'al_done', did you mean 'all_done'?"),
        ({"weight_rule": "down"}, "Expected one of downstream, upstream, absolute, got 'down'"),
        ({"do_xcom_push": "no"}, "meta.airflow.do_xcom_push: Expected `bool`"),
        ({"metric_tags": {"tier": 1}}, "meta.airflow.metric_tags.tier: Expected `str`"),
        ({"priority_weight": "high"}, "meta.airflow.priority_weight: Expected `int`"),
        ({"dag": "x"}, "'dag' is set by the plan; leave it out"),
    ],
)
def test_what_airflow_would_refuse_is_refused_with_its_path(
    settings: dict[str, Any], said: str
) -> None:
    (mistake,) = mistakes_in(settings)
    assert said in mistake


def test_all_mistakes_come_at_once() -> None:
    assert len(mistakes_in({"poool": "x", "pool": 5, "retries": -1})) == 3
