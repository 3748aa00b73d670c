"""Fused tasks: which there are, and that the graph of them keeps every edge and has no cycle."""

from __future__ import annotations

import random
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from airflow_dataops.core.model import ModelSpec
from airflow_dataops.core.plan import (
    Engine,
    Granularity,
    Plan,
    PlanOptions,
    TaskKind,
    TestsIn,
    make_plan,
    plan_options,
)
from airflow_dataops.errors import ConfigError
from tests.unit.plan.projects import asking, data_test, model, project, seed, source

if TYPE_CHECKING:
    from airflow_dataops.core.model import Node

PYTHON = ModelSpec(materialized="table", language="python", unsupported=("Python",))
CHAIN_OF_THREE = (
    model("stg_a"),
    data_test("t_a", "model.shop.stg_a"),
    model("int_b", "model.shop.stg_a"),
    model("fct_c", "model.shop.int_b"),
    data_test("t_c", "model.shop.fct_c"),
)


def planned(granularity: str, *nodes: Node, tests: TestsIn = TestsIn.APART) -> Plan:
    options = PlanOptions(
        granularity=Granularity(granularity), available=frozenset(Engine), tests=tests
    )
    return make_plan(project(*nodes), options)


def edges(plan: Plan) -> dict[str, list[str]]:
    return {task.id: list(task.upstream) for task in plan.tasks.values()}


def parts(plan: Plan, id_: str) -> dict[str, list[str]]:
    return {part.id: list(part.upstream) for part in plan.tasks[id_].parts}


def test_a_run_of_models_is_one_chain_with_their_tests() -> None:
    plan = planned("chain", *CHAIN_OF_THREE)
    assert edges(plan) == {"chain.stg_a": []}
    assert parts(plan, "chain.stg_a") == {
        "stg_a": [],
        "stg_a.test": ["stg_a"],
        "int_b": ["stg_a.test"],
        "fct_c": ["int_b"],
        "fct_c.test": ["fct_c"],
    }
    task = plan.tasks["chain.stg_a"]
    assert task.kind is TaskKind.FUSED
    assert task.nodes[:2] == ("model.shop.stg_a", "test.shop.t_a")
    assert [str(part.relation) for part in task.parts if part.relation] == [
        "wh.main.stg_a",
        "wh.main.int_b",
        "wh.main.fct_c",
    ]


def test_a_fork_ends_a_chain_and_a_join_begins_one() -> None:
    plan = planned(
        "chain",
        model("a"),
        model("b", "model.shop.a"),
        model("c", "model.shop.a"),
        model("d", "model.shop.b", "model.shop.c"),
        model("e", "model.shop.d"),
    )
    assert edges(plan) == {
        "chain.a": [],
        "chain.b": ["chain.a"],
        "chain.c": ["chain.a"],
        "chain.d": ["chain.b", "chain.c"],
    }


def test_the_id_of_a_chain_stays_when_a_test_or_a_fresh_source_joins() -> None:
    read = "source.shop.raw.t"
    bare = planned("chain", source("t"), model("a", read))
    more = planned("chain", source("t", fresh=True), model("a", read), data_test("t", read))
    tested = planned("chain", model("a"), data_test("t", "model.shop.a"))
    assert list(bare.tasks) == list(tested.tasks) == ["chain.a"]
    assert "chain.a" in more.tasks


def test_models_that_ask_different_things_of_airflow_are_not_one_chain() -> None:
    wish = asking(airflow={"pool": "small"})
    plan = planned("chain", model("a"), model("b", "model.shop.a", orchestration=wish))
    assert edges(plan) == {"chain.a": [], "chain.b": ["chain.a"]}
    assert plan.profiles[plan.tasks["chain.b"].profile].airflow == {"pool": "small"}


def test_layers_are_tasks_named_after_them() -> None:
    plan = planned("layer", seed("s"), *CHAIN_OF_THREE)
    assert edges(plan) == {
        "layer.intermediate": ["layer.staging"],
        "layer.marts": ["layer.intermediate"],
        "layer.seeds": [],
        "layer.staging": [],
    }
    assert plan.profiles[plan.tasks["layer.marts"].profile].group == ("marts",)
    assert plan.tasks["layer.marts"].group == ()


def test_a_layer_that_would_form_a_cycle_is_cut() -> None:
    plan = planned(
        "layer",
        model("stg_a"),
        model("fct_b", "model.shop.stg_a"),
        model("stg_c", "model.shop.fct_b"),
    )
    assert edges(plan) == {
        "layer.marts": ["layer.staging"],
        "layer.staging": [],
        "layer.staging_2": ["layer.marts"],
    }


def test_a_whole_dag_is_one_task_unless_dbt_must_run_something_in_between() -> None:
    whole = planned("dag", *CHAIN_OF_THREE)
    assert edges(whole) == {"dag": []}
    cut = planned(
        "dag",
        model("a"),
        model("p", "model.shop.a", spec=PYTHON),
        model("b", "model.shop.p"),
        model("c"),
        data_test("t", "model.shop.p"),
    )
    assert set(cut.tasks) == {"dag", "dag_2", "p"}
    assert cut.tasks["p"].engine is Engine.DBT
    assert cut.tasks["p"].downstream == ("dag_2",)
    assert "c" in parts(cut, "dag")


def test_a_model_that_dbt_runs_may_be_called_like_a_fused_task() -> None:
    plan = planned("dag", model("dag", spec=PYTHON), model("a"))
    assert set(plan.tasks) == {"dag", "dag_fused"}


def test_operator_arguments_that_have_no_effect_are_told() -> None:
    wish = asking(airflow={"pool": "small"})
    plan = planned("layer", model("stg_a", orchestration=wish), model("stg_b"))
    (warning,) = plan.warnings
    assert "meta.airflow of 1 nodes has no effect with granularity='layer'" in warning


def test_a_granularity_that_is_none_is_told_what_there_is() -> None:
    with pytest.raises(ConfigError, match="granularity: expected one of 'node', 'chain', 'layer'"):
        plan_options(granularity="model")


def random_nodes(seed_: int) -> list[Node]:
    """A project with all that matters: layers that go back, dbt's nodes, tests of several."""
    chance = random.Random(seed_)
    nodes: list[Node] = [source("t", fresh=True)]
    for number in range(chance.randint(1, 40)):
        above = [node.id for node in nodes if node.id.startswith(("model.", "source."))]
        parents = chance.sample(above, min(len(above), chance.choice([0, 1, 1, 2, 3])))
        prefix = chance.choice(["stg", "int", "fct", "x"])
        spec = PYTHON if chance.random() < 0.15 else ModelSpec(materialized="table")
        nodes.append(model(f"{prefix}_{number}", *parents, spec=spec))
        if chance.random() < 0.5:
            nodes.append(data_test(f"t{number}", nodes[-1].id))
        if chance.random() < 0.2:
            models = [node.id for node in nodes if node.id.startswith("model.")]
            tested = chance.sample(models, min(len(models), 2))
            nodes.append(data_test(f"joint{number}", *tested))
    return nodes


def test_a_model_keeps_its_id_when_its_tests_run_with_it() -> None:
    plan = planned("node", *CHAIN_OF_THREE, tests=TestsIn.WITH_MODEL)
    assert edges(plan) == {"stg_a": [], "int_b": ["stg_a"], "fct_c": ["int_b"]}
    assert parts(plan, "stg_a") == {"stg_a": [], "stg_a.test": ["stg_a"]}
    assert plan.tasks["int_b"].kind is TaskKind.BUILD
    apart = planned("node", *CHAIN_OF_THREE).tasks["stg_a"]
    with_test = plan.tasks["stg_a"]
    assert (with_test.profile, with_test.group, with_test.description) == (
        apart.profile,
        apart.group,
        apart.description,
    )


def test_a_test_that_asks_airflow_for_something_keeps_a_task_of_its_own() -> None:
    test = replace(
        data_test("t_a", "model.shop.a"), orchestration=asking(airflow={"pool": "small"})
    )
    other = data_test("t_b", "model.shop.a")
    plan = planned("node", model("a"), test, other, tests=TestsIn.WITH_MODEL)
    assert edges(plan) == {"a": [], "a.test.t_a": ["a"]}
    assert parts(plan, "a") == {"a": [], "a.test": ["a"]}


@pytest.mark.parametrize("granularity", ["with model", "chain", "layer", "dag"])
def test_fused_tasks_keep_every_edge_and_form_no_cycle(granularity: str) -> None:
    """300 random projects: each task is in one fused task, no edge is lost, none is new."""
    for number in range(300):
        nodes = random_nodes(number)
        fine = planned("node", *nodes)
        if granularity == "with model":
            coarse = planned("node", *nodes, tests=TestsIn.WITH_MODEL)
        else:
            coarse = planned(granularity, *nodes)
        home = {part.id: task.id for task in coarse.tasks.values() for part in task.parts}
        alone = {task.id for task in coarse.tasks.values() if not task.parts}
        assert home.keys() | alone == fine.tasks.keys(), number
        assert not home.keys() & alone
        graph = {task.id: task.upstream for task in coarse.tasks.values()}
        list(TopologicalSorter(graph).static_order())
        inner = {part.id: part.upstream for task in coarse.tasks.values() for part in task.parts}
        between: dict[str, set[str]] = {id_: set() for id_ in graph}
        for task in fine.tasks.values():
            mine = home.get(task.id, task.id)
            outside = {home.get(other, other) for other in task.upstream} - {mine}
            between[mine] |= outside
            inside = [other for other in task.upstream if home.get(other) == mine]
            assert list(inner.get(task.id, ())) == inside
            assert not (task.engine is Engine.DBT and task.id in home)
        assert between == {id_: set(upstream) for id_, upstream in graph.items()}, number
        for task in coarse.tasks.values():
            places = {part.id: place for place, part in enumerate(task.parts)}
            for part in task.parts:
                assert all(places[other] < places[part.id] for other in part.upstream)
