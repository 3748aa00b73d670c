"""What the trigger form says -> what a run does."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from airflow_dataops.core.execution.parts import takes_part
from airflow_dataops.core.execution.requests import DateRange, RunRequest, read_request
from airflow_dataops.core.model import Mode
from airflow_dataops.core.plan import TaskKind
from airflow_dataops.errors import ConfigError


def test_without_params_a_run_does_everything() -> None:
    assert read_request({}) == RunRequest()
    assert read_request({"unrelated": 3, "select": None, "exclude": "", "begin": None}) == (
        RunRequest()
    )


def test_all_params_are_read() -> None:
    request = read_request(
        {
            "select": " tag:daily fct_a+ ",
            "exclude": ["x", "y"],
            "mode": "test",
            "begin": "2026-01-01",
            "end": date(2026, 1, 3),
            "dry_run": True,
        }
    )
    assert request == RunRequest(
        select=("tag:daily fct_a+",),
        exclude=("x", "y"),
        mode=Mode.TEST,
        days=DateRange(begin=date(2026, 1, 1), end=date(2026, 1, 3)),
        dry_run=True,
    )
    assert request.narrows


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"full_refresh": "yes"}, "param full_refresh: expected true or false, got 'yes'"),
        ({"select": 3}, "param select: expected dbt's selection language"),
        ({"mode": "fast"}, "param mode: expected one of 'build and test', 'build', 'test'"),
        ({"begin": "soon", "end": "2026-01-01"}, "param begin: expected a day"),
        ({"end": "2026-01-01"}, "set both"),
        ({"begin": "2026-01-02", "end": "2026-01-01"}, "2026-01-02 is not before 2026-01-01"),
    ],
)
def test_what_is_wrong_is_told(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_request(params)


@pytest.mark.parametrize(
    ("mode", "kinds"),
    [
        (Mode.ALL, {TaskKind.BUILD, TaskKind.TEST, TaskKind.FRESHNESS}),
        (Mode.BUILD, {TaskKind.BUILD, TaskKind.FRESHNESS}),
        (Mode.TEST, {TaskKind.TEST}),
    ],
)
def test_a_mode_is_for_some_kinds_of_tasks(mode: Mode, kinds: set[TaskKind]) -> None:
    request = RunRequest(mode=mode)
    every = set(TaskKind) - {TaskKind.FUSED}
    assert {kind for kind in every if takes_part(kind, "n", request, None)} == kinds
    assert not takes_part(TaskKind.BUILD, "n", request, frozenset({"m"}))
