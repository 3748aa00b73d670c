"""`airflow-dataops backfill`: run a DAG for a range of past dates and watch it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from airflow_dataops.adapters.backfills import Rerun, preview
from airflow_dataops.adapters.backfills import backfill as run_backfill

if TYPE_CHECKING:
    from airflow_dataops.adapters.backfills import BackfillProgress

FAILED = 1


def backfill(
    dag_id: Annotated[str, typer.Argument(help="The DAG to run.")],
    start: Annotated[datetime, typer.Argument(help="First date; UTC unless it says otherwise.")],
    end: Annotated[datetime, typer.Argument(help="Last date.")],
    parallel: Annotated[int, typer.Option(min=1, help="Runs at once; 1 keeps the order.")] = 1,
    rerun: Annotated[
        Rerun, typer.Option(help="Dates that have a run already: which to run again.")
    ] = Rerun.NONE,
    backwards: Annotated[bool, typer.Option(help="Begin with the last date.")] = False,
    assets: Annotated[
        bool, typer.Option(help="Emit assets, which start the DAGs that read the tables.")
    ] = True,
    dry_run: Annotated[bool, typer.Option(help="Show the dates, run nothing.")] = False,
    detach: Annotated[bool, typer.Option(help="Leave once Airflow has the backfill.")] = False,
    url: Annotated[
        str | None, typer.Option(help="Airflow's api-server; AIRFLOW_API_URL by default.")
    ] = None,
) -> None:
    """Run a DAG for a range of past dates by Airflow's own backfill, and watch it.

    It may be stopped and called again: what is under way is taken up, what was run is not
    run again. Who calls is told by AIRFLOW_API_TOKEN, or AIRFLOW_API_USERNAME and
    AIRFLOW_API_PASSWORD. Exits 1 when a run in the range has failed.
    """
    first, last = _aware(start), _aware(end)
    if dry_run:
        for date in preview(dag_id, first, last, rerun=rerun, url=url):
            typer.echo(date)
        return
    with _Bar(dag_id) as bar:
        found = run_backfill(
            dag_id,
            first,
            last,
            parallel=parallel,
            rerun=rerun,
            backwards=backwards,
            assets=assets,
            url=url,
            wait=not detach,
            progress=bar.show,
        )
    typer.echo(f"{dag_id}, backfill {found.id}: {_said(found)}")
    if found.done and found.failed:
        typer.echo("Run the failed dates again with --rerun failed.", err=True)
        raise typer.Exit(FAILED)


class _Bar:
    """A progress bar on a terminal; nothing elsewhere."""

    def __init__(self, dag_id: str) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        console = Console(stderr=True)
        shown = console.is_terminal
        self._bar = Progress(*columns, TimeElapsedColumn(), console=console, disable=not shown)
        self._task = self._bar.add_task(dag_id, total=None)

    def __enter__(self) -> _Bar:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, found: BackfillProgress) -> None:
        """Show how far it is."""
        ended = sum(found.states.get(state, 0) for state in ("success", "failed"))
        self._bar.update(
            self._task,
            completed=ended,
            total=sum(found.states.values()) or None,
            description=f"{found.dag_id}: {_said(found)}",
        )


def _said(found: BackfillProgress) -> str:
    return (
        ", ".join(f"{count} {state}" for state, count in sorted(found.states.items())) or "no run"
    )


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
