"""What dbt's adapters do of which a plan is made, for each engine of this package.

It is known at parse, where no engine is imported. Another package's engine says it of itself.
"""

from __future__ import annotations

from airflow_dataops.core.model import Struct


class Adapter(Struct, frozen=True):
    """What dbt's adapter for an engine does.

    Attributes:
        settings: those of its models that only dbt follows.
        switches: those that are on, and that only dbt turns off.
        strategies: the incremental strategies that engine `sql` writes as it does.
        indexes: whether it makes the indexes of a model.
        last_change: whether the engine tells when a table changed last.
    """

    settings: tuple[str, ...] = ()
    switches: tuple[str, ...] = ()
    strategies: tuple[str, ...] = ("append", "delete+insert", "merge")
    indexes: bool = False
    last_change: bool = False


ADAPTERS = {
    "bigquery": Adapter(
        settings=(
            "catalog_name",
            "file_format",
            "enable_change_history",
            "grant_access_to",
            "labels_from_meta",
            "partitions",
            "resource_tags",
            "storage_uri",
            "table_format",
        ),
        strategies=("insert_overwrite", "merge"),
        last_change=True,
    ),
    "duckdb": Adapter(
        settings=(
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
        indexes=True,
    ),
    "postgres": Adapter(
        settings=("unlogged",),
        indexes=True,
    ),
    "redshift": Adapter(
        settings=(
            "auto_refresh",
            "dist",
            "query_group",
            "sort",
            "sort_type",
        ),
        switches=("backup", "bind"),
        last_change=True,
    ),
    "snowflake": Adapter(
        settings=(
            "base_location_root",
            "base_location_subpath",
            "catalog_name",
            "change_tracking",
            "copy_tags",
            "external_volume",
            "query_tag",
            "row_access_policy",
            "secure",
            "table_format",
            "table_tag",
            "tmp_relation_type",
        ),
        strategies=("append", "delete+insert", "insert_overwrite", "merge"),
        last_change=True,
    ),
}
"""By the sqlglot name of the engine, which is the adapter's type too."""
