"""How an engine is told what stands beside the rows of a table: comments, grants, indexes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from airflow_dataops.core.engines.statements import Statement
from airflow_dataops.core.model import Relation, Struct

Commented = tuple[str, str]
"""A column's quoted name and a text, as SQL."""


def comment_on(kind: str, name: str, text: str) -> str:
    """Return the statement that comments on a table or view."""
    return f"comment on {kind} {name} is {text}"


def comment_on_columns(name: str, columns: Sequence[Commented]) -> list[str]:
    """Return the statements that comment on columns."""
    return [f"comment on column {name}.{column} is {text}" for column, text in columns]


class Comments(Struct, frozen=True):
    """How comments are written.

    Attributes:
        relation: the statement, of the kind, the name and the text, as SQL.
        columns: the statements, of the relation's name and its columns.
        view_column: a column, `{0}`, with its comment, `{1}`, in the list of CREATE VIEW; None
            where the columns of a view are commented on as those of a table.
        every_column: whether columns that nobody describes lose their comments.
        named: under which names the author may describe a column, the first counts.
        written: what dbt's adapter makes of a text.
    """

    relation: Callable[[str, str, str], str] = comment_on
    columns: Callable[[str, Sequence[Commented]], list[str]] = comment_on_columns
    view_column: str | None = None
    every_column: bool = False
    named: Callable[[str], tuple[str, ...]] = lambda name: (name,)
    written: Callable[[str], str] = str


class Grants(Struct, frozen=True):
    """How privileges are given and taken away.

    Attributes:
        listed: the query for those that a relation has.
        read: its rows as pairs of grantee and privilege.
        together: whether one statement names several grantees.
        copied: whether a table made anew has those of the older one, if its model asks for it.
    """

    listed: Callable[[Relation], Statement]
    read: Callable[[Iterable[tuple[Any, ...]]], list[tuple[str, str]]]
    together: bool = True
    copied: bool = False


class Finishing(Struct, frozen=True):
    """What dbt's adapter does once a table is built.

    Attributes:
        grants: None where dbt's adapter pays no heed to them.
        indexes: whether a table gets those of its model.
        index_methods: what may stand after USING.
    """

    comments: Comments = Comments()
    grants: Grants | None = None
    indexes: bool = False
    index_methods: tuple[str, ...] = ()
