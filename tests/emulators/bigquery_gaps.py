"""What bqemulator 1.4.0 cannot show; the contract suites read it and skip with the reason."""

from __future__ import annotations

REPAIRS = {
    "sessions": "they were names only: each has a connection of its own",
    "transactions": "one ended with the statement that began it: it lasts until COMMIT or ROLLBACK",
    "conflicts": "nothing conflicted: two transactions that change one table do, as on BigQuery",
    "abort_session": "BQ.ABORT_SESSION() was unknown",
    "not_enforced": "PRIMARY KEY .. NOT ENFORCED was enforced, or no SQL at all",
    "columns": "INFORMATION_SCHEMA.COLUMNS had no defaults, and the columns before ALTER TABLE",
    "parameters": "values of an UPDATE's FROM were bound before those of its SET",
    "spatial": "it did not start without DuckDB's extension for geography, which is left out",
    "history": "each change copied the whole table, for time travel, which is left out",
}
"""What `bigquery_server` mends, with what was wrong."""

FEATURES = {
    "jobs": "it has no INFORMATION_SCHEMA.JOBS and counts no bytes",
    "time_travel": "it is switched off, for its price",
    "concurrency": "it runs one statement at a time",
}
"""By feature."""

LOADS: dict[str, str] = {}
"""By the name of a test of loads, without or with its parameters."""
