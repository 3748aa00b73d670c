"""Saying what matched nothing: the expression, the part at fault, and what is like it."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from airflow_dataops.core.selection.evaluate import Evaluation
from airflow_dataops.core.selection.methods import METHODS
from airflow_dataops.core.selection.spec import (
    Criterion,
    Group,
    IndirectSelection,
    MethodName,
    Spec,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_dataops.core.selection.scope import Scope

_KINDS = (
    MethodName.EXPOSURE,
    MethodName.METRIC,
    MethodName.SAVED_QUERY,
    MethodName.SEMANTIC_MODEL,
    MethodName.SOURCE,
    MethodName.UNIT_TEST,
)
_MOST_PROPOSALS = 3


def describe_unmatched(scope: Scope, group: Group) -> str:
    """Say in one line why a group of criteria selected nothing."""
    evaluation = Evaluation(scope, IndirectSelection.EMPTY)
    criteria = list(_criteria(group, evaluation, set()))
    dead = [each for each in criteria if not evaluation.matches(each)]
    if not dead:
        reason = "its parts match nodes, but no node is in all of them"
    elif len(criteria) == 1:
        reason = _reason(scope, dead[0])
    else:
        reason = "; ".join(f"{each.text!r}: {_reason(scope, each)}" for each in dead)
    return f"{group.text!r} matches nothing ({reason})"


def _criteria(spec: Spec, evaluation: Evaluation, seen: set[int]) -> Iterator[Criterion]:
    """Yield the conditions of a spec, those of the selectors it names included, each once."""
    if id(spec) in seen:
        return
    seen.add(id(spec))
    if isinstance(spec, Group):
        for part in spec.parts:
            yield from _criteria(part, evaluation, seen)
    elif spec.method is MethodName.SELECTOR:
        yield from _criteria(evaluation.named(spec), evaluation, seen)
    else:
        yield spec


def _reason(scope: Scope, criterion: Criterion) -> str:
    if criterion.method in (MethodName.STATE, MethodName.SOURCE_STATUS):
        return "no node is in that state"
    proposals = proposals_for(scope, criterion)
    if proposals:
        return f"close to it: {', '.join(proposals)}"
    if criterion.method in _KINDS and not _has_any(scope, criterion.method):
        return f"the project has no {criterion.method.value.replace('_', ' ')}"
    what = ".".join((criterion.method.value, *criterion.arguments))
    return f"no node has {what} {criterion.pattern!r}, nor anything like it"


def _has_any(scope: Scope, method: MethodName) -> bool:
    return any(node.kind == method.value for node in scope.nodes)


def proposals_for(scope: Scope, criterion: Criterion) -> list[str]:
    """Return values like the one that matched nothing, the likeliest first."""
    known = sorted(set(METHODS[criterion.method].known(scope, criterion)))
    folded = {value.lower(): value for value in known}
    wanted = criterion.pattern.lower()
    close = difflib.get_close_matches(wanted, folded, n=_MOST_PROPOSALS, cutoff=0.7)
    return [folded[value] for value in close]
