"""What nobody measured is no 100 %."""

from __future__ import annotations

import json
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from typer.testing import CliRunner

from airflow_dataops.adapters.ledger.store import LedgerStore
from airflow_dataops.adapters.watch.kept_slas import KeptSlas
from airflow_dataops.adapters.watch.records import Records
from airflow_dataops.cli.sla_tracker import app
from airflow_dataops.core.health.completion import TimedRun, judge_completion
from airflow_dataops.core.health.config import TableHealth
from airflow_dataops.core.health.judging import judge_bounds
from airflow_dataops.core.health.sla_config import CompletionSla, PipelineSla
from airflow_dataops.core.health.sla_report import sla_document, sla_report
from airflow_dataops.core.health.verdict import Status, Verdict, percent, report
from airflow_dataops.core.ledger.events import RunEvent
from airflow_dataops.core.sla.facts import RunFacts
from airflow_dataops.core.sla.misses import SlaMiss, Subject, SubjectKind
from airflow_dataops.core.sla.policies import BUSINESS_DAYS, ByTime, Calendar, MaxAge, RunType, Sla
from airflow_dataops.core.sla.watching import Watched, sla_id

if TYPE_CHECKING:
    from pathlib import Path

SEVEN = Sla(name="by seven", kind=SubjectKind.DAG, dag_id="shop", due=ByTime(at=time(7)))
FRESH = Sla(name="fresh", kind=SubjectKind.ASSET, subject="orders", due=MaxAge(minutes=60))


@pytest.fixture
def now() -> datetime:
    """The present, to the second: of the test, not of the import, which may be minutes before."""
    return datetime.now(UTC).replace(microsecond=0)


def verdict(status: Status) -> Verdict:
    return Verdict(check="freshness", table="t", status=status, message="m")


@pytest.mark.parametrize(
    ("statuses", "score"),
    [
        ([], None),
        (["SKIP", "SKIP"], None),
        (["ERROR"], None),
        (["ERROR", "SKIP"], None),
        (["PASS", "ERROR"], 50),
        (["PASS", "SKIP"], 100),
        (["FAIL"], 0),
    ],
)
def test_a_score_is_of_what_was_measured(
    statuses: list[str], score: float | None, now: datetime
) -> None:
    found = report([verdict(Status(each)) for each in statuses], now)
    assert found.summary.health_score == score


@pytest.mark.parametrize(
    ("statuses", "rate", "text"),
    [
        ([], None, "-"),
        (["SKIP"], None, "-"),
        (["ERROR", "ERROR"], None, "-"),
        (["PASS", "ERROR", "ERROR"], 100, "100 % of the 1 that could be judged"),
        (["PASS", "PASS"], 100, "100 %"),
        (["PASS", "FAIL"], 50, "50 %"),
    ],
)
def test_compliance_is_of_what_was_judged(
    statuses: list[str], rate: float | None, text: str, now: datetime
) -> None:
    found = sla_report([verdict(Status(each)) for each in statuses], now)
    assert found.summary.compliance_rate == rate
    assert sla_document(found).facts["Compliance"] == text


def test_a_dash_is_no_zero() -> None:
    assert (percent(None), percent(0.0)) == ("-", "0 %")


def test_a_run_that_is_under_way_is_not_judged_yet(now: datetime) -> None:
    sla = PipelineSla(name="shop", completion_time_sla=CompletionSla(target_duration_minutes=60))
    run = TimedRun(run_id="r", state="running", due_at=now, minutes=1)
    assert judge_completion(sla, [run], now).status is Status.SKIP


@pytest.mark.parametrize("bounds", [(None, None), (0.0, None), (None, 1.0)])
def test_nan_passes_no_check(bounds: tuple[float | None, float | None]) -> None:
    table = TableHealth(table_id="t")
    assert judge_bounds(table, "own", float("nan"), *bounds).status is Status.FAIL


def tracker(url: str, *more: str) -> tuple[int, str]:
    arguments = ["--report", "--ledger", url, "--days", "5", *more]
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    return done.exit_code, done.stdout


def by_sla(url: str) -> dict[str, Any]:
    _, text = tracker(url, "--format", "json")
    return {each["sla"]: each for each in json.loads(text)["compliance"]}


@pytest.mark.parametrize("kind", ["text", "markdown", "json"])
def test_a_report_without_a_monitor_says_so(tmp_path: Path, kind: str) -> None:
    """The trial: `Compliance: 100 %` with exit code 0 where nothing had ever been watched."""
    code, text = tracker(f"sqlite:///{tmp_path / 'ledger.db'}", "--format", kind)
    assert code == 3
    assert "100" not in text
    if kind == "json":
        assert json.loads(text)["summary"]["compliance_rate"] is None
    else:
        assert "never: start a monitor" in text


def test_runs_that_nobody_looked_at_are_not_judged(tmp_path: Path, now: datetime) -> None:
    """The monitor looked at one run of four, and one was missed; weekends owe nothing."""
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    ledger = LedgerStore(url)
    records = Records(ledger.database)
    weekdays = msgspec.structs.replace(
        SEVEN, name="workdays", due=ByTime(at=time(7), calendar=Calendar(days=BUSINESS_DAYS))
    )
    KeptSlas(ledger).keep([SEVEN, weekdays], now)
    records.mark(now)
    for number in range(4):
        at = now - timedelta(hours=number + 1)
        common = {"dag_id": "shop", "run_id": f"r{number}", "data_interval_end": at}
        ledger.write(
            [RunEvent(**common, observed_at=at, run_type="scheduled", state="success")]  # type: ignore[arg-type]
        )
    facts = RunFacts(dag_id="shop", run_id="r0", run_type=RunType.SCHEDULED, run_after=now)
    records.keep([Watched(run=facts, over=(sla_id(SEVEN),))], now)
    subject = Subject(kind=SubjectKind.DAG, dag_id="shop", run_id="r1")
    ledger.miss(SlaMiss(sla="by seven", subject=subject, due=now, detected_at=now))
    found = by_sla(url)
    seven, workdays = found["by seven"], found["workdays"]
    assert (seven["total"], seven["kept"], seven["not_judged"]) == (2, 1, 2)
    assert (workdays["total"], workdays["rate"]) == (0, None)
    code, text = tracker(url)
    assert "1 of 2 (50.00 %);" in text
    assert code == 0
    ledger.close()


def test_days_before_the_monitor_and_after_it_are_not_judged(tmp_path: Path, now: datetime) -> None:
    """An asset's day counts where somebody looked all day, or where it was missed.

    Four days before midnight the monitor began at noon, two days before it ended at one o'clock.
    """
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    ledger = LedgerStore(url)
    records = Records(ledger.database)
    KeptSlas(ledger).keep([FRESH], now)
    midnight = now.replace(hour=0, minute=0, second=0)
    records.mark(midnight - timedelta(days=3, hours=12))
    records.move("sla_watch", midnight - timedelta(days=2) + timedelta(hours=1))
    subject = Subject(kind=SubjectKind.ASSET, name="orders")
    late = midnight - timedelta(days=3, hours=22)
    ledger.miss(SlaMiss(sla="fresh", subject=subject, due=late, detected_at=late))
    [miss] = ledger.open_misses()
    ledger.solve(miss.key, late + timedelta(hours=1))
    fresh = by_sla(url)["fresh"]
    assert fresh["total"] - fresh["kept"] == 1
    assert (fresh["total"], fresh["not_judged"]) == (2, 4)
    ledger.close()


def test_each_day_without_a_run_is_one_miss(tmp_path: Path, now: datetime) -> None:
    """Misses of days have no run; the report takes each for one."""
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    ledger = LedgerStore(url)
    KeptSlas(ledger).keep([SEVEN], now)
    for day in range(3):
        due = now - timedelta(days=day)
        subject = Subject(kind=SubjectKind.DAG, dag_id="shop")
        ledger.miss(SlaMiss(sla="by seven", subject=subject, due=due, detected_at=due))
    seven = by_sla(url)["by seven"]
    assert (seven["total"], seven["kept"], seven["rate"]) == (3, 0, 0)
    ledger.close()
