"""A callback for tests that are warned of, which fail nothing and which nobody would see."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import DAG

from airflow_dataops import dbt_dag, dbt_task_group, load_dags
from airflow_dataops.errors import ConfigError
from tests.host.manifests import manifest, model, write
from tests.host.runs import Run
from tests.host.test_fused_tasks import data_test, sql, warehouse

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["warehouse"]


def warned_test(name: str, *parents: str, rows: int, **config: Any) -> dict[str, Any]:
    found = data_test(name, *parents, code=f"select * from range({rows})")
    found["config"] = {**found["config"], "severity": "warn", **config}
    return found


NODES = (
    model("a", **sql("select 1 as id")),
    warned_test("a_warns", "a", rows=3),
    warned_test("a_is_well", "a", rows=0),
    data_test("a_fails", "a", code="select 1 as id"),
    model("b", **sql("select 1 as id")),
    warned_test("b_keeps", "b", rows=2, store_failures=True),
    warned_test("both", "a", "b", rows=1),
)
TOLD = [
    ("a_warns", 3, "Got 3 results, configured to warn if != 0", None),
    ("b_keeps", 2, "Got 2 results, configured to warn if != 0", "wh.main_dbt_test__audit.b_keeps"),
    ("both", 1, "Got 1 result, configured to warn if != 0", None),
]


@pytest.fixture
def alerts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A module of the user's."""
    text = "told = []\n\ndef note(context):\n    told.append(context)\n\nLEVEL = 1\n"
    (tmp_path / "warning_alerts.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "warning_alerts", raising=False)
    import warning_alerts  # type: ignore[import-not-found]

    return warning_alerts


def summary(told: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    for context in told:
        assert context["test_names"] == [each.name for each in context["warned"]]
        assert context["test_results"] == [each.message for each in context["warned"]]
        assert context["ti"].task_id
    return sorted(
        (each.name, each.failures, each.message, each.stored_in)
        for context in told
        for each in context["warned"]
    )


@pytest.mark.parametrize("granularity", ["node", "dag"])
@pytest.mark.parametrize("given", ["function", "path", "list", "operator_args"])
@pytest.mark.usefixtures("warehouse")
def test_it_is_told_of_each_warned_test_once(
    alerts: Any, tmp_path: Path, granularity: str, given: str
) -> None:
    """Also where other tests of the same task fail."""
    path = write(tmp_path / "m.json", manifest(*NODES))
    forms: dict[str, Any] = {
        "function": {"on_warning_callback": alerts.note},
        "path": {"on_warning_callback": "warning_alerts.note"},
        "list": {"on_warning_callback": ["warning_alerts.note"]},
        "operator_args": {"operator_args": {"on_warning_callback": "warning_alerts.note"}},
    }
    dag = dbt_dag(manifest=path, conn_id="w", granularity=granularity, **forms[given])
    run = Run(dag).all()
    assert "failed" in run.states.values()
    assert summary(alerts.told) == TOLD


@pytest.mark.usefixtures("warehouse")
def test_it_is_told_in_groups_and_folders(alerts: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "m" / "m.json", manifest(*NODES[4:6]))
    with DAG("own") as own:
        dbt_task_group(
            group_id="g", manifest=path, conn_id="w", on_warning_callback="warning_alerts.note"
        )
    (loaded,) = load_dags(path.parent, {}, conn_id="w", on_warning_callback=alerts.note)
    for dag in (own, loaded):
        Run(dag).all()
    assert [name for name, *_ in summary(alerts.told)] == ["b_keeps", "b_keeps"]


@pytest.mark.usefixtures("warehouse")
def test_one_that_raises_is_logged_and_fails_nothing(alerts: Any, tmp_path: Path) -> None:
    def broken(context: Any) -> None:
        raise ValueError(context["test_names"])

    path = write(tmp_path / "m.json", manifest(*NODES[4:6]))
    dag = dbt_dag(manifest=path, conn_id="w", on_warning_callback=[broken, alerts.note])
    assert set(Run(dag).all().states.values()) == {"success"}
    assert [name for name, *_ in summary(alerts.told)] == ["b_keeps"]


@pytest.mark.parametrize("given", ["warning_alerts.nte", "warning_alerts.LEVEL", 5, [5]])
@pytest.mark.usefixtures("alerts")
def test_a_wrong_one_is_an_error_at_parse(tmp_path: Path, given: Any) -> None:
    path = write(tmp_path / "m.json", manifest(*NODES))
    for arguments in (
        {"on_warning_callback": given},
        {"operator_args": {"on_warning_callback": given}},
    ):
        with pytest.raises(ConfigError, match="on_warning_callback"):
            dbt_dag(manifest=path, conn_id="w", **arguments)
