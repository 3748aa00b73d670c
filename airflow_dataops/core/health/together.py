"""Many probes in one statement, so that a warehouse is asked once.

What fails in company is asked again in halves, so that one table that cannot be read spoils
no other's answer.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from airflow_dataops.core.engines.error_codes import ErrorKind
from airflow_dataops.core.engines.errors import kind_of
from airflow_dataops.core.sql import probes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_dataops.core.ports import SqlRunner

Answers = list[tuple[str | None, float | None]]
"""Rows of (label, value), in no order."""

_HOPELESS = (ErrorKind.LOST, ErrorKind.BUSY, ErrorKind.CANCELLED)
"""What no smaller question would have been spared."""


def ask_together(runner: SqlRunner, asked: Sequence[str]) -> list[Answers | Exception]:
    """Return the answers of probes in their order, or what was raised in place of one.

    Args:
        asked: queries that `core.sql.probes` wrote, one or more.
    """
    try:
        rows = runner.fetch(probes.together(asked, runner.dialect))
    except Exception as error:  # noqa: BLE001 - each driver has a tree of its own
        if len(asked) > 1 and kind_of(error) not in _HOPELESS:
            middle = len(asked) // 2
            return ask_together(runner, asked[:middle]) + ask_together(runner, asked[middle:])
        return [error] * len(asked)
    answers: dict[int, Answers] = defaultdict(list)
    for number, label, value in rows:
        answers[int(number)].append((label, None if value is None else float(value)))
    return [answers[number] for number in range(len(asked))]


def in_short(error: Exception) -> str:
    """Return an error in one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:500]}"
