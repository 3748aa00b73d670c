"""Parents and cycles."""

from __future__ import annotations

import time
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from airflow_dataops.core.manifests.graph import cycles, parents_within
from tests.pace import at_most
from tests.unit.manifests.built import complaint, entry, manifest, read, refused


def nodes(**parents: str) -> dict[str, dict[str, object]]:
    """Return models with the parents named, one letter each."""
    return {
        f"model.shop.{name}": entry(
            f"model.shop.{name}",
            depends_on={"nodes": [f"model.shop.{parent}" for parent in names]},
        )
        for name, names in parents.items()
    }


def test_parents_are_sorted_without_repeats_or_strangers() -> None:
    found = read(nodes(a="", b="", c="babax")).project.nodes
    assert found["model.shop.c"].parents == ("model.shop.a", "model.shop.b")


def test_lineage_passes_through_functions_and_metrics() -> None:
    """They are no nodes, but what they read is read by what uses them."""
    used = nodes(a="", b="") | {
        "model.shop.c": entry("model.shop.c", depends_on={"nodes": ["function.shop.f"]})
    }
    exposure = {"name": "e", "depends_on": {"nodes": ["metric.shop.m", "metric.shop.m"]}}
    found = read(
        used,
        functions={"function.shop.f": {"depends_on": {"nodes": ["model.shop.a"]}}},
        metrics={"metric.shop.m": {"depends_on": {"nodes": ["semantic_model.shop.s"]}}},
        semantic_models={
            "semantic_model.shop.s": {"depends_on": {"nodes": ["model.shop.b", "metric.shop.m"]}}
        },
        exposures={"exposure.shop.e": exposure},
    ).project.nodes
    assert found["model.shop.c"].parents == ("model.shop.a",)
    assert found["exposure.shop.e"].parents == ("model.shop.b",)


def test_parents_within_does_not_loop() -> None:
    assert parents_within(["x"], {"a"}, {"x": ["y", "a"], "y": ["x"]}) == ("a",)


def test_a_cycle_is_named_as_a_path() -> None:
    assert complaint(manifest(nodes(a="b", b="c", c="a", d="a"))) == (
        "model.shop.a: circular dependency: model.shop.a -> model.shop.b -> model.shop.c -> "
        "model.shop.a, each reads the next. Remove one of these references."
    )


def test_a_model_that_reads_itself_is_a_cycle() -> None:
    assert "model.shop.a -> model.shop.a, each" in complaint(manifest(nodes(a="a")))


def test_every_knot_is_told_once_by_a_shortest_path() -> None:
    problems = refused(manifest(nodes(a="bc", b="c", c="ad", d="a", x="y", y="xa")))
    assert [problem.message.split(",")[0] for problem in problems] == [
        "circular dependency: model.shop.a -> model.shop.c -> model.shop.a",
        "circular dependency: model.shop.x -> model.shop.y -> model.shop.x",
    ]


def test_cycles_come_with_the_other_problems() -> None:
    wrong = nodes(a="a")
    wrong["model.shop.a"]["meta"] = {"sla_hours": "soon"}
    assert len(refused(manifest(wrong))) == 2


def test_a_chain_of_20_000_is_walked_without_recursion() -> None:
    names = [f"n{number:05}" for number in range(20_000)]
    chain = {child: (parent,) for child, parent in pairwise(names)} | {names[-1]: ()}
    started = time.perf_counter()
    assert cycles(chain) == []
    chain[names[-1]] = (names[0],)
    (problem,) = cycles(chain)
    assert problem.message.count(" -> ") == 20_000
    assert time.perf_counter() - started < at_most(5)


GRAPHS = st.dictionaries(
    st.integers(0, 7).map(str), st.lists(st.integers(0, 7).map(str), max_size=4), max_size=8
)


@given(GRAPHS)
def test_a_cycle_is_found_just_where_there_is_one(graph: dict[str, list[str]]) -> None:
    """Held against the plain way: a node that can be reached from itself."""
    parents = {
        id_: tuple(parent for parent in ids if parent in graph) for id_, ids in graph.items()
    }

    def reach(start: str) -> set[str]:
        found: set[str] = set()
        waiting = list(parents[start])
        while waiting:
            if (id_ := waiting.pop()) not in found:
                found.add(id_)
                waiting.extend(parents[id_])
        return found

    knots = {frozenset(x for x in reach(n) if n in reach(x)) for n in parents if n in reach(n)}
    problems = cycles(parents)
    assert len(problems) == len(knots)
    for problem in problems:
        path = problem.message.removeprefix("circular dependency: ").split(",")[0].split(" -> ")
        assert path[0] == path[-1] == min(path)
        assert all(parent in parents[child] for child, parent in pairwise(path))
