"""Selections of which nothing runs: a DAG without tasks is green, and does nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence, Set

    from airflow_dataops.core.plan.structs import Plan

REMEDY = "Select what is built or tested"
_NAMED = 3


def idle_selections(
    plans: Sequence[Plan],
    selected: Set[str] | None,
    selections: Mapping[str, Set[str]] | None = None,
) -> Iterator[str]:
    """Yield a sentence for each selection that leaves a DAG without tasks.

    What selects nothing at all is told of where it is selected.

    Args:
        plans: all DAGs of the project.
        selected: ids of what the whole was narrowed to; None for everything.
        selections: ids of what each part takes, by what it is called in messages.
    """
    run = {id_ for plan in plans for task in plan.tasks.values() for id_ in task.nodes}
    if selected and selected.isdisjoint(run):
        yield _idle("the selection", selected)
        return
    for name, taken in (selections or {}).items():
        left = taken if selected is None else taken & selected
        if left and left.isdisjoint(run):
            yield _idle(name, left)
        elif taken and not left:
            yield (
                f"{name} leaves a DAG without tasks: it takes {_some(taken)}, which select and "
                "exclude of the whole leave out."
            )


def _idle(what: str, ids: Set[str]) -> str:
    return (
        f"{what} leaves a DAG without tasks: {_some(ids)} run nowhere by themselves, as ephemeral "
        "models, exposures, unit tests and sources without freshness do not."
    )


def _some(ids: Set[str]) -> str:
    return ", ".join(sorted(ids)[:_NAMED]) + (", ..." if len(ids) > _NAMED else "")
