"""The SLAs of DAGs and the tasks that these are about, read seldom and kept."""

from __future__ import annotations

import logging
from collections import defaultdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from airflow_dataops.core.masking import mask
from airflow_dataops.core.model import Struct
from airflow_dataops.core.sla.declared import KEY, slas_from_json
from airflow_dataops.core.sla.due import zone_of
from airflow_dataops.core.sla.misses import SubjectKind
from airflow_dataops.core.sla.policies import ByTime, Sla
from airflow_dataops.core.sla.rules import groups_of
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from airflow_dataops.adapters.watch.answers import Details
    from airflow_dataops.adapters.watch.reader import AirflowReader
    from airflow_dataops.core.sla.rules import Rules

LOG = logging.getLogger("airflow_dataops.sla")
_FRESH = timedelta(seconds=60)
"""Airflow may write over a version that has not run yet, so its number alone does not tell."""
_AT_ONCE = 25
_OF_RUNS = (SubjectKind.TASK, SubjectKind.TASK_GROUP, SubjectKind.DAG)


class TaskInfo(Struct, frozen=True):
    """What a DAG says of a task."""

    upstream: tuple[str, ...] = ()
    owner: str | None = None


class _Known(Struct, frozen=True):
    slas: tuple[Sla, ...]
    of_rules: tuple[Sla, ...]
    version: int
    read_at: datetime


class Definitions:
    """All DAGs' SLAs, as their newest versions say.

    Args:
        more: SLAs from elsewhere; those of DAGs name them.
        rules: the SLA file. What a DAG declares by itself under the same name beats it.
    """

    def __init__(
        self, reader: AirflowReader, more: Sequence[Sla] = (), rules: Rules | None = None
    ) -> None:
        self._reader = reader
        self._more = tuple(more)
        self.rules = rules
        self._known: dict[str, _Known] = {}
        self._tasks: dict[str, tuple[int, dict[str, TaskInfo]]] = {}

    @property
    def dags_named(self) -> set[str]:
        """The DAGs that have SLAs from elsewhere."""
        return {sla.dag_id for sla in self._more if sla.dag_id and sla.kind in _OF_RUNS}

    def refresh(self, dag_ids: Iterable[str], now: datetime) -> None:
        """Read what is unknown, and some of what was not read for a while."""
        wanted = list(dag_ids)
        unknown = [dag_id for dag_id in wanted if dag_id not in self._known]
        old = [
            dag_id
            for dag_id in wanted
            if dag_id in self._known and now - self._known[dag_id].read_at > _FRESH
        ]
        old.sort(key=lambda dag_id: self._known[dag_id].read_at)
        for dag_id in unknown + old[:_AT_ONCE]:
            self._read(dag_id, now)

    def of_runs(self, dag_id: str) -> tuple[Sla, ...]:
        """Return the SLAs of a DAG's runs."""
        known = self._known.get(dag_id)
        declared = () if known is None else known.slas + known.of_rules
        named = tuple(sla for sla in self._more if sla.dag_id == dag_id)
        return tuple(sla for sla in declared + named if sla.kind in _OF_RUNS)

    def of_assets(self) -> tuple[Sla, ...]:
        """Return the SLAs of assets, whoever declares them."""
        declared = [sla for known in self._known.values() for sla in known.slas]
        return tuple(
            {
                (sla.subject, sla.name): sla
                for sla in (*declared, *self._more)
                if sla.kind is SubjectKind.ASSET
            }.values()
        )

    def task_ids(self, dag_id: str) -> set[str]:
        """Return the tasks that a DAG's SLAs are about, those of groups as well."""
        slas = self.of_runs(dag_id)
        found = {sla.task_id for sla in slas if sla.kind is SubjectKind.TASK and sla.task_id}
        found |= {id_ for sla in slas for id_ in sla.members}
        groups = [
            f"{sla.task_id}."
            for sla in slas
            if sla.kind is SubjectKind.TASK_GROUP and not sla.members
        ]
        if groups:
            found |= {id_ for id_ in self.tasks(dag_id) if id_.startswith(tuple(groups))}
        return found

    def tasks(self, dag_id: str) -> dict[str, TaskInfo]:
        """Return all tasks of a DAG's newest version."""
        known = self._known.get(dag_id)
        version = 0 if known is None else known.version
        cached = self._tasks.get(dag_id)
        if cached is None or cached[0] != version:
            cached = version, self._read_tasks(dag_id)
            self._tasks[dag_id] = cached
        return cached[1]

    def _read(self, dag_id: str, now: datetime) -> None:
        details = self._reader.details(dag_id)
        if details is None:
            self._known.pop(dag_id, None)
            return
        version = details.latest_dag_version
        before = self._known.get(dag_id)
        found = _Known(
            slas=_sound(_declared(dag_id, details)),
            of_rules=(),
            version=0 if version is None else version.version_number,
            read_at=now,
        )
        if before is not None and before.slas != found.slas:
            self._tasks.pop(dag_id, None)
        self._known[dag_id] = found
        if self.rules is not None and self.rules.takes(dag_id):
            self._known[dag_id] = replace(found, of_rules=self._of_rules(self.rules, found, dag_id))

    def _of_rules(self, rules: Rules, known: _Known, dag_id: str) -> tuple[Sla, ...]:
        ids = self.tasks(dag_id)
        own = {(sla.kind, sla.task_id, sla.name) for sla in known.slas}
        found = rules.of_dag(dag_id, ids, groups_of(ids))
        return tuple(sla for sla in found if (sla.kind, sla.task_id, sla.name) not in own)

    def _read_tasks(self, dag_id: str) -> dict[str, TaskInfo]:
        tasks = self._reader.tasks(dag_id)
        upstream: dict[str, list[str]] = defaultdict(list)
        for task in tasks:
            for below in task.downstream_task_ids or ():
                upstream[below].append(task.task_id)
        return {
            task.task_id: TaskInfo(upstream=tuple(sorted(upstream[task.task_id])), owner=task.owner)
            for task in tasks
        }


def _declared(dag_id: str, details: Details) -> tuple[Sla, ...]:
    try:
        found = slas_from_json((details.default_args or {}).get(KEY, []), f"DAG {dag_id}")
    except ConfigError as error:
        LOG.error("SLAs that cannot be read are not watched: %s", mask(str(error)))
        return ()
    return tuple(sla for sla in found if sla.dag_id in (None, dag_id))


def _sound(slas: tuple[Sla, ...]) -> tuple[Sla, ...]:
    """Leave out what cannot be judged."""
    found = []
    for sla in slas:
        try:
            if isinstance(sla.due, ByTime):
                zone_of(sla.due.timezone)
        except ConfigError as error:
            LOG.error("SLA %s of %s is not watched: %s", sla.name, sla.dag_id, mask(str(error)))
        else:
            found.append(sla)
    return tuple(found)
