"""Check how old a source is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowFailException

from airflow_dataops.core.plan import TaskKind
from airflow_dataops.operators.node import NodeOperator, plain
from airflow_dataops.operators.warned import tell_warned

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_dataops.core.execution.results import FreshnessResult


class FreshnessOperator(NodeOperator):
    """Compares the age of a source's newest row with its `warn_after` and `error_after`.

    Returns:
        `{"node", "status": pass | warn, "max_loaded_at", "age_minutes", "message"}`. A source
        past `error_after` fails the task.
    """

    ui_color = "#fff3d6"
    task_kind = TaskKind.FRESHNESS

    def execute(self, context: Context) -> Any:
        """Check the source."""
        from airflow_dataops.core.execution.parts import run_node

        (id_,) = self.nodes
        request = self._request(context)
        if not self._taking_part(TaskKind.FRESHNESS, request, context):
            return {"node": id_, "status": "not selected"}
        if request.dry_run:
            return self._show(TaskKind.FRESHNESS, self.nodes, request)
        manifest = self._open()
        node, code = manifest.node(id_), manifest.code(id_)
        result: FreshnessResult = self._run(
            lambda runner: run_node(TaskKind.FRESHNESS, node, code, runner, request)
        )
        self.log.info("%s %s %s", result.status.upper(), id_, result.message)
        shown = plain(result)
        self._tell([shown])
        tell_warned(self.on_warning_callback, context, [shown])
        if result.status == "fail":
            raise AirflowFailException(f"{id_}: {result.message}")
        return shown
