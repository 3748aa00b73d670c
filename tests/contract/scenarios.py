"""One load of each verb, small and with all it does: for kills, races and the emitted SQL."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.engines.relations import render
from airflow_dataops.core.loads.run import run_load
from airflow_dataops.core.loads.sources import Query
from airflow_dataops.core.loads.specs import (
    Append,
    ApplyChanges,
    Attempt,
    Compare,
    Drift,
    Envelope,
    History,
    Increment,
    Load,
    LoadPartition,
    Merge,
    Missing,
    NullKeys,
    Replace,
    Within,
)
from airflow_dataops.core.model import Relation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_dataops.core.loads.specs import LoadResult, Verb
    from airflow_dataops.core.ports import SqlRunner
    from tests.warehouses import Warehouse

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Scenario:
    """A table `target` with rows, and a load of `source` into it.

    Attributes:
        key: the target's primary key.
        visible: columns that tell whether a reader sees one state or the other.
    """

    verb: Verb
    target: Mapping[str, str]
    old: Sequence[Sequence[Any]]
    source: Mapping[str, str]
    new: Sequence[Sequence[Any]]
    key: Sequence[str] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)

    def set_up(self, warehouse: Warehouse) -> None:
        warehouse.table("target", self.target, self.old, key=self.key)
        warehouse.table("source", self.source, self.new)

    def run(self, runner: SqlRunner, schema: str, attempt: Attempt, **settings: Any) -> LoadResult:
        source = render(Relation(identifier="source", schema=schema), runner.dialect)
        load = Load(
            target=Relation(identifier="target", schema=schema),
            verb=self.verb,
            attempt=attempt,
            **self.settings,
            **settings,
        )
        return run_load(load, Query(sql=f"select * from {source}"), runner)


def _day(number: int) -> datetime:
    return datetime(2026, 1, number)


_ITEMS = {"id": "int", "name": "text", "n": "int"}
_OLD = [(1, "a", 1), (2, "b", 2), (3, "c", 3)]
_NEW = [(2, "B", 2), (3, "C", 30), (4, "D", 40)]
_SALES = {"day": "time", "n": "int"}
_TIMES = {"valid_from": "time", "valid_to": "time", "is_current": "bool"}
_PAST = [(1, "a", _day(1), _day(3), False), (1, "c", _day(3), None, True)]
_PAST += [(2, "x", _day(1), None, True)]
_LOG = [(1, "one", "u", 21), (1, None, "d", 22), (2, "two", "u", 5), (4, "four", "c", 23)]

SCENARIOS: dict[str, Scenario] = {
    "partition": Scenario(
        LoadPartition(within=Within(column="day", start=_day(2), end=_day(3))),
        _SALES,
        [(_day(1), 1), (_day(2), 2), (_day(2), 3), (_day(3), 4)],
        _SALES,
        [(_day(2), 20), (_day(2), 30), (_day(2), 30)],
    ),
    "merge": Scenario(
        Merge(keys=("id",), order_by=("n",), delete_flag="gone"),
        _ITEMS,
        _OLD,
        _ITEMS | {"gone": "bool"},
        [(2, "B", 20, False), (2, "old", 19, False), (3, "C", 30, True), (4, "D", 40, None)],
        key=("id",),
    ),
    "merge_without_index": Scenario(
        Merge(keys=("id",), compare=Compare.CHANGED), _ITEMS, _OLD, _ITEMS, _NEW
    ),
    "merge_some_columns": Scenario(
        Merge(keys=("id",), update_columns=("n",), null_keys=NullKeys.MATCH),
        _ITEMS,
        [*_OLD, (None, "z", 0)],
        _ITEMS,
        [*_NEW, (None, "Z", 9)],
    ),
    "replace": Scenario(Replace(), _ITEMS, _OLD, _ITEMS, _NEW, key=("id",)),
    "replace_bare": Scenario(Replace(), _ITEMS, _OLD, _ITEMS, _NEW),
    "append": Scenario(Append(), _ITEMS, _OLD, _ITEMS, [*_OLD[:1], *_NEW, *_NEW]),
    "append_by_key": Scenario(
        Append(keys=("id",)), _ITEMS, _OLD, _ITEMS, [*_NEW, *_NEW], key=("id",)
    ),
    "history": Scenario(
        History(keys=("id",), effective_at="at", missing=Missing.CLOSE, closed_at=_day(9)),
        {"id": "int", "name": "text"} | _TIMES,
        _PAST,
        {"id": "int", "name": "text", "at": "time"},
        [(1, "b", _day(2)), (3, "new", _day(4))],
    ),
    "increment": Scenario(
        Increment(cursor="at", keys=("id",), per=("shop",), lag=timedelta(hours=1)),
        {"id": "int", "shop": "text", "at": "time"},
        [(1, "x", _day(1)), (2, "y", _day(1))],
        {"id": "int", "shop": "text", "at": "time"},
        [(1, "x", _day(2)), (2, "y", _day(1)), (3, "y", _day(3))],
    ),
    "increment_without_keys": Scenario(
        Increment(cursor="at"),
        {"id": "int", "at": "time"},
        [(1, _day(1)), (2, _day(2))],
        {"id": "int", "at": "time"},
        [(2, _day(2)), (3, _day(3))],
    ),
    "changes": Scenario(
        ApplyChanges(keys=("id",), sequence="lsn"),
        {"id": "int", "name": "text", "_sequence": "bigint"},
        [(1, "a", 1), (2, "b", 10), (3, "c", 3)],
        {"id": "int", "name": "text", "op": "text", "lsn": "bigint"},
        _LOG,
        key=("id",),
    ),
    "changes_soft": Scenario(
        ApplyChanges(keys=("id",), sequence="lsn", soft_delete="gone"),
        {"id": "int", "name": "text", "_sequence": "bigint", "gone": "bool"},
        [(1, "a", 1, False), (2, "b", 10, False), (3, "c", 3, True)],
        {"id": "int", "name": "text", "op": "text", "lsn": "bigint"},
        [*_LOG, (3, "back", "u", 30), (9, None, "d", 31)],
    ),
    "changes_debezium": Scenario(
        ApplyChanges(keys=("id",), sequence="lsn", envelope=Envelope.DEBEZIUM),
        {"id": "int", "name": "text", "_sequence": "bigint"},
        [(1, "a", 1), (2, "b", 10)],
        {"before": "text", "after": "text", "op": "text", "lsn": "bigint"},
        [
            ('{"id": 1}', '{"id": 7, "name": "a"}', "u", 20),
            ('{"id": 2}', None, "d", 21),
            (None, None, None, 21),
        ],
        key=("id",),
    ),
    "drift": Scenario(
        Merge(keys=("id",)),
        _ITEMS,
        _OLD,
        _ITEMS | {"colour": "text"},
        [(2, "B", 20, "red")],
        key=("id",),
        settings={"drift": Drift.ADD},
    ),
}
