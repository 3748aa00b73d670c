"""One project, several plans: what is where, what starts it, who tells that a table is ready."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_dataops.core.model import FreshnessSpec, SourceSpec
from airflow_dataops.core.plan import Granularity, Plan, PlanOptions, TaskKind, make_plan
from airflow_dataops.core.plan.split import split_plan
from airflow_dataops.core.plan.structs import (
    AssetsWhen,
    Cycles,
    ScheduleFrom,
    SplitBy,
    SplitOptions,
    Start,
    StartWhen,
    Unassigned,
)
from airflow_dataops.errors import ConfigError
from tests.unit.plan.projects import asking, data_test, model, project, seed, snapshot, source

if TYPE_CHECKING:
    from airflow_dataops.core.model import Node

HOURLY, DAILY, WEEKLY = (asking(schedule=f"@{word}") for word in ("hourly", "daily", "weekly"))
LAYERED = (
    model("stg_a", orchestration=HOURLY),
    data_test("a_ok", "model.shop.stg_a"),
    model("fct_b", "model.shop.stg_a", orchestration=DAILY),
    model("fct_c", "model.shop.fct_b"),
)


def m(name: str) -> str:
    return f"model.shop.{name}"


def split(*nodes: Node, by: str = "schedule", **arguments: Any) -> dict[str, Plan]:
    options = arguments.pop("options", PlanOptions())
    selections = arguments.pop("selections", None)
    wish = SplitOptions(by=SplitBy(by), **arguments)
    plans = split_plan(project(*nodes), options, wish, selections=selections)
    return {plan.part: plan for plan in plans}


def ids(plans: dict[str, Plan]) -> dict[str, list[str]]:
    return {name: sorted(plan.tasks) for name, plan in plans.items()}


def edges(plan: Plan) -> dict[str, list[str]]:
    return {task.id: list(task.upstream) for task in plan.tasks.values()}


def emitted(plan: Plan) -> dict[str, list[str]]:
    """By task: the tables whose assets it emits."""
    found = {}
    for task in plan.tasks.values():
        built = [part.relation for part in task.parts] or [task.relation]
        of_parts = built if task.parts or task.outlets is None else []
        tables = [*of_parts, *(task.outlets or ())]
        if tables := [table.identifier for table in tables if table]:
            found[task.id] = tables
    return found


def inputs(plan: Plan) -> list[tuple[str, str, str | None]]:
    return [(found.relation.identifier, found.maker, found.schedule) for found in plan.inputs]


def test_several_schedules_are_several_dags() -> None:
    plans = split(*LAYERED)
    assert ids(plans) == {
        "hourly": ["stg_a", "stg_a.test"],
        "daily": ["fct_b", "fct_c", "inputs.wait"],
    }
    assert [plan.schedule for plan in plans.values()] == ["@hourly", "@daily"]
    assert inputs(plans["daily"]) == [("stg_a", "hourly", "@hourly")]
    assert edges(plans["daily"]) == {
        "fct_b": ["inputs.wait"],
        "fct_c": ["fct_b"],
        "inputs.wait": [],
    }


@pytest.mark.parametrize("nodes", [LAYERED[:2], (model("a"), model("b", m("a")))])
def test_one_schedule_or_none_is_the_plan_of_all_of_it(nodes: tuple[Node, ...]) -> None:
    assert split(*nodes) == {"": make_plan(project(*nodes))}


def test_the_asset_on_a_boundary_is_emitted_by_the_test_that_gates_it() -> None:
    plans = split(*LAYERED)
    assert emitted(plans["hourly"]) == {"stg_a.test": ["stg_a"]}
    assert emitted(plans["daily"]) == {"fct_b": ["fct_b"], "fct_c": ["fct_c"]}


def test_tasks_have_the_ids_and_edges_of_the_whole() -> None:
    nodes = (*LAYERED, data_test("both", m("fct_b"), m("fct_c")), model("x", m("fct_c")))
    whole = edges(make_plan(project(*nodes)))
    for plan in split(*nodes, by="layer").values():
        for id_ in plan.tasks.keys() - {"inputs.wait"}:
            upstream = edges(plan)[id_]
            assert set(upstream) - {"inputs.wait"} == set(whole[id_]) & plan.tasks.keys()


def test_a_name_that_is_not_unique_has_its_hash_in_the_parts_too() -> None:
    twins = (model("a b", orchestration=HOURLY), model("a_b", orchestration=DAILY))
    whole = make_plan(project(*twins))
    parts = split(*twins)
    assert sorted(whole.tasks) == sorted(id_ for plan in parts.values() for id_ in plan.tasks)


def test_what_has_no_schedule_goes_with_its_nearest_consumer_then_producer_then_main() -> None:
    plans = split(
        model("far"),
        model("near", m("far")),
        model("h", m("near"), orchestration=HOURLY),
        model("d", m("h"), orchestration=DAILY),
        model("after", m("d")),
        model("alone"),
    )
    assert ids(plans) == {
        "hourly": ["alone", "far", "h", "near"],
        "daily": ["after", "d", "inputs.wait"],
    }


def test_of_two_consumers_as_near_the_more_frequent_one_takes_it() -> None:
    plans = split(
        seed("s"),
        model("d", "seed.shop.s", orchestration=DAILY),
        model("h", "seed.shop.s", orchestration=HOURLY),
    )
    assert ids(plans) == {"hourly": ["h", "s"], "daily": ["d", "inputs.wait"]}


def test_parts_in_a_cycle_are_refused_with_the_way_round() -> None:
    with pytest.raises(ConfigError) as error:
        split(
            model("stg", orchestration=HOURLY),
            model("dim", m("stg"), orchestration=DAILY),
            model("fct", m("dim"), orchestration=HOURLY),
            cycles=Cycles.REFUSE,
        )
    text = str(error.value)
    assert "hourly -> daily -> hourly" in text or "daily -> hourly -> daily" in text
    assert "model.shop.dim (daily) reads model.shop.stg (hourly)" in text
    assert "model.shop.fct (hourly) reads model.shop.dim (daily)" in text
    assert "split_by='none'" in text


def test_a_cycle_is_cut_and_the_plans_say_so() -> None:
    plans = split(
        model("stg", orchestration=HOURLY),
        model("dim", m("stg"), orchestration=DAILY),
        model("fct", m("dim"), m("stg"), orchestration=HOURLY),
    )
    assert ids(plans) == {
        "hourly": ["stg"],
        "daily": ["dim", "inputs.wait"],
        "hourly_2": ["fct", "inputs.wait"],
    }
    for plan in plans.values():
        (warning,) = plan.warnings
        assert "a DAG of its own: 'hourly_2' (model.shop.fct)" in warning
        assert "cycles='refuse'" in warning
    assert plans["hourly_2"].schedule == "@hourly"
    assert inputs(plans["hourly_2"]) == [
        ("dim", "daily", "@daily"),
        ("stg", "hourly", "@hourly"),
    ]


def test_a_part_that_is_cut_off_takes_nobodys_name() -> None:
    with pytest.raises(ConfigError, match="a later part of 'x' 'x_2', as another"):
        split(
            model("a", tags=("x",)),
            model("b", m("a"), tags=("y",)),
            model("c", m("b"), tags=("x",)),
            model("d", tags=("x_2",)),
            by="tag",
            cycles=Cycles.CUT,
        )


@pytest.mark.parametrize(
    ("by", "parts"),
    [
        ("tag", {"x", "y"}),
        ("owner", {"a_b.c", "main"}),
        ("layer", {"staging", "marts"}),
        ("folder", {"in", "out"}),
        ("domain", {"sales", "money"}),
        ("none", {""}),
    ],
)
def test_what_a_project_can_be_split_by(by: str, parts: set[str]) -> None:
    nodes = (
        model(
            "stg_a",
            folder="in",
            tags=("x", "z"),
            orchestration=asking(owner="a@b.c"),
            group="sales",
        ),
        model("alone_owner", folder="in", tags=("x",), group="sales", orchestration=asking())
        if by == "owner"
        else model("stg_c", folder="in", tags=("x",), group="sales"),
        model(
            "fct_b",
            m("stg_a"),
            folder="out",
            tags=("y",),
            group="sales",
            orchestration=asking(domain="money"),
        ),
    )
    assert split(*nodes, by=by).keys() == parts


def test_two_parts_of_one_name_are_refused() -> None:
    nodes = (model("a", tags=("x y",)), model("b", tags=("x_y",)))
    with pytest.raises(ConfigError, match="'x y' and 'x_y' would both be called 'x_y'"):
        split(*nodes, by="tag")


def test_crons_are_readable_in_dag_ids() -> None:
    plans = split(
        model("a", orchestration=asking(schedule="*/15 * * * *")),
        model("b", orchestration=asking(schedule="30 6 * * 1-5")),
    )
    assert plans.keys() == {"x.15_x_x_x_x", "30_6_x_x_1-5"}


def test_selectors_take_what_they_say_and_the_rest_is_a_part() -> None:
    taken = {"first": {m("stg_a")}}
    plans = split(*LAYERED, by="selectors", selections=taken)
    assert ids(plans)["first"] == ["stg_a", "stg_a.test"]
    assert [id_ for id_ in ids(plans)["rest"] if id_ != "inputs.wait"] == ["fct_b", "fct_c"]


def test_the_rest_can_be_left_out_and_lineage_passes_through() -> None:
    plans = split(
        *LAYERED,
        data_test("b_ok", m("fct_b")),
        by="selectors",
        selections={"one": {m("stg_a"), m("fct_c")}},
        unassigned=Unassigned.SKIP,
    )
    assert {name: edges(plan) for name, plan in plans.items()} == {
        "one": {"stg_a": [], "stg_a.test": ["stg_a"], "fct_c": ["stg_a.test"]}
    }


def test_selectors_that_overlap_are_refused_with_the_nodes() -> None:
    taken = {"first": {m("stg_a"), m("fct_b")}, "second": {m("fct_b"), m("fct_c")}}
    with pytest.raises(ConfigError, match=r"overlap: model\.shop\.fct_b \(first, second\)\."):
        split(*LAYERED, by="selectors", selections=taken)


def test_rest_is_not_a_name_for_a_selector() -> None:
    with pytest.raises(ConfigError, match="give that selector another"):
        split(*LAYERED, by="selectors", selections={"rest": {m("stg_a")}})


def test_sources_are_checked_in_every_part_that_reads_them() -> None:
    src = source("orders", fresh=True)
    plans = split(
        src,
        data_test("src_ok", src.id),
        model("h", src.id, orchestration=HOURLY),
        model("d", src.id, orchestration=DAILY),
    )
    checked = ["source.raw.orders.freshness", "source.raw.orders.test"]
    assert ids(plans) == {"hourly": ["h", *checked], "daily": ["d", *checked]}
    assert edges(plans["daily"])["d"] == ["source.raw.orders.test"]
    assert plans["daily"].inputs == ()


def test_a_test_of_several_runs_in_the_last_dag_and_ties_none_together() -> None:
    plans = split(
        model("h", orchestration=HOURLY),
        model("w", orchestration=WEEKLY),
        model("d", m("h"), orchestration=DAILY),
        data_test("hd", m("h"), m("d")),
        data_test("hw", m("h"), m("w")),
    )
    assert ids(plans) == {
        "hourly": ["h"],
        "weekly": ["test.hw", "w"],
        "daily": ["d", "inputs.wait", "test.hd"],
    }
    assert plans["weekly"].inputs == ()
    assert edges(plans["daily"])["test.hd"] == ["d"]


def test_a_test_of_several_gates_what_another_dag_reads_below_all_of_them() -> None:
    """The reader of one of them alone does not wait for it, as in one DAG."""
    tagged = {"tags": ("up",)}
    nodes = (
        model("a", **tagged),
        model("b", **tagged),
        model("c", **tagged),
        data_test("ab", m("a"), m("b")),
        model("below", m("a"), m("b"), tags=("down",)),
        model("beside", m("c"), tags=("down",)),
    )
    up = split(*nodes, by="tag")["up"]
    assert emitted(up) == {"c": ["c"], "test.ab": ["a", "b"]}


def test_several_gates_of_a_table_have_a_task_that_tells_of_it() -> None:
    nodes = (
        model("a", tags=("up",)),
        data_test("a_ok", m("a")),
        model("b", tags=("up",)),
        data_test("ab", m("a"), m("b")),
        model("below", m("a"), m("b"), tags=("down",)),
    )
    up = split(*nodes, by="tag")["up"]
    assert emitted(up) == {"a.ready": ["a"], "test.ab": ["b"]}
    assert edges(up)["a.ready"] == ["a", "a.test", "test.ab"]
    assert up.tasks["a.ready"].kind is TaskKind.READY
    assert set(up.tasks["a.ready"].nodes) == {"test.shop.a_ok", "test.shop.ab"}


def test_task_ids_stay_when_tests_are_added() -> None:
    before = split(*(node for node in LAYERED if not node.id.startswith("test")), by="layer")
    after = split(*LAYERED, data_test("more", m("stg_a"), m("fct_b")), by="layer")
    for name, plan in before.items():
        assert plan.tasks.keys() <= after[name].tasks.keys()


@pytest.mark.parametrize("granularity", ["chain", "layer", "dag"])
def test_fused_tasks_tell_of_a_table_when_it_is_tested(granularity: str) -> None:
    options = PlanOptions(granularity=Granularity(granularity))
    plans = split(*LAYERED, options=options)
    (task,) = plans["hourly"].tasks.values()
    assert emitted(plans["hourly"]) == {task.id: ["stg_a"]}
    assert [task.upstream for id_, task in plans["daily"].tasks.items() if "wait" not in id_] == [
        ("inputs.wait",)
    ]


def test_a_fused_task_leaves_it_to_the_test_elsewhere() -> None:
    nodes = (
        model("a", tags=("up",)),
        model("b", m("a"), tags=("up",)),
        model("c", tags=("up",)),
        data_test("bc", m("b"), m("c")),
        model("below", m("b"), m("c"), tags=("down",)),
    )
    options = PlanOptions(granularity=Granularity.CHAIN)
    up = split(*nodes, by="tag", options=options)["up"]
    assert emitted(up) == {"chain.a": ["a"], "test.bc": ["b", "c"]}


def test_metadata_of_other_parts_is_not_carried_along() -> None:
    plans = split(
        model("a", tags=("x",), orchestration=asking(airflow={"pool": "one"})),
        model("b", tags=("y",), orchestration=asking(airflow={"pool": "two"})),
        by="tag",
    )
    assert [profile.airflow for profile in plans["x"].profiles] == [{"pool": "one"}]
    assert [profile.airflow for profile in plans["y"].profiles] == [{"pool": "two"}]


def test_inputs_alone_start_a_part_that_runs_as_often_as_they_come() -> None:
    plans = split(
        model("stg_a"),
        model("int_b", m("stg_a")),
        model("fct_c", m("int_b"), orchestration=DAILY),
        by="layer",
    )
    assert {name: (plan.start, plan.schedule) for name, plan in plans.items()} == {
        "staging": (Start.TIME, "@daily"),
        "intermediate": (Start.INPUTS, None),
        "marts": (Start.INPUTS, None),
    }
    assert all("inputs.wait" not in plan.tasks for plan in plans.values())
    assert inputs(plans["marts"]) == [("int_b", "intermediate", "@daily")]


@pytest.mark.parametrize(("start_when", "waits"), [(StartWhen.ALL, True), (StartWhen.ANY, False)])
def test_a_part_that_needs_several_inputs_waits_for_the_last_of_them(
    start_when: StartWhen, waits: bool
) -> None:
    """Airflow may start it with one that is left over from the day before."""
    nodes = (
        model("a", tags=("x",)),
        model("b", tags=("y",)),
        model("c", m("a"), m("b"), tags=("z",)),
        model("d", m("c"), tags=("end",)),
    )
    plans = split(*nodes, by="tag", options=PlanOptions(start_when=start_when))
    assert plans["z"].start is Start.INPUTS
    assert ("inputs.wait" in plans["z"].tasks) is waits
    assert "inputs.wait" not in plans["end"].tasks


def test_a_schedule_of_the_callers_is_for_parts_without_inputs() -> None:
    plans = split(*LAYERED, schedules=ScheduleFrom.CALLER)
    assert {name: (plan.start, plan.schedule) for name, plan in plans.items()} == {
        "hourly": (Start.TIME, None),
        "daily": (Start.INPUTS, None),
    }


def test_every_asset_waits_for_its_tests_when_asked_for() -> None:
    options = PlanOptions(assets=AssetsWhen.TESTED)
    plan = make_plan(project(*LAYERED, data_test("bc", m("fct_b"), m("fct_c"))), options)
    assert emitted(plan) == {"stg_a.test": ["stg_a"], "test.bc": ["fct_b", "fct_c"]}


EXTERNAL = model("dim", package="other", path="", fqn=("other", "dim"))


def test_a_model_of_another_project_is_read_and_not_built() -> None:
    plan = make_plan(project(EXTERNAL, model("a", "model.other.dim", orchestration=DAILY)))
    assert edges(plan) == {"a": ["inputs.wait"], "inputs.wait": []}
    assert inputs(plan) == [("dim", "other", None)]
    assert (plan.start, plan.schedule) == (Start.TIME_AND_INPUTS, "@daily")


def test_without_a_schedule_the_other_project_starts_it() -> None:
    plan = make_plan(project(EXTERNAL, model("a", "model.other.dim")))
    assert edges(plan) == {"a": []}
    assert (plan.start, plan.schedule) == (Start.INPUTS, None)


def test_models_of_other_projects_need_not_start_it() -> None:
    nodes = (EXTERNAL, model("a", "model.other.dim"))
    plan = make_plan(project(*nodes), foreign=frozenset())
    assert (plan.start, plan.inputs) == (Start.TIME, ())


def test_a_source_that_another_dag_fills_is_checked_after_it() -> None:
    src = source("orders", fresh=True)
    assert isinstance(src.spec, SourceSpec)
    assert isinstance(src.spec.freshness, FreshnessSpec)
    nodes = (src, model("a", src.id, orchestration=DAILY))
    plan = make_plan(project(*nodes), foreign=frozenset({src.id}))
    assert edges(plan) == {
        "a": ["inputs.wait", "source.raw.orders.freshness"],
        "inputs.wait": [],
        "source.raw.orders.freshness": ["inputs.wait"],
    }
    assert inputs(plan) == [("orders", "shop", None)]


def test_parts_wait_for_other_projects_too() -> None:
    plans = split(
        EXTERNAL,
        model("a", "model.other.dim", tags=("x",)),
        model("b", m("a"), tags=("y",)),
        by="tag",
    )
    assert plans["x"].start is Start.INPUTS
    assert inputs(plans["x"]) == [("dim", "other", None)]
    assert inputs(plans["y"]) == [("a", "x", None)]


def test_snapshots_go_with_the_layer_that_reads_them() -> None:
    plans = split(
        model("stg_a"),
        snapshot("snap", m("stg_a")),
        model("fct_b", "snapshot.shop.snap"),
        by="layer",
    )
    assert ids(plans) == {"staging": ["stg_a"], "marts": ["fct_b", "snap"]}
