"""Keep every version of a row."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Unpack

from airflow_dataops.core.arguments import choice, instance, names, optional_names, text
from airflow_dataops.core.loads.choices import SameTime
from airflow_dataops.core.loads.specs import (
    History,
    HistoryColumns,
    Missing,
    NullKeys,
    OnEmpty,
)
from airflow_dataops.operators.loads.base import LoadOperator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_dataops.core.arguments import Names
    from airflow_dataops.operators.loads.base import LoadArguments


class HistoryOperator(LoadOperator):
    """Keeps every version of a row with the time it was valid (SCD type 2).

    Versions of a key do not overlap; a row that arrives late takes its place among them.

    Args:
        keys: columns that name the thing.
        effective_at: column of the source with the time from which its row is valid.
        compare_columns: a new version begins when one of these is distinct; by default all
            columns but the keys and `effective_at`.
        columns: names of the columns that the history adds.
        missing: a key that the source does not have is `ignore`d, or `close`d.
        closed_at: with `missing="close"`, the time at which those end: by default the end of
            the data interval, without one the run's logical date.
        same_time: a row for a time at which the history has a version that says otherwise
            `replace`s that version, or is `refuse`d.
        null_keys: `refuse` rows whose key holds NULL, or `match` them: NULL equals NULL.
        on_empty: what a source without rows does: `keep` (by default), `write` (with
            `missing="close"` all versions end) or `fail`.
        **arguments: those of `LoadOperator`.
    """

    template_fields: Sequence[str] = (*LoadOperator.template_fields, "closed_at")

    def __init__(
        self,
        *,
        keys: Names,
        effective_at: str,
        compare_columns: Names | None = None,
        columns: HistoryColumns | None = None,
        missing: Missing | str = Missing.IGNORE,
        closed_at: datetime | str | None = "{{ data_interval_end or logical_date }}",
        same_time: SameTime | str = SameTime.REPLACE,
        null_keys: NullKeys | str = NullKeys.REFUSE,
        on_empty: OnEmpty | str = OnEmpty.KEEP,
        **arguments: Unpack[LoadArguments],
    ) -> None:
        super().__init__(**arguments)
        self.keys = names(keys, "keys", least=1)
        self.effective_at = text(effective_at, "effective_at")
        self.compare_columns = optional_names(compare_columns, "compare_columns")
        self.columns = instance(HistoryColumns, columns or HistoryColumns(), "columns")
        self.missing = choice(Missing, missing, "missing")
        self.closed_at = closed_at
        self.same_time = choice(SameTime, same_time, "same_time")
        self.null_keys = choice(NullKeys, null_keys, "null_keys")
        self.on_empty = choice(OnEmpty, on_empty, "on_empty")

    def _verb(self) -> History:
        return History(
            keys=self.keys,
            effective_at=self.effective_at,
            compare_columns=self.compare_columns,
            columns=self.columns,
            missing=self.missing,
            closed_at=self._closed_at() if self.missing is Missing.CLOSE else None,
            same_time=self.same_time,
            null_keys=self.null_keys,
            on_empty=self.on_empty,
        )

    def _closed_at(self) -> datetime | None:
        if isinstance(self.closed_at, str):
            return datetime.fromisoformat(self.closed_at)
        return self.closed_at
