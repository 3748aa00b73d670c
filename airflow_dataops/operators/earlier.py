"""What selectors of the trigger form look at besides the project: an earlier run.

dbt's `--state` where the DAG names one; else, for `result:`, the ledger knows what went wrong in
the last run of the DAG.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from airflow_dataops.errors import ConfigError, RetryableError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from airflow.sdk import Context

    from airflow_dataops.adapters.manifest_store import StoredManifest
    from airflow_dataops.core.ledger.events import RunEvent
    from airflow_dataops.core.plan import Part
    from airflow_dataops.core.selection import SelectionInputs
    from airflow_dataops.planning.sources import ManifestSource

log = logging.getLogger(__name__)

_RUNS = 50
"""So many runs are looked through for the last one."""


def earlier_inputs(
    expressions: Sequence[str],
    manifest: StoredManifest,
    state: Path | ManifestSource | None,
    last_results: Callable[[], dict[str, str]],
) -> SelectionInputs | None:
    """Return what expressions look at besides the project; None where they do not.

    Args:
        state: the folder with what an earlier run left, None where the DAG names none.
        last_results: reads from the ledger how the nodes of the last run ended.

    Raises:
        ConfigError: what an expression looks at is not there, or is damaged.
        RetryableError: the last run has not ended.
    """
    from airflow_dataops.adapters.state_store import (
        RUN_RESULTS,
        StoredState,
        has_named_selector,
        methods_in,
    )
    from airflow_dataops.core.execution.last_run import KNOWN
    from airflow_dataops.core.selection import SelectionInputs
    from airflow_dataops.hooks.sources import local_manifest
    from airflow_dataops.planning.states import artifact, state_files

    methods, others = methods_in(expressions), has_named_selector(expressions)
    if not methods and not others:
        return None
    inputs = SelectionInputs()
    if state is not None:
        has_results = artifact(state, RUN_RESULTS, needed=False, fetch=local_manifest) is not None
        needed = methods if has_results else methods - {"result"}
        files = state_files(state, manifest.path, needed, others=others, fetch=local_manifest)
        inputs = StoredState(files).inputs(manifest)
    asks_results = "result" in methods or (others and "result" in str(manifest.project().selectors))
    if asks_results and inputs.results is None:
        inputs = replace(inputs, results=last_results(), statuses=KNOWN)
    return inputs


def last_results(context: Context, parts_of: Callable[[str], Sequence[Part]]) -> dict[str, str]:
    """Return how the nodes of the DAG's last run ended, as far as the ledger keeps it.

    Args:
        parts_of: what a task of the DAG runs, by its id.

    Raises:
        ConfigError: the ledger cannot be used, or knows of no earlier run.
        RetryableError: the last run has not ended, or the ledger has not heard of it.
    """
    from airflow_dataops.core.execution.last_run import last_before, results_of
    from airflow_dataops.core.ledger.events import CheckEvent, RunEvent, TaskEvent
    from airflow_dataops.core.runs import FINAL
    from airflow_dataops.hooks.alerts import open_ledger

    own = _own_run(context)
    ledger = open_ledger(migrate=False)
    run = last_before(ledger.read(RunEvent, dag_id=own.dag_id, limit=_RUNS), own)
    if run is None:
        raise ConfigError(
            f"`result:` looks at an earlier run, and the ledger knows none of DAG {own.dag_id!r}. "
            "Name the folder with a run_results.json (state= of the DAG), or look whether the "
            "ledger is kept ([dataops] ledger, ledger_feed)"
        )
    if run.state not in FINAL:
        raise RetryableError(
            f"`result:` looks at the run before, {run.run_id}, and the ledger has not heard of its "
            "end; it is looked at again at the next try"
        )
    log.info("result: looks at the run %s, which ended in state %s", run.run_id, run.state)
    tasks = ledger.read(TaskEvent, dag_id=run.dag_id, run_id=run.run_id)
    checks = ledger.read(CheckEvent, dag_id=run.dag_id, run_id=run.run_id)
    return results_of(tasks, checks, parts_of)


def _own_run(context: Context) -> RunEvent:
    from airflow_dataops.core.ledger.events import RunEvent

    ti: Any = context["ti"]
    dag_run: Any = context.get("dag_run")
    started = getattr(dag_run, "start_date", None)
    now = datetime.now(UTC)
    return RunEvent(dag_id=ti.dag_id, run_id=ti.run_id, observed_at=now, started_at=started)
