"""Hooks around a run: read in dbt's order, planned before and after everything else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_dataops.core.model import Project, RunMoment
from airflow_dataops.core.plan import Engine, Granularity, make_plan, plan_options, split_plan
from airflow_dataops.core.plan.graph import topological
from airflow_dataops.core.plan.structs import Plan, SplitBy, SplitOptions
from airflow_dataops.errors import ManifestError
from tests.unit.manifests.built import entry, macro, model, read

START, END, OUTCOME = "hooks.on_run_start", "hooks.on_run_end", "hooks.outcome"


def hook(
    moment: str, index: int = 0, sql: str = "select 1", package: str = "shop", **fields: Any
) -> dict[str, Any]:
    id_ = f"operation.{package}.{package}-on-run-{moment}-{index}"
    tags = [f"on-run-{moment}"]
    return {id_: entry(id_, raw_code=sql, tags=tags, **{"compiled_code": None} | fields)}


def planned(*nodes: dict[str, Any], rest: Any = None, **options: Any) -> Plan:
    every = {id_: node for each in nodes for id_, node in each.items()}
    return make_plan(read(every, **rest or {}).project, plan_options(**options))


def refused(*nodes: dict[str, Any], **options: Any) -> str:
    with pytest.raises(ManifestError) as caught:
        planned(*nodes, **options)
    return str(caught.value)


def test_hooks_run_in_dbts_order() -> None:
    """The project's, then those of packages by name; each by its place, of which 10 is after 9."""
    nodes = {
        **hook("end", 10),
        **hook("end", 9),
        **hook("start", package="zoo"),
        **hook("start"),
        **hook("start", package="bar"),
    }
    found = read({**model(), **nodes}).project.run_hooks
    start = [h.id for h in found if h.moment is RunMoment.START]
    assert start == [f"operation.{p}.{p}-on-run-start-0" for p in ("shop", "bar", "zoo")]
    end = [h.id[-2:] for h in found if h.moment is RunMoment.END]
    assert end == ["-9", "10"]


def test_a_hook_of_sql_runs_by_sql_around_everything() -> None:
    nodes = (model("a"), model("b"), hook("start"), hook("end"))
    tasks = planned(*nodes).tasks
    assert tasks["a"].upstream == tasks["b"].upstream == (START,)
    assert tasks[END].upstream == ("a", "b")
    assert tasks[OUTCOME].upstream == ("a", "b", END)
    assert {tasks[id_].engine for id_ in (START, END, OUTCOME)} == {Engine.SQL}
    assert planned(*nodes, run_hooks="skip").tasks.keys() == {"a", "b"}


@pytest.mark.parametrize("granularity", list(Granularity))
def test_they_are_tasks_of_their_own_however_coarse_the_others(granularity: str) -> None:
    tasks = planned(model("a"), hook("start"), hook("end"), granularity=granularity).tasks
    assert len(tasks) == 4
    assert [builder.nodes for builder in tasks[END].around] == [("model.shop.a",)]


def test_a_hook_with_jinja_goes_to_dbt_with_all_of_its_moment() -> None:
    jinja = hook("start", 1, "{{ make_udfs() }}")
    tasks = planned(model(), hook("start"), jinja, hook("end")).tasks
    assert tasks[START].engine is Engine.DBT
    assert len(tasks[START].nodes) == 2
    assert "no compiled code" in tasks[START].reason
    assert tasks[END].engine is Engine.SQL
    assert "engine='sql' cannot run Jinja" in refused(model(), jinja, engine="sql")


def test_what_dbt_compiled_runs_by_sql_unless_it_is_of_the_moment() -> None:
    compiled = hook("end", 0, "grant on {{ target.schema }}", compiled_code="grant on main")
    manifest = read({**model(), **compiled})
    assert manifest.code["operation.shop.shop-on-run-end-0"].sql == "grant on main"
    assert planned(model(), compiled).tasks[END].engine is Engine.SQL
    asking = hook("end", 0, "{% do run_query('x') %}", compiled_code="")
    assert "asks the warehouse" in planned(model(), asking).tasks[END].reason


@pytest.mark.parametrize(
    ("sql", "engine"),
    [
        ("{% for s in schemas %}grant {{ s }};{% endfor %}", Engine.DBT),
        ("{% for d, s in database_schemas %}{{ s }};{% endfor %}", Engine.DBT),
        ("{% set schemas = ['a'] %}{{ schemas[0] }}", Engine.SQL),
        ("select 'schemas' -- {{ target.schema }}", Engine.SQL),
    ],
)
def test_only_dbt_is_told_the_schemas_of_the_run(sql: str, engine: Engine) -> None:
    """dbt renders them to nothing when it compiles: such code must not run."""
    tasks = planned(model(), hook("end", 0, sql, compiled_code="select 1")).tasks
    assert tasks[END].engine is engine


def test_results_are_refused_with_what_to_do_each_hook_of_them() -> None:
    own = hook("end", 0, "{{ upload(results) }}", compiled_code="")
    macros = macro("macro.shop.grants", "{% macro grants() %}{{ schemas }}{% endmacro %}")
    calls = {"depends_on": {"nodes": [], "macros": ["macro.shop.grants"]}}
    by_macro = hook("end", 1, "{{ grants() }}", compiled_code="", **calls)
    with pytest.raises(ManifestError) as caught:
        planned(model(), own, by_macro, rest={"macros": macros}, engine="dbt")
    first, second = map(str, caught.value.problems)
    assert "it reads results, which dbt has of its own run only" in first
    assert "run_hooks='skip'" in first
    assert "schemas in shop.grants" in second


def test_without_dbt_the_manifest_is_refused_with_the_hook() -> None:
    unavailable = {Engine.DBT: "install it"}
    said = refused(model(), hook("end", 0, "{{ x() }}"), unavailable=unavailable)
    assert "operation.shop.shop-on-run-end-0" in said
    assert "but install it; or load the manifest with run_hooks='skip'" in said


def test_a_manifest_compiled_before_hooks_ran_is_not_trusted() -> None:
    """It holds what `schemas` rendered to at the compile, and not that it was asked for."""
    older = hook("end", 0, "", compiled_code="select 1")
    project = read({**model(), **older}, metadata={"dataops": {"version": 2}}).project
    (found,) = project.run_hooks
    assert "compile it again" in found.unsupported[0]


def test_a_split_project_has_hooks_around_each_part_and_says_so() -> None:
    nodes = {**hook("start"), **hook("end")}
    for name in ("a", "b"):
        nodes |= model(name, tags=[name])
    plans = split_plan(read(nodes).project, plan_options(), SplitOptions(by=SplitBy.TAG))
    assert [{START, END, OUTCOME} <= plan.tasks.keys() for plan in plans] == [True, True]
    assert [[b.task for b in plan.tasks[END].around] for plan in plans] == [["a"], ["b"]]
    assert "run around each of the DAGs" in plans[0].warnings[0]


def test_a_changed_hook_is_another_fingerprint() -> None:
    found = {
        planned(model(), hook("start", 0, sql)).tasks[START].fingerprint
        for sql in ("select 1", "select 2")
    }
    assert len(found) == 2


def test_no_model_takes_the_id_of_a_hook() -> None:
    tasks = planned(model("hooks.on_run_end"), hook("end")).tasks
    (node,) = (t for t in tasks.values() if "model.shop.hooks.on_run_end" in t.nodes)
    assert node.id != END
    assert tasks[END].upstream == (node.id,)


@given(
    edges=st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=12),
    granularity=st.sampled_from(list(Granularity)),
)
def test_every_task_is_between_the_hooks(
    edges: list[tuple[int, int]], granularity: Granularity
) -> None:
    """Whatever the graph: all is after the start, and the end and the outcome wait for all."""
    nodes: dict[str, Any] = {**hook("start"), **hook("end")}
    for i in range(8):
        parents = [f"model.shop.m{a}" for a, b in edges if b == i and a < i]
        made = model(f"m{i}")
        made[f"model.shop.m{i}"]["depends_on"]["nodes"] = parents
        nodes |= made
    project: Project = read(nodes).project
    assert len(topological(project)) == 8
    tasks = make_plan(project, plan_options(granularity=granularity)).tasks

    def above(id_: str) -> set[str]:
        found, open_ = set(), [id_]
        while open_:
            for other in tasks[open_.pop()].upstream:
                if other not in found:
                    found.add(other)
                    open_.append(other)
        return found

    inner = tasks.keys() - {START, END, OUTCOME}
    assert all(START in above(id_) for id_ in inner)
    assert above(END) == inner | {START}
    last = inner - {up for id_ in inner for up in tasks[id_].upstream}
    # Directly, so that a failure before the hooks at the end is not hidden by their success.
    assert set(tasks[OUTCOME].upstream) == last | {END}
