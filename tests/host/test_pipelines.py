"""Pipelines in YAML, through `load_dags`: DAGs as one would write them by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, TaskGroup

import airflow_dataops.dag_factory.load as load_module
from airflow_dataops import ManifestFolderBundle, load_dags
from tests.host.pipelines import load, same
from tests.host.pipelines_examples import CASES as EXAMPLES
from tests.host.pipelines_seeds import CASES as SEEDS

if TYPE_CHECKING:
    from pathlib import Path


def test_a_pipeline_is_the_dag_one_would_write(tmp_path: Path) -> None:
    (dag,) = load(
        tmp_path,
        """
        dag_id: sales
        description: Daily sales
        schedule: "0 6 * * *"
        start_date: 2024-01-01
        catchup: false
        max_active_runs: 2
        owner: data-team
        tags: [etl, sales]
        default_args: {retries: 3, retry_delay: 5m}
        tasks:
          start: {operator: empty}
          extract:
            operator: airflow.providers.standard.operators.bash.BashOperator
            bash_command: extract {{ ds }}
            depends_on: start
            execution_timeout: 1h
          checks:
            depends_on: extract
            tooltip: Checks
            tasks:
              nulls: {operator: bash, bash_command: nulls}
              dupes: {operator: bash, bash_command: dupes, depends_on: [nulls]}
          load:
            operator: bash
            bash_command: load
            trigger_rule: none_failed
            depends_on: [checks]
          each:
            operator: bash
            expand: {bash_command: [one, two]}
            depends_on: load
          clean: {operator: bash, bash_command: clean, teardown: start, depends_on: each}
        """,
    )
    with DAG(
        "sales",
        description="Daily sales",
        schedule="0 6 * * *",
        start_date=datetime(2024, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=2,
        tags=["etl", "sales"],
        default_args={
            "owner": "data-team",
            "retries": 3,
            "retry_delay": timedelta(minutes=5),
        },
    ) as by_hand:
        start = EmptyOperator(task_id="start")
        extract = BashOperator(
            task_id="extract",
            bash_command="extract {{ ds }}",
            execution_timeout=timedelta(hours=1),
        )
        with TaskGroup("checks", tooltip="Checks") as checks:
            nulls = BashOperator(task_id="nulls", bash_command="nulls")
            nulls >> BashOperator(task_id="dupes", bash_command="dupes")
        load_ = BashOperator(task_id="load", bash_command="load", trigger_rule="none_failed")
        each = BashOperator.partial(task_id="each").expand(bash_command=["one", "two"])
        clean = BashOperator(task_id="clean", bash_command="clean").as_teardown(setups=start)
        start >> extract >> checks >> load_ >> each >> clean
    same(dag, by_hand)


def test_one_broken_pipeline_leaves_its_neighbours(tmp_path: Path) -> None:
    folder = tmp_path / "pipelines"
    folder.mkdir()
    (folder / "good.pipeline.yaml").write_text("tasks: {a: {operator: empty}}")
    (folder / "bad.pipeline.yaml").write_text("tasks:\n  a: {operator: emty}\n")
    namespace: dict[str, Any] = {"__file__": str(tmp_path / "dag.py")}
    (dag,) = load_dags("pipelines", namespace)
    assert dag.dag_id == "good"
    with pytest.raises(
        ValueError, match=r"bad\.pipeline\.yaml:2:17: .*'empty'\? \(at \$\.tasks\.a\.operator\)"
    ):
        namespace["dataops_errors_0"].validate()


@pytest.mark.parametrize("name", [*SEEDS, *EXAMPLES])
def test_published_pipelines_in_yaml_are_those_by_hand(tmp_path: Path, name: str) -> None:
    text, by_hand = SEEDS.get(name) or EXAMPLES[name]
    found = {dag.dag_id: dag for dag in load(tmp_path, text)}
    expected = by_hand()
    assert found.keys() == {dag.dag_id for dag in expected}
    for dag in expected:
        same(found[dag.dag_id], dag)
    # Once more, copied from what the first time showed to be the same.
    for dag in load(tmp_path, text):
        same(dag, found[dag.dag_id])


def test_a_bundle_deploys_pipelines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH", str(tmp_path / "bundles"))
    folder = tmp_path / "folder"
    (folder / "team").mkdir(parents=True)
    (folder / "a.pipeline.yaml").write_text("tasks: {t: {operator: empty}}")
    (folder / "b.pipeline.yaml").write_text("tasks: {t: {operator: empty}}")
    (folder / "team" / "c.pipeline.yaml").write_text("tasks: {t: {operator: empty}}")
    (folder / "team" / "pipeline_defaults.yaml").write_text("owner: team")
    used = ManifestFolderBundle(name="pipelines", folder=str(folder), conn_id="w")
    used.initialize()
    found = DagBag(str(used.path))
    assert set(found.dags) == {"a", "b"}
    (error,) = found.import_errors.values()
    assert "pipeline_defaults.yaml" in error


def test_layers_of_folders_files_and_environments(tmp_path: Path) -> None:
    place = tmp_path / "pipelines" / "team"
    place.mkdir(parents=True)
    (tmp_path / "pipelines" / "pipeline_defaults.yaml").write_text(
        "owner: data\ntags: [all]\ndefault_args: {retries: 1, pool: shared}\n"
        "environments: {prod: {default_args: {retries: 5}}}"
    )
    (place / "pipeline_defaults.yaml").write_text("tags: [team]")
    (place / "etl.template.yaml").write_text(
        "parameters: {table: }\ndag_id: etl_${{ table }}\n"
        "tasks: {load: {operator: sql, conn_id: dev, sql: {$file: load.sql}}}"
    )
    (place / "load.sql").write_text("SELECT 1")
    (place / "x.pipeline.yaml").write_text(
        "extends: etl.template.yaml\nfor_each: {table: [a, b]}\n"
        "environments: {prod: {tasks: {load: {conn_id: prod}}}}"
    )

    def loaded(environment: str | None) -> list[tuple[Any, ...]]:
        namespace: dict[str, Any] = {"__file__": str(tmp_path / "dag.py")}
        dags = load_dags("pipelines", namespace, environment=environment)
        tasks = [(dag, dag.get_task("load")) for dag in dags]
        return [(d.dag_id, d.tags, t.owner, t.retries, t.conn_id, t.sql) for d, t in tasks]

    plain = [(f"etl_{t}", {"team"}, "data", 1, "dev", "SELECT 1") for t in "ab"]
    assert loaded(None) == plain
    assert loaded("prod") == [(*dag[:3], 5, "prod", dag[5]) for dag in plain]
    (place / "load.sql").write_text("SELECT 2")
    assert [dag[5] for dag in loaded(None)] == ["SELECT 2"] * 2
    (place / "pipeline_defaults.yaml").unlink()
    assert loaded(None)[0][1] == {"all"}


def test_a_worker_reads_the_record_of_the_dag_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(tmp_path, "dag_id: first\ntasks: {a: {operator: empty}}", "first")
    load(tmp_path, "dag_id: second\ntasks: {a: {operator: empty}}", "second")
    (tmp_path / "pipelines" / "third.pipeline.yaml").write_text("tasks: nothing")
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "second")
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_TASK_ID", "a")
    monkeypatch.setattr(load_module, "find_manifests", None)
    namespace: dict[str, Any] = {"__file__": str(tmp_path / "dag.py")}
    assert [dag.dag_id for dag in load_dags("pipelines", namespace)] == ["second"]


class Odd(BashOperator):
    """Its attributes depend on what its arguments are, not only on their names."""

    def __init__(self, *, bash_command: str, **arguments: Any) -> None:
        super().__init__(bash_command=bash_command, **arguments)
        self.is_long = len(bash_command) > 5


def test_operators_are_copied_only_where_that_was_seen_to_be_the_same(tmp_path: Path) -> None:
    text = f"""
        dag_id: odd
        tasks:
          a: {{operator: {__name__}.Odd, bash_command: short}}
          b: {{operator: {__name__}.Odd, bash_command: much longer}}
          c: {{operator: bash, bash_command: c}}
    """
    for _ in range(3):
        (dag,) = load(tmp_path, text)
        assert [dag.get_task(id_).is_long for id_ in "ab"] == [False, True]
        assert dag.get_task("c").dag is dag


@pytest.mark.parametrize(
    "text",
    [
        "tasks: {a: {operator: bash, bash_command: x, "
        "env: {$new: subprocess.Popen, args: [touch, TOUCHED]}}}",
        "schedule: {timetable: subprocess.Popen, args: [touch, TOUCHED]}\n"
        "tasks: {a: {operator: empty}}",
        "tasks: {a: {operator: subprocess.Popen, arguments: {args: [touch, TOUCHED]}}}",
        "schedule: {timetable: os.system, command: touch TOUCHED}\ntasks: {a: {operator: empty}}",
    ],
)
def test_no_command_runs_while_a_dag_is_built(tmp_path: Path, text: str) -> None:
    touched = tmp_path / "touched"
    with pytest.raises(ValueError, match=r"no class that a pipeline may make|no operator"):
        load(tmp_path, text.replace("TOUCHED", str(touched)))
    assert not touched.exists()
