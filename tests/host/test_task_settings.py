"""`meta.airflow`: what the reader of manifests takes is what Airflow takes, and no more."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import TriggerRule, WeightRule
from typer.testing import CliRunner

from airflow_dataops import DbtBuildOperator, dbt_dag, load_dags
from airflow_dataops.cli.app import app
from airflow_dataops.core.manifests.task_settings import (
    NAMES,
    TRIGGER_RULES,
    WEIGHT_RULES,
    mistakes_in,
)
from airflow_dataops.core.plan import ArgumentLayers, arguments_of
from airflow_dataops.core.plan.structs import Profile
from airflow_dataops.errors import ConfigError
from airflow_dataops.operators.arguments import accepted
from tests.host.manifests import manifest, model, write

if TYPE_CHECKING:
    from pathlib import Path

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


EXECUTOR = r"executor: there is no 'nope'; \[core\] executor .* has LocalExecutor"


def test_an_executor_that_is_not_there_is_its_models_fault(tmp_path: Path) -> None:
    """`plan --strict` let it pass, and Airflow's own error names no node."""
    bad = manifest(model("bad", meta={"airflow": {"executor": "nope"}}))
    path = write(tmp_path / "m" / "bad.json", bad)
    fine = model("a", meta={"airflow": {"executor": "LocalExecutor"}})
    write(tmp_path / "m" / "good.json", manifest(fine, project="good"))
    space: dict[str, Any] = {}
    assert [dag.dag_id for dag in load_dags(tmp_path / "m", space, conn_id="w")] == ["good"]
    told = rf"model\.tiny\.bad, models/bad\.sql: .*{EXECUTOR}"
    with pytest.raises(ValueError, match=told):
        space["dataops_errors_0"].validate()
    planned = CliRunner().invoke(app, ["plan", "--strict", str(path)])
    assert re.search(told, str(planned.exception))


@pytest.mark.parametrize("where", ["default_args", "operator_args"])
def test_default_arguments_are_told_and_take_what_metadata_takes(
    tmp_path: Path, where: str
) -> None:
    path = write(tmp_path / "m.json", manifest(model("a")))
    given = {"retry_delay": "30m", "execution_timeout": 90, "max_retry_delay": timedelta(1)}
    (task,) = dbt_dag(manifest=path, conn_id="w", **{where: given}).tasks  # type: ignore[arg-type]
    assert task.retry_delay == timedelta(minutes=30)
    assert task.execution_timeout == timedelta(seconds=90)
    for wrong, told in (
        ({"retry_delay": "soon"}, "retry_delay: expected seconds or a duration"),
        ({"executor": "nope"}, EXECUTOR),
    ):
        with pytest.raises(ConfigError, match=told):
            dbt_dag(manifest=path, conn_id="w", **{where: wrong})  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=where):
        dbt_dag(manifest=path, conn_id="w", **{where: ["retries"]})  # type: ignore[arg-type]


def test_all_mistakes_come_at_once() -> None:
    assert len(mistakes_in({"poool": "x", "pool": 5, "retries": -1})) == 3
