"""What a node's configuration says of how its table is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.engines import get_engine
from airflow_dataops.core.engines.identifiers import literal, quote, quote_all
from airflow_dataops.core.engines.relations import PLAIN, Making

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_dataops.core.model import Node, PartitionBy


def making_of(node: Node, dialect: str) -> Making:
    """Return how dbt's adapter makes the table of a model, a snapshot or a test's failures."""
    models = get_engine(dialect).models
    if models.partitioned:
        return Making(clauses=_partitioned(node) + _clustered(node))
    # https://docs.getdbt.com/reference/resource-configs/snowflake-configs#transient-tables
    if models.transient and node.config.get("transient") is not False:
        return Making(kind="transient table")
    return PLAIN


def partition(by: PartitionBy, prefix: str = "") -> str:
    """Return the expression for a row's partition, on BigQuery."""
    column = f"{prefix}{quote(by.field, 'bigquery')}"
    type_, granularity = by.data_type.lower(), by.granularity.lower()
    if type_ == "date" and granularity == "day":
        return column
    return f"{type_}_trunc({column}, {granularity})"


def among(by: PartitionBy, values: Iterable[object], prefix: str) -> str:
    """Return the condition that a row is in one of some partitions, which are spelled out.

    So the engine reads those alone.
    """
    listed = ", ".join(f"{by.data_type} {literal(str(value), 'bigquery')}" for value in values)
    return f"{partition(by, prefix)} in ({listed})" if listed else "false"


def _partitioned(node: Node) -> str:
    by = node.orchestration.partition_by
    return "" if by is None else f"\npartition by {partition(by)}"


def _clustered(node: Node) -> str:
    columns = node.config.get("cluster_by") or ()
    names = (columns,) if isinstance(columns, str) else columns
    return f"\ncluster by {quote_all(names, 'bigquery')}" if names else ""
