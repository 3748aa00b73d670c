"""Shows a run while it goes: a live picture on a terminal, lines elsewhere."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self

from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from rich.console import Console

    from tools.airflow_answers import DagRun, TaskInstance

FINISHED = frozenset({"success", "failed", "upstream_failed", "skipped", "removed"})
MARKS = {"success": ("✓", "green"), "failed": ("✗", "red"), "skipped": ("-", "cyan")}
SHOWN_RUNNING = 8
BAR_WIDTH = 30


class RunDisplay:
    """Shows one run after the other; use it as a context manager around waiting for a run.

    On a terminal it draws a bar with the running tasks below. Elsewhere it prints one line for
    each task that has ended.
    """

    def __init__(self, console: Console, title: str) -> None:
        self._console = console
        self._title = title
        self._began = time.monotonic()
        self._ended: set[tuple[str, int]] = set()
        self._live = Live(console=console, refresh_per_second=8) if console.is_terminal else None

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        else:
            self._console.print(self._title, markup=False)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._live:
            self._live.stop()

    def update(self, run: DagRun, tasks: Sequence[TaskInstance]) -> None:
        """Show how far the run is."""
        if self._live:
            self._live.update(self._picture(run, tasks))
        else:
            self._print_ended(tasks)

    def _print_ended(self, tasks: Sequence[TaskInstance]) -> None:
        for task in tasks:
            key = (task.task_id, task.map_index)
            if task.state in FINISHED and key not in self._ended:
                self._ended.add(key)
                took = "" if task.duration is None else f" ({task.duration:.1f} s)"
                self._console.print(
                    f"  {self._seconds():5.1f} s  {task.state}  {task.task_id}{took}", markup=False
                )

    def _picture(self, run: DagRun, tasks: Sequence[TaskInstance]) -> Table:
        done = sum(task.state in FINISHED for task in tasks)
        mark, style = MARKS.get(run.state, ("…", "yellow"))
        head = Table.grid(padding=(0, 1))
        head.add_row(
            Text(mark, style),
            Text(self._title),
            ProgressBar(total=max(len(tasks), 1), completed=done, width=BAR_WIDTH),
            Text(f"{done}/{len(tasks)} tasks"),
            Text(f"{self._seconds():.0f} s", "dim"),
        )
        picture = Table.grid()
        picture.add_row(head)
        for line in _lines(tasks):
            picture.add_row(line)
        return picture

    def _seconds(self) -> float:
        return time.monotonic() - self._began


def _lines(tasks: Sequence[TaskInstance]) -> list[Text]:
    """The failed and the running tasks, one a line."""
    failed = [Text(f"    ✗ {task.task_id}", "red") for task in tasks if task.state == "failed"]
    retries = [
        Text(f"    ↻ {task.task_id} (waits for try {task.try_number + 1})", "yellow")
        for task in tasks
        if task.state == "up_for_retry"
    ]
    running = [Text(f"    ▸ {task.task_id}") for task in tasks if task.state == "running"]
    return failed + retries + running[:SHOWN_RUNNING]
