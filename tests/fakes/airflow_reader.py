"""An Airflow in memory that answers as `AirflowReader` does, and counts pages as requests."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

import msgspec

from airflow_dataops.adapters.watch.answers import (
    Asset,
    AssetEvent,
    Dag,
    Details,
    Instance,
    Run,
    Task,
    Version,
)
from airflow_dataops.adapters.watch.reader import PAGE, AirflowReader
from airflow_dataops.core.sla.declared import TAG, slas_to_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from airflow_dataops.core.sla.policies import Sla


class FakeAirflow(AirflowReader):
    """Change its attributes, and the next call answers so."""

    def __init__(self) -> None:
        super().__init__("http://airflow.example")
        self.all_dags: dict[str, Dag] = {}
        self.untagged: set[str] = set()
        self.slas: dict[str, list[Sla]] = {}
        self.versions: dict[str, int] = {}
        self.all_tasks: dict[str, list[Task]] = {}
        self.all_runs: dict[tuple[str, str], Run] = {}
        self.all_instances: dict[tuple[str, str, str, int], Instance] = {}
        self.earlier: list[Instance] = []
        self.all_assets: list[Asset] = []
        self.events: list[datetime] = []

    def add(self, dag_id: str, slas: Sequence[Sla], tasks: Iterable[Task] = ()) -> None:
        self.all_dags[dag_id] = Dag(dag_id=dag_id)
        self.slas[dag_id] = list(slas)
        self.all_tasks[dag_id] = list(tasks)

    def put(self, run: Run) -> None:
        self.all_runs[run.key] = run

    def put_task(self, run: Run, task_id: str, state: str | None, **fields: Any) -> None:
        each = Instance(*run.key, task_id=task_id, state=state, **fields)
        self.all_instances[*run.key, task_id, each.map_index] = each

    def dags(self, tags: Sequence[str] = (TAG,)) -> list[Dag]:
        hidden = self.untagged if tags else set()
        return self._paged([dag for id_, dag in self.all_dags.items() if id_ not in hidden])

    def details(self, dag_id: str) -> Details | None:
        self.requests += 1
        if dag_id not in self.all_dags:
            return None
        return Details(
            default_args={"slas": slas_to_json(self.slas[dag_id])},
            latest_dag_version=Version(version_number=self.versions.get(dag_id, 1)),
        )

    def tasks(self, dag_id: str) -> list[Task]:
        self.requests += 1
        return self.all_tasks[dag_id]

    def unfinished_runs(self, dag_ids: Sequence[str]) -> list[Run]:
        runs = self.all_runs.values()
        return self._paged(
            [r for r in runs if r.dag_id in dag_ids and r.state in ("queued", "running")]
        )

    def ended_runs(self, dag_ids: Sequence[str], since: datetime) -> list[Run]:
        runs = self.all_runs.values()
        ended = [r for r in runs if r.dag_id in dag_ids and r.state in ("success", "failed")]
        return self._paged([r for r in ended if r.end_date and r.end_date >= since])

    def runs_between(self, dag_id: str, first: datetime, last: datetime) -> list[Run]:
        runs = self.all_runs.values()
        return self._paged([r for r in runs if r.dag_id == dag_id and first <= r.run_after <= last])

    def run(self, dag_id: str, run_id: str) -> Run | None:
        self.requests += 1
        return self.all_runs.get((dag_id, run_id))

    def instances(
        self,
        runs: Iterable[tuple[str, str]],
        task_ids: Iterable[str] | None = None,
        states: Sequence[str | None] | None = None,
        ended_after: datetime | None = None,
    ) -> list[Instance]:
        wanted, names = set(runs), None if task_ids is None else set(task_ids)
        if not wanted or names == set():
            return []
        return self._paged(
            [
                each
                for each in self.all_instances.values()
                if (each.dag_id, each.dag_run_id) in wanted
                and (names is None or each.task_id in names)
                and (states is None or each.state in states)
                and (ended_after is None or (each.end_date and each.end_date > ended_after))
            ]
        )

    def tries(self, of: Instance) -> list[Instance]:
        self.requests += 1
        place = (of.dag_id, of.dag_run_id, of.task_id, of.map_index)
        return [
            each
            for each in (*self.earlier, of)
            if (each.dag_id, each.dag_run_id, each.task_id, each.map_index) == place
        ]

    def assets(self) -> list[Asset]:
        return self._paged(self.all_assets)

    def asset_events(self, asset_id: int, since: datetime) -> list[AssetEvent]:
        return self._paged([AssetEvent(timestamp=at) for at in self.events if at >= since])

    def _paged(self, rows: list[Any]) -> list[Any]:
        self.requests += max(1, ceil(len(rows) / PAGE))
        return rows


def changed(run: Run, **fields: Any) -> Run:
    """Return a run with other fields."""
    return msgspec.structs.replace(run, **fields)
