"""What Postgres in Redshift's place cannot show; the contract suites skip it with the reason."""

from __future__ import annotations

LOADS: dict[str, str] = {
    "test_the_age_of_a_source_by_its_last_change": "nothing fills its sys_query_detail",
}
"""By the name of a test of loads, without or with its parameters."""
