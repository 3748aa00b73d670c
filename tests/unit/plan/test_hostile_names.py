"""No gate is lost, whatever nodes are called."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from airflow_dataops.core.model import Orchestration
from airflow_dataops.core.plan import Granularity, PlanOptions, make_plan
from tests.unit.plan.projects import data_test, model, project, source

if TYPE_CHECKING:
    from airflow_dataops.core.model import Node

STEMS = ("orders", "test", "a", "dag", "inputs", "ready", "freshness", "layer", "chain")
ENDS = [
    *(".test", ".freshness", ".ready", ".test_sql", ".test_dbt", ".test.t", ".wait", "_v1", "/x"),
    *(".test.test", "__test", "", " "),
]


def hostile(rng: random.Random) -> list[Node]:
    names = rng.sample([stem + end for stem in STEMS for end in ENDS], 12)
    models: list[Node] = []
    for name in names:
        parents = [node.id for node in rng.sample(models, min(len(models), rng.randrange(3)))]
        models.append(model(name, *parents))
    asked = Orchestration(airflow={"pool": "p"})
    tests = []
    for number in range(14):
        of = rng.sample(models, rng.choice((1, 1, 2)))
        name = rng.choice((*names, f"t{number}", "test", "orders"))
        test = data_test(f"{name}#{number}", *(node.id for node in of))
        own = asked if rng.random() < 0.3 else Orchestration()
        tests.append(_named(test, name, own))
    return [*models, *tests, source("raw", fresh=True)]


def _named(test: Node, name: str, asked: Orchestration) -> Node:
    from msgspec.structs import replace

    return replace(test, name=name, orchestration=asked)


@pytest.mark.parametrize("granularity", list(Granularity))
def test_every_node_and_every_test_is_in_a_task_of_its_own(granularity: Granularity) -> None:
    rng = random.Random(f"names {granularity}")
    for _ in range(40):
        nodes = hostile(rng)
        plan = make_plan(project(*nodes), PlanOptions(granularity=granularity))
        parts = [part for task in plan.tasks.values() for part in task.parts or (task,)]
        placed = [id_ for part in parts for id_ in part.nodes]
        assert sorted(placed) == sorted(node.id for node in nodes)
        assert all(id_ == task.id for id_, task in plan.tasks.items())


def test_a_gate_holds_beside_a_model_of_its_name() -> None:
    plan = make_plan(
        project(
            model("orders"),
            model("orders.test"),
            model("reader", "model.shop.orders"),
            data_test("t", "model.shop.orders"),
        )
    )
    assert plan.tasks["orders.test"].nodes == ("test.shop.t",)
    assert plan.tasks["reader"].upstream == ("orders.test",)
    [other] = [id_ for id_, task in plan.tasks.items() if "model.shop.orders.test" in task.nodes]
    assert other.startswith("orders.test_")


@pytest.mark.parametrize("reads", [(), ("model.shop.a_stg",)])
def test_a_test_of_two_layers_takes_the_queue_and_pool_of_its_last(reads: tuple[str, ...]) -> None:
    """Whether the last reads the first or not, and in whichever order the test names them."""
    first = Orchestration(airflow={"pool": "small", "queue": "q", "retries": 1}, owner="ann")
    last = Orchestration(airflow={"pool": "heavy", "queue": "r"}, owner="bob")
    names = ("model.shop.a_stg", "model.shop.fct_b")
    for parents in (names, names[::-1]):
        plan = make_plan(
            project(
                model("a_stg", folder="staging", orchestration=first),
                model("fct_b", *reads, folder="marts", orchestration=last),
                data_test("rel", *parents),
            )
        )
        task = plan.tasks["test.rel"]
        assert task.profile == plan.tasks["fct_b"].profile
        assert task.group == plan.tasks["fct_b"].group == ("marts",)
        assert plan.profiles[task.profile].airflow == last.airflow


def test_what_a_test_asks_of_airflow_counts() -> None:
    asked = Orchestration(airflow={"pool": "checks"})
    of_model = Orchestration(airflow={"pool": "heavy", "queue": "q"})
    plan = make_plan(
        project(
            model("a", orchestration=of_model),
            model("b", "model.shop.a"),
            data_test("plain", "model.shop.a"),
            _named(data_test("own", "model.shop.a"), "own", asked),
        )
    )
    airflow = {id_: plan.profiles[task.profile].airflow for id_, task in plan.tasks.items()}
    assert airflow["a.test"] == {"pool": "heavy", "queue": "q"}
    assert airflow["a.test.own"] == {"pool": "checks", "queue": "q"}
    assert plan.tasks["b"].upstream == ("a.test", "a.test.own")
