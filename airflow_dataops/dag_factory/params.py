"""The form with which a run is triggered: what a run may be asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import Param
from airflow.sdk.definitions.param import ParamsDict

from airflow_dataops.core.model import Mode

if TYPE_CHECKING:
    from airflow.sdk import DAG


def put_run_params(dag: DAG) -> None:
    """Give a DAG our params, before its own; those of its own of the same name win.

    At the end, when all operators are built: Airflow holds each param of a new DAG with a schedule
    against its schema, and copies them all into each operator that it builds.
    """
    object.__setattr__(dag, "params", ParamsDict({**run_params(), **dict(dag.params.items())}))


def run_params() -> dict[str, Param]:
    """Return the params of a DAG; `core.execution.requests` reads what was filled in."""
    return {
        "full_refresh": _param(
            False,
            "Full refresh",
            "Build incremental models and seeds anew instead of adding to them.",
            type="boolean",
        ),
        "select": _param(
            None,
            "Select",
            "Only these nodes, as in dbt: `fct_orders+` (and all downstream), `tag:daily`; "
            "`result:error+ result:fail result:skipped` for what failed in the last run. "
            "The other tasks end at once and touch nothing.",
            type=["null", "string"],
        ),
        "exclude": _param(None, "Exclude", "Not these nodes, as in dbt.", type=["null", "string"]),
        "mode": _param(
            str(Mode.ALL),
            "Mode",
            "Build and test, build without tests, or test what is there.",
            type="string",
            enum=[str(mode) for mode in Mode],
        ),
        "begin": _param(
            None,
            "Begin",
            "First day that incremental models with an event_time build anew.",
            type=["null", "string"],
            format="date",
        ),
        "end": _param(
            None, "End", "The day after the last one.", type=["null", "string"], format="date"
        ),
        "assets": _param(
            True,
            "Tell other DAGs",
            "Emit the assets of the tables, which start the DAGs that read them.",
            type="boolean",
        ),
        "vars": _param(
            None,
            "Vars",
            'dbt\'s vars of this run: `{"run_day": "2026-01-31"}`. They beat those of the DAG.',
            type=["null", "object"],
        ),
        "dry_run": _param(False, "Dry run", "Log the SQL and change nothing.", type="boolean"),
    }


def _param(default: Any, title: str, description: str, **schema: Any) -> Param:
    return Param(default=default, title=title, description=description, **schema)
