"""What keeps compiled SQL and our own materializations from doing what dbt would do.

Each reason is a short phrase for a reader, who sees it beside the node in the plan. The
settings are those that dbt's and the adapters' materializations read at run time:
https://docs.getdbt.com/reference/model-configs and the pages of the adapters beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.manifests.dbt.touched import reasons, ties

if TYPE_CHECKING:
    from airflow_dataops.core.manifests.dbt.context import Entry
    from airflow_dataops.core.manifests.dbt.settings import Settings

NO_CODE = "no compiled code in the manifest"
ONE_RENDERING = (
    "the manifest has one rendering of this incremental model only: "
    "make it with `airflow-dataops compile`"
)
_STRATEGIES = {
    "bigquery": ("insert_overwrite", "merge"),
    "snowflake": ("append", "delete+insert", "insert_overwrite", "merge"),
}
_MOST_STRATEGIES = ("append", "delete+insert", "merge")
_TIME_PARTITIONS = ("date", "datetime", "timestamp")
MATERIALIZATIONS = ("view", "table", "incremental", "ephemeral")

_ANYWHERE = ("sql_header", "grants", "indexes")
_ADAPTERS = {
    "duckdb": (
        "merge_clauses",
        "merge_insert_condition",
        "merge_on_using_columns",
        "merge_returning_columns",
        "merge_update_condition",
        "merge_update_set_expressions",
        "partitioned_by",
        "sort_by",
        "sorted_by",
    ),
    "postgres": ("unlogged",),
    "snowflake": (
        "automatic_clustering",
        "base_location_root",
        "base_location_subpath",
        "catalog_name",
        "cluster_by",
        "change_tracking",
        "copy_grants",
        "copy_tags",
        "external_volume",
        "query_tag",
        "row_access_policy",
        "secure",
        "snowflake_warehouse",
        "table_format",
        "table_tag",
        "tmp_relation_type",
    ),
    "bigquery": (
        "catalog_name",
        "file_format",
        "grant_access_to",
        "hours_to_expiration",
        "kms_key_name",
        "labels",
        "partition_expiration_days",
        "partitions",
        "require_partition_filter",
        "resource_tags",
        "storage_uri",
        "table_format",
    ),
}
_PARTITION_KEYS = {"field", "data_type", "granularity"}


def physical(entry: Entry, materialization: str) -> list[str]:
    """Return reasons that hold for whatever makes a table or view."""
    found = entry.settings.once(_configured, entry.context.adapter)
    return [*found, *frozen(entry), *replaced(entry, materialization)]


def _configured(settings: Settings, adapter: str | None) -> list[str]:
    names = (*_ANYWHERE, *_ADAPTERS.get(adapter or "", ()))
    found = settings.any_of(names)
    docs = settings.mapping("persist_docs")
    if docs.get("relation") or docs.get("columns"):
        found.append("persist_docs")
    if settings.mapping("contract").get("enforced"):
        found.append("an enforced contract")
    if _odd_partition(settings.raw("partition_by"), adapter):
        found.append("partition_by beyond one field, its data_type and its granularity")
    return found


def strategies(adapter: str | None) -> tuple[str, ...]:
    """Return the incremental strategies that engine `sql` writes for an adapter's project."""
    return _STRATEGIES.get(adapter or "", _MOST_STRATEGIES)


def replaced(entry: Entry, materialization: str) -> list[str]:
    """Return the reason that the project has macros of its own for a materialization."""
    names = entry.context.macros.replaced(materialization)
    if not names:
        return []
    which = ", ".join(f"`{name}`" for name in names)
    if all("." in name for name in names):
        return [f"a package's {which} in place of dbt's"]
    return [f"the project's own {which} in place of dbt's"]


def frozen(entry: Entry) -> list[str]:
    """Return why a node's compiled SQL is that of one moment only."""
    touched = entry.context.touched.get(entry.id)
    return reasons(touched) if touched else []


def tied(entry: Entry) -> tuple[str, ...]:
    """Return what ties a node's compiled SQL to the environment that it was compiled for."""
    return tuple(ties(entry.context.touched.get(entry.id, ())))


def no_sql(entry: Entry) -> list[str]:
    """Return why a node's own SQL cannot be run: there is none, or it reads what is not there."""
    found = [] if (entry.node.compiled_code or "").strip() else [NO_CODE]
    if entry.id in entry.context.plugin_readers:
        found.append("a source that a dbt-duckdb plugin loads")
    return found


def _odd_partition(value: object, adapter: str | None) -> bool:
    """Say whether a partitioning asks for more than `PartitionBy` holds.

    dbt-duckdb and dbt-postgres pay no heed to the setting on tables of their own.
    """
    if adapter in ("duckdb", "postgres"):
        return False
    if isinstance(value, dict):
        type_ = str(value.get("data_type", "date")).lower()
        if type_ not in _TIME_PARTITIONS:
            return True
        return any(v not in (None, False) for k, v in value.items() if k not in _PARTITION_KEYS)
    return isinstance(value, list) and len(value) > 1
