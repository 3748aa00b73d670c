"""Builds one node, whatever its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.model import Incremental, Microbatch, ModelSpec, SeedSpec, SnapshotSpec
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from airflow_dataops.core.execution.batches import Interval
    from airflow_dataops.core.execution.requests import DateRange
    from airflow_dataops.core.execution.results import BuildResult
    from airflow_dataops.core.execution.turns import Turn
    from airflow_dataops.core.model import Code, Node
    from airflow_dataops.core.ports import SqlRunner


def build(
    node: Node,
    code: Code,
    runner: SqlRunner,
    *,
    full_refresh: bool = False,
    days: DateRange | None = None,
    interval: Interval | None = None,
    turn: Turn | None = None,
) -> BuildResult:
    """Build a model, seed or snapshot in an open session.

    Args:
        full_refresh: start anew; a model's or seed's own `full_refresh` setting wins, and a
            snapshot's history is never dropped.
        days: what to build anew of an incremental model that has an `event_time`.
        interval: the times that a microbatch model builds; None for up to now.
        turn: who builds, and how long it waits for others that build the same.

    Raises:
        ConfigError: the node is of another kind, or its definition, code or connection is wrong.
        RunError: its data is wrong.
        RetryableError: another session built it for too long.
    """
    # A task builds nodes of one kind, or few.
    match node.spec:
        case ModelSpec(incremental=Incremental(microbatch=Microbatch())):
            from airflow_dataops.core.execution.microbatch import build_batches

            return build_batches(
                node, code, runner, interval=interval, full_refresh=full_refresh, turn=turn
            )
        case ModelSpec():
            from airflow_dataops.core.execution.models import build_model

            return build_model(node, code, runner, full_refresh=full_refresh, days=days, turn=turn)
        case SeedSpec():
            from airflow_dataops.core.execution.seeds import build_seed

            return build_seed(node, code, runner, full_refresh=full_refresh, turn=turn)
        case SnapshotSpec():
            from airflow_dataops.core.execution.snapshots import build_snapshot

            return build_snapshot(node, code, runner, turn=turn)
        case _:
            raise ConfigError(
                f"{node.id} is a {node.kind}; only models, seeds and snapshots are built."
            )
