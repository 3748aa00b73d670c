"""A project of microbatch models: by hour, day and month, of one and of several filtered inputs."""

from __future__ import annotations

import json

EVENTS = (
    "create schema raw",
    "create table raw.log (what varchar(20))",
    "create table raw.events (id integer, happened timestamp, n integer)",
    "insert into raw.events values (1, '2026-01-01 00:00:00', 1), (2, '2026-01-01 23:59:59', 2),"
    " (3, '2026-01-02 12:00:00', 3), (4, '2026-01-03 01:30:00', 4), (5, '2026-01-04 00:00:00', 5),"
    " (6, '2026-01-05 18:00:00', 6), (7, '2026-02-01 00:00:00', 7)",
)
CHANGES = (
    "update raw.events set n = n + 10",
    "insert into raw.events values (8, '2026-01-03 02:00:00', 8), (9, '2026-01-05 19:30:00', 9)",
)
DATES = (
    ("stage by_day by_month", "2026-01-01", "2026-01-03", False),
    ("by_day", "2026-01-02", "2026-01-04", False),
    ("by_day", "2026-01-05", "2026-01-06", False),
    ("by_day", "2026-01-03", "2026-01-05", True),
    ("by_hour", "2026-01-02T23:00:00", "2026-01-03T01:30:00", False),
    ("by_hour", "2026-01-03T01:00:00", "2026-01-03T03:00:00", False),
    ("by_month", "2026-01-31", "2026-02-02", False),
)
"""What is built, from when, up to when, and whether it is a full refresh."""
TABLES = ("by_day", "by_hour", "by_month", "raw.log")
_MODELS = {
    "stage": "{{ config(materialized='view', event_time='happened') }}\n"
    "select id, happened, n from {{ source('raw', 'events') }}",
    "by_day": "{{ config(batch_size='day', lookback=2, begin='2026-01-01',"
    " pre_hook=\"insert into raw.log values ('begin')\","
    " post_hook=\"insert into raw.log values ('end')\") }}\n"
    "with e as (select * from {{ source('raw', 'events') }}),\n"
    "s as (select * from {{ ref('stage') }})\n"
    "select e.id, e.happened, e.n, s.n as staged,"
    " '{% if is_incremental() %}later{% else %}first{% endif %}' as how,"
    " '{{ model.batch.id if model.batch else '' }}' as batch\n"
    "from e join s on s.id = e.id"
    " -- {{ run_started_at.strftime('%Y') }}",
    "by_hour": "{{ config(batch_size='hour', begin='2026-01-01T20:00:00') }}\n"
    "select id, happened, n from {{ ref('stage') }}",
    "by_month": "{{ config(batch_size='month', begin='2025-12-15', lookback=0) }}\n"
    "select id, happened, n, (select count(*) from {{ ref('stage').render() }}) as of_all"
    " from {{ ref('stage') }}",
}


def files(*, unique_key: bool) -> dict[str, str]:
    """Return the files of the project; some adapters need a unique key and others refuse it."""
    key = ", unique_key='id'" if unique_key else ""
    usual = "materialized='incremental', incremental_strategy='microbatch', event_time='happened'"
    found = {
        f"models/{name}.sql": sql
        if name == "stage"
        else sql.replace("config(", f"config({usual}{key}, ")
        for name, sql in _MODELS.items()
    }
    events = {"name": "events", "config": {"event_time": "happened"}}
    sources = [{"name": "raw", "schema": "raw", "tables": [events]}]
    return {**found, "models/sources.yml": json.dumps({"version": 2, "sources": sources})}
