"""Builds a microbatch model: its batches one after another, each published by itself."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec.structs import replace

from airflow_dataops.core.execution.batches import batches_of
from airflow_dataops.core.execution.models import adds_rows, build_model
from airflow_dataops.core.execution.values import RunValues, with_values
from airflow_dataops.core.model import ModelSpec
from airflow_dataops.core.sql import catalog

if TYPE_CHECKING:
    from airflow_dataops.core.execution.batches import Batch, Interval
    from airflow_dataops.core.execution.results import BuildResult
    from airflow_dataops.core.execution.turns import Turn
    from airflow_dataops.core.model import Code, Node
    from airflow_dataops.core.ports import SqlRunner


def build_batches(
    node: Node,
    code: Code,
    runner: SqlRunner,
    *,
    interval: Interval | None,
    full_refresh: bool = False,
    turn: Turn | None = None,
) -> BuildResult:
    """Build the batches of a run.

    As with dbt, hooks run before the first and after the last batch. Where one fails, those after
    it are left; a retry builds all of them again, which changes nothing of what was built well.

    Args:
        interval: the run's, see `batches_of`.

    Raises as `build_model` does.
    """
    spec = node.spec
    assert isinstance(spec, ModelSpec)  # noqa: S101 - for the type checker
    assert spec.incremental is not None  # noqa: S101 - likewise
    assert spec.incremental.microbatch is not None  # noqa: S101 - likewise
    assert node.relation is not None  # noqa: S101 - likewise
    there = catalog.relation_kind(runner, node.relation)
    keeps = adds_rows(spec, there, full_refresh=full_refresh)
    batches = batches_of(
        spec.incremental.microbatch, interval, datetime.now(UTC), incremental=keeps
    )
    if spec.full_refresh or (full_refresh and spec.full_refresh is None):
        code = replace(code, incremental_sql=code.sql)  # is_incremental() is false for all batches
    results = []
    for number, batch in enumerate(batches):
        hooked = replace(
            spec,
            pre_hooks=spec.pre_hooks if number == 0 else (),
            post_hooks=spec.post_hooks if number == len(batches) - 1 else (),
        )
        results.append(
            build_model(
                replace(node, spec=hooked),
                _of_batch(node, code, batch, runner),
                runner,
                full_refresh=full_refresh,
                batch=batch,
                adds=keeps or number > 0,
                turn=turn,
            )
        )
    rows = [result.rows for result in results if result.rows is not None]
    return replace(results[0], rows=sum(rows) if rows else None)


def _of_batch(node: Node, code: Code, batch: Batch, runner: SqlRunner) -> Code:
    return with_values(code, RunValues(batch=batch), runner.dialect, node.id)
