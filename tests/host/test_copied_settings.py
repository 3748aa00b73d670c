"""Whatever tasks are given, by metadata or arguments: a copied operator is the built one."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from airflow.sdk import DAG, BaseOperator, TaskGroup
from airflow.serialization.serialized_objects import DagSerialization
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_dataops import dbt_dag, dbt_task_group
from airflow_dataops.core.manifests.task_settings import NAMES, TRIGGER_RULES, WEIGHT_RULES
from airflow_dataops.task_groups.cloning import OperatorTemplate
from benchmarks.manifests import manifest
from tests.host.manifests import write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MODELS = 8


def notify(context: Any) -> None: ...


def page(context: Any) -> None: ...


TEXT = st.text("abcäß {}'\"<%\\/", min_size=1, max_size=8)
COUNT = st.integers(1, 5)
DURATION = st.one_of(st.integers(1, 9000), st.sampled_from(["30m", "1.5h", "2d"]))
YES = st.booleans()
OF_MANIFESTS: dict[str, st.SearchStrategy[Any]] = {
    "pool": st.none() | TEXT,
    "pool_slots": COUNT,
    "queue": TEXT,
    "executor": st.none() | st.just("LocalExecutor"),
    "priority_weight": st.integers(-(2**40), 2**40),
    "weight_rule": st.sampled_from(WEIGHT_RULES),
    "owner": TEXT,
    "retries": st.none() | st.integers(0, 9) | st.sampled_from(["0", "07"]),
    "retry_delay": DURATION,
    "max_retry_delay": st.none() | DURATION,
    "retry_exponential_backoff": st.booleans() | st.sampled_from([0, 2, 1.5]),
    "execution_timeout": st.none() | DURATION,
    "trigger_rule": st.sampled_from(TRIGGER_RULES),
    "depends_on_past": YES,
    "wait_for_downstream": YES,
    "ignore_first_depends_on_past": YES,
    "wait_for_past_depends_before_skipping": YES,
    "max_active_tis_per_dag": st.none() | COUNT,
    "max_active_tis_per_dagrun": st.none() | COUNT,
    "do_xcom_push": YES,
    "task_display_name": st.none() | TEXT,
    "doc": st.none() | TEXT,
    "doc_md": st.none() | TEXT,
    "doc_json": st.none() | TEXT,
    "doc_yaml": st.none() | TEXT,
    "doc_rst": st.none() | TEXT,
    "params": st.none()
    | st.dictionaries(st.sampled_from(["x", "y", "z"]), st.integers(0, 9) | TEXT),
    "metric_tags": st.none() | st.dictionaries(st.sampled_from(["tier", "team"]), TEXT),
}
CALLBACK = st.sampled_from([None, notify, [notify, page], (page,), f"{__name__}.notify", []])
OF_AUTHORS = OF_MANIFESTS | {
    "on_failure_callback": CALLBACK,
    "on_success_callback": CALLBACK,
    "executor_config": st.none() | st.dictionaries(TEXT, TEXT),
    "run_as_user": st.none() | TEXT,
    "email_on_failure": YES,
    "retry_delay": st.integers(1, 9000).map(lambda each: timedelta(seconds=each)),
    "multiple_outputs": YES,
    "allow_nested_operators": YES,
}
# Not in the defaults of a DAG, where a false value is a mistake of its own.
OF_DEFAULTS = {name: OF_AUTHORS[name] for name in ("owner", "queue", "pool", "wait_for_downstream")}


def some(of: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=of)


EDGES: dict[str, list[Any]] = {
    "pool": ["a", None, " "],
    "pool_slots": [2, 1],
    "queue": ["a", " b "],
    "executor": ["LocalExecutor", None],
    "priority_weight": [3, 2**40, -(2**40), 0],
    "weight_rule": ["absolute", "upstream"],
    "owner": ["a", " b "],
    "retries": [3, None, "07", 0],
    "retry_delay": ["30m", 0.5, "2d"],
    "max_retry_delay": ["30m", 7, None],
    "retry_exponential_backoff": [True, 0, 1.5, False],
    "execution_timeout": ["30m", None, 1],
    "trigger_rule": ["all_done", "always", "none_failed"],
    "depends_on_past": [True, False],
    "wait_for_downstream": [True, False],
    "params": [{"x": 1}, {"y": "b"}, {"x": 3, "y": 4}, {}, None],
    "metric_tags": [{"b": "1", "a": "2"}, {}, None],
    "doc_md": ["a", None, ""],
    "task_display_name": ["a", None, "b"],
}
"""The first of each is what a copy is checked on; the others take its word."""


def few(of: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Most tasks set little, so that names and values meet in many ways."""
    names = st.sets(st.sampled_from(sorted(of)), max_size=3)
    return names.flatmap(lambda found: st.fixed_dictionaries({name: of[name] for name in found}))


def test_all_that_manifests_may_set_is_tried() -> None:
    assert OF_MANIFESTS.keys() == NAMES


def state_of(operator: BaseOperator) -> dict[str, Any]:
    return {
        name: value
        for name, value in operator.__dict__.items()
        if name not in {"_dag", "task_group", "_BaseOperator__init_kwargs"}
    }


def same(build: Callable[[], DAG]) -> None:
    copied = build()
    with patch.object(OperatorTemplate, "make", OperatorTemplate._built):
        built = build()
    assert json.dumps(DagSerialization.to_dict(copied)) == json.dumps(
        DagSerialization.to_dict(built)
    )
    for task in built.tasks:
        twin = copied.get_task(task.task_id)
        assert state_of(twin) == state_of(task)
        mine, theirs = twin.__dict__, task.__dict__
        kwargs = "_BaseOperator__init_kwargs"
        apart = {"dag", "task_group"}
        assert {k: v for k, v in mine[kwargs].items() if k not in apart} == {
            k: v for k, v in theirs[kwargs].items() if k not in apart
        }


ASKED = st.fixed_dictionaries(
    {
        "metas": st.lists(few(OF_MANIFESTS), min_size=MODELS, max_size=MODELS),
        "operator_args": some(OF_AUTHORS),
        "tag_args": few(OF_AUTHORS),
        "default_args": few(OF_DEFAULTS),
        "of_group": few(OF_DEFAULTS),
        "owners": st.lists(st.none() | TEXT.filter(str.strip), min_size=MODELS, max_size=MODELS),
    }
)
HEALTH = [HealthCheck.function_scoped_fixture]


@settings(max_examples=4, deadline=None, suppress_health_check=HEALTH)
@given(asked=ASKED)
def test_any_settings(tmp_path: Path, asked: dict[str, Any]) -> None:
    check_settings(tmp_path, **asked)


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=HEALTH)
@given(asked=ASKED)
def test_many_settings(tmp_path: Path, asked: dict[str, Any]) -> None:
    check_settings(tmp_path, **asked)


def check_settings(
    tmp_path: Path,
    metas: list[dict[str, Any]],
    operator_args: dict[str, Any],
    tag_args: dict[str, Any],
    default_args: dict[str, Any],
    of_group: dict[str, Any],
    owners: list[str | None],
) -> None:
    """Of metadata, of the DAG file, of the DAG's and a group's defaults; in DAG and group."""
    content = manifest(MODELS)
    models = [node for node in content["nodes"].values() if node["resource_type"] == "model"]
    for node, airflow, owner in zip(models, metas, owners, strict=True):
        node["meta"] = node["config"]["meta"] = {"airflow": airflow, "owner": owner}
    path = write(tmp_path / "m.json", content)
    asked: dict[str, Any] = {"operator_args": operator_args, "tag_args": {"daily": tag_args}}

    def one() -> DAG:
        return dbt_dag(
            manifest=path, conn_id="w", dag_id="x", default_args=dict(default_args), **asked
        )

    def grouped() -> DAG:
        with (
            DAG("x", default_args=dict(default_args), schedule=None, params={"y": 1}) as dag,
            TaskGroup("outer", default_args=dict(of_group)),
        ):
            dbt_task_group(group_id="inner", manifest=path, conn_id="w", **asked)
        return dag

    same(one)
    same(grouped)


def test_each_setting_alone_by_values_at_its_edges(tmp_path: Path) -> None:
    """Each model has one setting, as plain data; the first model of each is built by Airflow."""
    chosen = [{name: value} for name, values in EDGES.items() for value in values]
    content = manifest(len(chosen) + 2)
    models = [node for node in content["nodes"].values() if node["resource_type"] == "model"]
    # The first two make the prototype and the trust in it.
    for node, airflow in zip(models[2:], chosen, strict=True):
        node["meta"] = {"airflow": airflow}
    path = write(tmp_path / "m.json", content)
    same(lambda: dbt_dag(manifest=path, conn_id="w", dag_id="x"))
    with_args: dict[str, Any] = {"params": {"y": 1, "x": 2}}
    with_args |= {"operator_args": {"on_retry_callback": (page,), "executor_config": {"a": {}}}}
    same(lambda: dbt_dag(manifest=path, conn_id="w", dag_id="x", **with_args))


def count_built(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    initialise = BaseOperator.__init__

    def counting(self: BaseOperator, *arguments: Any, **kwargs: Any) -> None:
        found.append(kwargs["task_id"])
        initialise(self, *arguments, **kwargs)

    monkeypatch.setattr(BaseOperator, "__init__", counting)
    return found


def test_settings_of_each_task_its_own_cost_no_constructor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """400 tasks, each with an owner, pool, retries, params and callbacks that no other has."""
    content = manifest(200)
    models = [node for node in content["nodes"].values() if node["resource_type"] == "model"]
    for number, node in enumerate(models):
        airflow = {
            "pool": f"pool_{number}",
            "retries": number,
            "queue": f"queue_{number}",
            "execution_timeout": number + 1,
            "params": {"n": number},
            "metric_tags": {"n": str(number)},
        }
        node["meta"] = {"airflow": airflow, "owner": f"owner_{number}"}
        node["tags"] = [f"tag_{number}"]
    path = write(tmp_path / "m.json", content)
    built = count_built(monkeypatch)
    tag_args = {f"tag_{n}": {"on_failure_callback": [lambda _: None]} for n in range(200)}
    dag = dbt_dag(manifest=path, conn_id="w", dag_id="x", tag_args=tag_args)
    assert len(dag.tasks) == 400
    assert len({task.owner for task in dag.tasks}) == 200
    assert len(built) <= 12
