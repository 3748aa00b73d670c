"""OPTIONS of tables and views on BigQuery, as dbt-bigquery writes them.

Source: `get_common_options` and `get_table_options` of dbt-bigquery; descriptions are written once
the table is there, see `core/execution/finishing`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.engines.identifiers import literal

if TYPE_CHECKING:
    from airflow_dataops.core.model import Node


def of_table(node: Node) -> str:
    """Return the clause for a table; nothing where the node asks for nothing."""
    found = _common(node)
    config = node.config
    if (key := config.get("kms_key_name")) is not None:
        found["kms_key_name"] = literal(key, "bigquery")
    is_partitioned = config.get("partition_by") is not None
    if (required := config.get("require_partition_filter")) is not None and is_partitioned:
        found["require_partition_filter"] = "true" if required else "false"
    if (days := config.get("partition_expiration_days")) is not None:
        found["partition_expiration_days"] = _number(days)
    return _clause(found)


def of_view(node: Node) -> str:
    """Return the clause for a view."""
    return _clause(_common(node))


def _common(node: Node) -> dict[str, str]:
    found = {}
    if (hours := node.config.get("hours_to_expiration")) is not None:
        found["expiration_timestamp"] = (
            f"timestamp_add(current_timestamp(), interval {_number(hours)} hour)"
        )
    if labels := node.config.get("labels"):
        pairs = ((literal(k, "bigquery"), literal(v, "bigquery")) for k, v in labels.items())
        found["labels"] = f"[{', '.join(f'({name}, {value})' for name, value in pairs)}]"
    return found


def _number(value: float) -> str:
    """Return a number as SQL; whatever else there is, it is none."""
    return str(float(value) if isinstance(value, float) else int(value))


def _clause(options: dict[str, str]) -> str:
    listed = ", ".join(f"{name} = {value}" for name, value in options.items())
    return f"\noptions ({listed})" if listed else ""
