"""A cost report for a reader."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.health.rendering import Document, Table

if TYPE_CHECKING:
    from airflow_dataops.core.cost.report import CostReport, Share

_GIB = 2**30


def cost_document(report: CostReport) -> Document:
    """Return the report's sums, shares and most expensive queries as tables."""
    facts = {
        "Hours": f"{report.hours:g}",
        "Total": f"{report.total_cost_usd:,.2f} USD",
        "Queries": f"{report.total_queries:,}",
        "Not attributed": _unattributed(report),
    }
    shares = (
        ("By model", report.by_model),
        ("By task", report.by_task),
        ("By DAG", report.by_dag),
        ("By owner", report.by_owner),
        ("By user", report.by_user),
    )
    tables = [_shares(title, found) for title, found in shares if found]
    rows = tuple(
        (
            f"{each.cost_usd:,.2f}",
            each.job_id,
            each.model or each.task_id or each.dag_id or each.user,
            f"{each.bytes / _GIB:,.1f}",
            each.query,
            " ".join(each.advice),
        )
        for each in report.most_expensive
    )
    heads = ("USD", "Job", "Whose", "GiB", "Query", "What to do")
    top = Table(title="Most expensive queries", heads=heads, rows=rows)
    return Document(title="Cost report", facts=facts, tables=(*tables, top))


def _unattributed(report: CostReport) -> str:
    share = f" ({report.unattributed_share:.0%})" if report.total_cost_usd else ""
    return f"{report.unattributed_usd:,.2f} USD{share}" if report.total_queries else "-"


def _shares(title: str, shares: tuple[Share, ...]) -> Table:
    rows = tuple(
        (share.name, f"{share.cost_usd:,.2f}", f"{share.queries:,}", f"{share.bytes / _GIB:,.1f}")
        for share in shares
    )
    return Table(title=title, heads=("Name", "USD", "Queries", "GiB"), rows=rows)
