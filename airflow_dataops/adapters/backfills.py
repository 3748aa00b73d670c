"""Runs for a range of past dates, by Airflow's own backfill.

Airflow keeps the backfill and its scheduler runs it: closing the terminal stops nothing, and
asking for the same range again goes on with what is under way.
"""

from __future__ import annotations

import time
from collections import Counter
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from airflow_dataops.adapters.airflow_rest import airflow_api
from airflow_dataops.core.model import Struct
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_client.client import ApiClient

_PAGE = 100
_UNFINISHED = ("queued", "running")


class Rerun(StrEnum):
    """Which dates that have a run already are run again."""

    NONE = "none"
    FAILED = "failed"
    COMPLETED = "completed"
    """All that have ended, well or not."""


class BackfillProgress(Struct, frozen=True):
    """How far a backfill is.

    Attributes:
        id: Airflow's number of the backfill.
        states: number of runs in the range by state (`success`, `failed`, `running`,
            `queued`), whoever started them.
        done: whether no run of the backfill is left.
    """

    dag_id: str
    id: int
    states: dict[str, int]
    done: bool

    @property
    def failed(self) -> int:
        """Number of runs in the range that failed."""
        return self.states.get("failed", 0)


class Dates(Struct, frozen=True):
    """The dates of a DAG to run; both ends are included, as in Airflow."""

    dag_id: str
    start: datetime
    end: datetime


def backfill(
    dag_id: str,
    start: datetime,
    end: datetime,
    *,
    parallel: int = 1,
    rerun: Rerun | str = Rerun.NONE,
    backwards: bool = False,
    assets: bool = True,
    conf: dict[str, Any] | None = None,
    url: str | None = None,
    wait: bool = True,
    poll: float = 5.0,
    progress: Callable[[BackfillProgress], None] = lambda found: None,
) -> BackfillProgress:
    """Run a DAG for each date of a range that has no run yet; wait until all have ended.

    It can be stopped and called again at any time. A backfill of the same range that is under
    way is taken up; dates that were run are not run again unless `rerun` says so.

    Args:
        start: first date, with a time zone.
        end: last date.
        parallel: so many runs at once; 1 runs them in order.
        rerun: see `Rerun`.
        backwards: begin with the last date.
        assets: False to emit no assets, so that the past starts no other DAG.
        conf: the `conf` of each run.
        url: Airflow's api-server; see `airflow_api` for it and for who calls.
        wait: False to return once Airflow has the backfill.
        poll: seconds between two looks.
        progress: called after each look.

    Raises:
        ConfigError: Airflow does not take it: no such DAG, no schedule, another backfill of
            the DAG is under way, a wrong login.
        RetryableError: Airflow cannot be reached.
    """
    dates = Dates(dag_id=dag_id, start=start, end=end)
    body = {
        "dag_id": dag_id,
        "from_date": start,
        "to_date": end,
        "max_active_runs": parallel,
        "reprocess_behavior": str(Rerun(rerun)),
        "run_backwards": backwards,
        "dag_run_conf": (conf or {}) | ({} if assets else {"assets": False}),
    }
    with airflow_api(url) as client:
        id_ = _taken_up(client, dates, poll) or _started(client, body)
        while True:
            found = _look(client, dates, id_)
            progress(found)
            if found.done or not wait:
                return found
            time.sleep(poll)


def preview(
    dag_id: str,
    start: datetime,
    end: datetime,
    *,
    rerun: Rerun | str = Rerun.NONE,
    url: str | None = None,
) -> list[str]:
    """Return the dates, or partition keys, that `backfill` would run; errors as there."""
    from airflow_client.client.api.backfill_api import BackfillApi
    from airflow_client.client.models.backfill_post_body import BackfillPostBody

    body: dict[str, Any] = {
        "dag_id": dag_id,
        "from_date": start,
        "to_date": end,
        "reprocess_behavior": str(Rerun(rerun)),
    }
    with airflow_api(url) as client:
        found = BackfillApi(client).create_backfill_dry_run(BackfillPostBody(**body))
        return [each.partition_key or _iso(each.logical_date) for each in found.backfills]


def _taken_up(client: ApiClient, dates: Dates, poll: float) -> int | None:
    """Return the backfill of these dates that is under way, if there is one.

    Airflow takes up to half a minute to call one complete whose runs have all ended, and
    refuses another until then: such a one is waited for.
    """
    while (found := _under_way(client, dates.dag_id)) is not None:
        theirs = Dates(dag_id=dates.dag_id, start=found.from_date, end=found.to_date)
        if _is_running(_states(client, theirs)):
            if (theirs.start, theirs.end) == (dates.start, dates.end):
                return int(found.id)
            raise ConfigError(
                f"{dates.dag_id} has another backfill under way, from {theirs.start} to "
                f"{theirs.end}; wait for it or cancel it (number {found.id})."
            )
        time.sleep(poll)
    return None


def _under_way(client: ApiClient, dag_id: str) -> Any:
    from airflow_client.client.api.backfill_api import BackfillApi

    listed = BackfillApi(client).list_backfills(dag_id, order_by=["-id"], limit=_PAGE)
    return next((each for each in listed.backfills if each.completed_at is None), None)


def _started(client: ApiClient, body: dict[str, Any]) -> int:
    from airflow_client.client.api.backfill_api import BackfillApi
    from airflow_client.client.models.backfill_post_body import BackfillPostBody

    return int(BackfillApi(client).create_backfill(BackfillPostBody(**body)).id)


def _look(client: ApiClient, dates: Dates, id_: int) -> BackfillProgress:
    from airflow_client.client.api.backfill_api import BackfillApi

    ended = BackfillApi(client).get_backfill(id_).completed_at is not None
    states = _states(client, dates)
    done = ended or (bool(states) and not _is_running(states))
    return BackfillProgress(dag_id=dates.dag_id, id=id_, states=dict(states), done=done)


def _is_running(states: Counter[str]) -> bool:
    return any(states[state] for state in _UNFINISHED)


def _states(client: ApiClient, dates: Dates) -> Counter[str]:
    """Count the runs of the range by state. Partitioned runs have a day, no logical date."""
    runs = _runs(client, dates, logical_date_gte=dates.start, logical_date_lte=dates.end)
    if not runs:
        days = {
            "partition_date_gte": dates.start.date(),
            "partition_date_lte": dates.end.date(),
        }
        runs = _runs(client, dates, **days)
    return Counter(run.state.value for run in runs)


def _runs(client: ApiClient, dates: Dates, **of: Any) -> list[Any]:
    from airflow_client.client.api.dag_run_api import DagRunApi

    found: list[Any] = []
    while True:
        page = DagRunApi(client).get_dag_runs(dates.dag_id, limit=_PAGE, offset=len(found), **of)
        found += page.dag_runs
        if not page.dag_runs or len(found) >= (page.total_entries or 0):
            return found


def _iso(moment: datetime | None) -> str:
    return "" if moment is None else moment.isoformat()
