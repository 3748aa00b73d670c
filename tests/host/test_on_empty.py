"""A selection that matches nothing: an error, unless the caller takes nothing for an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException

from airflow_dataops import dbt_dag, dbt_task_group, load_dags
from airflow_dataops.core.execution.requests import RunRequest
from airflow_dataops.core.selection import SelectionWarning
from airflow_dataops.errors import ConfigError
from tests.host.manifests import manifest, model, write

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path / "manifest.json", manifest(model("first"), model("second", "first")))


def test_it_is_an_error_by_default_which_says_how_to_allow_it(path: Path) -> None:
    with pytest.raises(ConfigError, match=r"'tag:none' matches nothing.*on_empty='warn'"):
        dbt_dag(manifest=path, conn_id="warehouse", select="first tag:none")


def test_by_choice_it_is_a_warning_and_the_rest_is_taken(path: Path) -> None:
    arguments: dict[str, Any] = {"select": "first tag:none", "on_empty": "warn"}
    with pytest.warns(SelectionWarning, match="'tag:none' matches nothing"):
        dag = dbt_dag(manifest=path, conn_id="warehouse", **arguments)
    assert dag.task_ids == ["first"]
    with pytest.raises(ConfigError, match="matches nothing"):
        dbt_dag(manifest=path, conn_id="warehouse", select="first tag:none")


def test_a_selection_that_leaves_nothing_is_then_a_dag_without_tasks(path: Path) -> None:
    arguments: dict[str, Any] = {"select": "tag:none", "on_empty": "warn"}
    with pytest.warns(SelectionWarning):
        (dag,) = load_dags(path.parent, {}, conn_id="warehouse", **arguments)
    assert dag.task_ids == []
    with DAG("outer") as outer, pytest.warns(SelectionWarning):
        dbt_task_group(group_id="dbt", manifest=path, conn_id="warehouse", **arguments)
    assert outer.task_ids == []


def test_an_exclusion_that_matches_nothing_counts_too(path: Path) -> None:
    with pytest.raises(ConfigError, match="'tag:none' matches nothing"):
        dbt_dag(manifest=path, conn_id="warehouse", exclude="tag:none")
    with pytest.warns(SelectionWarning):
        dag = dbt_dag(manifest=path, conn_id="warehouse", exclude="tag:none", on_empty="warn")
    assert sorted(dag.task_ids) == ["first", "second"]


def test_another_word_is_refused(path: Path) -> None:
    with pytest.raises(ConfigError, match="on_empty: expected error or warn, got 'skip'"):
        dbt_dag(manifest=path, conn_id="warehouse", on_empty="skip")


def test_the_trigger_form_is_not_told_of_an_argument_that_it_has_not(path: Path) -> None:
    dag = dbt_dag(manifest=path, conn_id="warehouse")
    asked = RunRequest(select=("tag:none",))
    with pytest.raises(AirflowFailException, match="Mend the expression in the trigger form") as e:
        dag.get_task("first")._selected(asked, {})
    assert "on_empty" not in str(e.value)
