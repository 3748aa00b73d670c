"""How often something runs, as authors write it: a word, a preset or a cron expression.

Cron is read as the `croniter` library reads it, which is what Airflow asks:
https://airflow.apache.org/docs/apache-airflow/stable/authoring-and-scheduling/cron.html
"""

from __future__ import annotations

import re
from typing import NamedTuple
from zoneinfo import ZoneInfo

WORDS = ("hourly", "daily", "weekly", "monthly", "quarterly", "yearly")
_PRESETS = {"@once": "@once"} | {key: f"@{word}" for word in WORDS for key in (word, f"@{word}")}
ACCEPTED = (
    "hourly, daily, weekly, monthly, quarterly or yearly, an Airflow preset such as @daily, "
    'or a cron expression of five fields such as "30 6 * * 1-5"; each may end in a time zone, '
    'such as "30 6 * * 1-5 Europe/Berlin"'
)

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_DAYS_OF_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_LONGEST = 1000
_ITEM = re.compile(r"(?P<low>\*|\w+)(?:-(?P<high>\w+))?(?:/(?P<step>[0-9]{1,4}))?")
_NTH_WEEKDAY = re.compile(r"[0-7]#[1-5]|l[0-7]")


class _Field(NamedTuple):
    name: str
    low: int
    high: int
    names: dict[str, int]


_FIELDS = (
    _Field("minute", 0, 59, {}),
    _Field("hour", 0, 23, {}),
    _Field("day of month", 1, 31, {}),
    _Field("month", 1, 12, {name: number for number, name in enumerate(_MONTHS, 1)}),
    _Field("day of week", 0, 7, {name: number for number, name in enumerate(_DAYS)}),
)


def normalise(schedule: str) -> str:
    """Return an Airflow preset or a cron expression with single spaces, and its time zone if any.

    Raises:
        ValueError: the schedule is neither, with the reason in a few words.
    """
    if len(schedule) > _LONGEST:
        raise ValueError(f"it has more than {_LONGEST} characters")
    text, zone = split_zone(" ".join(schedule.split()))
    end = "" if zone is None else f" {zone}"
    if zone is not None and not is_zone(zone):
        raise ValueError(f"{zone!r} is no time zone")
    if preset := _PRESETS.get(text.lower()):
        return preset + end
    fields = text.split(" ")
    if len(fields) != len(_FIELDS):
        raise ValueError(f"it has {len(fields)} fields" if " " in text else "unknown")
    meant = [_values(part.lower(), field) for part, field in zip(fields, _FIELDS, strict=True)]
    _check_day_exists(fields, meant)
    return text + end


def split_zone(schedule: str) -> tuple[str, str | None]:
    """Take the time zone off the end of a schedule; None where it has none.

    The time zone's name is one of the IANA database (https://www.iana.org/time-zones), so that
    the schedule keeps to the clock on the wall when that changes.
    """
    text, _, last = schedule.rpartition(" ")
    has_all = text.count(" ") == len(_FIELDS) - 1 or (text and " " not in text)
    return (text, last) if has_all and last[:1].isalpha() else (schedule, None)


def is_zone(name: str) -> bool:
    """Tell whether a name is one of the IANA database of time zones."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return False
    return True


def _values(text: str, field: _Field) -> set[int]:
    """Return the numbers that one field stands for; none for `?`, `L` and `2#1`."""
    if text == "?" and field.name.startswith("day"):
        return set()
    if text == "l" and field.name == "day of month":
        return set()
    values: set[int] = set()
    for item in text.split(","):
        if field.name == "day of week" and _NTH_WEEKDAY.fullmatch(item):
            continue
        values |= _item(item, field)
    return values


def _item(text: str, field: _Field) -> set[int]:
    match = _ITEM.fullmatch(text)
    if match is None or (match["low"] == "*" and match["high"]):
        raise ValueError(f"{text!r} is no {field.name}")
    step = int(match["step"] or 1)
    if step == 0:
        raise ValueError(f"the step of the {field.name} is 0")
    if match["low"] == "*":
        low, high = field.low, field.high
    else:
        low = _number(match["low"], field)
        high = _number(match["high"], field) if match["high"] else low
        if match["step"] and not match["high"]:
            high = field.high
    if high < low:
        # As in croniter, 22-2 goes on after the field's end.
        high += field.high - field.low + 1
    span = field.high - field.low + 1
    return {(number - field.low) % span + field.low for number in range(low, high + 1, step)}


def _number(text: str, field: _Field) -> int:
    number = field.names.get(text)
    if number is None and text.isascii() and text.isdigit():
        number = int(text[:9])
    if number is None or not field.low <= number <= field.high:
        raise ValueError(f"{text!r} is no {field.name} ({field.low} to {field.high})")
    return number


def _check_day_exists(fields: list[str], meant: list[set[int]]) -> None:
    """Refuse `30 February`, for which the scheduler would look in vain, and what croniter refuses.

    A day of the week beside it is another way for a day to match.
    """
    days, months = meant[2], meant[3]
    if fields[2] not in ("*", "?") and any(mark in fields[4].lower() for mark in "#l"):
        raise ValueError("a day of the month beside one like 5#2 or L5")
    if not days or fields[4] not in ("*", "?"):
        return
    if min(days) > max(_DAYS_OF_MONTH[month - 1] for month in months):
        raise ValueError("no such day in that month")
