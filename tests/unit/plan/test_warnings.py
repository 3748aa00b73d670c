"""Warnings are of the nodes they concern."""

from __future__ import annotations

from airflow_dataops.core.model import Project
from airflow_dataops.core.plan import make_plan, plan_options
from tests.unit.manifests.built import model, read


def test_a_manifest_from_before_touches_were_recorded_warns_only_of_what_sql_runs() -> None:
    project = read(model(), metadata={"dataops": {"version": 1}}).project
    assert "did not record" in make_plan(project).warnings[0]
    assert make_plan(project, plan_options(engine="dbt")).warnings == ()


def test_an_empty_manifest_says_so() -> None:
    (warning,) = make_plan(Project(name="shop", nodes={})).warnings
    assert "the manifest is empty" in warning
    assert make_plan(read(model()).project).warnings == ()


def test_a_manifest_of_which_nothing_runs_says_so() -> None:
    (warning,) = make_plan(read(model(materialized="ephemeral")).project).warnings
    assert "nothing of the manifest runs by itself" in warning
