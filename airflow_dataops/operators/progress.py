"""What the tries of one task instance have finished, kept where a killed process cannot take it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.sdk import Context

_CHUNK = 50
"""So many parts are in one value of the store: a record rewrites one value."""


class Progress:
    """Results of parts by id, in the task's state store.

    They hold for the retries of one series: a task that is cleared gets a new `max_tries`, and
    starts anew, because what is upstream may have been cleared with it.
    """

    def __init__(self, context: Context) -> None:
        self._store: Any = context.get("task_state_store")
        self._series = str(getattr(context["ti"], "max_tries", ""))
        self._chunks: list[dict[str, Any]] = []

    def finished(self) -> dict[str, list[dict[str, Any]]]:
        """Return the results of all parts that were recorded, by id."""
        self._chunks = []
        while self._store is not None and (chunk := self._read(len(self._chunks))):
            self._chunks.append(chunk)
        return {id_: results for chunk in self._chunks for id_, results in chunk.items()}

    def record(self, part: str, results: list[dict[str, Any]]) -> None:
        """Remember that a part is finished."""
        if self._store is None:
            return
        if not self._chunks or len(self._chunks[-1]) >= _CHUNK:
            self._chunks.append({})
        self._chunks[-1][part] = results
        value = {"series": self._series, "parts": self._chunks[-1]}
        self._store.set(_key(len(self._chunks) - 1), value)

    def forget(self) -> None:
        """Forget all of it: the task is done."""
        for number in range(len(self._chunks)):
            self._store.delete(_key(number))

    def _read(self, number: int) -> dict[str, Any] | None:
        value = self._store.get(_key(number))
        if not isinstance(value, dict) or value.get("series") != self._series:
            return None
        parts: dict[str, Any] = value["parts"]
        return parts


def _key(number: int) -> str:
    return f"finished_{number}"
