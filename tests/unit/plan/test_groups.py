"""TaskGroups: what they stand for, and that they form no cycle."""

from __future__ import annotations

from graphlib import TopologicalSorter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_dataops.core.model import Relation
from airflow_dataops.core.plan import GroupBy, PlanOptions, make_plan
from airflow_dataops.core.plan.acyclic import acyclic_groups
from airflow_dataops.core.plan.groups import group_of, layer_of
from tests.unit.plan.projects import model, project, snapshot


@pytest.mark.parametrize(
    ("name", "folder", "schema", "layer"),
    [
        ("stg_orders", "x", "main", "staging"),
        ("fct_orders", "staging", "main", "marts"),
        ("dim_date", "x", "main", "marts"),
        ("orders", "intermediate", "main", "intermediate"),
        ("orders", "x", "analytics_marts", "marts"),
        ("staging", "x", "main", "models"),
        ("orders", "x", "main", "models"),
    ],
)
def test_the_prefix_tells_the_layer_then_the_folder_then_the_schema(
    name: str, folder: str, schema: str, layer: str
) -> None:
    relation = Relation(schema=schema, identifier=name)
    assert layer_of(model(name, folder=folder, relation=relation)) == layer


def test_groups_by_folder_nest() -> None:
    node = model("a", fqn=("shop", "marts", "finance", "a"), tags=("t", "u"))
    assert group_of(node, GroupBy.FOLDER) == ("marts", "finance")
    assert group_of(node, GroupBy.TAG) == ("t",)
    assert group_of(node, GroupBy.SCHEMA) == ("main",)
    assert group_of(node, GroupBy.NONE) == ()


def test_a_snapshot_between_staging_models_cuts_the_group_in_two() -> None:
    nodes = project(
        model("stg_a"),
        snapshot("h", "model.shop.stg_a"),
        model("stg_b", "snapshot.shop.h"),
        model("fct_c", "model.shop.stg_b"),
    )
    plan = make_plan(nodes, PlanOptions())
    assert {task.id: task.group for task in plan.tasks.values()} == {
        "stg_a": ("staging",),
        "h": ("snapshots",),
        "stg_b": ("staging_2",),
        "fct_c": ("marts",),
    }


@st.composite
def graphs(draw: st.DrawFn) -> tuple[dict[str, tuple[str, ...]], dict[str, list[str]]]:
    count = draw(st.integers(1, 14))
    names = [f"t{i}" for i in range(count)]
    groups = st.lists(st.sampled_from("ABC"), max_size=2).map(tuple)
    paths = {name: draw(groups) for name in names}
    upstream = {
        name: draw(st.lists(st.sampled_from(names[:i]), unique=True)) if i else []
        for i, name in enumerate(names)
    }
    return paths, upstream


@given(graphs())
def test_no_level_of_groups_ever_forms_a_cycle(
    graph: tuple[dict[str, tuple[str, ...]], dict[str, list[str]]],
) -> None:
    """Whatever the tasks: what stands side by side in a group can be sorted."""
    paths, upstream = graph
    untangled = acyclic_groups(paths, upstream)
    assert untangled.keys() == paths.keys()
    for depth in range(3):
        siblings = {task: (*path, task)[: depth + 1] for task, path in untangled.items()}
        level: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
        for task, key in siblings.items():
            for other in upstream[task]:
                if siblings[other] != key and siblings[other][:depth] == key[:depth]:
                    level.setdefault(key, set()).add(siblings[other])
        list(TopologicalSorter(level).static_order())


@given(graphs())
def test_groups_without_a_cycle_stay_as_they_are(
    graph: tuple[dict[str, tuple[str, ...]], dict[str, list[str]]],
) -> None:
    """One group for all tasks cannot form a cycle."""
    paths, upstream = graph
    one = dict.fromkeys(paths, ("A",))
    assert acyclic_groups(one, upstream) == one
