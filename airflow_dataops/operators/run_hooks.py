"""Run the hooks around a run, from their SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from airflow_dataops.operators.node import NodeOperator
from airflow_dataops.operators.run_outcome import to_build

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

    from airflow_dataops.core.plan.structs import Builder
    from airflow_dataops.operators.node import NodeArguments


class HooksOperator(NodeOperator):
    """Runs `on-run-start` or `on-run-end` of a dbt project and its packages, in dbt's order.

    As in dbt, the schemas that the run builds in are there before the first of them, each is run
    outside of a transaction, and after one that fails the others do not run.

    Args:
        around: the tasks of the run, and what each of them builds.

    Returns:
        `{"nodes": [{"node", "status": success}, ...]}`, one for each hook.
    """

    ui_color = "#e6e0f0"

    def __init__(
        self, *, around: Sequence[Builder] = (), **arguments: Unpack[NodeArguments]
    ) -> None:
        super().__init__(**arguments)
        self.around = tuple(around)

    def execute(self, context: Context) -> Any:
        """Run the hooks."""
        from airflow_dataops.core.execution.rendering import rendered_code
        from airflow_dataops.core.execution.run_hooks import make_places, run_hooks
        from airflow_dataops.hooks.sql_runner import get_sql_hook

        request, manifest = self._request(context), self._open()
        dialect = get_sql_hook(self.conn_id)[1]
        codes = {id_: manifest.code(id_) for id_ in self.nodes}
        hooks = [
            (id_, rendered_code(id_, code, request, dialect).sql or "")
            for id_, code in codes.items()
        ]
        if request.dry_run:
            self.sql = "\n\n".join(f"-- {id_}\n{sql}" for id_, sql in hooks)
            self.log.info("Dry run:\n%s", self.sql)
            return {"nodes": [{"node": id_, "status": "dry run"} for id_, _ in hooks]}
        nodes = to_build(self.around, manifest, request, self._selected(request, context))
        with self._recorded() as runner:
            make_places(nodes, runner)
            run_hooks(hooks, runner)
        return {"nodes": [{"node": id_, "status": "success"} for id_, _ in hooks]}

    def _lineage(self, results: Mapping[str, Mapping[str, Any]]) -> Any:
        """Tell the SQL: hooks are no nodes, and nobody knows what they read or write."""
        from airflow.providers.common.compat.openlineage.facet import SQLJobFacet
        from airflow.providers.openlineage.extractors import OperatorLineage

        return OperatorLineage(
            inputs=[],
            outputs=[],
            job_facets={"sql": SQLJobFacet(query=self.sql)} if self.sql else {},
        )
