"""Laws that hold for any project, and how the time grows with it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_dataops.core.model import ModelSpec, Node, NodeKind, Project
from airflow_dataops.core.selection import NodeSelector, OnEmpty, select_nodes

pytestmark = pytest.mark.filterwarnings("ignore::airflow_dataops.core.selection.SelectionWarning")
SIZE = 12


def project_of(parents: list[set[int]]) -> Project:
    """Make models m0, m1, ... of which each reads from some earlier ones."""
    names = [f"m{number}" for number in range(len(parents))]
    return Project(
        name="p",
        nodes={
            f"model.p.{name}": Node(
                id=f"model.p.{name}",
                kind=NodeKind.MODEL,
                name=name,
                package="p",
                spec=ModelSpec(),
                fqn=("p", name),
                path=f"models/{name}.sql",
                parents=tuple(sorted(f"model.p.m{parent}" for parent in parents[number])),
            )
            for number, name in enumerate(names)
        },
    )


@st.composite
def projects(draw: st.DrawFn) -> Project:
    """Draw an acyclic project."""
    return project_of(
        [
            draw(st.sets(st.integers(0, max(number - 1, 0)), max_size=3)) if number else set()
            for number in range(SIZE)
        ]
    )


def criteria() -> st.SearchStrategy[str]:
    """Draw a criterion that matches something."""
    name = st.integers(0, SIZE - 1).map("m{}".format)
    depth = st.sampled_from(["", "", "+", "1+", "2+"])
    back = st.sampled_from(["", "", "+", "+1", "+2"])
    walks = st.builds("{}{}{}".format, depth, name, back)
    return st.one_of(walks, name.map("@{}".format), st.just("m[1-3]"))


def chosen(project: Project, select: str, exclude: str | None = None) -> frozenset[str]:
    return select_nodes(project, select, exclude, on_empty=OnEmpty.WARN)


@given(projects(), criteria(), criteria())
def test_set_operators_are_those_of_sets(project: Project, one: str, other: str) -> None:
    """Union, intersection and difference, whatever the parts are."""
    left, right = chosen(project, one), chosen(project, other)
    assert chosen(project, f"{one} {other}") == left | right
    assert chosen(project, f"{one},{other}") == left & right
    assert chosen(project, one, other) == left - right


@given(projects(), st.integers(0, SIZE - 1))
def test_walks_are_steps_repeated(project: Project, number: int) -> None:
    """Three steps are one step from two steps, and all steps are as many as there are nodes."""
    one, two, three = (chosen(project, f"{depth}+m{number}") for depth in (1, 2, 3))
    parents = {parent for id_ in two for parent in project.nodes[id_].parents}
    assert three == two | parents
    assert one <= two <= three
    assert chosen(project, f"+m{number}") == chosen(project, f"{SIZE}+m{number}")


@given(projects(), st.integers(0, SIZE - 1), st.integers(0, SIZE - 1))
def test_up_is_the_reverse_of_down(project: Project, one: int, other: int) -> None:
    """Who is upstream of whom does not depend on where one starts."""
    below = f"model.p.m{other}" in chosen(project, f"m{one}+")
    assert below == (f"model.p.m{one}" in chosen(project, f"+m{other}"))


@given(projects(), st.integers(0, SIZE - 1))
def test_at_sign(project: Project, number: int) -> None:
    """`@x` can be built: no parent is missing but those of x's own ancestors."""
    ids = chosen(project, f"@m{number}")
    assert all(set(project.nodes[id_].parents) <= ids for id_ in ids)
    assert ids == chosen(project, " ".join(f"+{id_[8:]}" for id_ in chosen(project, f"m{number}+")))


def test_twenty_thousand_nodes() -> None:
    """Indexes and a walk through all of it take well under a second; one more name, nothing."""
    project = project_of([{n - 1, n // 2, n // 3} - {n} if n else set() for n in range(20_000)])
    began = time.process_time()
    selector = NodeSelector(project)
    assert len(selector.select("+m9999+")) == 20_000
    assert time.process_time() - began < 1
    began = time.process_time()
    assert len(selector.select(" ".join(f"m{number}" for number in range(300)))) == 300
    assert time.process_time() - began < 0.5
