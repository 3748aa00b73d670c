"""Many warehouses at once, and how verdicts are written."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

from airflow_dataops.core.health.config import RowCount, TableHealth
from airflow_dataops.core.health.monitor import check_all, count_checks
from airflow_dataops.core.health.rendering import Document, Format, format_of, write
from airflow_dataops.core.health.verdict import Status, Verdict, exit_code, report
from tests.duckdb_runner import open_duckdb

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_dataops.core.ports import SqlRunner

NOW = datetime(2024, 3, 31, 12, tzinfo=UTC)


def table(name: str, conn_id: str | None) -> TableHealth:
    return TableHealth(table_id=name, conn_id=conn_id, row_count=RowCount(min_rows=1))


def test_warehouses_are_asked_at_once_and_one_that_is_down_hides_no_other() -> None:
    """Two meet at a barrier, so they are open at the same time; the third refuses."""
    meeting = threading.Barrier(2, timeout=20)

    @contextmanager
    def opened(conn_id: str | None) -> Iterator[SqlRunner]:
        if conn_id == "down":
            raise OSError("no route to host")
        meeting.wait()
        with open_duckdb() as runner:
            runner.execute("create table t as select 1 as id")
            yield runner

    tables = [table("t", "a"), table("t2", "down"), table("t", None), table("x", "a")]
    steps: list[int] = []
    found = check_all(tables, opened, now=NOW, progress=steps.append)
    assert [(each.table, each.status.value) for each in found] == [
        ("t", "PASS"),
        ("t", "PASS"),
        ("t2", "ERROR"),
        ("x", "ERROR"),
    ]
    assert found[2].message == "connection down cannot be used: OSError: no route to host"
    assert sum(steps) == count_checks(tables) == 4


def verdict(status: Status, **of: str) -> Verdict:
    base = {"check": "freshness", "table": "a.b", "message": "m"}
    return Verdict(status=status, **{**base, **of})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("statuses", "code"),
    [
        ([], 0),
        ([Status.PASS, Status.WARN, Status.SKIP], 0),
        ([Status.PASS, Status.ERROR], 3),
        ([Status.ERROR, Status.FAIL], 1),
    ],
)
def test_exit_codes(statuses: list[Status], code: int) -> None:
    assert exit_code([verdict(status) for status in statuses]) == code


def test_the_score_leaves_out_what_was_skipped() -> None:
    statuses = [Status.PASS, Status.WARN, Status.FAIL, Status.ERROR, Status.SKIP]
    assert report([verdict(status) for status in statuses], NOW).summary.health_score == 50
    assert report([], NOW).summary.health_score is None


HOSTILE = 'a | b <script>alert("x")</script>\n\x00'


def test_whatever_is_in_a_message_stays_text() -> None:
    found = (verdict(Status.FAIL, message=HOSTILE), verdict(Status.SKIP), verdict(Status.ERROR))
    document = Document(title="T", facts={"Fact": "<b>"}, verdicts=found)
    html = write(document, Format.HTML)
    assert "<script>" not in html
    assert "<b>:" not in html
    markdown = write(document, Format.MARKDOWN)
    assert "| FAIL | a.b | freshness | a \\| b &lt;script>" in markdown
    suite = ElementTree.fromstring(write(document, Format.JUNIT).encode())[0]
    assert [case[0].tag for case in suite] == ["failure", "skipped", "error"]
    counts = ("tests", "failures", "errors", "skipped")
    assert [suite.get(name) for name in counts] == ["3", "1", "1", "1"]
    assert write(document, Format.TEXT).startswith("FAIL  a.b freshness: a | b <script>")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("r.json", "json"),
        ("r.MD", "markdown"),
        ("r.xml", "junit"),
        ("r.html", "html"),
        ("r", "json"),
    ],
)
def test_a_files_name_asks_for_its_format(name: str, expected: str) -> None:
    assert format_of(Path(name)) == expected
