"""Which engine runs a node, and why."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

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


SPOKEN = frozenset({"duckdb", "postgres"})
"""The dbt adapters whose materializations engine `sql` writes: those of `core/sql/dialects`."""

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


def _obstacles(node: Node, adapter: str | None) -> tuple[str, ...]:
    spec = node.spec
    found = spec.unsupported if isinstance(spec, _OFTEN_SQL) else ()
    if adapter is None or adapter in SPOKEN:
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
