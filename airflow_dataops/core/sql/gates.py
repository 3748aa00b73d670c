"""The SQL of gates."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def wrong_rows(table: str, conditions: Sequence[str]) -> str:
    """Return a query for the number of rows, then of those that do not meet each condition.

    The conditions are the author's SQL, each on lines of its own. The counts are NULL for a
    table without rows.
    """
    counts = "".join(
        f",\n  sum(case when (\n{condition}\n) then 0 else 1 end)" for condition in conditions
    )
    return f"select\n  count(*){counts}\nfrom {table}"
