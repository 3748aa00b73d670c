"""Which tasks a project gets, and in which order."""

from __future__ import annotations

from datetime import timedelta

import pytest

from airflow_dataops.core.model import ModelSpec
from airflow_dataops.core.plan import (
    ArgumentLayers,
    Engine,
    EngineChoice,
    FreshnessMode,
    Plan,
    PlanOptions,
    TaskKind,
    argument_layers,
    arguments_of,
    make_plan,
)
from airflow_dataops.errors import ConfigError, ManifestError
from tests.unit.plan.projects import (
    asking,
    data_test,
    model,
    project,
    seed,
    snapshot,
    source,
)


def edges(plan: Plan) -> dict[str, list[str]]:
    return {task.id: list(task.upstream) for task in plan.tasks.values()}


def test_a_test_gates_what_reads_its_model() -> None:
    plan = make_plan(
        project(
            model("a"),
            model("b", "model.shop.a"),
            data_test("t1", "model.shop.a"),
            data_test("t2", "model.shop.a"),
        )
    )
    assert edges(plan) == {"a": [], "a.test": ["a"], "b": ["a.test"]}
    assert plan.tasks["a.test"].nodes == ("test.shop.t1", "test.shop.t2")
    assert plan.tasks["a.test"].kind is TaskKind.TEST


def test_a_test_of_two_models_runs_after_the_last_and_gates_what_reads_both() -> None:
    plan = make_plan(
        project(
            model("a"),
            model("b"),
            model("ab", "model.shop.a", "model.shop.b"),
            model("only_b", "model.shop.b"),
            model("late", "model.shop.ab"),
            data_test("rel", "model.shop.a", "model.shop.b"),
        )
    )
    assert edges(plan) == {
        "a": [],
        "b": [],
        "ab": ["a", "b", "test.rel"],
        "late": ["ab"],
        "only_b": ["b"],
        "test.rel": ["a", "b"],
    }


def test_a_test_between_a_model_and_its_own_descendant_makes_no_cycle() -> None:
    plan = make_plan(
        project(
            model("a"),
            model("b", "model.shop.a"),
            model("c", "model.shop.b"),
            data_test("rel", "model.shop.a", "model.shop.b"),
        )
    )
    assert edges(plan) == {"a": [], "b": ["a"], "c": ["b", "test.rel"], "test.rel": ["a", "b"]}


def test_a_joint_test_waits_for_the_builds_not_for_the_other_tests() -> None:
    plan = make_plan(
        project(
            model("a"),
            model("b"),
            data_test("own", "model.shop.a"),
            data_test("rel", "model.shop.a", "model.shop.b"),
        )
    )
    assert plan.tasks["test.rel"].upstream == ("a", "b")


def test_lineage_passes_through_ephemeral_models() -> None:
    plan = make_plan(
        project(
            model("a"),
            model("mid", "model.shop.a", materialized="ephemeral"),
            model("mid2", "model.shop.mid", materialized="ephemeral"),
            model("z", "model.shop.mid2"),
            data_test("of_mid", "model.shop.mid"),
        )
    )
    assert edges(plan) == {"a": [], "z": ["a", "test.of_mid"], "test.of_mid": ["a"]}


def test_lineage_passes_through_nodes_that_are_not_selected() -> None:
    nodes = project(model("a"), model("b", "model.shop.a"), model("c", "model.shop.b"))
    plan = make_plan(nodes, selected={"model.shop.a", "model.shop.c"})
    assert edges(plan) == {"a": [], "c": ["a"]}


def test_a_stale_source_gates_its_readers_and_its_tests_come_after() -> None:
    nodes = project(
        source("orders", fresh=True),
        source("plain"),
        model("a", "source.shop.raw.orders", "source.shop.raw.plain"),
        data_test("t", "source.shop.raw.orders"),
    )
    assert edges(make_plan(nodes)) == {
        "source.raw.orders.freshness": [],
        "source.raw.orders.test": ["source.raw.orders.freshness"],
        "a": ["source.raw.orders.test"],
    }
    skipped = make_plan(nodes, PlanOptions(freshness=FreshnessMode.SKIP))
    assert edges(skipped) == {"source.raw.orders.test": [], "a": ["source.raw.orders.test"]}


def test_nodes_of_a_package_carry_its_name_and_versions_their_number() -> None:
    plan = make_plan(
        project(
            model("orders"),
            model("orders", package="util"),
            model("v", version="2", id="model.shop.v.v2"),
        )
    )
    assert sorted(plan.tasks) == ["orders", "util__orders", "v_v2"]


def test_odd_names_become_ids_that_airflow_takes_and_never_collide() -> None:
    plan = make_plan(project(model("a b"), model("a/b"), model("größe"), model("x" * 400)))
    assert len(plan.tasks) == 4
    assert "größe" in plan.tasks
    assert all(len(id_) <= 150 for id_ in plan.tasks)
    assert {id_[:3] for id_ in plan.tasks} == {"a_b", "grö", "xxx"}


def test_adding_a_test_changes_no_task_id() -> None:
    before = make_plan(project(model("a"), data_test("t", "model.shop.a")))
    after = make_plan(
        project(model("a"), data_test("t", "model.shop.a"), data_test("u", "model.shop.a"))
    )
    assert list(before.tasks) == list(after.tasks)


def test_every_node_that_cannot_run_is_named_at_once() -> None:
    python = ModelSpec(language="python", unsupported=("a Python model",))
    nodes = project(model("p", spec=python), model("q", spec=python), model("ok"))
    with pytest.raises(ManifestError) as caught:
        make_plan(nodes, PlanOptions(unavailable={Engine.DBT: "install it"}))
    text = str(caught.value)
    assert (
        "model.shop.p, models/p.sql: needs dbt to run it (a Python model), but install it" in text
    )
    assert "model.shop.q" in text
    assert "model.shop.ok" not in text


def test_what_sql_cannot_do_goes_to_dbt_and_says_why() -> None:
    python = ModelSpec(language="python", unsupported=("a Python model",))
    options = PlanOptions(available=frozenset(Engine))
    plan = make_plan(project(model("p", spec=python), model("a")), options)
    assert (plan.tasks["p"].engine, plan.tasks["p"].reason) == (Engine.DBT, "a Python model")
    assert (plan.tasks["a"].engine, plan.tasks["a"].reason) == (
        Engine.SQL,
        "table from compiled SQL",
    )


def test_engine_sql_refuses_what_it_cannot_do() -> None:
    python = ModelSpec(language="python", unsupported=("a Python model",))
    options = PlanOptions(engine=EngineChoice.SQL, available=frozenset(Engine))
    with pytest.raises(ManifestError, match="engine='sql' cannot run a Python model"):
        make_plan(project(model("p", spec=python)), options)


def test_the_nearest_operator_argument_wins() -> None:
    nodes = project(
        model("plain"),
        model("fct_a"),
        model("fct_b", tags=("slow",)),
        model("fct_c", tags=("slow",), orchestration=asking(owner="ann", airflow={"pool": "own"})),
    )
    layers = argument_layers(
        operator_args={"pool": "project", "owner": "team", "queue": "q"},
        group_args={"marts": {"pool": "group"}},
        tag_args={"slow": {"pool": "tag"}},
    )
    assert arguments(make_plan(nodes), layers) == {
        "plain": {"pool": "project", "owner": "team", "queue": "q"},
        "fct_a": {"pool": "group", "owner": "team", "queue": "q"},
        "fct_b": {"pool": "tag", "owner": "team", "queue": "q"},
        "fct_c": {"pool": "own", "owner": "ann", "queue": "q"},
    }


def arguments(plan: Plan, layers: ArgumentLayers) -> dict[str, dict[str, object]]:
    return {
        task.id: arguments_of(plan.profiles[task.profile], layers) for task in plan.tasks.values()
    }


def test_durations_in_metadata_are_seconds_or_text_with_a_unit() -> None:
    wish = asking(airflow={"retry_delay": 90, "execution_timeout": "2h"})
    plan = make_plan(project(model("a", orchestration=wish)))
    assert arguments(plan, ArgumentLayers())["a"] == {
        "retry_delay": timedelta(seconds=90),
        "execution_timeout": timedelta(hours=2),
    }


def test_tasks_that_are_alike_share_a_profile() -> None:
    plan = make_plan(project(model("a"), model("b"), model("c", tags=("x",))))
    assert [plan.tasks[id_].profile for id_ in "abc"] == [0, 0, 1]


def test_a_wrong_duration_names_the_node_the_file_and_what_is_accepted() -> None:
    wish = asking(airflow={"retry_delay": "soon"})
    node = model("a", orchestration=wish, declared_in="models/schema.yml")
    with pytest.raises(ManifestError, match=r"models/schema.yml: .*such as '30m'.* got 'soon'"):
        make_plan(project(node))


def test_reserved_arguments_are_refused() -> None:
    with pytest.raises(ConfigError, match="tag_args: 'task_id' is set by the plan"):
        argument_layers(tag_args={"x": {"task_id": "y"}})
    wish = asking(airflow={"dag": "y"})
    with pytest.raises(ManifestError, match=r"model.shop.a, .*meta.airflow: 'dag' is set by"):
        make_plan(project(model("a", orchestration=wish)))


def test_layers_that_are_no_mappings_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"group_args: expected a mapping .* got 3"):
        argument_layers(group_args={"marts": 3})  # type: ignore[dict-item]


def test_a_task_knows_what_waits_for_it() -> None:
    plan = make_plan(project(model("a"), model("b", "model.shop.a"), model("c", "model.shop.a")))
    assert plan.tasks["a"].downstream == ("b", "c")


def test_snapshots_and_seeds_are_built_and_unit_tests_are_left_to_ci() -> None:
    plan = make_plan(project(seed("s"), snapshot("h", "seed.shop.s")))
    assert edges(plan) == {"s": [], "h": ["s"]}
    assert [task.group for task in plan.tasks.values()] == [("snapshots",), ("seeds",)]


def test_the_schedule_comes_from_the_metadata_and_the_most_frequent_wins() -> None:
    daily, hourly = asking(schedule="@daily"), asking(schedule="@hourly")
    assert make_plan(project(model("a"))).schedule is None
    assert make_plan(project(model("a", orchestration=daily))).schedule == "@daily"
    both = project(model("a", orchestration=daily), model("b", orchestration=hourly))
    assert make_plan(both).schedule == "@hourly"
