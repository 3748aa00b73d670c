"""Warnings are of the nodes they concern."""

from __future__ import annotations

from airflow_dataops.core.model import Project
from airflow_dataops.core.plan import make_plan, plan_options
from tests.unit.manifests.built import entry, model, read

HOOK = {"operation.shop.hook-0": entry("operation.shop.hook-0")}


def test_hooks_of_a_run_are_told_of_only_where_sql_runs_a_node() -> None:
    """dbt runs them itself, with each of its nodes."""
    project = read({**model(), **HOOK}).project
    (warning,) = make_plan(project).warnings
    assert "on-run-start or on-run-end hooks (1)" in warning
    assert make_plan(project, plan_options(engine="dbt")).warnings == ()
    by_dbt = read({**model(grants={"select": ["x"]}), **HOOK}).project
    assert make_plan(by_dbt, plan_options()).warnings == ()


def test_a_manifest_from_before_touches_were_recorded_warns_only_of_what_sql_runs() -> None:
    project = read(model(), metadata={"dataops": {"version": 1}}).project
    assert "did not record" in make_plan(project).warnings[0]
    assert make_plan(project, plan_options(engine="dbt")).warnings == ()


def test_an_empty_manifest_says_so() -> None:
    (warning,) = make_plan(Project(name="shop", nodes={})).warnings
    assert "the manifest is empty" in warning
    assert make_plan(read(model()).project).warnings == ()
