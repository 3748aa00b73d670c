"""What Airflow says of task instances -> what SLAs are judged by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from airflow_dataops.core.sla.facts import TaskFacts
from airflow_dataops.core.sla.misses import SubjectKind
from airflow_dataops.core.sla.policies import AfterTaskStart

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from airflow_dataops.adapters.watch.answers import Instance
    from airflow_dataops.adapters.watch.definitions import TaskInfo
    from airflow_dataops.adapters.watch.reader import AirflowReader
    from airflow_dataops.core.sla.policies import Sla
    from airflow_dataops.core.sla.watching import Watched

    Place = tuple[str, str, str, int, int]


class FirstStarts:
    """When the first tries of retried tasks began; each is asked for once."""

    def __init__(self, reader: AirflowReader) -> None:
        self._reader = reader
        self._known: dict[Place, datetime] = {}

    def of(self, each: Instance, watched: Watched) -> datetime | None:
        """Return when the first try since the last clearing began."""
        if each.began is None:
            return None
        place = (*watched.key, each.task_id, each.map_index, watched.run.clear_number)
        if place not in self._known:
            starts = [each.began]
            if each.try_number > 1:
                starts += [t.began for t in self._reader.tries(each) if t.began]
            since = watched.cleared_at
            counted = [at for at in starts if since is None or at >= since]
            if not counted:
                return each.began
            self._known[place] = min(counted)
        return self._known[place]

    def forget(self, runs: Iterable[tuple[str, str]]) -> None:
        """Drop what is known of runs that are settled."""
        gone = set(runs)
        if gone:
            self._known = {k: v for k, v in self._known.items() if k[:2] not in gone}


def needs_first_start(slas: Iterable[Sla]) -> tuple[str, ...]:
    """Return the beginnings of the ids of tasks whose first start a due time depends on."""
    own = [sla for sla in slas if isinstance(sla.due, AfterTaskStart) and sla.task_id]
    names = {f"{s.task_id}." if s.kind is SubjectKind.TASK_GROUP else f"{s.task_id}" for s in own}
    return tuple(sorted(names.union(*(sla.members for sla in own))))


def of_run_to_come(task_ids: Iterable[str], slas: Iterable[Sla]) -> list[TaskFacts]:
    """Return the tasks of a run that does not exist: none has begun."""
    found = [TaskFacts(task_id=id_) for id_ in task_ids]
    for sla in slas:
        if (
            sla.kind is SubjectKind.TASK_GROUP
            and not sla.members
            and not any(each.task_id.startswith(f"{sla.task_id}.") for each in found)
        ):
            found.append(TaskFacts(task_id=f"{sla.task_id}.?"))
    return found


def with_neighbours(
    own: Sequence[TaskFacts], others: Iterable[TaskFacts], tasks: Mapping[str, TaskInfo]
) -> list[TaskFacts]:
    """Add the tasks that may block, and say whom each waits for and who owns it."""
    all_ = {(each.task_id, each.map_index): each for each in (*others, *own)}
    return [
        replace(each, upstream=info.upstream, owner=info.owner)
        if (info := tasks.get(each.task_id))
        else each
        for each in all_.values()
    ]
