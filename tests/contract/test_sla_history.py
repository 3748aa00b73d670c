"""A quarter whose truth is known, in a ledger; `sla-tracker --report` over it."""

from __future__ import annotations

import json
import random
from collections import Counter
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from airflow_dataops.adapters.ledger.store import LedgerStore
from airflow_dataops.adapters.watch.kept_slas import KeptSlas
from airflow_dataops.cli.sla_tracker import app
from airflow_dataops.core.ledger.events import RunEvent, TaskEvent
from airflow_dataops.core.sla.misses import SlaMiss, Subject, SubjectKind, Tier
from airflow_dataops.core.sla.policies import AfterTaskStart, ByTime, MaxAge, Sla
from tests.databases import KINDS, empty_database

if TYPE_CHECKING:
    from collections.abc import Iterator

DAYS = 91
SLOWER = 61
"""From this day on `orders` takes half as long again."""
BY_SEVEN = Sla(
    name="by seven",
    kind=SubjectKind.DAG,
    dag_id="shop",
    due=ByTime(at=time(7)),
    tier=Tier.IMPORTANT,
)
QUICK = Sla(
    name="quick",
    kind=SubjectKind.TASK,
    dag_id="shop",
    task_id="orders",
    due=AfterTaskStart(minutes=40),
    tier=Tier.NICE_TO_HAVE,
)
FRESH = Sla(name="fresh", kind=SubjectKind.ASSET, subject="s3://lake/x", due=MaxAge(minutes=60))
NEVER_MISSED = Sla(
    name="always", kind=SubjectKind.DAG, dag_id="shop", due=ByTime(at=time(23)), tier=Tier.CRITICAL
)


class Quarter:
    """Ninety-one nightly runs; whoever makes them knows which were late."""

    def __init__(self, ledger: LedgerStore, now: datetime) -> None:
        self.now = now
        self.start = (now - timedelta(days=DAYS)).replace(hour=5, minute=0, second=0, microsecond=0)
        self.late: list[tuple[str, datetime]] = []
        self.minutes: list[float] = []
        self.events: list[Any] = []
        self.misses: list[tuple[SlaMiss, datetime | None]] = []
        # The same quarter each time; nothing secret.
        dice = random.Random(7)
        for day in range(DAYS):
            self._run(day, dice)
        KeptSlas(ledger).keep([BY_SEVEN, QUICK, FRESH, NEVER_MISSED], now)
        ledger.write(self.events)
        for miss, solved in self.misses:
            ledger.miss(miss)
            if solved is not None:
                ledger.solve(miss.key, solved)

    def _run(self, day: int, dice: random.Random) -> None:
        begin = self.start + timedelta(days=day)
        run_id = f"scheduled__{day}"
        due = begin.replace(hour=7)
        if day == 30:  # the run never came
            self._miss(BY_SEVEN, run_id, due, "never_started", None)
            return
        took = dice.gauss(30, 2) * (1.5 if day >= SLOWER else 1.0)
        waited = 100 if day % 17 == 0 else 0
        ended = begin + timedelta(minutes=waited + took)
        common = {"dag_id": "shop", "run_id": run_id, "observed_at": ended}
        self.events += [
            RunEvent(
                **common,
                run_type="scheduled",
                state="success",
                data_interval_end=begin,
                started_at=begin,
                ended_at=ended,
            ),
            RunEvent(**common | {"run_id": f"manual__{day}"}, run_type="manual", state="failed"),
            TaskEvent(
                **common,
                task_id="orders",
                state="success",
                started_at=ended - timedelta(minutes=took),
                ended_at=ended,
            ),
        ]
        self.minutes.append(took)
        if ended > due:
            self._miss(BY_SEVEN, run_id, due, "success", ended)
        if took > 40:
            self._miss(QUICK, run_id, ended - timedelta(minutes=took - 40), "success", ended)
        if day % 10 == 0:
            self._stale(begin)

    def _miss(
        self, sla: Sla, run_id: str, due: datetime, state: str, solved: datetime | None
    ) -> None:
        at = Subject(kind=sla.kind, dag_id="shop", run_id=run_id, task_id=sla.task_id)
        found = SlaMiss(
            sla=sla.name, subject=at, due=due, detected_at=due, tier=sla.tier, state=state
        )
        self.misses.append((found, solved))
        self.late.append((sla.name, due))

    def _stale(self, begin: datetime) -> None:
        at = Subject(kind=SubjectKind.ASSET, name=FRESH.subject)
        due = begin + timedelta(hours=9)
        found = SlaMiss(sla="fresh", subject=at, due=due, detected_at=due)
        self.misses.append((found, due + timedelta(hours=1)))


@pytest.fixture(params=KINDS, scope="module")
def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Quarter]]:
    with empty_database(request.param, tmp_path_factory.mktemp("quarter")) as url:
        ledger = LedgerStore(url)
        yield url, Quarter(ledger, datetime.now(UTC))
        ledger.close()


def report(url: str, *more: str) -> str:
    arguments = ["--report", "--ledger", url, "--days", str(DAYS + 1), *more]
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def by_sla(url: str) -> dict[str, Any]:
    compliance = json.loads(report(url, "--format", "json"))["compliance"]
    return {each["sla"]: each for each in compliance}


def test_the_quarter_is_told_as_it_was(world: tuple[str, Quarter]) -> None:
    url, quarter = world
    found = by_sla(url)
    late = Counter(name for name, _ in quarter.late)
    assert late["by seven"] >= 6
    assert late["quick"] >= 25
    seven, quick = found["by seven"], found["quick"]
    assert (seven["total"], seven["kept"]) == (DAYS, DAYS - late["by seven"])
    assert (quick["total"], quick["kept"]) == (DAYS - 1, DAYS - 1 - late["quick"])
    assert (found["always"]["total"], found["always"]["rate"]) == (DAYS - 1, 100)
    assert [quick["subject"], seven["subject"]] == ["shop.orders", "shop"]

    # Periods: the misses of each month, week and day are in it.
    for name, pattern in (("by_month", "%Y-%m"), ("by_week", "%G-W%V"), ("by_day", "%Y-%m-%d")):
        truth = Counter(due.strftime(pattern) for sla, due in quarter.late if sla == "by seven")
        told = {p["period"]: p["total"] - p["kept"] for p in seven[name]}
        assert {period: count for period, count in told.items() if count} == truth

    # What the tier's objective leaves: 99 % of the important, 95 % of the nice to have.
    assert seven["budget"]["allowed"] == pytest.approx(DAYS * 0.01, abs=0.01)
    assert quick["budget"]["left"] == pytest.approx((DAYS - 1) * 0.05 - late["quick"], abs=0.01)


def test_degradation_is_found_on_its_day(world: tuple[str, Quarter]) -> None:
    url, quarter = world
    found = by_sla(url)
    quick = found["quick"]
    assert quick["degraded"] is True
    since = datetime.fromisoformat(quick["change"]["at"])
    assert abs(since - quarter.start - timedelta(days=SLOWER)) <= timedelta(days=1)
    assert quick["change"]["before"] == pytest.approx(30, abs=1)
    assert quick["change"]["after"] == pytest.approx(45, abs=1.5)
    assert quick["trend"] < -50
    usual = sorted(quarter.minutes)[int(0.95 * len(quarter.minutes))]
    low, high = quick["suggested_minutes"]
    assert low == pytest.approx(1.2 * usual, rel=0.02)
    assert high == pytest.approx(1.3 * usual, rel=0.02)


def test_an_asset_is_reckoned_by_days(world: tuple[str, Quarter]) -> None:
    url, quarter = world
    found = by_sla(url)
    fresh = found["fresh"]
    stale = sum(miss.sla == "fresh" for miss, _ in quarter.misses)
    assert fresh["total"] - fresh["kept"] == stale == 9
    assert fresh["total"] in (DAYS + 1, DAYS + 2)


@pytest.mark.parametrize("kind", ["markdown", "html", "text"])
def test_for_readers(world: tuple[str, Quarter], kind: str) -> None:
    url, _ = world
    text = report(url, "--format", kind)
    assert "shop.orders" in text
    assert "slower since" in text
    assert "%G" not in text
