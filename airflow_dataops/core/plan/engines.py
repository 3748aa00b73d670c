"""Which engine runs a node, and why."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from airflow_dataops.core.engines import is_engine, tells_last_change
from airflow_dataops.core.model import (
    ModelSpec,
    NodeKind,
    SeedSpec,
    SnapshotSpec,
    SourceSpec,
    TestSpec,
)
from airflow_dataops.core.plan.structs import Engine, EngineChoice
from airflow_dataops.errors import Problem

if TYPE_CHECKING:
    from airflow_dataops.core.model import Node
    from airflow_dataops.core.plan.structs import PlanOptions


_ON_BIGQUERY = ("merge", "insert_overwrite", "microbatch")
_SKIP = "load the manifest with freshness='skip'"
_OFTEN_SQL = (ModelSpec, SeedSpec, SnapshotSpec, TestSpec)


class Chosen(NamedTuple):
    """An engine and the reason for it, in words for a reader."""

    engine: Engine
    reason: str


def choose(node: Node, options: PlanOptions, adapter: str | None = None) -> Chosen | Problem:
    """Choose the engine of one node, or say why none can run it.

    Args:
        adapter: the dbt adapter type that the project was compiled for, None if unknown.
    """
    if (refused := _refused(node, adapter)) is not None:
        return _problem(node, refused)
    if node.kind is NodeKind.SOURCE:
        return _sql(_why_sql(node))
    if options.engine is EngineChoice.DBT:
        chosen = Chosen(Engine.DBT, "asked for by engine='dbt'")
    elif not (obstacles := _obstacles(node, adapter)):
        chosen = _sql(_why_sql(node))
    elif options.engine is EngineChoice.SQL:
        return _problem(node, f"engine='sql' cannot run {', '.join(obstacles)}; use engine='auto'")
    else:
        chosen = Chosen(Engine.DBT, ", ".join(obstacles))
    if chosen.engine in options.available:
        return chosen
    remedy = options.unavailable.get(chosen.engine, "it is not available here")
    return _problem(node, f"needs dbt to run it ({chosen.reason}), but {remedy}")


@cache
def _sql(reason: str) -> Chosen:
    """Return the same choice for the same reason: there are few, and many nodes."""
    return Chosen(Engine.SQL, reason)


def _refused(node: Node, adapter: str | None) -> str | None:
    """Say what no engine can do for a node, with what to do about it."""
    spec = node.spec
    if isinstance(spec, SourceSpec):
        return _freshness_refused(spec, adapter)
    if adapter != "bigquery" or not isinstance(spec, ModelSpec) or spec.incremental is None:
        return None
    strategy = spec.incremental.strategy
    if strategy is not None and strategy not in _ON_BIGQUERY:
        return (
            f"config.incremental_strategy is {strategy!r}, which dbt-bigquery refuses; write one "
            f"of {', '.join(_ON_BIGQUERY)}"
        )
    if strategy == "insert_overwrite" and node.orchestration.partition_by is None:
        return (
            "config.incremental_strategy is 'insert_overwrite', which replaces partitions on "
            "BigQuery, and there is no config.partition_by; add it, or use merge"
        )
    return None


def _freshness_refused(spec: SourceSpec, adapter: str | None) -> str | None:
    if adapter is None or spec.freshness is None:
        return None
    if not is_engine(adapter):
        return f"engine sql does not look at the age of sources on {adapter}; {_SKIP}"
    asks = spec.freshness.loaded_at_field or spec.freshness.loaded_at_query
    if asks or tells_last_change(adapter):
        return None
    return (
        "config.freshness has neither loaded_at_field nor loaded_at_query, and "
        f"{adapter} does not tell when a table changed last; add one of them, or {_SKIP}"
    )


def _obstacles(node: Node, adapter: str | None) -> tuple[str, ...]:
    spec = node.spec
    found = spec.unsupported if isinstance(spec, _OFTEN_SQL) else ()
    if adapter is None or is_engine(adapter):
        return found
    return (*found, f"engine sql does not write dbt's materializations for {adapter}")


def _why_sql(node: Node) -> str:
    spec = node.spec
    if isinstance(spec, ModelSpec):
        return f"{spec.materialized} from compiled SQL"
    if isinstance(spec, SnapshotSpec):
        return f"{spec.strategy} snapshot from compiled SQL"
    if isinstance(spec, SeedSpec):
        return "rows of the CSV file"
    return "age of the newest row" if isinstance(spec, SourceSpec) else "compiled query"


def _problem(node: Node, message: str) -> Problem:
    return Problem(message, node=node.id, path=node.path)
