"""dbt's vars of a run in the DAGs of a manifest: what is refused, and what tasks get."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from airflow.serialization.serialized_objects import DagSerialization

from airflow_dataops import DbtConfig, dbt_dag
from airflow_dataops.core.execution.values import RunValues
from airflow_dataops.errors import ConfigError
from airflow_dataops.operators.run_values import run_values
from tests.host.manifests import manifest, model, write

if TYPE_CHECKING:
    from pathlib import Path

    from airflow.sdk import DAG

OURS = {"version": 3, "target": "t", "runtime_vars": ["run_day"], "vars": {"hostile": "{{ 7*7 }}"}}
RUN_DAY = {"run_day": "{{ ds }}"}


def dag_of(folder: Path, *nodes: dict[str, Any], **arguments: Any) -> DAG:
    content = manifest(*nodes or [model("a"), model("b", "a")], dataops=OURS)
    path = write(folder / "manifest.json", content)
    return dbt_dag(manifest=path, conn_id="w", dag_id="d", **arguments)


@pytest.mark.parametrize("granularity", ["node", "dag"])
def test_tasks_have_the_vars_of_the_dag_as_templates(tmp_path: Path, granularity: str) -> None:
    dag = dag_of(tmp_path, vars=RUN_DAY, granularity=granularity)
    encoded = DagSerialization.to_dict(dag)
    assert "{{ ds }}" in str(encoded)
    for task in dag.tasks:
        task.render_template_fields({"ds": "2026-01-05", "params": {}})
        assert getattr(task, "vars") == {"run_day": "2026-01-05"}  # noqa: B009 - not of all tasks


def test_a_dag_without_vars_is_as_it_was(tmp_path: Path) -> None:
    for task in dag_of(tmp_path).tasks:
        assert "vars" not in task.template_fields


def test_dbt_gets_the_vars_of_the_compile_as_data(tmp_path: Path) -> None:
    """What a manifest says is never rendered; what the DAG's author writes is."""
    (tmp_path / "profiles.yml").write_text("p: {target: t, outputs: {t: {type: duckdb}}}")
    dbt = DbtConfig(project_dir=str(tmp_path), profile="p", target="t", executable="/no/dbt")
    dag = dag_of(tmp_path, model("p", language="python"), vars=RUN_DAY, dbt=dbt)
    task: Any = dag.get_task("p")
    context: Any = {"ds": "2026-01-05", "params": {"vars": {"run_day": "2026-02-01"}}}
    task.render_template_fields(context)
    assert task.vars == {"run_day": "2026-01-05"}
    task._request(context)
    assert task.vars == {"hostile": "{{ 7*7 }}", "run_day": "2026-02-01"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"vars": ["run_day"]}, r"vars=\['run_day'\]: write dbt's vars by name"),
        ({"relations": {"schema": {"nope": "x"}}}, "the manifest has no schema 'nope'"),
        ({"relations": {"tables": {}}}, "write names by database, schema, alias"),
        (
            {"dbt": DbtConfig(project_dir="/p", profile="p", target="prod")},
            "target='prod'.*compiled for target 't'",
        ),
        (
            {"dbt": DbtConfig(project_dir="/p", profile="p", target="t", vars={"run_day": 1})},
            "'run_day' is a var of the run",
        ),
    ],
)
def test_what_is_wrong_is_refused_at_parse(
    tmp_path: Path, arguments: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        dag_of(tmp_path, **arguments)


def test_the_trigger_form_sets_vars_of_the_run_alone() -> None:
    context: Any = {}
    asked = RunValues(variables={"run_day": "b"})
    assert run_values(context, {"run_day": "a"}, asked, ("run_day",)).variables == {"run_day": "b"}
    with pytest.raises(ConfigError, match="'run_dya' is no var of the run, did you mean 'run_day'"):
        run_values(context, {}, RunValues(variables={"run_dya": 1}), ("run_day",))
