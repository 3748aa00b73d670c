"""What a run of a DAG has for itself: its vars, its start, and one id for all of its tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

from airflow_dataops.core.arguments import did_you_mean
from airflow_dataops.core.execution.batches import Interval
from airflow_dataops.core.execution.values import RunValues
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from airflow.sdk import Context


def run_interval(context: Context) -> Interval | None:
    """Return the times that a run is for; None where its DAG has no schedule of intervals.

    A backfill is for its own times alone. Other runs look back as dbt does.
    """
    run: Any = context.get("dag_run")
    begin, end = (getattr(run, f"data_interval_{which}", None) for which in ("start", "end"))
    if begin is None or end is None or begin >= end:
        return None
    is_backfill = getattr(run.run_type, "value", run.run_type) == "backfill"
    return Interval(begin=begin, end=end, exact=is_backfill)


def run_values(
    context: Context,
    own: Mapping[str, Any],
    asked: RunValues,
    known: Collection[str] | None,
) -> RunValues:
    """Return the values of a run; all of its tasks have the same.

    Args:
        own: dbt's vars that the DAG sets, rendered.
        asked: those of the trigger form, which beat them.
        known: the vars that a run may set; None for any.

    Raises:
        ConfigError: the trigger form sets another.
    """
    if known is not None:
        for name in sorted(asked.variables.keys() - set(known)):
            raise ConfigError(
                f"param vars: {name!r} is no var of the run{did_you_mean(name, known)}; its value "
                f"is in the compiled SQL. Compile with --runtime-vars {name}."
            )
    run: Any = context.get("dag_run")
    if run is None:
        return RunValues(variables={**own, **asked.variables})
    return RunValues(
        variables={**own, **asked.variables},
        started_at=run.start_date,
        invocation_id=str(uuid5(NAMESPACE_URL, f"{run.dag_id}/{run.run_id}/{run.start_date}")),
    )
