"""Rounds of checks: a table that stays in place on a terminal, lines elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from airflow_dataops.core.health.rendering import line, verdict_table
from airflow_dataops.core.health.verdict import Status
from airflow_dataops.errors import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from airflow_dataops.core.health.verdict import Verdict

_COLOURS = {"FAIL": "bold red", "ERROR": "yellow", "WARN": "yellow", "PASS": "green"}


def shown(verdicts: Sequence[Verdict], at: datetime) -> Table:
    """Return verdicts as a table for a terminal."""
    found = verdict_table(verdicts)
    table = Table(title=f"{len(verdicts)} checks at {at:%Y-%m-%d %H:%M:%S %Z}", expand=True)
    for head in found.heads:
        table.add_column(head)
    for row in found.rows:
        # As `Text`: a name may look like markup, such as `[/b]`.
        cells = (Text(printable(cell)) for cell in row)
        table.add_row(*cells, style=_COLOURS.get(row[0]))
    return table


def watch(check: Callable[[], tuple[datetime, Sequence[Verdict]]], interval: float) -> None:
    """Check, show and wait, until the user interrupts.

    Elsewhere than on a terminal each round prints one line per verdict that is new or has
    changed since the last round, and one line with the counts.
    """
    console = Console()
    try:
        if console.is_terminal:
            _live(console, check, interval)
        else:
            _lines(check, interval)
    except KeyboardInterrupt:
        return


def _live(
    console: Console, check: Callable[[], tuple[datetime, Sequence[Verdict]]], interval: float
) -> None:
    with Live(console=console, auto_refresh=False) as live:
        while True:
            at, verdicts = check()
            live.update(shown(verdicts, at), refresh=True)
            time.sleep(interval)


def _lines(check: Callable[[], tuple[datetime, Sequence[Verdict]]], interval: float) -> None:
    before: dict[tuple[str, str], Status] = {}
    while True:
        at, verdicts = check()
        now = {(each.table, each.check): each.status for each in verdicts}
        for each in verdicts:
            if before.get((each.table, each.check)) is not each.status:
                sys.stdout.write(f"{at:%Y-%m-%dT%H:%M:%SZ} {line(each)}\n")
        counts = ", ".join(
            f"{count} {status}"
            for status in Status
            if (count := sum(each is status for each in now.values()))
        )
        sys.stdout.write(f"{at:%Y-%m-%dT%H:%M:%SZ} {counts or 'nothing to check'}\n")
        sys.stdout.flush()
        before = now
        time.sleep(interval)


@contextmanager
def progress(total: int, what: str) -> Iterator[Callable[[int], None]]:
    """Show a bar on stderr if it is a terminal; yields what is told of each step's size."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    lock = threading.Lock()
    with Progress(
        *columns, console=console, disable=not console.is_terminal, transient=True
    ) as bar:
        task = bar.add_task(what, total=total)

        def step(count: int) -> None:
            with lock:
                bar.advance(task, count)

        yield step
