"""The method that compares two states of a project: state:new, old, modified, unmodified.

The rules are those of dbt-core 1.11 (`same_contents` of each resource type), with its default
behaviour flags.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from airflow_dataops.core.model import NodeKind, NodeState, TestSpec
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from airflow_dataops.core.model import MacroState, Node
    from airflow_dataops.core.selection.inputs import StateComparison
    from airflow_dataops.core.selection.scope import Scope
    from airflow_dataops.core.selection.spec import Criterion

_PARTS = ("fqn", "body", "configs", "relation", "contract", "rest")
_PARTS_OF_GENERIC_TEST = ("fqn", "configs")
# To dbt the appearance of one of these is new, and not modified.
_NOT_MODIFIED_WHEN_NEW = (NodeKind.SOURCE, NodeKind.EXPOSURE)


def by_state(scope: Scope, criterion: Criterion) -> Iterable[str]:
    """`state:new`, `old`, `modified`, `unmodified`, or `modified.body` and its like."""
    if scope.inputs.state is None:
        raise ConfigError(
            f"selector {criterion.text!r} compares two states of the project, and there is none "
            "to compare with. Name the folder with an earlier manifest.json as the state "
            "(state=, --state)."
        )
    _check_same_project(scope, scope.inputs.state)
    changes = _Changes(scope.inputs.state)
    check = changes.checks.get(criterion.pattern)
    if check is None:
        raise ConfigError(
            f"selector {criterion.text!r}: state is one of {', '.join(changes.checks)}."
        )
    return [node.id for node in scope.nodes if check(node)]


def _check_same_project(scope: Scope, states: StateComparison) -> None:
    unknown = scope.project.nodes.keys() - states.now.nodes.keys()
    if unknown:
        raise ConfigError(
            f"the present state that `state:` compares does not know {min(unknown)!r}. Read it "
            f"from the same manifest as the project {scope.project.name!r}."
        )


class _Changes:
    """What changed between two states."""

    def __init__(self, states: StateComparison) -> None:
        self._now = states.now.nodes
        self._before = states.before.nodes
        self._macros = _touched_macros(states.now.macros, states.before.macros)
        self.checks: dict[str, Callable[[Node], bool]] = {
            "new": lambda node: node.id not in self._before,
            "old": lambda node: node.id in self._before,
            "modified": self._modified,
            "unmodified": lambda node: not self._modified(node),
            "modified.body": lambda node: self._differs(node, "body"),
            "modified.configs": lambda node: self._differs(node, "configs"),
            "modified.persisted_descriptions": self._description_differs,
            "modified.relation": lambda node: self._differs(node, "relation"),
            "modified.macros": self._macros_differ,
            "modified.contract": lambda node: self._differs(node, "contract"),
        }

    def _modified(self, node: Node) -> bool:
        if self._macros_differ(node):
            return True
        if node.id not in self._before:
            return node.kind not in _NOT_MODIFIED_WHEN_NEW
        if isinstance(node.spec, TestSpec) and node.spec.generic:
            return any(self._differs(node, part) for part in _PARTS_OF_GENERIC_TEST)
        return any(self._differs(node, part) for part in _PARTS) or self._description_differs(node)

    def _differs(self, node: Node, part: str) -> bool:
        now = getattr(self._state(node), part)
        if now is None:
            return False
        before = self._before.get(node.id)
        return before is None or getattr(before, part) != now

    def _description_differs(self, node: Node) -> bool:
        """Descriptions count where they are written to the warehouse."""
        if node.id not in self._before:
            return self._state(node).description is not None
        persisted = node.config.get("persist_docs") or {}
        return bool(persisted.get("relation") and self._differs(node, "description")) or bool(
            persisted.get("columns") and self._differs(node, "columns")
        )

    def _macros_differ(self, node: Node) -> bool:
        return not self._macros.isdisjoint(self._state(node).macros)

    def _state(self, node: Node) -> NodeState:
        return self._now.get(node.id, NodeState())


def _touched_macros(now: dict[str, MacroState], before: dict[str, MacroState]) -> set[str]:
    """Return the macros that changed, and those that call one of them, however deep."""
    callers = defaultdict(list)
    for id_, macro in now.items():
        for called in macro.macros:
            callers[called].append(id_)
    front = [
        id_ for id_, macro in now.items() if id_ not in before or before[id_].body != macro.body
    ]
    touched = set(front)
    while front:
        fresh = {caller for id_ in front for caller in callers[id_]} - touched
        touched |= fresh
        front = list(fresh)
    return touched
