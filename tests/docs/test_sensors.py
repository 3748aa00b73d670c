"""The page of sensors."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.health.watches import Seen, read_watch
from airflow_dataops.hooks.watching import looker
from tests.docs.blocks import block

if TYPE_CHECKING:
    from tests.docs.running import Desk

PAGE = block("docs/sensors.md", 1)


def test_they_wait_in_the_triggerer_for_what_the_page_says(desk: Desk) -> None:
    [dag] = desk.dags(PAGE).values()
    now = datetime.now(UTC)
    desk.sql(
        "create schema raw; create table raw.orders (loaded_at timestamp, ordered_at timestamptz);"
        f"insert into raw.orders values ('{now:%Y-%m-%d %H:%M}', '2026-01-04 23:30:00+00'),"
        " ('2026-01-01', '2026-01-05 22:30:00+00'), ('2026-01-01', '2026-01-05 23:30:00+00')"
    )
    seen: dict[str, Any] = {}
    for task_id in ("orders_fresh", "day_complete", "rows_stable", "files_complete"):
        task = dag.get_task(task_id)
        assert task.start_from_trigger
        watch = read_watch(
            {
                k: str(v).replace("{{ ds }}", "2026-01-05") if k in ("day", "url") else v
                for k, v in task.watch.items()
            }
        )
        _, look = looker(task.conn_id, watch)
        [sight] = look([watch])
        seen[task_id] = sight.seen
    assert seen == {
        "orders_fresh": Seen.MET,
        "day_complete": Seen.MET,  # in Berlin, two of the three are of that day
        "rows_stable": Seen.MET,
        "files_complete": Seen.MISSING,
    }
    published = dag.get_task("customers_published")
    assert (published.mode, published.start_from_trigger) == ("reschedule", False)
