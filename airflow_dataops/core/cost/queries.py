"""What each query cost, from what the platforms tell."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.cost.attribution import Whose, whose
from airflow_dataops.core.engines import costs, get_engine
from airflow_dataops.core.engines.metering import Metering
from airflow_dataops.core.model import Struct
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from airflow_dataops.core.ports import SqlRunner

_TIB = 2**40
_HOUR = 3600


class Prices(Struct, frozen=True):
    """What the platforms charge, US dollars; the defaults are list prices in the US.

    Attributes:
        per_tib: BigQuery, TiB billed on demand.
        per_slot_hour: BigQuery, for jobs of a reservation.
        per_credit: Snowflake.
    """

    per_tib: float = 6.25
    per_slot_hour: float = 0.06
    per_credit: float = 3.0


class QueryCost(Struct, frozen=True):
    """One query and what it cost.

    Attributes:
        units: slot milliseconds (BigQuery) or credits (Snowflake).
        scanned: share of the table's partitions that were read, where the platform tells.
        spilled: bytes that found no room in memory: on local disks, and `spilled_remote` on
            remote ones.
    """

    platform: str
    job_id: str
    user: str
    started: datetime
    seconds: float
    usd: float
    query: str
    kind: str = ""
    bytes: int = 0
    units: float = 0.0
    scanned: float | None = None
    spilled: int = 0
    spilled_remote: int = 0
    whose: Whose = Whose()


def read_costs(
    runner: SqlRunner, since: datetime, prices: Prices, *, location: str = "US"
) -> tuple[list[QueryCost], float]:
    """Read what queries cost since a time.

    Returns:
        The queries, and the dollars that no query accounts for (idle warehouses).

    Raises:
        ConfigError: this engine keeps no costs.
    """
    metering = get_engine(runner.dialect).metering
    if metering is Metering.JOBS:
        rows = runner.fetch(costs.bigquery_jobs(location, runner.placeholder), [since])
        jobs = (dict(zip(costs.JOB_COLUMNS, row, strict=True)) for row in rows)
        return [_job(job, prices) for job in jobs], 0.0
    if metering is Metering.WAREHOUSES:
        mark, begin = runner.placeholder, [since.isoformat()]
        rows = runner.fetch(costs.snowflake_queries(mark), begin)
        metered = runner.fetch(costs.snowflake_metering(mark), begin)
        queries = [dict(zip(costs.QUERY_COLUMNS, row, strict=True)) for row in rows]
        return snowflake_costs(queries, metered, prices)
    raise ConfigError(
        f"{runner.dialect} keeps no record of costs; a cost report is of BigQuery or Snowflake."
    )


def snowflake_costs(
    queries: list[dict[str, Any]], metered: Iterable[tuple[Any, ...]], prices: Prices
) -> tuple[list[QueryCost], float]:
    """Share out the credits of each warehouse and hour among the queries that ran then.

    Each gets its part by the seconds that it ran in that hour, and pays its cloud services.

    Returns:
        The queries, and the dollars of hours in which none ran.
    """
    shares: dict[tuple[str, int], list[tuple[int, float]]] = defaultdict(list)
    for number, query in enumerate(queries):
        for hour, seconds in _hours(float(query["started"]), float(query["ended"])):
            shares[str(query["warehouse"]), hour].append((number, seconds))
    used_by = [float(query["service_credits"] or 0) for query in queries]
    idle = 0.0
    for warehouse, hour, used in metered:
        running = shares.get((str(warehouse), int(hour)), [])
        total = sum(seconds for _, seconds in running)
        if not total:
            idle += float(used or 0)
            continue
        for number, seconds in running:
            used_by[number] += float(used or 0) * seconds / total
    found = [_query(q, used, prices) for q, used in zip(queries, used_by, strict=True)]
    return found, idle * prices.per_credit


def _job(job: dict[str, Any], prices: Prices) -> QueryCost:
    slot_ms = float(job["slot_ms"] or 0)
    if job["reserved"]:
        usd = slot_ms / 1000 / _HOUR * prices.per_slot_hour
    else:
        usd = float(job["billed"] or 0) / _TIB * prices.per_tib
    query = str(job["query"] or "")
    return QueryCost(
        platform="bigquery",
        job_id=str(job["job_id"]),
        user=str(job["user"] or ""),
        started=datetime.fromtimestamp(float(job["started"]), UTC),
        seconds=float(job["ended"]) - float(job["started"]),
        usd=usd,
        query=query,
        kind=str(job["kind"] or ""),
        bytes=int(job["bytes"] or 0),
        units=slot_ms,
        whose=whose(_labels(job["labels"]), query),
    )


def _query(query: dict[str, Any], used: float, prices: Prices) -> QueryCost:
    total = int(query["partitions_total"] or 0)
    text = str(query["query"] or "")
    return QueryCost(
        platform="snowflake",
        job_id=str(query["job_id"]),
        user=str(query["user"] or ""),
        started=datetime.fromtimestamp(float(query["started"]), UTC),
        seconds=float(query["ended"]) - float(query["started"]),
        usd=used * prices.per_credit,
        query=text,
        kind=str(query["kind"] or ""),
        bytes=int(query["bytes"] or 0),
        units=used,
        scanned=int(query["partitions"] or 0) / total if total else None,
        spilled=int(query["spilled_local"] or 0),
        spilled_remote=int(query["spilled_remote"] or 0),
        whose=whose(_labels(query["tag"]), text),
    )


def _labels(text: object) -> dict[str, str]:
    """Read labels as BigQuery gives them (a list of key and value), or a tag of JSON."""
    try:
        data = json.loads(str(text or "null"))
    except ValueError:
        return {}
    if isinstance(data, list):
        return {str(each["key"]): str(each["value"]) for each in data if "key" in each}
    return {k: str(v) for k, v in data.items()} if isinstance(data, dict) else {}


def _hours(start: float, end: float) -> Iterator[tuple[int, float]]:
    """Yield the hours that a query ran in, and for how many seconds: at least a millisecond."""
    hour = int(start // _HOUR) * _HOUR
    yield hour, max(min(end, hour + _HOUR) - start, 0.001)
    while (hour := hour + _HOUR) < end:
        yield hour, min(end, hour + _HOUR) - hour
