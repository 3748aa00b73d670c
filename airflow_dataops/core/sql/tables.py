"""A table as a load sees it: its name and its columns, with what they require."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.model import Relation, Struct
from airflow_dataops.core.sql.dialects.loadings import get_loading
from airflow_dataops.core.sql.relations import render
from airflow_dataops.core.sql.statements import ask

if TYPE_CHECKING:
    from airflow_dataops.core.ports import SqlRunner


class TableColumn(Struct, frozen=True):
    """A column of a table.

    Attributes:
        type: the engine's own spelling, such as `DECIMAL(18,3)`.
        required: it takes no NULL and has no default.
    """

    name: str
    type: str
    required: bool = False


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
        return next(column.type for column in self.columns if column.name == name)


def read_table(runner: SqlRunner, relation: Relation) -> Table | None:
    """Look a table or view up; None when it does not exist."""
    rows = ask(get_loading(runner.dialect).columns(relation), runner)
    if not rows:
        return None
    return Table(
        relation=relation,
        sql=render(relation, runner.dialect),
        columns=tuple(TableColumn(name=r[0], type=r[1], required=bool(r[2])) for r in rows),
        view=bool(rows[0][3]),
    )
