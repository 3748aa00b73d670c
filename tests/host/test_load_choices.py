"""What load operators let their authors choose: words that are none fail where they are written."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest

from airflow_dataops import (
    AppendOperator,
    ApplyChangesOperator,
    HistoryOperator,
    IncrementOperator,
    MergeOperator,
    asset_of,
)
from airflow_dataops.core.loads.choices import Duplicates, Reading
from airflow_dataops.errors import ConfigError
from airflow_dataops.hooks.connection_query import ConnectionQuery

if TYPE_CHECKING:
    from airflow_dataops.operators.loads.base import LoadOperator

ROWS = {"task_id": "t", "target": "s.t", "conn_id": "w", "sql": "select 1 where {{ ds }}"}


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        (AppendOperator, {"duplicates": "all"}),
        (AppendOperator, {"text_order": "words"}),
        (AppendOperator, {"emptied_target": "ignore"}),
        (MergeOperator, {"text_order": "words", "keys": ["id"]}),
        (HistoryOperator, {"same_time": "keep", "keys": ["id"], "effective_at": "at"}),
        (ApplyChangesOperator, {"same_sequence": "any", "keys": ["id"], "sequence": "lsn"}),
        (ApplyChangesOperator, {"text_order": "any", "keys": ["id"], "sequence": "lsn"}),
        (IncrementOperator, {"reading": "some", "cursor": "at"}),
        (IncrementOperator, {"until": "tomorrow", "cursor": "at"}),
        (IncrementOperator, {"nonfinite_cursor": "keep", "cursor": "at"}),
        (IncrementOperator, {"watermark_name": "", "cursor": "at"}),
    ],
)
def test_a_word_that_is_none_fails_at_parse_by_its_name(
    kind: type[LoadOperator], settings: dict[str, Any]
) -> None:
    with pytest.raises(ConfigError, match=next(iter(settings))):
        kind(**ROWS, **settings)


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        ("2026-01-02", date(2026, 1, 2)),
        ("2026-01-02T00:00:00+00:00", datetime(2026, 1, 2, tzinfo=UTC)),
        ("12", 12),
        ("1.5", 1.5),
        (2.5, 2.5),
        (None, None),
    ],
)
def test_an_end_is_what_jinja_leaves_of_it(until: Any, expected: object) -> None:
    task = IncrementOperator(**ROWS, cursor="at", until="{{ end }}", reading="{{ mode }}")
    task.until, task.reading = until, "all"
    verb: Any = task._verb()
    assert (verb.until, verb.reading) == (expected, Reading.ALL)


def test_a_watermark_is_of_the_source_as_it_is_written() -> None:
    """Jinja makes another text of it in each run."""
    task = IncrementOperator(**ROWS, cursor="at")
    written = task.origin
    task.sql = "select 1 where 2026-01-02"
    assert (task.origin, "{{ ds }}" in written) == (written, True)
    rows = {**ROWS, "sql": None, "source": ConnectionQuery("app", "select {{ ds }}", [1])}
    other = IncrementOperator(**rows, cursor="at")
    assert other.origin == "app select {{ ds }} [1]"


def test_every_row_is_added_by_choice() -> None:
    verb: Any = AppendOperator(**ROWS, duplicates="keep")._verb()
    assert verb.duplicates is Duplicates.KEEP


def test_a_connection_may_be_a_template() -> None:
    """Which table that is, the task finds out; until then its asset has no name."""
    given = {"task_id": "t", "target": "shop.s.t", "table": "s.u", "keys": "id"}
    task = MergeOperator(**given, conn_id="{{ var.value.warehouse }}")
    assert "conn_id" in task.template_fields
    assert [type(each).__name__ for each in task.outlets] == ["AssetAlias"]
    task.render_template_fields({"var": {"value": {"warehouse": "w"}}})
    assert (task.conn_id, task.target) == ("w", "shop.s.t")
    [plain] = MergeOperator(**given, conn_id="w").outlets
    assert plain.uri == "dataops://w/shop/s/t"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"dialect": "snowflak"}, "did you mean 'snowflake'"),
        ({"dialect": "oracle"}, "there is no such engine; those are bigquery"),
        ({"conn_id": ""}, "conn_id=''"),
        ({"table": 5}, "table=5"),
    ],
)
def test_an_asset_that_nobody_would_emit_is_refused(
    arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        asset_of(**{"table": "shop.main.orders", "conn_id": "w", **arguments})
