"""Queries for what queries cost: BigQuery's jobs, Snowflake's history and metering.

Sources: BigQuery's INFORMATION_SCHEMA.JOBS; Snowflake's ACCOUNT_USAGE.QUERY_HISTORY (up to 45
minutes late) and ACCOUNT_USAGE.WAREHOUSE_METERING_HISTORY (up to 3 hours late).
"""

from __future__ import annotations

from airflow_dataops.core.engines.identifiers import quote

JOB_COLUMNS = (
    "job_id",
    "user",
    "started",
    "ended",
    "kind",
    "bytes",
    "billed",
    "slot_ms",
    "reserved",
    "cached",
    "labels",
    "query",
)
QUERY_COLUMNS = (
    "job_id",
    "user",
    "started",
    "ended",
    "kind",
    "bytes",
    "warehouse",
    "service_credits",
    "partitions",
    "partitions_total",
    "spilled_local",
    "spilled_remote",
    "tag",
    "query",
)


def bigquery_jobs(location: str, mark: str) -> str:
    """Ask for the jobs since a bound time, of the project that asks: `JOB_COLUMNS`.

    A script's own line is left out: its statements have lines too, with the same bytes.

    Args:
        location: the region, such as `US`.
    """
    region = quote(f"region-{location.lower()}", "bigquery")
    return (
        "select job_id, user_email, unix_micros(coalesce(start_time, creation_time)) / 1000000,\n"
        "  unix_micros(coalesce(end_time, start_time, creation_time)) / 1000000,\n"
        "  statement_type, total_bytes_processed, total_bytes_billed, total_slot_ms,\n"
        "  reservation_id, cache_hit, to_json_string(labels), substr(query, 1, 20000)\n"
        f"from {region}.INFORMATION_SCHEMA.JOBS\n"
        f"where creation_time >= {mark} and job_type = 'QUERY'\n"
        "  and coalesce(statement_type, '') <> 'SCRIPT'"
    )


def snowflake_queries(mark: str) -> str:
    """Ask for the queries since a bound time: `QUERY_COLUMNS`."""
    return (
        "select query_id, user_name, date_part(epoch_millisecond, start_time) / 1000,\n"
        "  date_part(epoch_millisecond, coalesce(end_time, start_time)) / 1000,\n"
        "  query_type, bytes_scanned, warehouse_name, credits_used_cloud_services,\n"
        "  partitions_scanned, partitions_total, bytes_spilled_to_local_storage,\n"
        "  bytes_spilled_to_remote_storage, query_tag, substr(query_text, 1, 20000)\n"
        "from snowflake.account_usage.query_history\n"
        f"where start_time >= to_timestamp_tz({mark})"
    )


def snowflake_metering(mark: str) -> str:
    """Ask for the credits of each warehouse and hour since a bound time.

    Rows are (warehouse, its hour's beginning in seconds since 1970, credits).
    """
    return (
        "select warehouse_name, date_part(epoch_second, start_time), credits_used_compute\n"
        "from snowflake.account_usage.warehouse_metering_history\n"
        f"where start_time >= to_timestamp_tz({mark})"
    )
