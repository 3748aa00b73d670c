"""Spec -> nodes, with the tests that join by way of their parents.

The order of steps is dbt's: what a criterion matches, then its graph operators, then tests,
then set operators, which may let in tests that waited for a parent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.model import NodeKind
from airflow_dataops.core.selection.methods import METHODS
from airflow_dataops.core.selection.spec import (
    Criterion,
    Group,
    IndirectSelection,
    MethodName,
    Selected,
    SetOperator,
    Spec,
)
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_dataops.core.selection.scope import Scope

_TESTS = (NodeKind.TEST, NodeKind.UNIT_TEST)
_COMBINE: dict[SetOperator, Callable[..., set[str]]] = {
    SetOperator.UNION: set.union,
    SetOperator.INTERSECTION: set.intersection,
    SetOperator.DIFFERENCE: set.difference,
}


class Evaluation:
    """One evaluation of a spec in a scope.

    Attributes:
        unmatched: the groups that were expected to match something and did not.
    """

    def __init__(self, scope: Scope, indirect: IndirectSelection) -> None:
        self._scope = scope
        self._graph = scope.graph
        self._nodes = scope.project.nodes
        self._indirect = indirect
        self.unmatched: list[Group] = []
        self._known: dict[int, Selected] = {}

    def run(self, spec: Spec) -> Selected:
        """Return what a spec selects.

        Raises:
            ConfigError: a criterion's value is not one that its method takes, or what the
                method needs (an earlier state, results) is missing.
        """
        # Named selectors share their parts: 40 that each name the one above twice are 2**40.
        if id(spec) not in self._known:
            selected = self._group(spec) if isinstance(spec, Group) else self._criterion(spec)
            self._known[id(spec)] = selected
        return self._known[id(spec)]

    def matches(self, criterion: Criterion) -> set[str]:
        """Return what a criterion matches before graph operators and tests."""
        if criterion.method is MethodName.SELECTOR:
            return self.run(self.named(criterion)).direct
        return set(METHODS[criterion.method].find(self._scope, criterion))

    def named(self, criterion: Criterion) -> Spec:
        """Return the named selector that a criterion means."""
        definitions, broken = self._scope.selectors.definitions, self._scope.selectors.broken
        if criterion.pattern in broken:
            raise ConfigError(broken[criterion.pattern])
        if criterion.pattern in definitions:
            return definitions[criterion.pattern]
        known = ", ".join(sorted(definitions)) or "none"
        raise ConfigError(
            f"selector {criterion.text!r}: no selector has that name. Known selectors: {known}."
        )

    def _criterion(self, criterion: Criterion) -> Selected:
        if criterion.method is MethodName.SELECTOR and not criterion.walks:
            return self.run(self.named(criterion))
        selected = self.matches(criterion)
        additional: set[str] = set()
        if criterion.childrens_parents:
            additional |= self._graph.with_childrens_parents(selected)
        additional |= self._graph.ancestors(selected, criterion.parents)
        additional |= self._graph.descendants(selected, criterion.children)
        return self._with_tests(selected | additional, criterion.indirect or self._indirect)

    def _with_tests(self, selected: set[str], indirect: IndirectSelection) -> Selected:
        if indirect is IndirectSelection.EMPTY:
            return Selected(selected, set())
        direct, waiting = set(selected), set()
        enough = self._enough_for_tests(selected, indirect)
        for test in self._tests_of(selected) - selected:
            if indirect is IndirectSelection.EAGER or enough.issuperset(self._graph.parents(test)):
                direct.add(test)
            else:
                waiting.add(test)
        return Selected(direct, waiting)

    def _enough_for_tests(self, selected: set[str], indirect: IndirectSelection) -> set[str]:
        """Return what a test may read from to be let in."""
        if indirect is not IndirectSelection.BUILDABLE:
            return selected
        sources = {node.id for node in self._scope.of_kind(NodeKind.SOURCE)}
        return selected | self._graph.ancestors(selected) | sources

    def _tests_of(self, ids: set[str]) -> set[str]:
        children = {child for id_ in ids for child in self._graph.children(id_)}
        return {id_ for id_ in children if self._nodes[id_].kind in _TESTS}

    def _group(self, group: Group) -> Selected:
        parts = [self.run(part) for part in group.parts]
        combine = _COMBINE[group.operator]
        direct = combine(*(part.direct for part in parts)) if parts else set()
        reached = combine(*(part.direct | part.waiting for part in parts)) if parts else set()
        direct = self._let_in(direct, reached, group.indirect or self._indirect)
        if group.expected and not direct:
            self.unmatched.append(group)
        return Selected(direct, reached)

    def _let_in(self, direct: set[str], reached: set[str], indirect: IndirectSelection) -> set[str]:
        """Add the tests whose parents were brought together by a set operator."""
        if indirect is IndirectSelection.CAUTIOUS:
            enough = direct
        elif indirect is IndirectSelection.BUILDABLE:
            enough = direct | self._graph.ancestors(direct)
        else:
            return direct
        admitted = set(direct)
        for id_ in reached - direct:
            if self._nodes[id_].kind is not NodeKind.UNIT_TEST and enough.issuperset(
                self._graph.parents(id_)
            ):
                admitted.add(id_)
        return admitted
