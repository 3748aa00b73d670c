"""Schedules: words, presets and cron, held against the library that Airflow asks."""

from __future__ import annotations

import contextlib

import pytest
from croniter import croniter
from hypothesis import given
from hypothesis import strategies as st

from airflow_dataops.core.manifests.schedule import normalise

WORDS = ("hourly", "daily", "weekly", "monthly", "quarterly", "yearly")


@pytest.mark.parametrize("word", WORDS)
def test_words_and_presets_are_presets(word: str) -> None:
    assert normalise(word) == normalise(f"@{word}") == normalise(f" {word.upper()} ") == f"@{word}"


def test_once_is_a_preset() -> None:
    assert normalise("@once") == "@once"


@pytest.mark.parametrize(
    "cron",
    [
        "* * * * *",
        "*/15 0-6/2 1,15 jan-mar MON",
        "0 22-3 * * fri-mon",
        "5/10 * * * *",
        "0 0 29 2 *",
        "0 0 L * *",
        "0 0 * * 5#2",
        "0 0 * * L5",
        "0 0 ? * 7",
    ],
)
def test_cron_expressions_stay_as_they_are(cron: str) -> None:
    assert normalise(cron) == cron
    assert normalise(f"  {cron.replace(' ', '   ')} ") == cron


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("daily Europe/Berlin", "@daily Europe/Berlin"),
        ("0 7 * *  1-5   America/New_York", "0 7 * * 1-5 America/New_York"),
        ("0 7 * * mon UTC", "0 7 * * mon UTC"),
    ],
)
def test_a_schedule_may_end_in_a_time_zone(given: str, normal: str) -> None:
    assert normalise(given) == normal


@pytest.mark.parametrize(
    ("cron", "reason"),
    [
        ("0 7 * * * Europe/Berln", "'Europe/Berln' is no time zone"),
        ("0 7 * * * ../../etc/passwd", "it has 6 fields"),
        ("0 7 * * * x/../../etc/passwd", "is no time zone"),
        ("daily Mars", "'Mars' is no time zone"),
        ("60 7 * * * UTC", "'60' is no minute (0 to 59)"),
        ("sometimes", "unknown"),
        ("@continuous", "unknown"),
        ("", "unknown"),
        ("* * * *", "it has 4 fields"),
        ("* * * * * *", "it has 6 fields"),
        ("60 * * * *", "'60' is no minute (0 to 59)"),
        ("0 24 * * *", "'24' is no hour (0 to 23)"),
        ("0 0 0 * *", "'0' is no day of month (1 to 31)"),
        ("0 0 1 13 *", "'13' is no month (1 to 12)"),
        ("0 0 * * 8", "'8' is no day of week (0 to 7)"),
        ("*/0 * * * *", "the step of the minute is 0"),
        ("-1 * * * *", "'-1' is no minute"),
        ("1-2-3 * * * *", "'1-2-3' is no minute"),
        ("*-4 * * * *", "'*-4' is no minute"),
        ("1, * * * *", "'' is no minute"),
        ("? * * * *", "'?' is no minute"),
        ("0 0 30 2 *", "no such day in that month"),
        ("0 0 31 4,jun *", "no such day in that month"),
        ("0 0 5 * 1#2", "a day of the month beside"),
        ("² * * * *", "'²' is no minute"),
        ("99999999999999999999 * * * *", "is no minute"),
    ],
)
def test_what_is_no_schedule_says_why(cron: str, reason: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        normalise(cron)
    assert reason in str(caught.value)


FIELDS = """
    * ? L l x 0 1 5 7 12 23 24 29 30 31 32 59 60 mon SUN jan mon-fri fri-mon nov-feb 2-4 4-2 22-3
    0-7 6-7 7-1 7-7 */5 */0 */100 5/10 31/2 1-5/2 1-2-3 5#2 1#6 L5 1,2 1,mon *,1 ?,1 */5,3
"""
FIELD = st.sampled_from(FIELDS.split())


@given(st.lists(FIELD, min_size=5, max_size=5))
def test_what_is_accepted_airflow_can_schedule(fields: list[str]) -> None:
    """The scheduler must never meet an expression that it cannot evaluate."""
    cron = " ".join(fields)
    try:
        accepted = normalise(cron)
    except ValueError:
        return
    assert croniter(accepted).get_next(float) > 0


@given(st.text(max_size=30))
def test_any_text_is_accepted_or_refused(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert normalise(text)
