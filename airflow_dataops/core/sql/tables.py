"""A table as a load sees it: its name and its columns, with what they require."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.engines import get_engine
from airflow_dataops.core.engines.relations import render
from airflow_dataops.core.engines.statements import ask
from airflow_dataops.core.model import Relation, Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_dataops.core.ports import SqlRunner


class Filled(StrEnum):
    """How a table fills a column that takes no values from an INSERT."""

    COMPUTED = "computed"
    """From other columns."""
    NUMBERED = "numbered"
    """By counting (GENERATED ALWAYS AS IDENTITY)."""


class TableColumn(Struct, frozen=True):
    """A column of a table.

    Attributes:
        type: the engine's own spelling, such as `DECIMAL(18,3)`.
        required: it takes no NULL and has no default.
        filled: set where the table itself fills it.
        clause: what else decides how values are kept and compared, as it follows the type in a
            definition: a collation, a way of rounding.
        unlimited: the type without its limits, where a cast to it would cut values silently.
    """

    name: str
    type: str
    required: bool = False
    filled: Filled | None = None
    clause: str = ""
    unlimited: str = ""

    @property
    def declared(self) -> str:
        """What follows the name of a column that keeps and compares values as this one does."""
        return f"{self.type}{self.clause}"

    @property
    def cast(self) -> str:
        """The type to which values can be cast, so that none is cut: storing it limits it."""
        return self.unlimited or self.type


class Table(Struct, frozen=True):
    """A table that exists.

    Attributes:
        sql: its name, each part quoted.
    """

    relation: Relation
    sql: str
    columns: tuple[TableColumn, ...]
    view: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its columns, in order."""
        return tuple(column.name for column in self.columns)

    def type_of(self, name: str) -> str:
        """Return the type of one of its columns."""
        return self.column(name).type

    def column(self, name: str) -> TableColumn:
        """Return one of its columns."""
        return next(column for column in self.columns if column.name == name)


def read_table(runner: SqlRunner, relation: Relation) -> Table | None:
    """Look a table or view up; None when it does not exist."""
    rows = ask(get_engine(runner.dialect).loads.columns(relation), runner)
    if not rows:
        return None
    return Table(
        relation=relation,
        sql=render(relation, runner.dialect),
        columns=tuple(map(_column, rows)),
        view=bool(rows[0][3]),
    )


def _column(row: Sequence[Any]) -> TableColumn:
    told: list[Any] = [*row, *[None] * (7 - len(row))]
    name, type_, required, _, filled, clause, unlimited = told
    return TableColumn(
        name=name,
        type=type_,
        required=bool(required),
        filled=Filled(filled) if filled else None,
        clause=clause or "",
        unlimited=unlimited or "",
    )
