"""Snapshots against `dbt snapshot`, table by table, after each change of the source."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_dataops.core.execution.snapshots import build_snapshot
from tests.oracle.recording import WAYS, recording
from tests.unit.execution.dbt_process import Table
from tests.unit.execution.side_by_side import SideBySide
from tests.unit.execution.snapshot_cases import CASES, SETUP, STEPS

if TYPE_CHECKING:
    from airflow_dataops.core.model import Manifest
    from airflow_dataops.core.ports import SqlRunner

RECENT = timedelta(days=2)


@pytest.fixture(scope="module", params=WAYS)
def histories(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[tuple[Table, Table]]]:
    """Run every case over all steps; give what is comparable of both tables after each step."""
    files = {f"snapshots/{name}.sql": case.file(name) for name, case in CASES.items()}
    with recording(request, "snapshots") as recorded:
        return compare(SideBySide(tmp_path_factory.mktemp("snapshots"), files, recorded))


def compare(pair: SideBySide) -> dict[str, list[tuple[Table, Table]]]:
    pair.execute(*SETUP)
    found: dict[str, list[tuple[Table, Table]]] = {name: [] for name in CASES}
    for changes in STEPS:
        pair.execute(*changes)
        verdicts = pair.dbt("snapshot")
        failed = {id_: v.message for id_, v in verdicts.items() if v.status != "success"}
        assert not failed
        manifest = pair.manifest()
        pair.ours(lambda runner, manifest=manifest: build_all(manifest, runner))
        for name in CASES:
            found[name].append(pair.tables(f"main_history.{name}", comparable))
    return found


def build_all(manifest: Manifest, runner: SqlRunner) -> None:
    for id_, code in manifest.code.items():
        build_snapshot(manifest.project.nodes[id_], code, runner)


@pytest.mark.parametrize("step", range(len(STEPS)))
@pytest.mark.parametrize("name", CASES)
def test_a_history_is_the_one_that_dbt_keeps(
    histories: dict[str, list[tuple[Table, Table]]], name: str, step: int
) -> None:
    theirs, ours = histories[name][step]
    assert ours.columns == theirs.columns
    assert ours.rows == theirs.rows
    assert "unknown" not in repr(ours.rows)


def test_the_cases_see_the_clock_and_changes(
    histories: dict[str, list[tuple[Table, Table]]],
) -> None:
    """Guard the comparison itself: histories grow, and differ from case to case."""
    last = {name: tables[-1][0].rows for name, tables in histories.items()}
    assert all(len(histories[name][-1][0].rows) > len(histories[name][0][0].rows) for name in last)
    assert len({repr(rows) for rows in last.values()}) > len(last) / 2


def comparable(table: Table) -> Table:
    """Give the rows in one order, clock readings by rank, ids that hang on them by their rule."""
    names = [name for name, _ in table.columns]
    clock = sorted({value for row in table.rows for value in row if is_recent(value)})
    id_at = names.index("row_id" if "row_id" in names else "dbt_scd_id")
    ids = {row[id_at] for row in table.rows}

    def masked(row: tuple[Any, ...]) -> tuple[Any, ...]:
        values = [f"now {clock.index(v)}" if is_recent(v) else v for v in row]
        if any(is_recent(v) for v in row):
            values[id_at] = rule_of(row[id_at], dict(zip(names, row, strict=True)), ids)
        return tuple(values)

    return Table(table.columns, sorted(map(masked, table.rows), key=repr))


def is_recent(value: object) -> bool:
    if not isinstance(value, datetime):
        return False
    now = datetime.now(value.tzinfo)
    return abs(now - value) < RECENT


def rule_of(id_: str, row: dict[str, Any], ids: set[str]) -> str:
    """Say what an id is the hash of: the row's key or an older row's id, and a time."""
    seen = row.get("seen_ts", row.get("dbt_updated_at"))
    times = [as_duckdb_writes(time) for time in (seen, row.get("changed_at"))]
    keys = ["|".join(str(row[k]) for k in ks) for ks in (("region", "id"), ("id", "region"))]
    keys += [str(row.get("k"))]
    for what, texts in (("key", keys), ("id", ids)):
        for time in times:
            if any(hashlib.md5(f"{text}|{time}".encode()).hexdigest() == id_ for text in texts):
                return f"hash of {what}"
    return id_ if not is_recent(seen) else "unknown"


def as_duckdb_writes(time: object) -> str:
    if not isinstance(time, datetime):
        return str(time)
    text = str(time.replace(tzinfo=None))
    return text.rstrip("0") if time.microsecond else text
