"""Reads DAGs, runs and task instances: few requests, large pages, one connection."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from airflow_dataops.adapters.airflow_rest import airflow_api, load_client, said_clearly
from airflow_dataops.adapters.watch.answers import Details, Instance, Page, Run
from airflow_dataops.core.sla.declared import TAG

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from airflow_client.client import ApiClient

    from airflow_dataops.adapters.watch.answers import Asset, AssetEvent, Dag, Task

T = TypeVar("T")
PAGE = 100
"""Airflow's `[api] maximum_page_limit`, as it is set by default."""
_ALL = "~"
_WAIT: dict[str, Any] = {"_request_timeout": 30}
"""Seconds for one answer."""
_MOST_IDS = 500
"""Of more ids than these, all are asked for: databases limit how many a query may name."""


class AirflowReader:
    """One Airflow, through its official client. Any error closes the connection; the next call
    opens another and logs in again.

    Args:
        url: of the api-server; None for `AIRFLOW_API_URL`.
        environ: who calls, see `airflow_api`.
    """

    def __init__(self, url: str | None = None, environ: Mapping[str, str] | None = None) -> None:
        self.requests = 0
        self._url = url
        self._environ = environ
        self._stack: ExitStack | None = None
        self._client: ApiClient | None = None
        load_client()

    def dags(self, tags: Sequence[str] = (TAG,)) -> list[Dag]:
        """Return the DAGs with SLAs, also those whose file is broken now.

        Args:
            tags: which they have; none for all DAGs.
        """
        from airflow_client.client.api.dag_api import DAGApi

        def page(client: ApiClient, offset: int) -> Any:
            return DAGApi(client).get_dags_without_preload_content(
                limit=PAGE,
                offset=offset,
                tags=list(tags) or None,
                exclude_stale=False,
                order_by=["dag_id"],
                **_WAIT,
            )

        return self._pages(page, "dags")

    def details(self, dag_id: str) -> Details | None:
        """Return a DAG's details; None where there is no such DAG."""
        from airflow_client.client.api.dag_api import DAGApi

        return self._one(
            lambda client: DAGApi(client).get_dag_details_without_preload_content(dag_id, **_WAIT),
            Details,
        )

    def tasks(self, dag_id: str) -> list[Task]:
        """Return the tasks of a DAG's newest version; none where there is no such DAG."""
        from airflow_client.client.api.task_api import TaskApi

        found = self._one(
            lambda client: TaskApi(client).get_tasks_without_preload_content(dag_id, **_WAIT), Page
        )
        return [] if found is None else found.tasks

    def unfinished_runs(self, dag_ids: Sequence[str]) -> list[Run]:
        """Return the runs that are queued or running."""
        return self._runs(dag_ids, states=["queued", "running"])

    def ended_runs(self, dag_ids: Sequence[str], since: datetime) -> list[Run]:
        """Return the runs that ended since then."""
        return self._runs(dag_ids, states=["success", "failed"], end_date_gte=since)

    def runs_between(self, dag_id: str, first: datetime, last: datetime) -> list[Run]:
        """Return the runs of a DAG that were made, or are to begin, from first to last."""
        return self._runs([dag_id], run_after_gte=first, run_after_lte=last)

    def run(self, dag_id: str, run_id: str) -> Run | None:
        """Return a run; None where there is none such."""
        from airflow_client.client.api.dag_run_api import DagRunApi

        return self._one(
            lambda client: DagRunApi(client).get_dag_run_without_preload_content(
                dag_id, run_id, **_WAIT
            ),
            Run,
        )

    def instances(
        self,
        runs: Iterable[tuple[str, str]],
        task_ids: Iterable[str] | None = None,
        states: Sequence[str | None] | None = None,
        ended_after: datetime | None = None,
    ) -> list[Instance]:
        """Return task instances of runs, as they are now.

        Args:
            runs: ids of DAGs and runs.
            task_ids: those of all the DAGs; others are left out.
            states: Airflow's; others are left out.
            ended_after: those that did not are left out.
        """
        from airflow_client.client.api.task_instance_api import TaskInstanceApi
        from airflow_client.client.models.task_instances_batch_body import TaskInstancesBatchBody

        wanted = set(runs)
        names = None if task_ids is None else set(task_ids)
        if not wanted or (names is not None and not names):
            return []
        given: dict[str, Any] = {
            "dag_ids": sorted({dag_id for dag_id, _ in wanted}),
            "dag_run_ids": sorted({run_id for _, run_id in wanted}),
        }
        if names is not None and len(names) <= _MOST_IDS:
            given["task_ids"] = sorted(names)
        if states is not None:
            given["state"] = list(states)
        if ended_after is not None:
            given["end_date_gt"] = ended_after

        def page(client: ApiClient, offset: int) -> Any:
            body = TaskInstancesBatchBody(
                **given, order_by="id", page_limit=PAGE, page_offset=offset
            )
            return TaskInstanceApi(client).get_task_instances_batch_without_preload_content(
                _ALL, _ALL, body, **_WAIT
            )

        found: list[Instance] = self._pages(page, "task_instances")
        return [
            each
            for each in found
            if (each.dag_id, each.dag_run_id) in wanted and (names is None or each.task_id in names)
        ]

    def tries(self, of: Instance) -> list[Instance]:
        """Return all tries of a task instance."""
        from airflow_client.client.api.task_instance_api import TaskInstanceApi

        def ask(client: ApiClient) -> Any:
            api, ids = TaskInstanceApi(client), (of.dag_id, of.dag_run_id, of.task_id)
            if of.map_index < 0:
                return api.get_task_instance_tries_without_preload_content(*ids, **_WAIT)
            return api.get_mapped_task_instance_tries_without_preload_content(
                *ids, of.map_index, **_WAIT
            )

        found = self._one(ask, Page)
        return [] if found is None else found.task_instances

    def assets(self) -> list[Asset]:
        """Return the active assets."""
        from airflow_client.client.api.asset_api import AssetApi

        def page(client: ApiClient, offset: int) -> Any:
            return AssetApi(client).get_assets_without_preload_content(
                limit=PAGE, offset=offset, order_by=["id"], **_WAIT
            )

        return self._pages(page, "assets")

    def asset_events(self, asset_id: int, since: datetime) -> list[AssetEvent]:
        """Return the events of an asset since then, oldest first."""
        from airflow_client.client.api.asset_api import AssetApi

        def page(client: ApiClient, offset: int) -> Any:
            return AssetApi(client).get_asset_events_without_preload_content(
                asset_id=asset_id,
                timestamp_gte=since,
                limit=PAGE,
                offset=offset,
                order_by=["timestamp"],
                **_WAIT,
            )

        return self._pages(page, "asset_events")

    def close(self) -> None:
        """Close the connection."""
        stack, self._stack, self._client = self._stack, None, None
        if stack is not None:
            stack.close()

    def _runs(self, dag_ids: Sequence[str], **of: Any) -> list[Run]:
        from airflow_client.client.api.dag_run_api import DagRunApi
        from airflow_client.client.models.dag_runs_batch_body import DAGRunsBatchBody

        if not dag_ids:
            return []
        given = dict(of)
        if len(dag_ids) <= _MOST_IDS:
            given["dag_ids"] = list(dag_ids)

        def page(client: ApiClient, offset: int) -> Any:
            body = DAGRunsBatchBody(**given, order_by="id", page_limit=PAGE, page_offset=offset)
            return DagRunApi(client).get_list_dag_runs_batch_without_preload_content(
                _ALL, body, **_WAIT
            )

        wanted = set(dag_ids)
        return [run for run in self._pages(page, "dag_runs") if run.dag_id in wanted]

    def _pages(self, ask: Callable[..., Any], field: str) -> list[Any]:
        found: list[Any] = []
        while True:
            page = self._one(partial(ask, offset=len(found)), Page)
            rows = [] if page is None else getattr(page, field)
            found += rows
            if page is None or not rows or len(found) >= page.total_entries:
                return found

    def _one(self, ask: Callable[[ApiClient], Any], kind: type[T]) -> T | None:
        """Send one request; None where Airflow knows no such thing."""
        try:
            client = self._opened()
            with said_clearly(client.configuration.host):
                self.requests += 1
                return _decoded(ask(client), kind)
        except BaseException:  # the token or the connection may be the cause: begin anew
            self.close()
            raise

    def _opened(self) -> ApiClient:
        if self._client is None:
            stack = ExitStack()
            self._client = stack.enter_context(airflow_api(self._url, self._environ))
            self._stack = stack
        return self._client


def _decoded(answer: Any, kind: type[T]) -> T | None:
    from airflow_client.client.exceptions import ApiException

    body = answer.data
    if answer.status == 404:
        return None
    if not 200 <= answer.status < 300:
        error = ApiException(status=answer.status, reason=answer.reason)
        error.body = body
        raise error
    return msgspec.json.decode(body, type=kind)
