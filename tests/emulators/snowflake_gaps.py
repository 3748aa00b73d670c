"""What fakesnow cannot show; the contract suites read it and skip with the reason."""

from __future__ import annotations

FEATURES = {
    "query_tag": "it takes QUERY_TAG and forgets it",
    "swap": "SWAP WITH is three renames, not one atomic statement",
    "cancel": "it has no SYSTEM$CANCEL_ALL_QUERIES",
    "copy_into": "it knows neither PATTERN nor ON_ERROR = CONTINUE nor FILES on an internal stage",
    "temporary": "a temporary table cannot be made in a schema by name",
    "ddl": "ALTER TABLE does not end a transaction, as it does on Snowflake",
}
"""By feature."""

LOADS: dict[str, str] = {}
"""By the name of a test of loads, without or with its parameters."""
