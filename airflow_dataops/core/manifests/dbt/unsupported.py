"""What keeps compiled SQL and our own materializations from doing what dbt would do.

Each reason is a short phrase for a reader, who sees it beside the node in the plan. The
settings are those that dbt's and the adapters' materializations read at run time:
https://docs.getdbt.com/reference/model-configs and the pages of the adapters beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.engines.registry import adapter_of
from airflow_dataops.core.manifests.dbt.columns import written_columns
from airflow_dataops.core.manifests.dbt.hooks import has_jinja
from airflow_dataops.core.manifests.dbt.names import expressions, is_column
from airflow_dataops.core.manifests.dbt.touched import reasons, ties
from airflow_dataops.core.privileges import strange_grants

if TYPE_CHECKING:
    from airflow_dataops.core.manifests.dbt.context import Entry
    from airflow_dataops.core.manifests.dbt.settings import Settings

NO_CODE = "no compiled code in the manifest"
ONE_RENDERING = (
    "the manifest has one rendering of this incremental model only: "
    "make it with `airflow-dataops compile`"
)
_TIME_PARTITIONS = ("date", "datetime", "timestamp")
MATERIALIZATIONS = ("view", "table", "incremental", "ephemeral")

_PARTITION_KEYS = {"field", "data_type", "granularity", "range"}
_SEED_OPTIONS = (
    "hours_to_expiration",
    "kms_key_name",
    "labels",
    "partition_expiration_days",
    "require_partition_filter",
)
_INDEX_METHODS = ("btree", "hash", "gist", "spgist", "gin", "brin")


def physical(entry: Entry, materialization: str) -> list[str]:
    """Return reasons that hold for whatever makes a table or view."""
    adapter = entry.context.adapter
    found = [
        *entry.settings.once(_configured, adapter),
        *entry.settings.once(_beside, adapter, materialization),
        *_nested(entry),
    ]
    return [*found, *frozen(entry), *replaced(entry, materialization)]


def _configured(settings: Settings, adapter: str | None) -> list[str]:
    known = adapter_of(adapter)
    found = settings.any_of(known.settings)
    found += [f"{name}: false" for name in known.switches if _is_off(settings.raw(name))]
    if _odd_partition(settings.raw("partition_by"), adapter):
        found.append("partition_by beyond one field, its data_type, granularity and range")
    return found


def _is_off(value: object) -> bool:
    return value is not None and not value


def _beside(settings: Settings, adapter: str | None, materialization: str) -> list[str]:
    """Return what of grants, indexes and options only dbt can do."""
    found = _odd_header(settings, adapter, materialization)
    if materialization not in MATERIALIZATIONS and settings.mapping("contract").get("enforced"):
        found.append(f"an enforced contract of a {materialization}")
    # dbt-duckdb pays no heed to grants.
    grants = {} if adapter == "duckdb" else settings.mapping("grants")
    if grants and adapter == "bigquery":
        found.append("grants on BigQuery")
    elif grants and (materialization == "seed" or strange_grants(grants)):
        found.append("grants of a seed" if materialization == "seed" else "grants to odd names")
    if settings.given("indexes") and adapter_of(adapter).indexes:
        if materialization == "seed":
            found.append("indexes of a seed")
        elif not _are_plain(settings.raw("indexes")):
            found.append("indexes beyond columns, unique and type")
    if adapter == "bigquery":
        if materialization == "seed":
            found += settings.any_of(_SEED_OPTIONS)
        found += _odd_options(settings)
    if adapter == "snowflake":
        found += _odd_compute(settings, materialization)
    return found


def _odd_header(settings: Settings, adapter: str | None, materialization: str) -> list[str]:
    """Return why a node's `sql_header` does not run as a statement before those of its build."""
    header = settings.raw("sql_header")
    if not settings.given("sql_header"):
        return []
    if not isinstance(header, str) or has_jinja(header):
        return ["sql_header with Jinja in it"]
    if materialization not in MATERIALIZATIONS:
        return [f"sql_header of a {materialization}"]
    if adapter == "bigquery":
        return ["sql_header on BigQuery"]
    if adapter == "snowflake" and ";" in header.strip().rstrip(";"):
        return ["sql_header of several statements"]
    return []


def _are_plain(indexes: object) -> bool:
    return isinstance(indexes, list) and all(
        isinstance(index, dict)
        and isinstance(index.get("columns"), list)
        and index["columns"]
        and all(isinstance(c, str) for c in index["columns"])
        and not expressions(index["columns"])
        and isinstance(index.get("unique", False), bool)
        and index.get("type") in (None, *_INDEX_METHODS)
        and index.keys() <= {"columns", "unique", "type"}
        for index in indexes
    )


def _odd_options(settings: Settings) -> list[str]:
    """Return the options of BigQuery that are not of the type they have to be."""
    labels = settings.raw("labels")
    texts = isinstance(labels, dict) and all(isinstance(v, str) for v in labels.values())
    found = [] if texts or not settings.given("labels") else ["labels that are no texts"]
    for name in ("hours_to_expiration", "partition_expiration_days"):
        value = settings.raw(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            found.append(f"{name} that is no number")
    if not isinstance(settings.raw("kms_key_name"), str | None):
        found.append("kms_key_name that is no text")
    if not isinstance(settings.raw("require_partition_filter"), bool | None):
        found.append("require_partition_filter that is neither true nor false")
    return found


def _odd_compute(settings: Settings, materialization: str) -> list[str]:
    warehouse, keys = settings.raw("snowflake_warehouse"), settings.raw("cluster_by")
    found = []
    if warehouse and not (isinstance(warehouse, str) and is_column(warehouse)):
        found.append("snowflake_warehouse that is no plain name")
    listed = [keys] if isinstance(keys, str) else keys or []
    if not isinstance(listed, list) or not all(isinstance(key, str) for key in listed):
        found.append("cluster_by that is no text or list of texts")
    elif any(has_jinja(key) for key in listed):
        found.append("Jinja in cluster_by")
    if materialization == "seed":
        found += settings.any_of(("copy_grants",))
    return found


def _nested(entry: Entry) -> list[str]:
    """Return what of the comments on columns on BigQuery only its API can write."""
    if entry.context.adapter != "bigquery":
        return []
    if not entry.settings.mapping("persist_docs").get("columns"):
        return []
    columns = written_columns(entry)
    found = ["comments on fields of a STRUCT"] if any("." in name for name in columns) else []
    if any(column.policy_tags for column in columns.values()):
        found.append("policy_tags")
    return found


def strategies(adapter: str | None) -> tuple[str, ...]:
    """Return the incremental strategies that engine `sql` writes for an adapter's project."""
    return adapter_of(adapter).strategies


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
        if type_ == "int64":
            if not _is_range(value.get("range")):
                return True
        elif type_ not in _TIME_PARTITIONS or value.get("range"):
            return True
        return any(v not in (None, False) for k, v in value.items() if k not in _PARTITION_KEYS)
    return isinstance(value, list) and len(value) > 1


def _is_range(value: object) -> bool:
    """Say whether partitions by whole numbers are those that `Range` holds."""
    names = {"start", "end", "interval"}
    return (
        isinstance(value, dict)
        and value.keys() == names
        and all(isinstance(n, int) and not isinstance(n, bool) for n in value.values())
    )
