"""What starts the DAGs of a split project: time, fresh inputs, or both.

A part without inputs runs at its schedule; where it has none, at the most frequent one of what
reads from it, else at the project's. A part with inputs is started by them. Where it has a
schedule that is not that of all its inputs, it starts at its time, and then waits for its inputs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from airflow_dataops.core.plan.schedule import rank
from airflow_dataops.core.plan.structs import Start

if TYPE_CHECKING:
    from collections.abc import Mapping, Set


class Starting(NamedTuple):
    """What starts a part.

    Attributes:
        schedule: of its DAG; None for none, or for inputs alone.
        pace: how often it runs; None where nobody knows.
    """

    start: Start
    schedule: str | None
    pace: str | None


def starts_of(
    makers: Mapping[str, Set[str]],
    own: Mapping[str, str | None],
    foreign: Set[str],
    default: str | None = None,
) -> dict[str, Starting]:
    """Tell what starts each part.

    Args:
        makers: the parts that a part reads from; parts in an order in which they may run.
        own: the schedule that the metadata of a part's nodes asks for.
        foreign: parts that wait for tables of other projects.
        default: the schedule of the project.
    """
    wanted = _demands(makers, own)
    found: dict[str, Starting] = {}
    for part, before in makers.items():
        paces = {found[other].pace for other in before}
        if part in foreign:
            paces.add(None)
        found[part] = _starting(own[part], paces) if paces else _timed(wanted[part] or default)
    return found


def _demands(
    makers: Mapping[str, Set[str]], own: Mapping[str, str | None]
) -> dict[str, str | None]:
    """Return the schedule of each part, else the most frequent one of what reads from it."""
    wanted = dict(own)
    asked: dict[str, set[str]] = {part: set() for part in makers}
    for part in reversed(list(makers)):
        if wanted[part] is None and asked[part]:
            wanted[part] = min(asked[part], key=rank)
        if (schedule := wanted[part]) is not None:
            for other in makers[part]:
                asked[other].add(schedule)
    return wanted


def _timed(schedule: str | None) -> Starting:
    return Starting(Start.TIME, schedule, schedule)


def _starting(own: str | None, paces: Set[str | None]) -> Starting:
    """Tell what starts a part whose inputs come at these paces."""
    if own is None:
        return Starting(Start.INPUTS, None, next(iter(paces)) if len(paces) == 1 else None)
    if paces == {own}:
        return Starting(Start.INPUTS, None, own)
    return Starting(Start.TIME_AND_INPUTS, own, own)
