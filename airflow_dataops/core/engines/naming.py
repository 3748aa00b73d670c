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
        folded: how a part is read that is written without quotes.
        text_escapes: what is written for letters within the quotes of a text.
        paths_in_quotes: whether one pair of quotes may be around a path with dots.
        one_database: whether a session has one database, which statements on schemas and the
            like do not name.
        drops_dependents: whether DROP has to say that what depends on its object goes too.
    """

    quote: str = '"'
    unquotable: frozenset[str] = frozenset()
    longest: int | None = None
    folded: Callable[[str], str] = str
    text_escapes: tuple[tuple[str, str], ...] = (("'", "''"),)
    paths_in_quotes: bool = False
    one_database: bool = False
    drops_dependents: bool = False
