"""What `sla-tracker` prints."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from airflow_dataops.core.health.compliance import Compliance
from airflow_dataops.core.health.rendering import Document, Table
from airflow_dataops.core.health.verdict import Status, Verdict, percent
from airflow_dataops.core.model import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_MOST = 50


class SlaSummary(Struct, frozen=True, omit_defaults=False):
    """How many SLAs are kept now.

    `compliance_rate` is their share of those that could be judged, in percent; None where none
    could be. `not_judged` are the others: errors, and where nothing was due.
    """

    total_slas: int
    compliant: int
    violations: int
    critical_violations: int
    errors: int
    not_judged: int
    compliance_rate: float | None


class SlaReport(Struct, frozen=True, omit_defaults=False):
    """What `sla-tracker` prints as JSON; `compliance` is over time, with `--report`.

    `watched_until` is how far the monitor of runs and assets has come, None for never or where
    no ledger is named.
    """

    timestamp: datetime
    checks: tuple[Verdict, ...]
    violations: tuple[Verdict, ...]
    critical_violations: tuple[Verdict, ...]
    summary: SlaSummary
    compliance: tuple[Compliance, ...] = ()
    watched_until: datetime | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing was checked, neither now nor over time."""
        return not self.checks and not any(each.total for each in self.compliance)


def sla_report(
    checks: Iterable[Verdict],
    at: datetime,
    compliance: Iterable[Compliance] = (),
    watched_until: datetime | None = None,
) -> SlaReport:
    """Sum up verdicts."""
    found = tuple(checks)
    missed = tuple(each for each in found if each.status is Status.FAIL)
    critical = tuple(each for each in missed if each.critical)
    kept = sum(each.status in (Status.PASS, Status.WARN) for each in found)
    judged = kept + len(missed)
    summary = SlaSummary(
        total_slas=len(found),
        compliant=kept,
        violations=len(missed),
        critical_violations=len(critical),
        errors=sum(each.status is Status.ERROR for each in found),
        not_judged=len(found) - judged,
        compliance_rate=round(100 * kept / judged, 1) if judged else None,
    )
    return SlaReport(
        timestamp=at,
        checks=found,
        violations=missed,
        critical_violations=critical,
        summary=summary,
        compliance=tuple(compliance),
        watched_until=watched_until,
    )


def sla_document(report: SlaReport) -> Document:
    """Return the report for a reader. Of days, those with a miss are shown; JSON has all."""
    facts = {"Checked at": f"{report.timestamp:%Y-%m-%d %H:%M:%S} UTC"}
    if report.checks or not report.compliance:
        facts |= _now(report.summary)
    if report.compliance:
        facts["Kept over time"] = _kept(report.compliance)
    if report.is_empty:
        facts["Watched until"] = "never: start a monitor, docs/slas-detection.md says how"
    if report.watched_until is not None:
        facts["Watched until"] = f"{report.watched_until:%Y-%m-%d %H:%M:%S} UTC"
    tables = [_overview(report.compliance)] if report.compliance else []
    for each in _detailed(report.compliance):
        rows = [
            (title, period.period, f"{period.kept} of {period.total}", f"{period.rate:g} %")
            for title, found in (
                ("Month", each.by_month),
                ("Week", each.by_week),
                ("Day", each.by_day),
            )
            for period in found
            if title != "Day" or period.kept < period.total
        ]
        title = f"{each.subject}: {each.sla}"
        tables.append(Table(title=title, heads=("", "Period", "Kept", "Rate"), rows=tuple(rows)))
    return Document(
        title="SLA compliance", facts=facts, verdicts=report.checks, tables=tuple(tables)
    )


def _now(total: SlaSummary) -> dict[str, str]:
    return {
        "SLAs": f"{total.total_slas}",
        "Kept": f"{total.compliant}",
        "Violations": f"{total.violations} ({total.critical_violations} critical)",
        "Could not be checked": f"{total.errors}",
        "Compliance": percent(total.compliance_rate) + _of(total),
    }


def _of(total: SlaSummary) -> str:
    if not total.not_judged or total.compliance_rate is None:
        return ""
    return f" of the {total.total_slas - total.not_judged} that could be judged"


def _kept(found: Sequence[Compliance]) -> str:
    kept, total = sum(each.kept for each in found), sum(each.total for each in found)
    unknown = sum(each.not_judged for each in found)
    told = f"{kept:,} of {total:,} ({100 * kept / total:.2f} %)" if total else "-"
    return f"{told}; {unknown:,} not judged" if unknown else told


def _detailed(found: Sequence[Compliance]) -> Sequence[Compliance]:
    """Return those that are shown period by period: of very many, the worst."""
    if len(found) <= _MOST:
        return found
    return sorted(found, key=lambda each: 100.0 if each.rate is None else each.rate)[:_MOST]


def _overview(found: Iterable[Compliance]) -> Table:
    heads = (
        *("Subject", "SLA", "Kept", "Not judged", "Rate", "Budget left"),
        *("Trend", "Change", "Suggested SLA"),
    )
    rows = tuple(
        (
            each.subject,
            each.sla,
            f"{each.kept} of {each.total}" if each.total else "-",
            f"{each.not_judged}",
            percent(each.rate),
            f"{each.budget.left:g} of {each.budget.allowed:g}" if each.total else "-",
            "-" if each.trend is None else f"{each.trend:+g} points",
            _change(each),
            "-"
            if each.suggested_minutes is None
            else f"{each.suggested_minutes[0]:g} to {each.suggested_minutes[1]:g} min",
        )
        for each in found
    )
    return Table(title="Compliance over time", heads=heads, rows=rows)


def _change(each: Compliance) -> str:
    if each.change is None:
        return "-"
    worse = "slower" if each.degraded else "changed"
    change = each.change
    return f"{worse} since {change.at:%Y-%m-%d}: {change.before:g} to {change.after:g} min"
