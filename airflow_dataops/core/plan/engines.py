"""Which engine runs a node, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from airflow_dataops.core.model import (
    ModelSpec,
    NodeKind,
    SeedSpec,
    SnapshotSpec,
    TestSpec,
)
from airflow_dataops.core.plan.structs import Engine, EngineChoice
from airflow_dataops.errors import Problem

if TYPE_CHECKING:
    from airflow_dataops.core.model import Node
    from airflow_dataops.core.plan.structs import PlanOptions


class Chosen(NamedTuple):
    """An engine and the reason for it, in words for a reader."""

    engine: Engine
    reason: str


def choose(node: Node, options: PlanOptions) -> Chosen | Problem:
    """Choose the engine of one node, or say why none can run it."""
    if node.kind is NodeKind.SOURCE:
        return Chosen(Engine.SQL, _why_sql(node))
    if options.engine is EngineChoice.DBT:
        chosen = Chosen(Engine.DBT, "asked for by engine='dbt'")
    elif not (obstacles := _obstacles(node)):
        chosen = Chosen(Engine.SQL, _why_sql(node))
    elif options.engine is EngineChoice.SQL:
        return _problem(node, f"engine='sql' cannot run {', '.join(obstacles)}; use engine='auto'")
    else:
        chosen = Chosen(Engine.DBT, ", ".join(obstacles))
    if chosen.engine in options.available:
        return chosen
    remedy = options.unavailable.get(chosen.engine, "it is not available here")
    return _problem(node, f"needs dbt to run it ({chosen.reason}), but {remedy}")


def _obstacles(node: Node) -> tuple[str, ...]:
    match node.spec:
        case ModelSpec() | SeedSpec() | SnapshotSpec() | TestSpec():
            return node.spec.unsupported
    return ()


def _why_sql(node: Node) -> str:
    match node.spec:
        case ModelSpec(materialized=materialized):
            return f"{materialized} from compiled SQL"
        case SnapshotSpec(strategy=strategy):
            return f"{strategy} snapshot from compiled SQL"
    return {
        NodeKind.SEED: "rows of the CSV file",
        NodeKind.SOURCE: "age of the newest row",
    }.get(node.kind, "compiled query")


def _problem(node: Node, message: str) -> Problem:
    return Problem(message, node=node.id, path=node.path)
