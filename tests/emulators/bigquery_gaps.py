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
    "load_jobs": "they knew no options, matched columns by place, took no Parquet without a table",
    "spatial": "it did not start without DuckDB's extension for geography, which is left out",
    "history": "each change copied the whole table, for time travel, which is left out",
}
"""What `bigquery_server` mends, with what was wrong."""

FEATURES = {
    "jobs": "it has no INFORMATION_SCHEMA.JOBS and counts no bytes",
    "time_travel": "it is switched off, for its price",
    "expiration": "tables do not expire, and ALTER TABLE .. SET OPTIONS took no expression for it",
    "concurrency": "it runs one statement at a time",
}
"""By feature."""

_NAMES = "not the emulator's: BigQuery takes no such names of columns"
_FIELDS = "not the emulator's: BigQuery is not asked for the names of a JSON object's fields"
_RENAMED = "its catalogue goes on listing a renamed table by its old name"

LOADS = {
    "test_a_failed_batch_is_kept_for_a_time": _RENAMED,
    "test_a_poller_sees_no_row_that_was_not_audited": _RENAMED,
    "test_fields_that_the_table_has_not_are_refused_or_left_out_by_choice": _FIELDS,
    "test_fields_go_by_their_names_in_any_case": _FIELDS,
    "test_debezium_values_of_all_types": _NAMES,
    "test_nr_16_names_are_quoted": _NAMES,
    "test_nr_16_staging_names_of_long_tables_do_not_collide": (
        "it takes names of ASCII letters, digits and underscores alone"
    ),
    "test_a_column_of_bare_nulls_fits": (
        "not the emulator's: BigQuery makes a bare NULL an INT64, so that it has to be cast"
    ),
    "test_the_age_of_a_source_by_its_last_change": "it has no __TABLES__",
    "test_a_value_that_is_too_large_leaves_the_table_as_it_was": (
        "not the emulator's: BigQuery has one type of integers, and the value fits it"
    ),
}
"""By the name of a test of loads, without or with its parameters."""
