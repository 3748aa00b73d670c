"""What nodes read and wrote, in the form of Airflow's OpenLineage provider.

The provider calls these methods when it is installed and configured
(airflow.apache.org/docs/apache-airflow-providers-openlineage, "Implementing OpenLineage in
operators"); nothing here is imported before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from airflow_dataops.operators.asked import Asked
from airflow_dataops.operators.lineage_inputs import inputs_of
from airflow_dataops.operators.reported import report_load, report_results

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow.providers.openlineage.extractors import OperatorLineage

    from airflow_dataops.core.model import Relation
    from airflow_dataops.operators.lineage_inputs import Reading


class NodeLineage(Asked):
    """Tells inputs, outputs, row counts and SQL of an operator that runs nodes of a manifest."""

    conn_id: str
    sql: str | None
    _told: tuple[dict[str, Any], ...] = ()

    def _tell(self, results: Iterable[dict[str, Any]]) -> None:
        """Report the results of nodes as metrics, and keep them for lineage."""
        told = tuple(results)
        self._told += told
        report_results(told)

    def get_openlineage_facets_on_start(self) -> OperatorLineage[Any, Any]:
        """Tell what is going to be read and written."""
        return self._lineage({})

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage[Any, Any]:
        """Tell what was read and written, how many rows, and by which SQL."""
        return self._lineage({result["node"]: result for result in self._told})

    def _lineage(self, results: Mapping[str, Mapping[str, Any]]) -> OperatorLineage[Any, Any]:
        from airflow.providers.common.compat.openlineage.facet import Dataset, SQLJobFacet
        from airflow.providers.openlineage.extractors import OperatorLineage

        manifest, namespace = self._open(), namespace_of(self.conn_id)
        nodes = [manifest.node(id_) for id_ in self.nodes]
        built = {node.id: node.relation for node in nodes if node.kind in _BUILT and node.relation}
        parents = sorted({parent for node in nodes for parent in node.parents} - set(built))
        read = [manifest.node(parent).relation for parent in parents]
        return OperatorLineage(
            inputs=[Dataset(namespace, str(relation)) for relation in read if relation],
            outputs=[
                output(namespace, relation, results.get(id_, {}).get("rows"))
                for id_, relation in built.items()
            ],
            job_facets={"sql": SQLJobFacet(query=self.sql)} if self.sql else {},
        )


class LoadLineage:
    """Tells what an operator that loads one table reads, its target, rows and SQL."""

    target: str
    conn_id: str
    script: str | None
    _changed: int | None = None

    def _tell_load(self, target: str, *rows: int | None) -> None:
        """Report the rows that a load changed; None where it is not known."""
        known = [number for number in rows if number is not None]
        self._changed = sum(known) if known else None
        report_load(target, *rows)

    def get_openlineage_facets_on_start(self) -> OperatorLineage[Any, Any]:
        """Tell what is going to be read and written."""
        return self._lineage()

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage[Any, Any]:
        """Tell what was read and written, how many rows, and by which SQL."""
        return self._lineage()

    def _lineage(self) -> OperatorLineage[Any, Any]:
        from airflow.providers.common.compat.openlineage.facet import Dataset, SQLJobFacet
        from airflow.providers.openlineage.extractors import OperatorLineage

        read = inputs_of(cast("Reading", self), namespace_of)
        return OperatorLineage(
            inputs=[Dataset(namespace, name) for namespace, name in read],
            outputs=[output(namespace_of(self.conn_id), self.target, self._changed)],
            job_facets={"sql": SQLJobFacet(query=self.script)} if self.script else {},
        )


_BUILT = frozenset({"model", "seed", "snapshot"})


def output(namespace: str, relation: Relation | str, rows: int | None) -> Any:
    """Return a table that was written, with its rows where they are known."""
    from airflow.providers.common.compat.openlineage.facet import (
        OutputDataset,
        OutputStatisticsOutputDatasetFacet,
    )

    facets: dict[str, Any] = {}
    if rows is not None:
        facets["outputStatistics"] = OutputStatisticsOutputDatasetFacet(rowCount=rows)
    return OutputDataset(namespace=namespace, name=str(relation), outputFacets=facets)


def namespace_of(conn_id: str) -> str:
    """Return where a connection's tables are, in OpenLineage's naming: `postgres://host:5432`.

    A hook that has no such name gets its dialect and host: `duckdb:///data/shop.duckdb`.
    """
    from airflow.providers.openlineage.sqlparser import SQLParser

    from airflow_dataops.hooks.sql_runner import get_sql_hook

    hook, dialect = get_sql_hook(conn_id)
    connection = hook.get_connection(conn_id)
    info = hook.get_openlineage_database_info(connection)
    if info is not None:
        return str(SQLParser.create_namespace(info))
    return f"{dialect}://{connection.host or ''}"
