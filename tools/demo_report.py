"""What the demo prints at the end: tasks, rows, verdicts and times of each day, and a mart."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tools.airflow_answers import DagRun, TaskInstance
    from tools.airflow_api import AirflowApi

STATES = {"success": ("✓", "green"), "failed": ("failed", "red"), "skipped": ("skipped", "cyan")}
# In characters: task names are cut off to fit; a day takes the same beside them.
LONGEST_NAMES = 90
SHORTEST_NAMES = 30
DAY_WIDTH = 50
VERDICT_STYLES = {"pass": "green", "warn": "yellow", "fail": "red"}
# A test task that fails cannot return a value; it leaves its verdicts under this key.
XCOM_KEYS = ("return_value", "verdicts")


@dataclass(frozen=True, kw_only=True)
class TaskReport:
    """One task of one day.

    Attributes:
        seconds: how long it ran; None if it did not.
        rows: rows written; None where that makes no sense.
        verdicts: how many tests passed, warned, failed: keys `pass`, `warn`, `fail`.
    """

    task_id: str
    state: str
    seconds: float | None
    rows: int | None
    verdicts: Counter[str]


@dataclass(frozen=True, kw_only=True)
class DayReport:
    """One day: its runs, one after the other, and how long they took in seconds."""

    day: str
    seconds: float
    tasks: tuple[TaskReport, ...]

    @property
    def rows(self) -> int:
        """Rows written by all tasks."""
        return sum(task.rows or 0 for task in self.tasks)

    @property
    def verdicts(self) -> Counter[str]:
        """Verdicts of all tests."""
        return sum((task.verdicts for task in self.tasks), Counter())


def collect(api: AirflowApi, day: str, runs: Sequence[DagRun]) -> DayReport:
    """Ask Airflow what the tasks of a day's runs did."""
    tasks = [task for run in runs for task in api.task_instances(run.dag_id, run.run_id)]
    tasks.sort(key=lambda task: (task.start is None, task.start and task.start.timestamp()))
    seconds = sum((run.end - run.start).total_seconds() for run in runs if run.start and run.end)
    return DayReport(
        day=day, seconds=seconds, tasks=tuple(task_report(task, _left(api, task)) for task in tasks)
    )


def _left(api: AirflowApi, task: TaskInstance) -> Any:
    """What a task left behind, or None."""
    found = (api.xcom(task, key) for key in XCOM_KEYS)
    return next((value for value in found if value is not None), None)


def task_report(task: TaskInstance, value: Any) -> TaskReport:
    """Read what a build, test or freshness task returned; anything else counts as nothing."""
    fields = value if isinstance(value, dict) else {}
    rows = fields.get("rows")
    judged = fields.get("tests", [fields] if "status" in fields else [])
    return TaskReport(
        task_id=task.task_id if task.map_index < 0 else f"{task.task_id}[{task.map_index}]",
        state=task.state or "none",
        seconds=task.duration,
        rows=rows if isinstance(rows, int) else None,
        verdicts=Counter(test["status"] for test in judged),
    )


def tasks_tables(days: Sequence[DayReport], width: int) -> list[Table]:
    """One table if the days fit side by side into `width` columns, else one for each."""
    names = width - DAY_WIDTH * len(days)
    if names >= SHORTEST_NAMES:
        return [_tasks_table(days, min(names, LONGEST_NAMES))]
    names = max(width - DAY_WIDTH, SHORTEST_NAMES)
    return [_tasks_table([day], min(names, LONGEST_NAMES)) for day in days]


def _tasks_table(days: Sequence[DayReport], names: int) -> Table:
    """All tasks, one a line, the days side by side, with totals below."""
    table = Table(box=SIMPLE_HEAD, show_footer=True, header_style="bold", footer_style="bold")
    table.add_column("task", footer="total", no_wrap=True, max_width=names)
    for day in days:
        table.add_column(day.day, footer=_done(day), no_wrap=True)
        table.add_column("rows", justify="right", footer=f"{day.rows:,}")
        table.add_column("tests", footer=_verdicts(day.verdicts), no_wrap=True)
    lines = [{task.task_id: task for task in day.tasks} for day in days]
    for task_id in dict.fromkeys(task_id for day in lines for task_id in day):
        table.add_row(Text(task_id), *(cell for day in lines for cell in _cells(day.get(task_id))))
    return table


def _done(day: DayReport) -> str:
    succeeded = sum(task.state == "success" for task in day.tasks)
    return f"{succeeded}/{len(day.tasks)} {day.seconds:.1f} s"


def _cells(task: TaskReport | None) -> Iterable[Text]:
    if task is None:
        return [Text("")] * 3
    mark, style = STATES.get(task.state, (task.state, "red"))
    seconds = "" if task.seconds is None else f"{task.seconds:.1f} s"
    return [
        Text(f"{mark} {seconds:>7}", style),
        Text("" if task.rows is None else f"{task.rows:,}"),
        _verdicts(task.verdicts),
    ]


def _verdicts(counts: Counter[str]) -> Text:
    parts = [(f"{counts[name]} {name}", style) for name, style in VERDICT_STYLES.items()]
    return Text(" ").join(Text(text, style) for text, style in parts if not text.startswith("0 "))


def query_table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    """The answer to a query."""
    table = Table(box=SIMPLE_HEAD, header_style="bold")
    for column in columns:
        table.add_column(column)
    for row in rows:
        table.add_row(*(Text("" if value is None else str(value)) for value in row))
    return table
