"""What fakesnow cannot show; the contract suites read it and skip with the reason."""

from __future__ import annotations

FEATURES = {
    "query_tag": "it takes QUERY_TAG and forgets it",
    "swap": "SWAP WITH is three renames, not one atomic statement",
    "cancel": "it has no SYSTEM$CANCEL_ALL_QUERIES; SYSTEM$CANCEL_QUERY is the tests' own",
    "scripts": "it has none: `scripting` runs the statements of ours, and of ours alone",
    "copy_into": "it knows neither PATTERN nor ON_ERROR = CONTINUE nor FILES on an internal stage",
    "temporary": "a temporary table in a schema is an ordinary one",
    "ddl": "ALTER TABLE does not end a transaction, as it does on Snowflake",
    "keys": "it enforces primary keys, which Snowflake does not",
    "locks": "DuckDB's: two transactions that change one row conflict at once, none waits",
    "names": "it finds an unquoted name in any case, where Snowflake folds it to capitals",
    "subqueries": "it takes a correlated EXISTS anywhere, Snowflake in WHERE alone and in no OR",
}
"""By feature."""

SHOWN_ELSEWHERE = {
    "swap": "no load swaps; docs/loads/replace.md says why",
    "copy_into": "tests/unit/sql/test_copying.py pins what is sent",
    "scripts": "tests/unit/sql/test_scripts.py pins what is sent",
    "names": "tests/unit/sql/test_snowflake_names.py reads the SQL that is sent",
    "subqueries": "tests/unit/sql/test_snowflake_names.py, too",
    "locks": "tests/host/test_snowflake_session.py: who is turned away tries again",
    "ddl": "tests/contract/test_loads_widening.py sees the order of statements",
}
"""Where a feature that the emulator cannot show is tested, as far as it can be."""

LOADS: dict[str, str] = {
    "test_debezium_values_of_all_types": "it keeps no column whose name holds both quotes",
    "test_the_age_of_a_source_by_its_last_change": "LAST_ALTERED is the year 1970",
}
"""By the name of a test of loads, without or with its parameters."""
