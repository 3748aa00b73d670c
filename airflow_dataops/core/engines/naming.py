"""How an engine names tables and columns."""

from __future__ import annotations

from collections.abc import Callable

from airflow_dataops.core.model import Struct


class Naming(Struct, frozen=True):
    """One engine's names.

    Attributes:
        quote: the character around a quoted name; in the name it is doubled, where it may be.
        unquotable: characters that no name may hold, not even in quotes.
        longest: the bytes of UTF-8 that are kept of a name; None for no limit.
        longest_column: those of a column's, where they are fewer.
        folded: how a part is read that is written without quotes.
        text_escapes: what is written for letters within the quotes of a text.
        paths_in_quotes: whether one pair of quotes may be around a path with dots.
        one_database: whether a session has one database, which statements on schemas and the
            like do not name.
        view_is_renamed_as: the kind of object that ALTER names to rename a view.
        drops_dependents: whether DROP has to say that what depends on its object goes too.
    """

    quote: str = '"'
    unquotable: frozenset[str] = frozenset()
    longest: int | None = None
    longest_column: int | None = None
    folded: Callable[[str], str] = str
    text_escapes: tuple[tuple[str, str], ...] = (("'", "''"),)
    paths_in_quotes: bool = False
    one_database: bool = False
    view_is_renamed_as: str = "view"
    drops_dependents: bool = False

    def is_too_long(self, name: str, *, column: bool = False) -> bool:
        """Tell whether the engine would keep only a part of a name."""
        limit = self.limit(column=column)
        return limit is not None and len(name.encode()) > limit

    def limit(self, *, column: bool = False) -> int | None:
        """Return the bytes that are kept of a name; None for no limit."""
        return (self.longest_column or self.longest) if column else self.longest

    def cut(self, name: str, room: int) -> str:
        """Return as much of a name as leaves room for so many more bytes."""
        if self.longest is None:
            return name
        return name.encode()[: self.longest - room].decode(errors="ignore")
