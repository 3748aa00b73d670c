"""What an `on_sla_miss` callback is given: a dict of plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

import msgspec

if TYPE_CHECKING:
    from datetime import datetime

    from airflow_dataops.core.sla.misses import SlaMiss


class SlaMissContext(TypedDict):
    """The one argument of an `on_sla_miss` callback. Times are aware.

    Keys: `subject` (text, as in the alert's title), `kind` (`task`, `task_group`, `dag`,
    `asset`, `table`), `due`, `state` (now), `since` (when it came into that state), `upstream`
    (what it waits for), `owner`, `history` (latest runs, newest first: `run_id`, `ended_at`,
    `seconds`, `state`), `links` (address by label), and the rest as in `SlaMiss`.
    """

    key: str
    sla: str
    tier: str
    subject: str
    kind: str
    dag_id: str | None
    run_id: str | None
    task_id: str | None
    map_index: int
    due: datetime
    detected_at: datetime
    state: str | None
    since: datetime | None
    upstream: str | None
    reason: str
    warning: bool
    owner: str | None
    tags: list[str]
    history: list[dict[str, Any]]
    links: dict[str, str]


def sla_miss_context(miss: SlaMiss) -> SlaMissContext:
    """Return what the callbacks of a miss are given."""
    at = miss.subject
    return SlaMissContext(
        key=miss.key,
        sla=miss.sla,
        tier=str(miss.tier),
        subject=str(at),
        kind=str(at.kind),
        dag_id=at.dag_id,
        run_id=at.run_id,
        task_id=at.task_id,
        map_index=at.map_index,
        due=miss.due,
        detected_at=miss.detected_at,
        state=miss.state,
        since=miss.since,
        upstream=miss.upstream,
        reason=miss.reason,
        warning=miss.warning,
        owner=miss.owner,
        tags=list(miss.tags),
        history=[msgspec.structs.asdict(past) for past in miss.history],
        links=dict(miss.links),
    )


def context_of(miss: SlaMiss) -> dict[str, Any]:
    """Return the same as JSON data: times are texts in ISO 8601."""
    data: dict[str, Any] = msgspec.to_builtins(sla_miss_context(miss))
    return data
