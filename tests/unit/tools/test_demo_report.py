"""What tasks return becomes lines of a table."""

from __future__ import annotations

import io
from collections import Counter
from typing import Any

import pytest
from rich.console import Console

from tools.airflow_answers import TaskInstance
from tools.demo_report import DayReport, TaskReport, query_table, task_report, tasks_tables


def task(task_id: str = "staging.stg_orders.test", state: str | None = "success") -> TaskInstance:
    return TaskInstance(
        id="1",
        dag_id="shop",
        run_id="r",
        task_id=task_id,
        map_index=-1,
        state=state,
        try_number=1,
        start=None,
        duration=1.25,
        pid=None,
    )


def printed(table: Any, width: int = 160) -> str:
    out = io.StringIO()
    Console(file=out, width=width).print(table)
    return out.getvalue()


def test_a_build_has_rows() -> None:
    built = {"node": "n", "relation": "r", "action": "updated", "rows": 0}
    report = task_report(task(), built)
    assert (report.rows, report.verdicts) == (0, Counter())


def test_a_view_has_no_rows() -> None:
    assert task_report(task(), {"action": "created", "rows": None}).rows is None


def test_tests_are_counted_by_verdict() -> None:
    verdicts = {"tests": [{"status": "pass"}, {"status": "warn"}, {"status": "pass"}]}
    assert task_report(task(), verdicts).verdicts == {"pass": 2, "warn": 1}


def test_a_freshness_check_counts_as_one_test() -> None:
    assert task_report(task(), {"node": "s", "status": "warn"}).verdicts == {"warn": 1}


@pytest.mark.parametrize("value", [None, "text", 7, ["a"], {}, {"rows": "many"}])
def test_other_values_count_as_nothing(value: Any) -> None:
    report = task_report(task(), value)
    assert (report.rows, report.verdicts) == (None, Counter())


def test_the_table_has_a_line_per_task_and_totals_per_day() -> None:
    good = TaskReport(
        task_id="marts.fct_orders", state="success", seconds=1.0, rows=1234, verdicts=Counter()
    )
    bad = TaskReport(
        task_id="marts.fct_orders.test",
        state="failed",
        seconds=0.5,
        rows=None,
        verdicts=Counter({"pass": 2, "fail": 1}),
    )
    days = [
        DayReport(day="2026-01-05", seconds=9.5, tasks=(good, bad)),
        DayReport(day="2026-01-06", seconds=4.25, tasks=(good,)),
    ]
    (table,) = tasks_tables(days, 160)
    text = printed(table)
    assert "1,234" in text
    assert "2 pass 1 fail" in text
    assert "1/2 9.5 s" in text
    assert "1/1 4.2 s" in text
    assert text.count("marts.fct_orders.test") == 1


@pytest.mark.parametrize(("width", "tables"), [(80, 2), (100, 2), (160, 1)])
def test_on_a_narrow_terminal_each_day_has_its_own_table(width: int, tables: int) -> None:
    """Names are cut, figures never."""
    report = TaskReport(
        task_id="test.relationships_" + "long_" * 30,
        state="success",
        seconds=123.4,
        rows=1_234_567,
        verdicts=Counter({"pass": 10, "warn": 12}),
    )
    days = [DayReport(day=day, seconds=123.4, tasks=(report,)) for day in ("monday", "tuesday")]
    made = tasks_tables(days, width)
    assert len(made) == tables
    text = "".join(printed(table, width) for table in made)
    assert text.count("1,234,567") == 2 + 2
    assert text.count("10 pass 12 warn") == 2 + 2
    assert text.count("123.4 s") == 2 + 2


def test_names_with_brackets_are_text_not_markup() -> None:
    report = TaskReport(
        task_id="load[red]", state="[bold]", seconds=None, rows=None, verdicts=Counter()
    )
    (table,) = tasks_tables([DayReport(day="d", seconds=0, tasks=(report,))], 160)
    text = printed(table)
    assert "load[red]" in text
    assert "[bold]" in text


def test_a_query_shows_its_columns_and_values() -> None:
    text = printed(query_table(["day", "amount"], [("2026-01-05", 12.5), ("[x]", None)]))
    assert "amount" in text
    assert "12.5" in text
    assert "[x]" in text
