"""Callbacks that are given as text: import paths, resolved at parse; Airflow would call letters."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import DAG

from airflow_dataops import AlertNotifier, MergeOperator, dbt_dag, dbt_task_group
from airflow_dataops.errors import ConfigError, ManifestError
from tests.host.manifests import manifest, model, write

if TYPE_CHECKING:
    from pathlib import Path

PLACES = {
    "operator_args": lambda given: {"operator_args": given},
    "group_args": lambda given: {"group_args": {"staging": given}, "group_by": "layer"},
    "tag_args": lambda given: {"tag_args": {"t": given}},
    "default_args": lambda given: {"default_args": given},
}


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "own_alerts.py").write_text("def notify(context):\n    pass\n\nLEVEL = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    node = model("stg_a", config={"materialized": "table", "tags": ["t"]})
    return str(write(tmp_path / "m.json", manifest(node)))


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "own_alerts", raising=False)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("form", ["text", "list"])
def test_an_import_path_is_the_function(path: str, place: str, form: str) -> None:
    given = "own_alerts.notify" if form == "text" else ["own_alerts.notify", print]
    arguments: Any = PLACES[place]({"on_failure_callback": given})
    task = dbt_dag(manifest=path, conn_id="w", **arguments).get_task("stg_a")
    called = list(task.on_failure_callback)
    expected = ["notify"] if form == "text" else ["notify", "print"]
    assert [each.__name__ for each in called] == expected


def test_it_holds_for_dags_groups_and_loads(path: str) -> None:
    notify: Any = "own_alerts.notify"
    dag: Any = dbt_dag(manifest=path, conn_id="w", on_success_callback=notify)
    assert dag.on_success_callback.__name__ == "notify"
    with DAG("own") as own:
        dbt_task_group(
            group_id="g",
            manifest=path,
            conn_id="w",
            default_args={"on_retry_callback": notify},
        )
        load: Any = {"on_failure_callback": notify}
        MergeOperator(task_id="m", conn_id="w", target="a.b", sql="select 1", keys="id", **load)
    assert [each.__name__ for each in own.get_task("g.stg_a").on_retry_callback] == ["notify"]
    assert [each.__name__ for each in own.get_task("m").on_failure_callback] == ["notify"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("own_alerts.notfy", "own_alerts has no notfy, did you mean 'notify'?"),
        ("no_such_module.notify", "no_such_module cannot be imported"),
        ("notify", "write a function, or its import path"),
        ("own_alerts.LEVEL", "is no function"),
        ("own alerts.notify()", "write a function, or its import path"),
    ],
)
@pytest.mark.parametrize("place", PLACES)
def test_a_wrong_one_is_an_error_with_the_arguments_name(
    path: str, place: str, given: str, told: str
) -> None:
    arguments: Any = PLACES[place]({"on_failure_callback": given})
    with pytest.raises(ConfigError) as caught:
        dbt_dag(manifest=path, conn_id="w", **arguments)
    assert told in str(caught.value)
    assert "on_failure_callback" in str(caught.value)
    assert place in str(caught.value)


def test_a_manifest_names_none(tmp_path: Path) -> None:
    """A manifest is data: it does not choose code. It is told, and not called by its letters."""
    meta = {"airflow": {"on_failure_callback": "own_alerts.notify"}}
    node = model("a", config={"materialized": "table", "meta": meta})
    file = write(tmp_path / "m.json", manifest(node))
    with pytest.raises(ManifestError, match="on_failure_callback"):
        dbt_dag(manifest=str(file), conn_id="w")


@pytest.mark.parametrize("given", [5, {"a": 1}, ["own_alerts.notify", 5], AlertNotifier])
def test_what_nobody_could_call_is_refused(path: str, given: Any) -> None:
    """Airflow takes them, and fails to call them when something has failed."""
    with pytest.raises(ConfigError, match="write a function, an instance"):
        dbt_dag(manifest=path, conn_id="w", operator_args={"on_failure_callback": given})


def test_a_class_of_a_notifier_is_no_function(path: str) -> None:
    text: Any = {"on_failure_callback": "airflow_dataops.AlertNotifier"}
    with pytest.raises(ConfigError, match="of a notifier's class name an instance"):
        dbt_dag(manifest=path, conn_id="w", operator_args=text)


@pytest.mark.parametrize("code", ["raise SystemExit(3)", "raise RuntimeError('boom')", "def :"])
def test_a_module_that_cannot_be_imported_is_an_error_of_its_argument(
    path: str, tmp_path: Path, code: str
) -> None:
    (tmp_path / "own_alerts.py").write_text(code)
    with pytest.raises(ConfigError, match=r"on_failure_callback='own_alerts\.notify': own_alerts"):
        dbt_dag(
            manifest=path,
            conn_id="w",
            operator_args={"on_failure_callback": "own_alerts.notify"},
        )
