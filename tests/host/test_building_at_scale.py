"""Copied operators are what Airflow would have built; a worker builds only what it runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import DAG, BaseOperator
from airflow.serialization.serialized_objects import DagSerialization

from airflow_dataops import dbt_dag, dbt_task_group
from airflow_dataops.dag_factory.load import load_dags
from airflow_dataops.operators.build import DbtBuildOperator
from airflow_dataops.task_groups.cloning import OperatorTemplate
from benchmarks.manifests import manifest
from tests.host.manifests import write

if TYPE_CHECKING:
    from collections.abc import Iterator

SHOP = Path(__file__).parents[2] / "dags" / "manifests" / "shop" / "manifest.json"
LAYERS = {
    "group_args": {"marts": {"pool": "small", "params": {"x": 1}}},
    "operator_args": {"retries": 5},
}


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("big") / "manifest.json", manifest(300))


def serialized(dag: DAG) -> str:
    return json.dumps(DagSerialization.to_dict(dag))


def state_of(operator: BaseOperator) -> dict[str, Any]:
    hidden = {"_dag", "task_group", "_BaseOperator__init_kwargs"}
    return {name: value for name, value in operator.__dict__.items() if name not in hidden}


@pytest.fixture
def ordinary(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have Airflow build every operator itself."""
    with monkeypatch.context() as patch:
        patch.setattr(OperatorTemplate, "make", OperatorTemplate._built)
        yield


@pytest.mark.parametrize("manifest_of", ["shop", "big"])
def test_copied_operators_equal_built_ones(
    manifest_of: str, big: Path, request: pytest.FixtureRequest
) -> None:
    path = SHOP if manifest_of == "shop" else big
    copied = dbt_dag(manifest=path, conn_id="w", dag_id="x", **LAYERS)
    request.getfixturevalue("ordinary")
    built = dbt_dag(manifest=path, conn_id="w", dag_id="x", **LAYERS)
    assert serialized(copied) == serialized(built)
    assert list(copied.task_dict) == list(built.task_dict)
    for task in built.tasks:
        twin = copied.get_task(task.task_id)
        assert state_of(twin) == state_of(task)
        assert twin.dag is copied
        assert twin.task_group.children[task.task_id] is twin
        mine, theirs = twin._BaseOperator__init_kwargs, task._BaseOperator__init_kwargs
        assert mine.keys() == theirs.keys()


def test_most_operators_are_copied(big: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cheap path is really taken: 600 tasks of 6 kinds need 12 built operators."""
    built = 0
    initialise = BaseOperator.__init__

    def counting(self: BaseOperator, *arguments: Any, **kwargs: Any) -> None:
        nonlocal built
        built += 1
        initialise(self, *arguments, **kwargs)

    monkeypatch.setattr(BaseOperator, "__init__", counting)
    dag = dbt_dag(manifest=big, conn_id="w", dag_id="x")
    assert len(dag.tasks) == 600
    assert built <= 24


def test_copies_share_nothing_that_can_be_changed_in_place(big: Path) -> None:
    dag = dbt_dag(manifest=big, conn_id="w", dag_id="x")
    tasks = [task for task in dag.tasks if isinstance(task, DbtBuildOperator)]
    for task in tasks[:50]:
        for other in tasks[:50]:
            if other is not task:
                shared = {
                    name
                    for name, value in task.__dict__.items()
                    if isinstance(value, (list, dict, set)) and value is other.__dict__[name]
                }
                assert shared == set()
                assert task.params is not other.params


def test_an_airflow_whose_internals_moved_gets_ordinary_operators(
    big: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here each operator gets an attribute of its own that no copy could know."""
    counter = iter(range(10_000))
    initialise = BaseOperator.__init__

    def moved(self: BaseOperator, *arguments: Any, **kwargs: Any) -> None:
        initialise(self, *arguments, **kwargs)
        object.__setattr__(self, "moved", next(counter))

    monkeypatch.setattr(BaseOperator, "__init__", moved)
    dag = dbt_dag(manifest=big, conn_id="w", dag_id="x")
    assert len({task.moved for task in dag.tasks}) == len(dag.tasks) == 600


def parse_for(monkeypatch: pytest.MonkeyPatch, dag_id: str, task_id: str | None = None) -> None:
    """Be a worker that is about to run a task, as Airflow tells its DAG files."""
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", dag_id)
    if task_id:
        monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_TASK_ID", task_id)


def test_a_worker_builds_only_the_task_that_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = dbt_dag(manifest=SHOP, conn_id="w")
    parse_for(monkeypatch, "shop", "fct_orders")
    dag = dbt_dag(manifest=SHOP, conn_id="w")
    assert dag.task_ids == ["fct_orders"]
    dag.check_cycle()
    dag.validate()
    alone, among = dag.get_task("fct_orders"), whole.get_task("fct_orders")
    assert alone.upstream_task_ids == among.upstream_task_ids
    different = {name for name, value in state_of(alone).items() if state_of(among)[name] != value}
    assert different == {"downstream_task_ids"}


def test_tasks_that_are_asked_for_by_name_are_there_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parse_for(monkeypatch, "shop", "fct_orders")
    dag = dbt_dag(manifest=SHOP, conn_id="w")
    assert dag.has_task("dim_customers")
    assert dag.get_task("dim_products").task_id == "dim_products"
    assert not dag.has_task("no_such_task")
    assert sorted(dag.task_ids) == ["dim_customers", "dim_products", "fct_orders"]


def test_other_dags_of_the_file_are_left_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write(tmp_path / "m" / "a" / "manifest.json", manifest(5))
    (tmp_path / "m" / "b").mkdir()
    (tmp_path / "m" / "b" / "manifest.json").write_text(SHOP.read_text())
    write(tmp_path / "m" / "broken.json", "{")
    parse_for(monkeypatch, "shop", "fct_orders")
    namespace: dict[str, Any] = {"__file__": str(tmp_path / "dags.py")}
    (dag,) = load_dags("m", namespace, conn_id="w")
    assert dag.task_ids == ["fct_orders"]
    assert dbt_dag(manifest=SHOP, conn_id="w", dag_id="other").task_ids == []


def test_somebody_elses_task_sees_the_whole_group(monkeypatch: pytest.MonkeyPatch) -> None:
    """A branch or short circuit looks at everything downstream of it."""
    parse_for(monkeypatch, "mine", "branch")
    with DAG("mine") as dag:
        branch = BaseOperator(task_id="branch")
        branch >> dbt_task_group(group_id="shop", manifest=SHOP, conn_id="w")
    assert len(dag.task_ids) == 65


def test_a_task_of_a_group_is_built_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    parse_for(monkeypatch, "mine", "two.fct_orders")
    with DAG("mine") as dag:
        first = dbt_task_group(group_id="one", manifest=SHOP, conn_id="w")
        second = dbt_task_group(group_id="two", manifest=SHOP, conn_id="w")
        last = BaseOperator(task_id="last")
        first >> second >> last
    # The first group cannot know that the task is of the second: it is built, to be safe.
    assert [id_ for id_ in dag.task_ids if not id_.startswith("one.")] == ["two.fct_orders", "last"]
    dag.check_cycle()
