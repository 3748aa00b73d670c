"""The SQL of data tests, as dbt writes it (its `get_test_sql` and test materialization)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_dataops.core.model import TestSpec


def failing_rows(query: str, limit: int | None) -> str:
    """Return a test's query, cut at `limit` rows.

    The limit is put behind the query, not around it, so that it goes by the query's own order.
    """
    return query if limit is None else f"{query}\nlimit {int(limit)}"


def verdict(rows: str, spec: TestSpec) -> str:
    """Return a query for one row: the failures, whether to warn, whether to fail.

    Args:
        rows: a query for the failing rows.
        spec: its `fail_calc`, `warn_if` and `error_if` are put together as texts, as dbt does.
    """
    return (
        "select\n"
        f"  {spec.fail_calc} as failures,\n"
        f"  {spec.fail_calc} {spec.warn_if} as should_warn,\n"
        f"  {spec.fail_calc} {spec.error_if} as should_error\n"
        f"from (\n{rows}\n) as dbt_internal_test"
    )
