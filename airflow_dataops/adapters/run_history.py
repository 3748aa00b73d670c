"""How DAG runs went: asked of Airflow's REST API."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow_dataops.adapters.airflow_rest import airflow_api, load_client
from airflow_dataops.core.model import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from airflow_client.client import ApiClient

_PAGE = 100
_ALL = "~"


class PastRun(Struct, frozen=True):
    """A DAG run.

    Attributes:
        run_type: `scheduled`, `manual`, `backfill` or `asset_triggered`.
        state: `queued`, `running`, `success` or `failed`.
    """

    dag_id: str
    run_id: str
    run_type: str
    state: str
    run_after: datetime
    started: datetime | None = None
    ended: datetime | None = None

    def minutes(self, now: datetime) -> float | None:
        """Return how long it ran, or has been running; None if it has not started."""
        if self.started is None:
            return None
        return ((self.ended or now) - self.started).total_seconds() / 60


def failed_runs(
    since: datetime, *, dag_ids: Sequence[str] = (), url: str | None = None
) -> list[PastRun]:
    """Return the runs that ended since then and failed, of all DAGs or of some.

    Raises:
        ConfigError: no address or login, an unknown DAG; see `airflow_api`.
        RetryableError: Airflow cannot be reached.
    """
    with airflow_api(url) as client:
        wanted = {"state": ["failed"], "end_date_gte": since}
        return [run for dag in dag_ids or (_ALL,) for run in _runs(client, dag, wanted)]


def runs_since(
    since: datetime, dag_ids: Iterable[str], *, url: str | None = None
) -> dict[str, list[PastRun] | str]:
    """Return the runs of DAGs that were due since then, oldest first.

    For a DAG that Airflow does not answer for, its words are returned in place of runs.

    Raises:
        ConfigError: no address or login.
        RetryableError: Airflow cannot be reached.
    """
    load_client()
    from airflow_client.client.exceptions import NotFoundException

    found: dict[str, list[PastRun] | str] = {}
    with airflow_api(url) as client:
        for dag_id in dict.fromkeys(dag_ids):
            try:
                runs = _runs(client, dag_id, {"run_after_gte": since})
            except NotFoundException:
                found[dag_id] = f"Airflow has no DAG {dag_id}."
            else:
                found[dag_id] = sorted(runs, key=lambda run: run.run_after)
    return found


def _runs(client: ApiClient, dag_id: str, of: dict[str, Any]) -> list[PastRun]:
    from airflow_client.client.api.dag_run_api import DagRunApi

    api, found = DagRunApi(client), list[PastRun]()
    while True:
        page = api.get_dag_runs(dag_id, limit=_PAGE, offset=len(found), order_by=["id"], **of)
        found += [_past(run) for run in page.dag_runs]
        if not page.dag_runs or len(found) >= (page.total_entries or 0):
            return found


def _past(run: Any) -> PastRun:
    return PastRun(
        dag_id=run.dag_id,
        run_id=run.dag_run_id,
        run_type=str(getattr(run.run_type, "value", run.run_type)),
        state=str(getattr(run.state, "value", run.state)),
        run_after=run.run_after.astimezone(UTC),
        started=run.start_date,
        ended=run.end_date,
    )
