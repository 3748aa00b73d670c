"""Which try of which task runs, and whether it still counts."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowRuntimeError

from airflow_dataops.errors import SupersededError

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_dataops.core.execution.turns import Turn
    from airflow_dataops.core.loads.specs import Attempt

log = logging.getLogger(__name__)

_KEY = "dataops_still_counts"
"""Nobody keeps anything under it."""


def attempt_of(context: Context) -> Attempt:
    """Return who runs: the task instance of a context."""
    from airflow_dataops.core.loads.specs import Attempt

    ti = context["ti"]
    owner = f"{ti.dag_id}.{ti.task_id}"
    if ti.map_index is not None and ti.map_index >= 0:
        owner += f"[{ti.map_index}]"
    return Attempt(owner=owner, run_id=ti.run_id, try_number=ti.try_number)


def turn_of(context: Context) -> Turn:
    """Return how a context's task instance takes turns with others that build the same."""
    from airflow_dataops.core.execution.turns import Turn

    attempt = attempt_of(context)

    def check() -> None:
        if _is_over(context.get("task_state_store")):
            raise SupersededError(
                f"{attempt.owner} in run {attempt.run_id}: Airflow has given up try "
                f"{attempt.try_number}, which has just woken up; it stops, and what it wrote was "
                "rolled back. Nothing is to be done; a later try does the work."
            )

    return Turn(attempt=attempt, check=check)


def _is_over(store: Any) -> bool:
    """Tell whether the API server has forgotten this try: each gets an id of its own.

    A question that the server cannot answer now stops nobody: Airflow itself ends a process
    that is out of reach for long.
    """
    if store is None:
        return False
    try:
        store.delete(_KEY)
    except AirflowRuntimeError as error:
        detail = getattr(error.error, "detail", None) or {}
        if detail.get("status_code") in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
            return True
        log.warning("Airflow did not say whether this try still counts: %s", error)
    return False
