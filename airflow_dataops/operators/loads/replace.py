"""Replace a table at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from airflow_dataops.core.arguments import choice
from airflow_dataops.core.loads.specs import OnEmpty, Replace
from airflow_dataops.operators.loads.base import LoadOperator

if TYPE_CHECKING:
    from airflow_dataops.operators.loads.base import LoadArguments


class ReplaceOperator(LoadOperator):
    """Puts the rows in the place of the whole table, at once for every reader.

    Args:
        on_empty: what a source without rows does: `fail` (by default), `keep` the table as
            it is, or `write`, which empties it.
        **arguments: those of `LoadOperator`.
    """

    def __init__(
        self, *, on_empty: OnEmpty | str = OnEmpty.FAIL, **arguments: Unpack[LoadArguments]
    ) -> None:
        super().__init__(**arguments)
        self.on_empty = choice(OnEmpty, on_empty, "on_empty")

    def _verb(self) -> Replace:
        return Replace(on_empty=self.on_empty)
