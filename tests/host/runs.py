"""Runs a DAG's operators in this process, as Airflow would, with a store that survives tries."""

from __future__ import annotations

import copy
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from airflow.sdk.definitions.param import process_params
from airflow.sdk.exceptions import AirflowException, AirflowFailException

if TYPE_CHECKING:
    from airflow.sdk import DAG, BaseOperator


class Store:
    """The state store of one task instance."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.written = 0

    def get(self, key: str, default: Any = None) -> Any:
        return self.values.get(key, default)

    def set(self, key: str, value: Any) -> None:
        self.written += 1
        self.values[key] = value

    def delete(self, key: str) -> None:
        self.values.pop(key, None)


class Ti:
    """What our operators ask of a task instance."""

    dag_id, run_id, try_number, map_index = "dag", "run", 1, -1

    def __init__(self, task_id: str, max_tries: int, run: Run | None = None) -> None:
        self.task_id = task_id
        self.max_tries = max_tries
        self.xcoms: dict[str, Any] = {}
        self._run = run

    def get_task_states(self, dag_id: str, task_ids: list[str], run_ids: list[str]) -> Any:
        states = self._run.states if self._run else {}
        return {run_ids[0]: {id_: states[id_] for id_ in task_ids if id_ in states}}

    def xcom_pull(self, task_ids: str, key: str) -> Any:
        return self._run.results.get(task_ids) if self._run and key == "results" else None

    def xcom_push(self, key: str, value: Any) -> None:
        self.xcoms[key] = value


class _Event:
    extra: Any = None


class Run:
    """One DAG run. `states`, `results` (XComs), `errors` and `assets` are by task id."""

    def __init__(self, dag: DAG, **conf: Any) -> None:
        self.dag = dag
        self.conf = conf
        self.stores: dict[str, Store] = defaultdict(Store)
        self.states: dict[str, str] = {}
        self.results: dict[str, Any] = {}
        self.errors: dict[str, Exception] = {}
        self.assets: dict[str, dict[str, Any]] = {}
        self.sql: dict[str, str] = {}

    def all(self, max_tries: int = 2) -> Run:
        """Try each task that did not succeed yet once, in the order of the DAG."""
        for task in self.dag.topological_sort():
            id_ = task.task_id
            if self.states.get(id_) == "success":
                continue
            waits_for_success = task.trigger_rule != "all_done"
            others = (self.states[other] for other in task.upstream_task_ids)
            if waits_for_success and any(state != "success" for state in others):
                self.states[id_] = "upstream_failed"
            else:
                self.one(task, max_tries)
        return self

    def one(self, task: BaseOperator, max_tries: int = 2) -> None:
        """Try one task."""
        ti = Ti(task.task_id, max_tries, self)
        events: Any = defaultdict(_Event)
        outlets = list(task.outlets)
        context: Any = {
            "ti": ti,
            "run_id": ti.run_id,
            "params": self._params(task),
            "outlet_events": events,
            "task_state_store": self.stores[task.task_id],
        }
        id_ = task.task_id
        try:
            self.results[id_] = task.execute(context)
        except AirflowException as error:
            final = isinstance(error, AirflowFailException)
            self.states[id_] = "failed" if final else "up_for_retry"
            self.errors[id_] = error
            self.results[id_] = next(iter(ti.xcoms.values()), None)
        else:
            self.states[id_] = "success"
            self.assets[id_] = {asset.name: events[asset].extra for asset in task.outlets}
        finally:
            self.sql[id_] = getattr(task, "sql", None) or ""
            task.outlets = outlets

    def _params(self, task: BaseOperator) -> dict[str, Any]:
        """Merge the run's conf into the params, which in Airflow a process of its own does."""
        kept = copy.deepcopy(self.dag.params)
        try:
            return process_params(self.dag, task, self.conf, suppress_exception=False)
        finally:
            self.dag.params = kept
