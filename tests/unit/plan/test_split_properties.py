"""Whatever the graph: no task, edge or gate of the whole project is lost between the parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_dataops.core.plan import Plan, PlanOptions, SplitBy, SplitOptions, TaskKind, make_plan
from airflow_dataops.core.plan.split import split_plan
from airflow_dataops.core.plan.structs import Cycles, Granularity
from tests.unit.plan.projects import data_test, model, project

if TYPE_CHECKING:
    from airflow_dataops.core.model import Node, Project

MANY = settings(max_examples=400, deadline=None)
GRANULARITIES = st.sampled_from(list(Granularity))


@st.composite
def projects(draw: st.DrawFn) -> Project:
    """Some models with tags that mostly rise along the edges, and tests of one or two."""
    count = draw(st.integers(2, 9))
    nodes: list[Node] = []
    for number in range(count):
        earlier = st.sets(st.integers(0, number - 1), max_size=3) if number else st.just(set())
        parents = [f"model.shop.m{other}" for other in sorted(draw(earlier))]
        tags = draw(st.sampled_from([(), (f"t{number * 3 // count}",), ("t1",)]))
        kind = draw(st.sampled_from(["table", "table", "table", "ephemeral"]))
        nodes.append(model(f"m{number}", *parents, tags=tags, materialized=kind))
    tested = st.sets(st.integers(0, count - 1), min_size=1, max_size=2)
    for number, chosen in enumerate(draw(st.lists(tested, max_size=4))):
        nodes.append(data_test(f"t{number}", *(f"model.shop.m{other}" for other in sorted(chosen))))
    return project(*nodes)


def parts_of(found: Project, granularity: Granularity) -> tuple[Plan, ...]:
    options = PlanOptions(granularity=granularity)
    return split_plan(found, options, SplitOptions(by=SplitBy.TAG, cycles=Cycles.CUT))


def ancestors(plan: Plan, id_: str) -> set[str]:
    found: set[str] = set()
    waiting = [id_]
    while waiting:
        task = plan.tasks[waiting.pop()]
        if task.id not in found:
            found |= {task.id, *(part.id for part in task.parts)}
            waiting += task.upstream
    return found


def emitters(plan: Plan) -> dict[str, str]:
    """By table: the task that emits its asset; a second one would be an error."""
    found: dict[str, str] = {}
    for task in plan.tasks.values():
        built = [part.relation for part in task.parts]
        if not task.parts and task.outlets is None:
            built = [task.relation]
        for table in [*built, *(task.outlets or ())]:
            if table is not None:
                assert table.identifier not in found
                found[table.identifier] = task.id
                assert table.identifier in ancestors(plan, task.id)
    return found


@given(projects())
def test_every_task_of_the_whole_is_in_one_part(found: Project) -> None:
    plans = parts_of(found, Granularity.NODE)
    whole = make_plan(found)
    added = {TaskKind.READY, TaskKind.WAIT}
    ids = [t.id for plan in plans for t in plan.tasks.values() if t.kind not in added]
    assert sorted(ids) == sorted(whole.tasks)


@MANY
@given(projects(), GRANULARITIES)
def test_what_gates_a_task_in_the_whole_gates_it_or_its_inputs(
    found: Project, granularity: Granularity
) -> None:
    """For each build: every task it waited for is above it, or above what emits an input."""
    plans = parts_of(found, granularity)
    whole = make_plan(found)
    told = {table: (plan, id_) for plan in plans for table, id_ in emitters(plan).items()}
    for plan in plans:
        vouched: set[str] = set()
        for needed in plan.inputs:
            maker, id_ = told[needed.relation.identifier]
            assert maker.part == needed.maker != plan.part
            vouched |= ancestors(maker, id_)
        for task in plan.tasks.values():
            for mine in [part.id for part in task.parts] or [task.id]:
                if mine in whole.tasks and whole.tasks[mine].kind is TaskKind.BUILD:
                    waited = set(whole.tasks[mine].upstream)
                    assert waited <= ancestors(plan, task.id) | vouched, (mine, waited)


@given(projects(), GRANULARITIES)
def test_the_dags_form_no_cycle(found: Project, granularity: Granularity) -> None:
    seen: set[str] = set()
    for plan in parts_of(found, granularity):
        assert {needed.maker for needed in plan.inputs} <= seen
        seen.add(plan.part)


@given(projects(), GRANULARITIES)
def test_the_order_of_nodes_does_not_count(found: Project, granularity: Granularity) -> None:
    turned = project(*reversed(found.nodes.values()))
    assert parts_of(turned, granularity) == parts_of(found, granularity)
