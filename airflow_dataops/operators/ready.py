"""Tell that a table is ready for other DAGs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_dataops.core.plan import TaskKind
from airflow_dataops.operators.node import NodeOperator

if TYPE_CHECKING:
    from airflow.sdk import Context


class ReadyOperator(NodeOperator):
    """Emits the asset of a table, after several test tasks that all gate its readers.

    A run that left some of the tests out emits nothing: nobody vouches for the table.
    """

    ui_color = "#f3efdc"
    task_kind = TaskKind.READY

    def execute(self, context: Context) -> Any:
        """Emit, unless tests were left out."""
        request = self._request(context)
        tested = self._taking_part(TaskKind.TEST, request, context)
        is_ready = len(tested) == len(self.nodes) and not request.dry_run
        if not is_ready:
            self.log.info("Not told to other DAGs: this run left tests out")
            self.outlets = []
        return {"ready": is_ready}
