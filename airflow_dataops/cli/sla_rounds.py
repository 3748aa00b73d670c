"""One round of `sla-tracker`: ask Airflow and the warehouses, keep what was found."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from airflow_dataops.adapters.watch.records import MARK
from airflow_dataops.cli.keeping import keep, ledger_at, tell
from airflow_dataops.cli.sla_history import history
from airflow_dataops.cli.watching import progress
from airflow_dataops.core.health.completion import TimedRun, judge_completion, outcomes_of
from airflow_dataops.core.health.compliance import Compliance, Outcome, compliance
from airflow_dataops.core.health.monitor import check_all, count_checks
from airflow_dataops.core.health.sla_report import SlaReport, sla_report
from airflow_dataops.core.health.verdict import Status, Verdict
from airflow_dataops.core.ledger.events import CheckEvent, CheckStatus
from airflow_dataops.errors import DataOpsError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from airflow_dataops.adapters.run_history import PastRun
    from airflow_dataops.core.health.sla_config import SlaConfig
    from airflow_dataops.core.ports import Ledger, SqlRunner

_KEPT = {Status.PASS: True, Status.WARN: True, Status.FAIL: False}


def check_slas(config: SlaConfig, url: str | None, *, over_time: bool) -> SlaReport:
    """Check all SLAs of a config.

    Args:
        url: Airflow's api-server.
        over_time: whether to reckon compliance over `report_days` too.
    """
    now = datetime.now(UTC)
    runs = _runs(config, url, now, over_time=over_time)
    verdicts = [judge_completion(sla, runs[sla.dag], now) for sla in config.pipelines]
    verdicts = [*verdicts, *_tables(config, now)]
    ledger = None if config.ledger is None else ledger_at(config.ledger)
    if ledger is not None:
        keep(ledger, verdicts, now)
    verdicts = _available(config, verdicts, ledger, now)
    if ledger is not None:
        tell(ledger, verdicts, now, config.max_ages)
    found: list[Compliance] = []
    watched_until = None
    if over_time:
        found = [
            compliance(
                sla.name,
                "completion_time",
                outcomes_of(sla, past),
                target_percent=config.target_percent,
            )
            for sla in config.pipelines
            if not isinstance(past := runs[sla.dag], str)
        ]
        found += _of_tables(config, verdicts, ledger, now)
        if ledger is not None:
            known = {(each.subject, each.sla) for each in found}
            found += history(ledger, config.report_days, now, known)
            watched_until = ledger.mark(MARK)
    return sla_report(verdicts, now, found, watched_until)


def _runs(
    config: SlaConfig, url: str | None, now: datetime, *, over_time: bool
) -> dict[str, list[TimedRun] | str]:
    if not config.pipelines:
        return {}
    from airflow_dataops.adapters.run_history import runs_since

    hours = max(sla.completion_time_sla.lookback_hours for sla in config.pipelines)
    back = max(hours, config.report_days * 24.0) if over_time else hours
    try:
        past = runs_since(now - timedelta(hours=back), [s.dag for s in config.pipelines], url=url)
    except DataOpsError as error:
        return {sla.dag: str(error) for sla in config.pipelines}
    return {
        dag: runs if isinstance(runs, str) else [_timed(run, now) for run in runs]
        for dag, runs in past.items()
    }


def _timed(run: PastRun, now: datetime) -> TimedRun:
    return TimedRun(
        run_id=run.run_id,
        state=run.state,
        due_at=run.run_after,
        minutes=run.minutes(now),
        run_type=run.run_type,
    )


def _tables(config: SlaConfig, now: datetime) -> list[Verdict]:
    def open_(conn_id: str | None) -> AbstractContextManager[SqlRunner]:
        from airflow_dataops.hooks.warehouses import open_warehouse

        return open_warehouse(conn_id, project=config.project, location=config.location)

    tables = [sla.checks() for sla in config.tables]
    with progress(count_checks(tables), "Checking") as step:
        return check_all(tables, open_, conn_id=config.conn_id, now=now, progress=step)


def _available(
    config: SlaConfig, verdicts: list[Verdict], ledger: Ledger | None, now: datetime
) -> list[Verdict]:
    """Judge availability by the rounds of the lookback: one that could not read is one less."""
    wanted = {sla.table_id: sla.availability_sla for sla in config.tables}
    if ledger is None:
        return verdicts
    judged = []
    for each in verdicts:
        sla = wanted.get(each.table)
        if sla is None or each.check not in ("availability", "table"):
            judged.append(each)
            continue
        past = _rounds(ledger, each.table, now - timedelta(hours=sla.lookback_hours))
        if not past:
            judged.append(each)
            continue
        rate = 100 * sum(outcome.kept for outcome in past) / len(past)
        judged.append(
            msgspec.structs.replace(
                each,
                check="availability",
                status=Status.PASS if rate >= sla.percent else Status.FAIL,
                message=f"It could be read in {rate:g} % of {len(past)} rounds. {each.message}",
                value=rate,
                expected=f"at least {sla.percent:g} %",
            )
        )
    return judged


def _rounds(ledger: Ledger, table: str, since: datetime) -> list[Outcome]:
    """Return the rounds in which a table was looked for, with or without success."""
    found = [
        event
        for name in ("availability", "table")
        for event in ledger.read(CheckEvent, since=since, subject=table, name=name)
    ]
    return [Outcome(at=e.observed_at, kept=e.status is CheckStatus.PASS) for e in found]


def _of_tables(
    config: SlaConfig, verdicts: list[Verdict], ledger: Ledger | None, now: datetime
) -> list[Compliance]:
    """Reckon the compliance of tables by the ledger's rounds, or by the present one alone."""
    since = now - timedelta(days=config.report_days)
    names = {sla.table_id for sla in config.tables}
    found = []
    for each in verdicts:
        if each.table not in names or each.check == "table":
            continue
        outcomes = [Outcome(at=now, kept=_KEPT[each.status])] if each.status in _KEPT else []
        if ledger is not None and each.check == "availability":
            outcomes = _rounds(ledger, each.table, since)
        elif ledger is not None:
            events = ledger.read(CheckEvent, since=since, subject=each.table, name=each.check)
            outcomes = [
                Outcome(at=e.observed_at, kept=e.status is not CheckStatus.FAIL)
                for e in events
                if e.status is not CheckStatus.ERROR
            ]
        target = config.target_percent
        found.append(compliance(each.table, each.check, outcomes, target_percent=target))
    return found
