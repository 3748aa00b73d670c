"""What the sessions of an engine can be given beyond what opens them."""

from __future__ import annotations

from airflow_dataops.core.model import Struct


class SessionSql(Struct, frozen=True):
    """What a dbt profile may set for a session.

    Only what is named here goes from a profile into a manifest and from a manifest into a session:
    it changes what a query returns or may cost, and is no secret. Source: the pages of the adapters
    at https://docs.getdbt.com/docs/core/connect-data-platform

    Attributes:
        settings: names, in small letters.
        statement: sets one, with `{identifier}` or `{literal}` for its name and `{value}`; None
            where it goes along with every statement.
    """

    settings: frozenset[str] = frozenset()
    statement: str | None = None
