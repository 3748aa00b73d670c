"""What the operators of loads read, in OpenLineage's naming (openlineage.io/docs/spec/naming)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

Input = tuple[str, str]
"""Namespace and name."""


class Reading(Protocol):
    """An operator that reads rows; see `SourceArguments`."""

    conn_id: str
    sql: str | None
    table: str | None
    source: Any


def inputs_of(task: Reading, namespace_of: Callable[[str], str]) -> list[Input]:
    """Return what a load reads, as far as it can be told without running it.

    Args:
        task: with its templates rendered.
        namespace_of: tells where a connection's tables are.
    """
    from airflow_dataops.hooks.connection_query import ConnectionQuery
    from airflow_dataops.hooks.file_source import Files
    from airflow_dataops.hooks.kafka_topic import KafkaTopic

    match task.source:
        case str() as sql:
            return _tables(sql, task.conn_id, namespace_of)
        case ConnectionQuery() as query:
            return _tables(query.sql, query.conn_id, namespace_of)
        case Files() as files:
            return [_place(files.url)]
        case KafkaTopic() as topic:
            return [(_brokers(topic.conn_id), topic.topic)]
    if task.table is not None:
        return [(namespace_of(task.conn_id), task.table)]
    return [] if task.sql is None else _tables(task.sql, task.conn_id, namespace_of)


def _tables(sql: str, conn_id: str, namespace_of: Callable[[str], str]) -> list[Input]:
    from airflow_dataops.core.sql.reads import tables_read
    from airflow_dataops.hooks.sql_runner import get_sql_hook

    _, dialect = get_sql_hook(conn_id)
    namespace = namespace_of(conn_id)
    return [(namespace, name) for name in tables_read(sql, dialect)]


def _place(url: str) -> Input:
    parts = urlsplit(url)
    if parts.scheme in ("", "file"):
        return "file", parts.path
    # `conn_id@` may go before the host; it is nobody else's business.
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}", parts.path.lstrip("/")


def _brokers(conn_id: str) -> str:
    from airflow.sdk import BaseHook

    extra: dict[str, Any] = BaseHook.get_connection(conn_id).extra_dejson
    first = str(extra.get("bootstrap.servers", "")).split(",")[0].strip()
    return f"kafka://{first}"
