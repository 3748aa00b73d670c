"""Manifests of somebody who may upload manifests and nothing else: their texts stay texts."""

from __future__ import annotations

import contextlib
import os
import socket
from typing import TYPE_CHECKING, Any

import pytest

from airflow_dataops import DbtConfig, dbt_dag
from airflow_dataops.dag_factory.load import load_dags
from airflow_dataops.errors import ManifestError
from tests.host.manifests import manifest, model, write

if TYPE_CHECKING:
    from pathlib import Path

    from airflow.sdk import DAG

JINJA = "{{ 7 * 191 }}"
RENDERED = "1337"
META = {
    "owner": JINJA,
    "airflow": {
        "pool": JINJA,
        "queue": JINJA,
        "params": {"p": JINJA},
        "doc_md": JINJA,
        "task_display_name": JINJA,
        "metric_tags": {"domain": JINJA},
    },
    "sla": {"within": "1h", "name": JINJA, "owner": JINJA, "tags": [JINJA]},
}


def hostile(name: str, *parents: str, **fields: Any) -> dict[str, Any]:
    """A model with Jinja wherever a manifest has text."""
    return model(
        name,
        *parents,
        fqn=["shop", JINJA, f"{name} {JINJA}"],
        alias=f"{name}{JINJA}",
        schema=JINJA,
        description=JINJA,
        tags=[JINJA],
        path=f"{JINJA}/{name}.sql",
        original_file_path=f"models/{JINJA}/{name}.sql",
        patch_path=f"tiny://models/{JINJA}.yml",
        raw_code=JINJA,
        compiled_code=f"select '{JINJA}' as id",
        meta=META,
        config={"materialized": "table", "enabled": True, "meta": META, "tags": [JINJA]},
        **fields,
    )


def dag_of(folder: Path, *nodes: dict[str, Any], **arguments: Any) -> DAG:
    # As `airflow-dataops compile` tells it: which vars each run has for itself.
    compiled = {"version": 3, "runtime_vars": ["run_day"], "target": "t"}
    path = write(folder / f"{JINJA}.json", manifest(*nodes, dataops=compiled))
    dbt = DbtConfig(
        project_dir=str(folder),
        profile="p",
        target="t",
        executable="/no/dbt",
        env={"DAY": "{{ ds }}"},
    )
    (folder / "profiles.yml").write_text("p: {target: t, outputs: {t: {type: duckdb}}}")
    day = {"run_day": "{{ ds }}"}
    return dbt_dag(manifest=path, conn_id="w", dag_id="d", dbt=dbt, vars=day, **arguments)


@pytest.mark.parametrize("granularity", ["node", "layer", "dag"])
def test_no_text_of_a_manifest_is_rendered(tmp_path: Path, granularity: str) -> None:
    nodes = [
        hostile("s"),
        hostile("p", "s", language="python"),
        {
            **hostile("seed", resource_type="seed"),
            "unique_id": "seed.tiny.seed",
            "root_path": JINJA,
        },
    ]
    dag = dag_of(tmp_path, *nodes, granularity=granularity)
    kinds = {type(task).__name__ for task in dag.tasks}
    assert "CosmosRunOperator" in kinds
    assert len(kinds) > 1
    for task in dag.tasks:
        task.render_template_fields({"ds": "2026-01-01", "params": {}})
        assert RENDERED not in repr(vars(task))


def test_what_the_author_of_the_dag_writes_is_rendered(tmp_path: Path) -> None:
    dag = dag_of(tmp_path, hostile("p", language="python"))
    task: Any = dag.get_task("p")
    task.render_template_fields({"ds": "2026-01-01", "params": {"full_refresh": True}})
    assert task.vars == {"run_day": "2026-01-01"}
    assert task.env == {"DAY": "2026-01-01"}
    assert task.full_refresh == "True"
    assert task.select == "fqn:shop.{{?7???191?}}.p?{{?7???191?}}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("dbt_executable_path", "/bin/sh"),
        ("dbt_cmd_flags", ["--profiles-dir", "/tmp/theirs"]),
        ("dbt_cmd_global_flags", ["--log-path", "/"]),
        ("project_dir", "/tmp/theirs"),
        ("env", {"DAY": "{{ conn.x.password }}"}),
        ("vars", {"a": "{{ conn.x.password }}"}),
        ("exclude", "{{ conn.x.password }}"),
        ("select", "x"),
        ("interceptors", ["os.system"]),
        ("executor_config", {"pod_template_file": "/tmp/theirs.yml"}),
        ("run_as_user", "root"),
        ("map_index_template", "{{ conn.x.password }}"),
        ("on_failure_callback", "os.system"),
        ("pre_execute", "os.system"),
        ("template_fields", ["doc_md"]),
        ("email", "{{ conn.x.password }}"),
        ("outlets", ["x"]),
    ],
)
@pytest.mark.parametrize("language", ["sql", "python"])
def test_a_manifest_sets_no_argument_that_runs_something(
    tmp_path: Path, name: str, value: object, language: str
) -> None:
    meta = {"airflow": {name: value}}
    node = model("a", language=language, meta=meta, config={"materialized": "table", "meta": meta})
    with pytest.raises(ManifestError, match=f"meta.airflow: '{name}' is not for a manifest to set"):
        dag_of(tmp_path, node)


@pytest.mark.parametrize(
    "called",
    [
        "os.system",
        {"path": "subprocess.Popen", "kwargs": {"args": ["sh", "-c", "touch P"]}},
        {"path": "airflow_dataops.raise_alert", "kwargs": {"receivers": ["slack:theirs"]}},
        {"path": "airflow_dataops.callbacks.alerts.AlertNotifier", "kwargs": {"title": JINJA}},
    ],
)
def test_a_manifest_chooses_no_code_for_a_missed_sla(tmp_path: Path, called: object) -> None:
    meta = {"sla": [{"within": "1h"}, {"within": "2h", "on_sla_miss": [called]}]}
    node = model("a", meta=meta, config={"materialized": "table", "meta": meta})
    text = (
        r"meta.sla\[1\].on_sla_miss\[0\]: a manifest may name 'airflow_dataops.raise_alert' alone"
    )
    with pytest.raises(ManifestError, match=text):
        dag_of(tmp_path, node)


def test_a_manifest_may_ask_for_an_alert(tmp_path: Path) -> None:
    meta = {"sla": {"within": "1h", "on_sla_miss": ["airflow_dataops.raise_alert"]}}
    node = model("a", meta=meta, config={"materialized": "table", "meta": meta})
    assert dag_of(tmp_path, node).task_ids == ["a"]


JUNK = ([[]], 10**30)


def test_one_bad_argument_takes_down_one_manifest(tmp_path: Path) -> None:
    """Whatever a manifest writes for whatever argument, the other one loads."""
    from airflow_dataops.core.manifests.task_settings import NAMES

    folder = tmp_path / "manifests"
    dbt = DbtConfig(project_dir=str(tmp_path), profile="p", target="t", executable="/no/dbt")
    write(folder / "good.json", manifest(model("a"), project="good"))
    (tmp_path / "profiles.yml").write_text("p: {target: t, outputs: {t: {type: duckdb}}}")
    for number, name in enumerate(sorted(NAMES)):
        for place, value in enumerate(JUNK):
            meta = {"airflow": {name: value}}
            node = model("a", meta=meta, config={"meta": meta})
            project = f"p{number}_{place}"
            write(folder / f"{project}.json", manifest(node, project=project))
    namespace: dict[str, Any] = {"__file__": str(tmp_path / "dag.py")}
    loaded = load_dags("manifests", namespace, conn_id="w", dbt=dbt)
    assert [dag.dag_id for dag in loaded] == ["good"]


def test_pipes_devices_sockets_and_links_neither_hang_nor_lead_elsewhere(tmp_path: Path) -> None:
    folder, outside = tmp_path / "manifests", write(tmp_path / "out.json", manifest(model("a")))
    write(folder / "good.json", manifest(model("a"), project="good"))
    for name in ("pipe", "socket", "loop", "zero", "away", "back", "within", "above"):
        (folder / name).mkdir()
    os.mkfifo(folder / "pipe" / "manifest.json")
    server = socket.socket(socket.AF_UNIX)
    with contextlib.chdir(folder / "socket"):
        server.bind("manifest.json")
    (folder / "loop" / "manifest.json").symlink_to(folder / "loop" / "manifest.json")
    (folder / "zero" / "manifest.json").symlink_to("/dev/zero")
    (folder / "away" / "manifest.json").symlink_to(outside)
    (folder / "back" / "x").symlink_to(folder, target_is_directory=True)
    (folder / "within" / "manifest.json").symlink_to(folder / "within" / "..data.txt")
    (folder / "above" / "manifest.json").symlink_to("/proc/self/environ")
    write(folder / "within" / "..data.txt", manifest(model("a"), project="within"))
    namespace: dict[str, Any] = {"__file__": str(tmp_path / "dag.py")}
    load_dags("manifests", namespace, conn_id="w")
    assert {"good", "within"} == namespace.keys() - {"__file__", "dataops_errors_0"}
    with pytest.raises(ValueError, match="6 of the manifests") as caught:
        namespace["dataops_errors_0"].validate()
    text = str(caught.value)
    assert "pipe/manifest.json is no manifest: it is a pipe, a device or a socket" in text
    assert "socket/manifest.json cannot be read" in text
    assert "loop/manifest.json cannot be read (Too many levels of symbolic links)" in text
    assert "zero/manifest.json is a link to /dev/zero, out of the folder" in text
    assert f"away/manifest.json is a link to {outside}, out of the folder" in text
    server.close()


def test_what_is_too_large_or_too_deep_is_one_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airflow_dataops.adapters.local_files.LARGEST", 1)
    folder = tmp_path / "manifests"
    folder.mkdir()
    with (folder / "huge.json").open("wb") as file:
        file.truncate(1024**3 + 1)
    write(folder / "deep.json", '{"nodes": ' + '{"a":' * 50_000 + "1" + "}" * 50_001)
    write(folder / "list.json", '{"nodes": ' + "[" * 50_000 + "]" * 50_000 + "}")
    write(folder / "good.json", manifest(model("a"), project="good"))
    namespace: dict[str, Any] = {"__file__": str(tmp_path / "dag.py")}
    load_dags("manifests", namespace, conn_id="w")
    assert "good" in namespace
    with pytest.raises(ValueError, match="3 of the manifests") as caught:
        namespace["dataops_errors_0"].validate()
    assert "huge.json is no manifest: it is larger than 1024 MB" in str(caught.value)


def test_names_make_no_lines_of_their_own_in_logs_and_scripts(tmp_path: Path) -> None:
    """A node's id with a new line in it looked like another line of the log, or of the SQL."""
    node = model("a", meta={"schedule": "never"}, patch_path="tiny://models/\x1b[31m.yml")
    node["unique_id"] = "model.tiny.a\n2026-12-01 INFO all is well"
    with pytest.raises(ManifestError) as caught:
        dag_of(tmp_path, node)
    assert "\n2026" not in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert r"model.tiny.a\n2026-12-01 INFO all is well" in str(caught.value)


def test_a_schedule_that_takes_for_ever_to_read(tmp_path: Path) -> None:
    meta = {"schedule": "1-59/1," * 20_000 + "1 * * * *"}
    node = model("a", meta=meta, config={"materialized": "table", "meta": meta})
    with pytest.raises(ManifestError, match="it has more than 1000 characters"):
        dag_of(tmp_path, node)
