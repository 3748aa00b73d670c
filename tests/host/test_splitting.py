"""One manifest in a DAG file, several DAGs, as Airflow's own DagBag sees them."""

from __future__ import annotations

import gc
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG, AssetAll, AssetAny

from airflow_dataops import dbt_dag, dbt_task_group
from airflow_dataops.core.plan import make as planner
from airflow_dataops.dag_factory.load import load_dags
from airflow_dataops.errors import ConfigError
from benchmarks import manifests as generated
from tests.host.manifests import manifest, model, write
from tests.host.test_building_at_scale import parse_for
from tests.host.test_bundle import bag as bundle_bag
from tests.host.test_bundle import bundle, use_host
from tests.host.test_fused_tasks import data_test
from tests.host.test_load_dags import CALL, bag, error_of


def asking(schedule: str | None = None, **config: Any) -> dict[str, Any]:
    meta = {"schedule": schedule} if schedule else {}
    return {"config": {"materialized": "table", "meta": meta, **config}}


NODES = (
    model("stg_a", **asking("hourly")),
    data_test("a_ok", "stg_a"),
    model("fct_b", "stg_a", **asking("daily")),
    model("fct_c", "fct_b", **asking()),
)
LAYERS = (
    model("stg_a", **asking("daily")),
    data_test("a_ok", "stg_a"),
    model("stg_b", **asking()),
    model("fct_c", "stg_a", "stg_b", **asking()),
)


def load(folder: Path, *nodes: dict[str, Any], **arguments: Any) -> dict[str, DAG]:
    """Load one manifest; raise what went wrong."""
    path = write(folder / "m.json", manifest(*nodes))
    namespace: dict[str, Any] = {"__file__": str(folder / "dags.py")}
    dags = load_dags(path, namespace, **{"conn_id": "w", **arguments})
    for name, value in namespace.items():
        if name.startswith("dataops_errors"):
            value.validate()
    return {dag.dag_id: dag for dag in dags}


def uris(dag: DAG, task_id: str) -> list[str]:
    return [asset.uri for asset in dag.get_task(task_id).outlets]


def test_a_project_with_several_schedules_is_several_dags(tmp_path: Path) -> None:
    write(tmp_path / "manifests" / "tiny.json", manifest(*NODES))
    found = bag(tmp_path)
    assert found.import_errors == {}
    assert sorted(found.dags) == ["tiny__daily", "tiny__hourly"]
    hourly, daily = found.dags["tiny__hourly"], found.dags["tiny__daily"]
    assert (hourly.schedule, daily.schedule) == ("@hourly", "@daily")
    assert sorted(hourly.task_ids) == ["stg_a", "stg_a.test"]
    assert sorted(daily.task_ids) == ["fct_b", "fct_c", "inputs.wait"]
    assert uris(hourly, "stg_a") == []
    assert uris(hourly, "stg_a.test") == ["dataops://warehouse/wh/main/stg_a"]
    waiting = daily.get_task("inputs.wait")
    assert [asset.uri for asset in waiting.inlets] == uris(hourly, "stg_a.test")
    assert waiting.downstream_task_ids == {"fct_b"}


@pytest.mark.parametrize("arguments", [{"split_by": "none"}, {"schedule": "@daily"}])
def test_it_stays_one_dag_when_the_caller_says_so(
    tmp_path: Path, arguments: dict[str, Any]
) -> None:
    assert list(load(tmp_path, *NODES, **arguments)) == ["tiny"]


@pytest.mark.parametrize(("start_when", "kind"), [("all", AssetAll), ("any", AssetAny)])
def test_the_caller_chooses_how_many_inputs_start_a_dag(
    tmp_path: Path, start_when: str, kind: type
) -> None:
    dags = load(tmp_path, *LAYERS, split_by="layer", start_when=start_when)
    assert dags["tiny__staging"].schedule == "@daily"
    timetable: Any = dags["tiny__marts"].timetable
    condition = timetable.asset_condition
    assert isinstance(condition, kind)
    assert [asset.name for asset in condition.objects] == [
        "dataops://w/wh/main/stg_a",
        "dataops://w/wh/main/stg_b",
    ]


def test_a_schedule_of_the_callers_goes_to_the_first_dag(tmp_path: Path) -> None:
    dags = load(tmp_path, *LAYERS, split_by="layer", schedule="@weekly")
    assert dags["tiny__staging"].schedule == "@weekly"
    condition: Any = dags["tiny__marts"].timetable
    assert isinstance(condition.asset_condition, AssetAll)


def test_named_selectors_make_the_parts(tmp_path: Path) -> None:
    selectors = {"first": "stg_a", "last": {"select": "fct_c", "exclude": "stg_b"}}
    dags = load(tmp_path, *LAYERS, selectors=selectors)
    assert {id_: sorted(dag.task_ids) for id_, dag in dags.items()} == {
        "tiny__first": ["stg_a", "stg_a.test"],
        "tiny__rest": ["stg_b"],
        "tiny__last": ["fct_c", "inputs.wait"],
    }
    # No node of the rest asks for a schedule: it has the project's.
    assert [dags[f"tiny__{part}"].schedule for part in ("first", "rest")] == ["@daily", "@daily"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"split_by": "colour"}, "split_by: expected one of 'schedule', 'tag'"),
        ({"selectors": {"a": "stg_a"}, "split_by": "tag"}, "exclude each other"),
        ({"unassigned": "part"}, "need selectors="),
        ({"selectors": {"a": "stg_a"}, "unassigned": "burn"}, "unassigned: expected one of 'part'"),
        ({"selectors": {"a": "stg_a fct_c", "b": "stg_a"}}, r"model\.tiny\.stg_a \(a, b\)"),
        ({"selectors": {"a": "no_such"}}, "no_such"),
        ({"selectors": {"a": {"include": "x"}}}, r"selectors\['a'\]: expected 'select'"),
        ({"selectors": {"a": 3}}, r"selectors\['a'\]: expected dbt's selection language"),
        ({"start_when": "some"}, "start_when: expected one of 'all', 'any'"),
        ({"assets": "never"}, "assets: expected one of 'built', 'tested'"),
        ({"start_on": "stg_a"}, "selects no source and no model of another project"),
        ({"start_on": "source:x", "schedule": "@daily"}, "exclude each other"),
    ],
)
def test_wrong_arguments_are_told(tmp_path: Path, arguments: dict[str, Any], told: str) -> None:
    with pytest.raises((ValueError, ConfigError), match=told):
        load(tmp_path, *LAYERS, **arguments)


def test_a_cycle_of_parts_loads_unless_it_is_to_be_refused_and_leaves_the_others(
    tmp_path: Path,
) -> None:
    write(tmp_path / "manifests" / "good.json", manifest(model("x", project="g"), project="g"))
    cycle = (
        model("stg", **asking("hourly")),
        model("dim", "stg", **asking("daily")),
        model("fct", "dim", **asking("hourly")),
    )
    write(tmp_path / "manifests" / "bad.json", manifest(*cycle))
    cut = bag(tmp_path)
    assert sorted(cut.dags) == ["g", "tiny__daily", "tiny__hourly", "tiny__hourly_2"]
    assert not cut.import_errors
    found = bag(tmp_path, f"{CALL[:-1]}, cycles='refuse')")
    assert list(found.dags) == ["g"]
    of_last_release = bag(
        tmp_path, f"{CALL[:-1]}, per_project={{'tiny': {{'circles': 'refuse'}}}})"
    )
    assert error_of(of_last_release) == error_of(found)
    assert "model.tiny.fct (hourly) reads model.tiny.dim (daily)" in error_of(found)


@pytest.mark.parametrize("own", [{}, {"tiny": {"select": "stg_a+", "group_by": "none"}}])
def test_a_manifest_is_planned_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: dict[str, Any]
) -> None:
    """However it is split, and whatever arguments of its own it has."""
    drafts, draft = [], planner.Planner.draft
    monkeypatch.setattr(
        planner.Planner, "draft", lambda self: (drafts.append(self), draft(self))[1]
    )
    nodes = (*NODES, model(f"only_here_{len(own)}", **asking()))
    assert len(load(tmp_path, *nodes, per_project=own)) == 2
    assert len(drafts) == 1


def test_a_dag_id_that_is_taken_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "manifests" / "1.json", manifest(*NODES))
    other = manifest(model("x", project="tiny__daily"), project="tiny__daily")
    write(tmp_path / "manifests" / "2.json", other)
    found = bag(tmp_path)
    assert sorted(found.dags) == ["tiny__daily", "tiny__hourly"]
    assert "the dag id 'tiny__daily' is taken by" in error_of(found)


def test_a_worker_builds_one_task_of_one_dag(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = load(tmp_path, *NODES)
    monkeypatch.setattr(planner.Planner, "draft", None)
    parse_for(monkeypatch, "tiny__daily", "fct_b")
    dags = load(tmp_path, *NODES)
    assert list(dags) == ["tiny__daily"]
    task = dags["tiny__daily"].get_task("fct_b")
    assert dags["tiny__daily"].task_ids == ["fct_b"]
    assert task.upstream_task_ids == whole["tiny__daily"].get_task("fct_b").upstream_task_ids
    assert dags["tiny__daily"].get_task("inputs.wait").inlets


def test_a_lost_part_of_the_cache_is_made_again(tmp_path: Path) -> None:
    before = load(tmp_path, *NODES)
    packs = list(Path(os.environ["AIRFLOW_HOME"], "dataops", "cache").glob("*-1.plan"))
    assert packs
    for pack in packs:
        pack.unlink()
    after = load(tmp_path, *NODES)
    assert {id_: sorted(dag.task_ids) for id_, dag in after.items()} == {
        id_: sorted(dag.task_ids) for id_, dag in before.items()
    }


def of_other_project(name: str, **fields: Any) -> dict[str, Any]:
    """A model of the project `up`, as dbt writes those of a project in `dependencies.yml`."""
    node = model(name, project="up", original_file_path="", path="", **fields)
    return {key: value for key, value in node.items() if not key.endswith("_code")}


def reading(name: str, *parents: str, schedule: str | None = None) -> dict[str, Any]:
    node = model(name, project="down", **asking(schedule))
    node["depends_on"]["nodes"] = list(parents)
    return node


def two_projects(folder: Path, *down: dict[str, Any], **arguments: Any) -> dict[str, DAG]:
    """Load a project `up` with a tested model `dim`, and a project `down`."""
    up = manifest(model("dim", project="up"), project="up")
    write(folder / "m" / "up.json", up)
    write(folder / "m" / "down.json", manifest(*down, project="down"))
    namespace: dict[str, Any] = {"__file__": str(folder / "dags.py")}
    return {dag.dag_id: dag for dag in load_dags("m", namespace, conn_id="w", **arguments)}


def test_models_of_another_project_start_the_dag(tmp_path: Path) -> None:
    """As dbt mesh does: they are in the manifest without code, and nobody builds them twice."""
    dags = two_projects(tmp_path, of_other_project("dim"), reading("a", "model.up.dim"))
    timetable: Any = dags["down"].timetable
    assert [asset.uri for asset in timetable.asset_condition.objects] == uris(dags["up"], "dim")
    assert dags["down"].task_ids == ["a"]


def test_with_a_schedule_it_starts_on_time_and_waits_for_them(tmp_path: Path) -> None:
    nodes = (of_other_project("dim"), reading("a", "model.up.dim", schedule="daily"))
    dag = two_projects(tmp_path, *nodes)["down"]
    assert dag.schedule == "@daily"
    assert [asset.name for asset in dag.get_task("inputs.wait").inlets] == [
        "dataops://w/wh/main/dim"
    ]
    assert dag.get_task("a").upstream_task_ids == {"inputs.wait"}


@pytest.mark.parametrize("arguments", [{"start_on": ()}, {"schedule": "@daily"}])
def test_models_of_another_project_need_not_start_it(
    tmp_path: Path, arguments: dict[str, Any]
) -> None:
    nodes = (of_other_project("dim"), reading("a", "model.up.dim"))
    dag = two_projects(tmp_path, *nodes, **arguments)["down"]
    assert dag.schedule == arguments.get("schedule")
    assert dag.task_ids == ["a"]


def source_of_up() -> dict[str, Any]:
    return {
        "unique_id": "source.down.up.dim",
        "resource_type": "source",
        "source_name": "up",
        "name": "dim",
        "identifier": "dim",
        "package_name": "down",
        "original_file_path": "models/sources.yml",
        "path": "models/sources.yml",
        "fqn": ["down", "up", "dim"],
        "database": "wh",
        "schema": "main",
        "config": {"enabled": True},
    }


@pytest.mark.parametrize(
    ("arguments", "is_started"), [({}, False), ({"start_on": "source:up"}, True)]
)
def test_a_source_that_is_another_projects_table_starts_it_on_request(
    tmp_path: Path, arguments: dict[str, Any], is_started: bool
) -> None:
    content = manifest(reading("a", "source.down.up.dim"), project="down")
    content["sources"] = {"source.down.up.dim": source_of_up()}
    write(tmp_path / "m" / "down.json", content)
    write(tmp_path / "m" / "up.json", manifest(model("dim", project="up"), project="up"))
    namespace: dict[str, Any] = {"__file__": str(tmp_path / "dags.py")}
    per_project = {"down": arguments}
    dags = load_dags("m", namespace, conn_id="w", per_project=per_project)
    up, down = sorted(dags, key=lambda dag: dag.dag_id, reverse=True)
    if is_started:
        timetable: Any = down.timetable
        assert [a.uri for a in timetable.asset_condition.objects] == uris(up, "dim")
    else:
        assert down.schedule is None


def test_assets_of_a_whole_project_can_wait_for_its_tests(tmp_path: Path) -> None:
    dags = load(tmp_path, *NODES, split_by="none", assets="tested")
    assert uris(dags["tiny"], "stg_a") == []
    assert uris(dags["tiny"], "stg_a.test") == ["dataops://w/wh/main/stg_a"]
    assert uris(dags["tiny"], "fct_b") == ["dataops://w/wh/main/fct_b"]


def test_one_dag_cannot_be_several(tmp_path: Path) -> None:
    path = write(tmp_path / "m.json", manifest(*NODES))
    with pytest.raises(ConfigError, match=r"dbt_dag makes one DAG and has no split_by; load_dags"):
        dbt_dag(manifest=path, conn_id="w", split_by="tag")


def test_a_group_is_not_split_and_starts_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "m.json", manifest(*NODES))
    with DAG("mine") as dag:
        dbt_task_group(group_id="g", manifest=path, conn_id="w")
        with pytest.raises(ConfigError, match="start_on is for DAGs"):
            dbt_task_group(group_id="h", manifest=path, conn_id="w", start_on="source:x")
    assert sorted(dag.task_ids) == ["g.fct_b", "g.fct_c", "g.stg_a", "g.stg_a.test"]
    assert dag.schedule is None


@pytest.mark.slow
def test_a_warm_parse_of_parts_takes_about_as_long_as_one_dag(tmp_path: Path) -> None:
    """2,000 models; figures of 5,000 are in the slow proof. The bound is generous: 2.5."""
    whole, split = times_of(tmp_path, 2_000, 10)
    assert split <= 2.5 * whole + 0.02


@pytest.mark.slow
def test_figures_of_5000_models_in_10_dags(tmp_path: Path) -> None:
    whole, split = times_of(tmp_path, 5_000, 10)
    print(f"5,000 models, warm: {whole:.3f} s as one DAG, {split:.3f} s as ten")  # noqa: T201
    assert split <= 1.6 * whole


def times_of(folder: Path, models: int, parts: int) -> tuple[float, float]:
    """CPU seconds of a warm parse: as one DAG, and split. Medians of five."""
    path = generated.write(folder / "big.json", models, parts)
    selectors = {f"part_{number}": f"tag:slice_{number}" for number in range(parts)}
    measured: list[list[float]] = [[], []]
    for turn in range(6):
        for times, arguments in zip(
            measured, ({"split_by": "none"}, {"selectors": selectors}), strict=True
        ):
            gc.collect()
            began = time.process_time()
            dags = load_dags(path, {"__file__": __file__}, conn_id="w", **arguments)
            if turn:
                times.append(time.process_time() - began)
            assert sum(len(dag.task_dict) for dag in dags) >= 2 * models
    return statistics.median(measured[0]), statistics.median(measured[1])


PRINT_HASHES = """
import sys
from airflow.models.serialized_dag import SerializedDagModel
from airflow.serialization.serialized_objects import DagSerialization
from airflow_dataops import load_dags
dags = load_dags(sys.argv[1], globals(), conn_id="w", split_by="tag")
dear = ("core.manifests.dbt.read", "core.selection.select", "core.plan.make", "core.plan.split")
print([name for name in dear if f"airflow_dataops.{name}" in sys.modules])
print({dag.dag_id: SerializedDagModel.hash(DagSerialization.to_dict(dag)) for dag in dags})
"""


def test_dags_are_the_same_in_every_process_and_a_warm_one_loads_no_planner(
    tmp_path: Path,
) -> None:
    """The first of two processes, of different hash seeds, fills the cache."""
    nodes = [
        model(name, *parents, config={"materialized": "table", "tags": [tag]})
        for name, tag, parents in (
            ("a", "x", ()),
            ("b", "y", ("a",)),
            ("c", "y", ()),
            ("d", "z", ("a", "b", "c")),
        )
    ]
    path = write(tmp_path / "m.json", manifest(*nodes, data_test("ab", "a", "b")))
    said = []
    for seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": seed, "AIRFLOW_HOME": str(tmp_path / "home")}
        done = subprocess.run(
            [sys.executable, "-c", PRINT_HASHES, str(path)],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        said.append(done.stdout.splitlines()[-2:])
    assert said[0][1] == said[1][1]
    assert "tiny__z" in said[0][1]
    assert said[1][0] == "[]"


def test_a_bundle_splits_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its arguments are JSON."""
    use_host(tmp_path / "host", monkeypatch)
    write(tmp_path / "manifests" / "tiny.json", manifest(*LAYERS))
    arguments = {"selectors": {"last": {"select": "fct_c"}}, "start_when": "any"}
    used = bundle(tmp_path, arguments=arguments)
    used.initialize()
    found = bundle_bag(used)
    assert found.import_errors == {}
    assert sorted(found.dags) == ["tiny__last", "tiny__rest"]
