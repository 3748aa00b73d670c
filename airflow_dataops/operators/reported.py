"""What operators did -> metrics: rows, checks, freshness."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_dataops import metrics

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_CHECKS = {
    "pass": "dataops.check.passed",
    "warn": "dataops.check.warned",
    "fail": "dataops.check.failed",
}


def report_results(results: Iterable[Mapping[str, Any]]) -> None:
    """Report results of nodes in the form in which operators return them.

    What was not run (a dry run, a node that is not selected) reports nothing.
    """
    for result in results:
        tags = {"node": result["node"]}
        if result.get("rows") is not None:
            metrics.count("dataops.rows", result["rows"], tags=tags)
        if result.get("status") in _CHECKS:
            metrics.count(_CHECKS[result["status"]], tags=tags)
        if result.get("age_minutes") is not None:
            metrics.gauge("dataops.freshness.age_seconds", 60 * result["age_minutes"], tags=tags)


def report_load(target: str, *rows: int | None) -> None:
    """Report the rows that a load changed in its target; None where it is not known."""
    known = [number for number in rows if number is not None]
    if known:
        metrics.count("dataops.rows", sum(known), tags={"node": target})
