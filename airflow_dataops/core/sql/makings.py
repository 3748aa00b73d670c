"""What a node's configuration says of how its table is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from airflow_dataops.core.engines import get_engine
from airflow_dataops.core.engines.identifiers import literal, quote, quote_all
from airflow_dataops.core.engines.relations import Making, render
from airflow_dataops.core.model import ModelSpec
from airflow_dataops.core.sql import options
from airflow_dataops.core.sql.contracts import column_list, name_list

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_dataops.core.model import Node, PartitionBy, Relation


def making_of(node: Node, dialect: str) -> Making:
    """Return how dbt's adapter makes the table of a model, a snapshot or a test's failures."""
    making = _making_of(node, dialect)
    contract = node.spec.contract if isinstance(node.spec, ModelSpec) else None
    if contract is None:
        return making
    inserts = get_engine(dialect).models.contracts.inserts
    return replace(
        making,
        columns=column_list(contract, dialect),
        names=name_list(contract, dialect) if inserts else "",
    )


def _making_of(node: Node, dialect: str) -> Making:
    models = get_engine(dialect).models
    if models.partitioned:
        return Making(clauses=_partitioned(node) + _clustered(node) + options.of_table(node))
    copied = "\ncopy grants" if models.finishing.grants and keeps_grants(node, dialect) else ""
    ordered = cluster_keys(node) if models.clustered else ""
    # https://docs.getdbt.com/reference/resource-configs/snowflake-configs#transient-tables
    if models.transient and node.config.get("transient") is not False:
        return Making(kind="transient table", clauses=copied, ordered_by=ordered)
    return Making(clauses=copied, ordered_by=ordered)


def view_clauses(node: Node, dialect: str) -> str:
    """Return what stands behind a view's name."""
    if get_engine(dialect).models.table_options:
        return options.of_view(node)
    return "\ncopy grants" if keeps_grants(node, dialect) else ""


def clustering(node: Node, relation: Relation, dialect: str) -> tuple[str, ...]:
    """Return the statements that have a new table kept in the order of its clusters."""
    keys = cluster_keys(node)
    if not keys or not get_engine(dialect).models.clustered:
        return ()
    alter = f"alter table {render(relation, dialect)}"
    resume = (f"{alter} resume recluster",) if node.config.get("automatic_clustering") else ()
    return (f"{alter} cluster by (\n{keys}\n)", *resume)


def cluster_keys(node: Node) -> str:
    """Return the expressions of `cluster_by`, as the author wrote them."""
    keys = node.config.get("cluster_by") or ()
    return keys if isinstance(keys, str) else ", ".join(keys)


def keeps_grants(node: Node, dialect: str) -> bool:
    """Tell whether a relation made anew has the grants of the one that it replaces."""
    grants = get_engine(dialect).models.finishing.grants
    return grants is not None and grants.copied and bool(node.config.get("copy_grants"))


def partition(by: PartitionBy, prefix: str = "") -> str:
    """Return the expression for a row's partition, on BigQuery."""
    column = f"{prefix}{quote(by.field, 'bigquery')}"
    type_, granularity = by.data_type.lower(), by.granularity.lower()
    if by.range is not None or (type_ == "date" and granularity == "day"):
        return column
    return f"{type_}_trunc({column}, {granularity})"


def among(by: PartitionBy, values: Iterable[object], prefix: str) -> str:
    """Return the condition that a row is in one of some partitions, which are spelled out.

    So the engine reads those alone.
    """
    if by.range is not None:
        numbers = ", ".join(str(int(str(value))) for value in values)
        return f"{partition(by, prefix)} in ({numbers})" if numbers else "false"
    listed = ", ".join(f"{by.data_type} {literal(str(value), 'bigquery')}" for value in values)
    return f"{partition(by, prefix)} in ({listed})" if listed else "false"


def _partitioned(node: Node) -> str:
    by = node.orchestration.partition_by
    if by is None:
        return ""
    if by.range is not None:
        steps = f"{by.range.start}, {by.range.end}, {by.range.interval}"
        return f"\npartition by range_bucket({partition(by)}, generate_array({steps}))"
    return f"\npartition by {partition(by)}"


def _clustered(node: Node) -> str:
    columns = node.config.get("cluster_by") or ()
    names = (columns,) if isinstance(columns, str) else columns
    return f"\ncluster by {quote_all(names, 'bigquery')}" if names else ""
