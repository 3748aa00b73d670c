"""Build a model, a seed or a snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_dataops.core.deprecation import renamed
from airflow_dataops.core.plan import TaskKind
from airflow_dataops.operators.attempts import turn_of
from airflow_dataops.operators.node import NodeOperator, plain

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_dataops.core.execution.results import BuildResult


class DbtBuildOperator(NodeOperator):
    """Builds one model, seed or snapshot as dbt would leave it.

    Tables are replaced atomically. With the DAG param `full_refresh` set, incremental models
    and seeds are made anew.

    Returns:
        `{"node", "relation", "action": created | replaced | updated, "rows"}`; the same goes
        into the extra of the assets that the task updates.

    Raises:
        RunError: the data or the SQL is wrong; Airflow does not retry it.
    """

    ui_color = "#d7e8ff"
    task_kind = TaskKind.BUILD

    def execute(self, context: Context) -> Any:
        """Build the node."""
        from airflow_dataops.core.execution.days import ignores_days
        from airflow_dataops.core.execution.parts import run_node

        request = self._request(context)
        if not self._taking_part(TaskKind.BUILD, request, context):
            return {"node": self.nodes[0], "status": "not selected"}
        if request.dry_run:
            return self._show(TaskKind.BUILD, self.nodes, request)
        manifest = self._open()
        (id_,) = self.nodes
        found = self._found(manifest, id_)
        if request.days and ignores_days(found.node):
            self.log.warning("%s has no event_time: begin and end mean nothing to it", id_)
        result: BuildResult = self._run(
            lambda runner: run_node(
                TaskKind.BUILD, *found.at(runner), runner, request, turn_of(context)
            )
        )
        rows = "" if result.rows is None else f", {result.rows} rows"
        self.log.info("%s %s%s", result.relation, result.action, rows)
        for asset in self.outlets:
            context["outlet_events"][asset].extra = {"action": result.action, "rows": result.rows}
        shown = plain(result)
        self._tell([shown])
        return shown


__getattr__ = renamed(__name__, {"BuildOperator": "DbtBuildOperator"})
