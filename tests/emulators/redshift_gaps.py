"""What Postgres in Redshift's place cannot show; the contract suites skip it with the reason."""

from __future__ import annotations

from tests.accounts import NOT_THE_EMULATORS

_REFUSED = f"{NOT_THE_EMULATORS}Debezium's envelopes are refused (test_redshift.py)"
LOADS: dict[str, str] = {
    "test_the_age_of_a_source_by_its_last_change": "nothing fills its sys_query_detail",
    "test_nr_16_staging_names_of_long_tables_do_not_collide": "Postgres cuts names to 63 bytes",
} | dict.fromkeys(
    (
        "test_debezium_inserts_reads_updates_and_deletes",
        "test_nr_21_debezium_a_primary_key_change_moves_the_row",
        "test_debezium_incomplete_events_are_refused",
        "test_debezium_values_of_all_types",
        "test_debezium_numbers_for_times_are_refused",
        "test_debezium_what_a_column_would_lose_is_refused",
        "test_events_of_an_unknown_kind_are_refused_or_ignored_by_choice",
        "test_ignored_events_need_no_row_and_no_sequence",
        "test_fields_that_the_table_has_not_are_refused_or_left_out_by_choice",
        "test_fields_go_by_their_names_in_any_case",
        "test_changes_of_the_schema_are_told_from_tombstones",
    ),
    _REFUSED,
)
"""By the name of a test of loads, without or with its parameters."""
