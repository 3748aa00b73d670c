"""Where an engine lists tables and their columns."""

from __future__ import annotations

from collections.abc import Callable

from airflow_dataops.core.model import Relation, Struct


class Lookup(Struct, frozen=True):
    """One engine's list of columns.

    Attributes:
        listing: a table expression with the columns of information_schema.columns, beside a
            relation.
        home: the database and schema of names without them, as two columns; None where names
            have to have them.
        in_database: the condition that a table is in the database `{}`, where the listing has
            more than those of one.
        by_schema: whether each schema has a listing of its own.
        nameless: what to say of a name without a schema, where `home` is None.
    """

    listing: Callable[[Relation], str]
    home: str | None = "current_database(), current_schema()"
    in_database: str | None = None
    by_schema: bool = False
    nameless: str = ""
