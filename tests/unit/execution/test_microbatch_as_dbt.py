"""Microbatch models against `dbt build` with the same dates: each batch, on real engines."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import pytest

from airflow_dataops.core.execution.batches import Interval
from airflow_dataops.core.execution.parts import run_node
from airflow_dataops.core.execution.requests import RunRequest
from airflow_dataops.core.plan import TaskKind
from tests.oracle.recording import WAYS, recording
from tests.unit.execution.batched_project import CHANGES, DATES, EVENTS, TABLES, files
from tests.unit.execution.on_postgres import OnPostgres
from tests.unit.execution.side_by_side import SideBySide

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from airflow_dataops.core.model import Manifest
    from airflow_dataops.core.ports import SqlRunner
    from tests.unit.execution.dbt_process import Verdict


@pytest.fixture(params=WAYS)
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SideBySide]:
    with recording(request, "microbatch") as recorded:
        both = SideBySide(tmp_path, files(unique_key=False), recorded)
        both.execute(*EVENTS)
        yield both


def test_batches_are_dbts(pair: SideBySide) -> None:
    manifest, built = pair.compiled(), {"raw.log"}
    for names, begin, end, full_refresh in DATES:
        assert (
            failed(pair.dbt("build", *options(names, begin, end, full_refresh=full_refresh))) == []
        )
        built |= set(names.split())
        pair.ours(
            partial(build_all, manifest, names, request(begin, end, full_refresh=full_refresh))
        )
        for table in [table for table in TABLES if table in built]:
            theirs, ours = pair.tables(f"(select * from {table} order by all)")
            assert ours == theirs, (table, begin)
        pair.execute(*CHANGES)


@pytest.mark.slow
def test_batches_are_dbts_on_postgres(tmp_path: Path) -> None:
    both = OnPostgres(tmp_path, files(unique_key=True))
    for database in (both.theirs, both.ours):
        with database.open() as runner:
            for statement in EVENTS:
                runner.execute(statement)
    manifest, built = both.compiled(both.ours), {"raw.log"}
    for names, begin, end, full_refresh in DATES:
        given = options(names, begin, end, full_refresh=full_refresh)
        assert failed(both.dbt(both.theirs, "build", *given)) == []
        asked = request(begin, end, full_refresh=full_refresh)
        built |= set(names.split())
        left = []
        for database in (both.theirs, both.ours):
            with database.open() as runner:
                if database is both.ours:
                    build_all(manifest, names, asked, runner)
                runner.execute("set search_path to main")
                left.append(
                    [sorted(runner.fetch(f"select * from {t}")) for t in TABLES if t in built]
                )
                for statement in CHANGES:
                    runner.execute(statement)
        assert left[0] == left[1], begin


def options(names: str, begin: str, end: str, *, full_refresh: bool) -> tuple[str, ...]:
    dates = ("--select", names, "--event-time-start", begin, "--event-time-end", end)
    return (*dates, "--full-refresh") if full_refresh else dates


def request(begin: str, end: str, *, full_refresh: bool) -> RunRequest:
    times = (datetime.fromisoformat(time).replace(tzinfo=UTC) for time in (begin, end))
    interval = Interval(*times, exact=True)
    return RunRequest(full_refresh=full_refresh, interval=interval)


def build_all(manifest: Manifest, names: str, asked: RunRequest, runner: SqlRunner) -> None:
    for name in names.split():
        node = manifest.project.nodes[f"model.pair.{name}"]
        assert node.spec.unsupported == (), name
        run_node(TaskKind.BUILD, node, manifest.code[node.id], runner, asked)


def failed(verdicts: dict[str, Verdict]) -> list[Verdict]:
    return [verdict for verdict in verdicts.values() if verdict.status != "success"]
