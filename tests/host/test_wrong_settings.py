"""`meta.airflow` with over 250 wrong values: each is the error of its own manifest alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from airflow_dataops.cli.app import app
from airflow_dataops.core.manifests.task_settings import DURATIONS, NAMES, RESERVED
from airflow_dataops.dag_factory.load import load_dags, log
from airflow_dataops.errors import ManifestError
from tests.host.manifests import manifest, model, write

if TYPE_CHECKING:
    from pathlib import Path

# Of no setting, whatever its type.
JUNK = (10**30, float("inf"), float("nan"), [[]])
TEXT = (5, True, ["x"], {"a": 1})
NUMBER = ("x", 1.5, -1, True, {})
FLAG = ("true", 1, 0, [], {})
OF = {
    **dict.fromkeys(
        ("pool", "queue", "owner", "executor", "task_display_name"), (*TEXT, "", "x" * 1001, "a\0b")
    ),
    **dict.fromkeys(("doc", "doc_md", "doc_json", "doc_yaml", "doc_rst"), TEXT),
    **dict.fromkeys(("pool_slots", "max_active_tis_per_dag"), (*NUMBER, 0, 2**31)),
    "max_active_tis_per_dagrun": (*NUMBER, 0),
    "priority_weight": ("x", 1.5, True, {}),
    "retries": (*NUMBER, "-1", "1.5", 2**31 - 1),
    **dict.fromkeys(DURATIONS, ("soon", "1w", -1, "", True, "3651d", "999999999d", "1e9")),
    **dict.fromkeys(("trigger_rule", "weight_rule"), ("any", "", 5, None, "{{ x }}")),
    "retry_exponential_backoff": ("yes", [], {}),
    **dict.fromkeys(
        ("depends_on_past", "wait_for_downstream", "ignore_first_depends_on_past"), FLAG
    ),
    **dict.fromkeys(("wait_for_past_depends_before_skipping", "do_xcom_push"), FLAG),
    "params": ("x", 5, ["a"], True),
    "metric_tags": ("x", 5, {"a": 1}, {"a": None}),
}
OTHERS = [*sorted(RESERVED), "poool", "start_date", "env", "on_failure_callback", "", " ", "[/b]"]
WRONG = [
    *((name, value) for name in sorted(NAMES) for value in (*OF[name], *JUNK)),
    *((name, "x") for name in OTHERS),
]


def with_setting(name: str, value: object) -> dict[str, Any]:
    meta = {"airflow": {name: value}}
    where = "tiny://models/staging.yml"
    return model("bad", meta=meta, config={"meta": meta, "enabled": True}, patch_path=where)


def test_each_of_them_leaves_the_good_manifest_and_names_node_and_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(WRONG) > 250
    monkeypatch.setattr(log, "disabled", True)
    folder = tmp_path / "manifests"
    write(folder / "good.json", manifest(model("a"), project="good"))
    for at, (name, value) in enumerate(WRONG):
        project = f"p{at:03}"
        write(folder / f"{project}.json", manifest(with_setting(name, value), project=project))
    namespace: dict[str, Any] = {"__file__": str(tmp_path / "dag.py")}
    assert [dag.dag_id for dag in load_dags("manifests", namespace, conn_id="w")] == ["good"]
    with pytest.raises(ValueError, match=rf"^{len(WRONG)} of the manifests") as caught:
        namespace["dataops_errors_0"].validate()
    errors = {
        each.partition(".json: ")[0].rpartition("/")[2]: each
        for each in str(caught.value).split("\n\n")[1:]
    }
    for at, (name, _) in enumerate(WRONG):
        error = errors[f"p{at:03}"]
        assert "model.tiny.bad, models/staging.yml: " in error, (WRONG[at], error)
        key = (f"meta.airflow.{name}", f"meta.airflow: {name!r}")
        assert any(each in error for each in key), (WRONG[at], error)


def test_each_of_them_alone_leaves_it_too(tmp_path: Path) -> None:
    """A thirtieth of them; and `plan` says the same, word for word."""
    folder = tmp_path / "manifests"
    write(folder / "good.json", manifest(model("a"), project="good"))
    for name, value in WRONG[::30]:
        bad = write(folder / "bad.json", manifest(with_setting(name, value)))
        namespace: dict[str, Any] = {"__file__": str(tmp_path / "dag.py")}
        assert [dag.dag_id for dag in load_dags("manifests", namespace, conn_id="w")] == ["good"]
        with pytest.raises(ValueError, match=r"^1 of the manifests") as caught:
            namespace["dataops_errors_0"].validate()
        planned = CliRunner().invoke(app, ["plan", str(bad)])
        assert isinstance(planned.exception, ManifestError), json.dumps([name, value])
        assert str(planned.exception) in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("sla", "07:00"), ("sla", {"by": 7}), ("domain", 5), ("owner", 5), ("critical", "yes")),
        *(("schedule", 5), ("sla_hours", "2"), ("freshness_hours", True), ("event_time", ["at"])),
        *(("orchestration", "daily"), ("airflow", ["x"])),
    ],
)
def test_a_wrong_value_of_any_key_is_its_manifests_alone(
    tmp_path: Path, key: str, value: object
) -> None:
    bad = write(tmp_path / "manifests" / "bad.json", manifest(model("bad", meta={key: value})))
    write(tmp_path / "manifests" / "good.json", manifest(model("a"), project="good"))
    namespace: dict[str, Any] = {"__file__": str(tmp_path / "dag.py")}
    assert [dag.dag_id for dag in load_dags("manifests", namespace, conn_id="w")] == ["good"]
    with pytest.raises(ValueError, match=rf"model\.tiny\.bad, .*: meta\.{key}") as caught:
        namespace["dataops_errors_0"].validate()
    planned = CliRunner().invoke(app, ["plan", str(bad)])
    assert str(planned.exception) in str(caught.value)


def test_what_looks_like_markup_is_shown_as_it_is(tmp_path: Path) -> None:
    """`plan` read `[/b]` in a node's name as markup and ended in a traceback."""
    node = model("a")
    node["unique_id"] = "model.tiny.[/b][red]\x1b[31m\nmodel.tiny.z"
    path = write(tmp_path / "m.json", manifest(node))
    done = CliRunner().invoke(app, ["plan", str(path)], catch_exceptions=False)
    assert r"model.tiny.[/b][red]\x1b[31m\nmodel.tiny.z" in done.stdout
    assert "\x1b" not in done.stdout
