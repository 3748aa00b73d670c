"""CI's gate: `plan` and `compile` refuse what Airflow would refuse, all of it in one round."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from airflow_dataops import dbt_dag
from airflow_dataops.cli.app import app
from airflow_dataops.cli.compact import encode
from airflow_dataops.cli.compile import _check
from airflow_dataops.errors import ConfigError, ManifestError
from tests.host.manifests import manifest, model, write

if TYPE_CHECKING:
    from pathlib import Path

WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "misspelt": ({"airflow": {"poool": "x"}}, "'poool' is not for a manifest to set, did you mean"),
    "a pool that is no text": ({"airflow": {"pool": 5}}, "meta.airflow.pool: Expected `str`"),
    "no slots": ({"airflow": {"pool_slots": 0}}, "meta.airflow.pool_slots: Expected `int` >= 1"),
    "an unknown rule": ({"airflow": {"trigger_rule": "any"}}, "meta.airflow.trigger_rule"),
    "a duration": ({"airflow": {"retry_delay": "soon"}}, "meta.airflow.retry_delay"),
    "a cron of four fields": ({"schedule": "0 6 * *"}, "meta.schedule is"),
    "a minute that is none": ({"schedule": "75 6 * * *"}, "meta.schedule is"),
    "a day that is none": ({"schedule": "0 0 30 2 *"}, "no such day in that month"),
    "an unknown preset": ({"schedule": "@dayly"}, "meta.schedule is"),
    "a time zone": ({"sla": {"by": "07:00", "timezone": "Europe/Berln"}}, "meta.sla"),
    "a time": ({"sla": {"by": "25:00"}}, "meta.sla"),
}


def with_meta(name: str, meta: dict[str, Any]) -> dict[str, Any]:
    where = f"tiny://models/{name}.yml"
    return model(name, meta=meta, config={"materialized": "table", "meta": meta}, patch_path=where)


def planned(path: Path, *options: str) -> str:
    done = CliRunner().invoke(app, ["plan", str(path), *options], catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


@pytest.mark.parametrize(("meta", "said"), WRONG.values(), ids=WRONG)
def test_what_the_dag_file_refuses_plan_and_compile_refuse(
    tmp_path: Path, meta: dict[str, Any], said: str
) -> None:
    """With the node, the file and the key, in the same words."""
    content = manifest(with_meta("a", meta))
    path = write(tmp_path / "m.json", content)
    texts = []
    for refuse in (
        lambda: dbt_dag(manifest=path, conn_id="w"),
        lambda: planned(path),
        lambda: _check(encode(content), tmp_path / "out.json"),
    ):
        with pytest.raises(ManifestError) as caught:
            refuse()
        texts.append(str(caught.value.problems))
        assert "model.tiny.a, models/a.yml: " in str(caught.value)
        assert said in str(caught.value)
    assert len(set(texts)) == 1


def test_all_that_is_wrong_comes_in_one_round(tmp_path: Path) -> None:
    nodes = [with_meta(f"m{at}", meta) for at, (meta, _) in enumerate(WRONG.values())]
    path = write(tmp_path / "m.json", manifest(*nodes))
    with pytest.raises(ManifestError) as caught:
        planned(path)
    assert [problem.node for problem in caught.value.problems] == [n["unique_id"] for n in nodes]


def test_a_manifest_of_dbt_parse_is_one_line_that_names_compile(tmp_path: Path) -> None:
    """Instead of one for each node."""
    nodes = [model(name) for name in "abc"]
    for node in nodes:
        del node["compiled_code"]
    path = write(tmp_path / "m.json", manifest(*nodes))
    told = "none of its 3 models, snapshots and tests has any"
    with pytest.raises(ManifestError) as caught:
        dbt_dag(manifest=path, conn_id="w")
    (problem,) = caught.value.problems
    assert told in problem.message
    assert "airflow-dataops compile" in problem.message
    shown = planned(path)
    assert shown.count("airflow-dataops compile") == 1
    assert told in " ".join(shown.split())
    with pytest.raises(ManifestError, match="airflow-dataops compile"):
        planned(path, "--strict")


def test_a_manifest_with_some_code_names_the_nodes_without(tmp_path: Path) -> None:
    bare = model("b")
    del bare["compiled_code"]
    path = write(tmp_path / "m.json", manifest(model("a"), bare))
    with pytest.raises(ManifestError, match=r"model\.tiny\.b, .*no compiled code"):
        dbt_dag(manifest=path, conn_id="w")


def test_strict_takes_what_airflow_takes(tmp_path: Path) -> None:
    good = {"schedule": "30 6 * * 1-5", "airflow": {"pool": "x", "retries": 1}}
    path = write(tmp_path / "m.json", manifest(with_meta("a", good), model("b", "a")))
    assert "2 tasks, 2 by sql" in planned(path, "--strict")


def test_strict_builds_the_dags(tmp_path: Path) -> None:
    """What Airflow alone refuses: blanks in a DAG's id."""
    project = "tiny shop"
    path = write(tmp_path / "m.json", manifest(model("a", project=project), project=project))
    planned(path)
    with pytest.raises(ManifestError, match="Airflow does not take the DAG 'tiny shop'"):
        planned(path, "--strict")


def test_arguments_of_the_dag_file_are_refused_all_at_once(tmp_path: Path) -> None:
    """Each once for the tasks that share it, with the argument's nearest name."""
    nodes = (model("stg_a"), model("fct_b", "stg_a"), model("fct_c", "stg_a"))
    path = write(tmp_path / "m.json", manifest(*nodes))
    groups = {"staging": {"poool": "x"}, "marts": {"retires": 3}}
    with pytest.raises(ConfigError) as caught:
        dbt_dag(manifest=path, conn_id="w", group_args=groups)
    text = str(caught.value)
    assert text.startswith("2 kinds of tasks cannot be made:")
    assert "'poool', did you mean 'pool'?" in text
    assert "'retires', did you mean 'retries'?" in text
