"""Runs the DAGs of a page's blocks against a DuckDB file, templates and XComs included."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import duckdb
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG
from airflow.sdk.definitions.param import process_params

from airflow_dataops.core.sla.declared import slas_from_json

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from airflow_dataops.core.sla.policies import Sla
    from tests.docs.blocks import Block

DAY = datetime(2026, 1, 5, tzinfo=UTC)


class _Event:
    extra: Any = None

    def add(self, asset: Any, extra: Any = None) -> None:
        self.extra = extra


class _Ti:
    run_id, try_number, map_index, max_tries = "run", 1, -1, 1

    def __init__(self, dag_id: str, task_id: str, xcoms: dict[str, Any]) -> None:
        self.dag_id, self.task_id, self._xcoms = dag_id, task_id, xcoms

    def xcom_pull(self, task_ids: str, key: str = "return_value") -> Any:
        return self._xcoms[task_ids]

    def xcom_push(self, key: str, value: Any) -> None:
        pass


class Desk:
    """A folder with a warehouse in it: what a page takes for granted."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.file = folder / "wh.duckdb"
        self._set = monkeypatch.setenv
        monkeypatch.chdir(folder)
        self.connect("warehouse", self.file)

    def connect(self, conn_id: str, file: Path, **extra: Any) -> None:
        """Make an Airflow connection to a DuckDB file."""
        text = json.dumps({"conn_type": "duckdb", "host": str(file), "extra": extra})
        self._set(f"AIRFLOW_CONN_{conn_id.upper()}", text)

    def sql(self, script: str, file: Path | None = None) -> None:
        with duckdb.connect(str(file or self.file)) as warehouse:
            warehouse.execute(script)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.file)) as warehouse:
            return warehouse.execute(query).fetchall()

    def run_file(self, block: Block, **given: Any) -> dict[str, Any]:
        """Execute a block as a file in the folder; return its names."""
        place = str(self.folder / f"block_{block.number}.py")
        names = {"__file__": place, "__name__": f"block_{block.number}", **given}
        # Lines as on the page, for whoever reads a traceback.
        exec(compile("\n" * (block.line - 1) + block.text, place, "exec"), names)
        return names

    def dags(self, block: Block) -> dict[str, DAG]:
        """Let Airflow parse a block as a DAG file of the folder; return its DAGs."""
        file = self.folder / f"dags_{block.number}.py"
        file.write_text(f"# an airflow dag file\n{block.text}")
        bag = DagBag(str(file), bundle_path=self.folder, bundle_name="docs")
        assert bag.import_errors == {}
        assert bag.dags
        return dict(sorted(bag.dags.items()))


def run(dag: DAG, day: datetime = DAY, only: set[str] | None = None) -> dict[str, Any]:
    """Run the tasks of a DAG for a day, in order; return what each returned."""
    results: dict[str, Any] = {}
    for task in dag.topological_sort():
        if only is None or task.task_id in only:
            results[task.task_id] = run_task(task, day, results)
    return results


def slas_of(dag: DAG) -> list[Sla]:
    """Return the SLAs that Airflow keeps of a DAG."""
    return list(slas_from_json(dag.default_args.get("slas", [])))


def run_task(task: Any, day: datetime = DAY, results: dict[str, Any] | None = None) -> Any:
    """Render and execute one task."""
    dag = task.dag if task.has_dag() else DAG("alone")
    context: dict[str, Any] = {
        "dag": dag,
        "task": task,
        "ds": f"{day:%Y-%m-%d}",
        "logical_date": day,
        "data_interval_start": day,
        "data_interval_end": day + timedelta(days=1),
        "run_id": "run",
        "ti": _Ti(dag.dag_id, task.task_id, results if results is not None else {}),
        "params": process_params(dag, task, {}, suppress_exception=False),
        "outlet_events": defaultdict(_Event),
    }
    task.render_template_fields(context)
    return task.execute(context)
