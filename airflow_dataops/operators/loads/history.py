"""Keep every version of a row."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.loads.specs import (
    History,
    HistoryColumns,
    Missing,
    NullKeys,
    OnEmpty,
)
from airflow_dataops.operators.loads.base import LoadOperator, chosen

if TYPE_CHECKING:
    from collections.abc import Sequence


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
        null_keys: `refuse` rows whose key holds NULL, or `match` them: NULL equals NULL.
        on_empty: what a source without rows does: `keep` (by default), `write` (with
            `missing="close"` all versions end) or `fail`.
        **arguments: those of `LoadOperator`.
    """

    template_fields: Sequence[str] = (*LoadOperator.template_fields, "closed_at")

    def __init__(
        self,
        *,
        keys: Sequence[str],
        effective_at: str,
        compare_columns: Sequence[str] | None = None,
        columns: HistoryColumns | None = None,
        missing: Missing | str = Missing.IGNORE,
        closed_at: datetime | str | None = "{{ data_interval_end or logical_date }}",
        null_keys: NullKeys | str = NullKeys.REFUSE,
        on_empty: OnEmpty | str = OnEmpty.KEEP,
        **arguments: Any,
    ) -> None:
        super().__init__(**arguments)
        self.keys = keys
        self.effective_at = effective_at
        self.compare_columns = compare_columns
        self.columns = columns
        self.missing = missing
        self.closed_at = closed_at
        self.null_keys = null_keys
        self.on_empty = on_empty

    def _verb(self) -> History:
        missing = chosen(Missing, self.missing, "missing")
        compared = None if self.compare_columns is None else tuple(self.compare_columns)
        return History(
            keys=tuple(self.keys),
            effective_at=self.effective_at,
            compare_columns=compared,
            columns=self.columns or HistoryColumns(),
            missing=missing,
            closed_at=self._closed_at() if missing is Missing.CLOSE else None,
            null_keys=chosen(NullKeys, self.null_keys, "null_keys"),
            on_empty=chosen(OnEmpty, self.on_empty, "on_empty"),
        )

    def _closed_at(self) -> datetime | None:
        if isinstance(self.closed_at, str):
            return datetime.fromisoformat(self.closed_at)
        return self.closed_at
