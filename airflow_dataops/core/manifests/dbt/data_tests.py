"""Data tests, generic and singular; and unit tests, which only dbt can run.

Source: https://docs.getdbt.com/reference/data-test-configs. A test's `where` is part of its
compiled code; what else is configured applies to the query's result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.manifests.dbt.unsupported import frozen, no_sql, replaced, tied
from airflow_dataops.core.model import Severity, StoreFailures, TestSpec, UnitTestSpec

if TYPE_CHECKING:
    from airflow_dataops.core.manifests.dbt.context import Entry
    from airflow_dataops.core.manifests.dbt.settings import Settings
    from airflow_dataops.core.manifests.dbt.wire import TestMetadata

_KEPT_AS = {
    None: StoreFailures.NO,
    "ephemeral": StoreFailures.NO,
    "table": StoreFailures.TABLE,
    "view": StoreFailures.VIEW,
}


def read_test(entry: Entry) -> TestSpec:
    """Read what a test's result means."""
    node, configured = entry.node, entry.settings.once(_configured)
    return TestSpec(
        severity=configured.severity,
        warn_if=configured.warn_if,
        error_if=configured.error_if,
        fail_calc=configured.fail_calc,
        limit=configured.limit,
        store_failures=configured.store_failures,
        generic=_generic(node.test_metadata),
        attached=node.attached_node,
        column=node.column_name,
        warnings_fail=entry.context.warn_error,
        unsupported=(
            *no_sql(entry),
            *frozen(entry),
            *configured.unsupported,
            *replaced(entry, "test"),
        ),
        tied=tied(entry),
    )


def _configured(settings: Settings) -> TestSpec:
    """Read what the configuration alone tells."""
    defaults = TestSpec()
    kept_as = _kept_as(settings)
    return TestSpec(
        severity=Severity(settings.choice("severity", Severity, Severity.ERROR)),
        warn_if=settings.text("warn_if") or defaults.warn_if,
        error_if=settings.text("error_if") or defaults.error_if,
        fail_calc=settings.text("fail_calc") or defaults.fail_calc,
        limit=settings.whole("limit"),
        store_failures=_KEPT_AS.get(kept_as, StoreFailures.NO),
        unsupported=(
            *settings.any_of(["sql_header"]),
            *([] if kept_as in _KEPT_AS else [f"store_failures_as `{kept_as}`"]),
        ),
    )


def read_unit_test(entry: Entry) -> UnitTestSpec:
    """Read which model a unit test is of: its id, or its name if the manifest lacks the id."""
    nodes = entry.node.depends_on.nodes or [entry.node.model or ""]
    return UnitTestSpec(model=nodes[0])


def _kept_as(settings: Settings) -> str | None:
    """`store_failures_as` wins over `store_failures`, which means a table."""
    kept_as = settings.text("store_failures_as")
    if kept_as is None and settings.flag("store_failures"):
        return "table"
    return kept_as


def _generic(metadata: TestMetadata | None) -> str | None:
    if metadata is None:
        return None
    return f"{metadata.namespace}.{metadata.name}" if metadata.namespace else metadata.name
