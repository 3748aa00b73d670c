"""What authors may write of an SLA."""

from __future__ import annotations

from datetime import date, time
from typing import Any

import pytest

from airflow_dataops.core.decoding import MistakesError, convert
from airflow_dataops.core.sla.misses import Escalation, SubjectKind, Tier
from airflow_dataops.core.sla.policies import (
    BUSINESS_DAYS,
    AfterInterval,
    AfterRunStart,
    AfterTaskStart,
    ByTime,
    Calendar,
    CallbackRef,
    MaxAge,
    RunType,
    Sla,
    TierDefaults,
)
from airflow_dataops.core.sla.spec import About, Defaults, SlaSpec, days_of, sla_of

TASK = About(kind=SubjectKind.TASK, dag_id="shop", task_id="load")
DAG = About(kind=SubjectKind.DAG, dag_id="shop")
TABLE = About(kind=SubjectKind.TABLE, subject="shop.orders")


def made(about: About = TASK, defaults: Defaults | None = None, **asked: Any) -> Sla:
    return sla_of(convert(asked, SlaSpec, source="here"), about, defaults or Defaults())


@pytest.mark.parametrize(
    ("asked", "about", "due", "name"),
    [
        ({"by": "07:00"}, TASK, ByTime(at=time(7)), "by 07:00 UTC"),
        ({"within": "30m"}, TASK, AfterTaskStart(minutes=30), "within 30 min"),
        ({"within": "30m"}, DAG, AfterRunStart(minutes=30), "30 min after the run's start"),
        ({"within": "45s"}, TASK, AfterTaskStart(minutes=0.75), "within 45 s"),
        ({"after_interval": "2h"}, DAG, AfterInterval(minutes=120), "2 h after the data interval"),
        (
            {"after_run_start": "1.5h"},
            TASK,
            AfterRunStart(minutes=90),
            "90 min after the run's start",
        ),
        ({"max_age": "1d"}, TABLE, MaxAge(minutes=1440), "at most 24 h old"),
    ],
)
def test_each_way_to_say_when_it_is_due(
    asked: dict[str, Any], about: About, due: Any, name: str
) -> None:
    sla = made(about, **asked)
    assert (sla.due, sla.name, sla.kind) == (due, name, about.kind)


def test_a_time_of_the_day_has_a_zone_and_days() -> None:
    sla = made(by="07:00", timezone="Europe/Berlin", days="workdays", holidays=["2026-12-25"])
    calendar = Calendar(days=BUSINESS_DAYS, holidays=(date(2026, 12, 25),))
    assert sla.due == ByTime(at=time(7), timezone="Europe/Berlin", calendar=calendar)
    assert made(by="07:00", days=["sun", "Mon"]).due.calendar.days == ("mon", "sun")  # type: ignore[union-attr]
    named = Defaults(timezone="Asia/Tokyo", calendars={"bank": calendar})
    due = made(by="07:00", calendar="bank", defaults=named).due
    assert due == ByTime(at=time(7), timezone="Asia/Tokyo", calendar=calendar)


def test_the_rest_goes_over_and_a_tier_fills_what_is_not_said() -> None:
    tier = TierDefaults(
        warn_at=80,
        objective=99,
        escalate=(Escalation(after_minutes=10, receivers=("slack:boss",)),),
        on_miss=(CallbackRef(path="a.b"),),
    )
    defaults = Defaults(tiers={Tier.CRITICAL: tier})
    plain = made(by="07:00", tier="critical", defaults=defaults)
    assert (plain.warn_at, plain.escalate, plain.on_miss) == (80, tier.escalate, tier.on_miss)
    own = made(
        by="07:00",
        tier="critical",
        name="morning",
        owner="ann",
        tags=["x"],
        warn_at=0,
        run_types=["manual"],
        escalate=[],
        on_sla_miss=["c.d", {"path": "e.f", "kwargs": {"n": 1}}],
        defaults=defaults,
    )
    assert (own.name, own.owner, own.tags, own.warn_at) == ("morning", "ann", ("x",), 0)
    assert own.run_types == (RunType.MANUAL,)
    assert own.escalate == ()
    assert own.on_miss == (CallbackRef(path="c.d"), CallbackRef(path="e.f", kwargs={"n": 1}))


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({}, r"\$: Say once when it is due.*it has none"),
        ({"by": "07:00", "within": "1h"}, r"\$: Say once when .*it has by and within"),
        ({"by": "7 am"}, r"\$\.by: '7 am' is no time of a day; write 07:00"),
        ({"by": "07:00+02:00"}, r"\$\.by: .*the time zone apart"),
        ({"by": "25:00"}, r"\$\.by: "),
        ({"by": "07:00", "timezone": "Berlin"}, r"\$\.timezone: 'Berlin' is no time zone"),
        ({"by": "07:00", "days": "monday"}, r"\$\.days: 'monday' is no day; write mon, tue"),
        ({"by": "07:00", "days": []}, r"\$\.days: There are no days"),
        ({"by": "07:00", "holidays": ["25.12."]}, r"\$\.holidays\[0\]: "),
        ({"within": "30"}, r"\$\.within: '30' is no duration; write 45s, 30m"),
        ({"within": "0m"}, r"\$\.within: '0m' is no duration"),
        ({"within": "1h", "timezone": "UTC"}, r"\$: timezone goes with by alone"),
        ({"by": "07:00", "calendar": "a", "days": "all"}, r"\$: calendar says which days"),
        ({"by": "07:00", "tier": "urgent"}, r"\$\.tier: Invalid enum value 'urgent'"),
        ({"by": "07:00", "warn_at": 100}, r"\$\.warn_at: Expected `float` < 100"),
        ({"by": "07:00", "run_types": ["cron"]}, r"\$\.run_types\[0\]: Invalid enum value"),
        ({"by": "07:00", "on_sla_miss": ["tell"]}, r"\$\.on_sla_miss\[0\]: 'tell' is no dotted"),
        ({"by": "07:00", "on_sla_miss": [{"pth": "a.b"}]}, r"\$\.on_sla_miss\[0\]\.pth: .*path\?"),
        (
            {"by": "07:00", "escalate": [{"after_minutes": 0, "receivers": []}]},
            r"(?s)escalate\[0\]\.after_minutes: Expected `float` > 0.*receivers: .*length >= 1",
        ),
        (
            {"by": "07:00", "escalate": [{"after_minutes": 5, "receivers": ["fax:1"]}]},
            r"\$\.escalate\[0\]\.receivers\[0\]: 'fax:1' is no receiver",
        ),
        ({"bye": "07:00"}, r"\$\.bye: There is no such setting; do you mean by\?"),
    ],
)
def test_a_mistake_is_told_where_it_is(asked: dict[str, Any], told: str) -> None:
    with pytest.raises(MistakesError, match=told):
        convert(asked, SlaSpec, source="here")


def test_all_mistakes_are_told_at_once() -> None:
    asked = {"by": "7", "timezone": "Mars", "tier": "x", "on_sla_miss": ["a", {"path": "b"}]}
    with pytest.raises(MistakesError) as caught:
        convert(asked, SlaSpec, source="here")
    paths = [mistake.path for mistake in caught.value.mistakes]
    assert paths == ["$.by", "$.timezone", "$.tier", "$.on_sla_miss[0]", "$.on_sla_miss[1].path"]


@pytest.mark.parametrize(
    ("asked", "about", "told"),
    [
        ({"max_age": "1h"}, TASK, "The SLA of a task takes by, within"),
        ({"by": "07:00"}, TABLE, "The SLA of a table takes max_age"),
        ({"by": "07:00", "calendar": "bank"}, TASK, "There is no calendar 'bank'; known are: none"),
    ],
)
def test_what_does_not_fit_its_subject_is_refused(
    asked: dict[str, Any], about: About, told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        made(about, **asked)


def test_days_are_given_in_the_order_of_the_week() -> None:
    assert days_of(["weekend", "mon"]) == ("mon", "sat", "sun")
