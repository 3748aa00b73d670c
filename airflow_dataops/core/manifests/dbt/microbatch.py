"""Models of dbt's strategy `microbatch`: what cuts them into batches.

Source: https://docs.getdbt.com/docs/build/incremental-microbatch
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from airflow_dataops.core.manifests.dbt.names import is_column
from airflow_dataops.core.model import BatchSize, Microbatch

if TYPE_CHECKING:
    from airflow_dataops.core.manifests.dbt.context import Entry
    from airflow_dataops.core.manifests.dbt.settings import Settings
    from airflow_dataops.core.model import Incremental

MICROBATCH = "microbatch"
_ADAPTERS = (None, "duckdb", "postgres", "snowflake", "bigquery")
_NOT_BATCHED = (
    "a microbatch model whose code has no places for the times of its batches: "
    "make the manifest with `airflow-dataops compile`"
)


def read_microbatch(settings: Settings) -> Microbatch | None:
    """Read how a microbatch model is cut; None where dbt refuses what is configured."""
    event_time, size, begin = (settings.raw(n) for n in ("event_time", "batch_size", "begin"))
    lookback = settings.raw("lookback")
    lookback = 1 if lookback is None else lookback
    fits = isinstance(lookback, int) and not isinstance(lookback, bool) and lookback >= 0
    if not fits or size not in tuple(BatchSize) or not isinstance(begin, str):
        return None
    try:
        datetime.fromisoformat(begin)
    except ValueError:
        return None
    if not isinstance(event_time, str) or not is_column(event_time):
        return None
    return Microbatch(
        event_time=event_time, batch_size=BatchSize(size), begin=begin, lookback=lookback
    )


def microbatch_reasons(entry: Entry, incremental: Incremental) -> list[str]:
    """Return why only dbt can build a microbatch model, or say what is wrong with it."""
    if incremental.strategy != MICROBATCH:
        return []
    if incremental.microbatch is None:
        return ["a microbatch model without fitting event_time, batch_size, begin or lookback"]
    found = [] if entry.node.dataops_batched else [_NOT_BATCHED]
    adapter, keys = entry.context.adapter, bool(incremental.unique_key)
    if (adapter == "postgres" and not keys) or (adapter == "duckdb" and keys):
        # dbt's adapter says so when it runs.
        found.append("a microbatch model " + ("with" if keys else "without") + " unique_key")
    if adapter not in _ADAPTERS:
        found.append(f"a microbatch model on {adapter}")
    if adapter == "bigquery":
        by = entry.settings.raw("partition_by")
        granularity = by.get("granularity") if isinstance(by, dict) else None
        if granularity != incremental.microbatch.batch_size:
            found.append("a microbatch model whose partitions are not its batches")
    return found


def microbatch_ties(incremental: Incremental | None) -> list[str]:
    """Return what ties the SQL of a microbatch model to the environment of the compilation."""
    # A reference is moved by its place in the text, as the times of a batch are put in.
    return ["a microbatch model"] if incremental and incremental.microbatch else []
