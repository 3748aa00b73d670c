"""Queries for models under test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


def values(rows: Sequence[Sequence[Any]], columns: Sequence[str]) -> str:
    """Return a query for literal rows of numbers and texts, on any engine."""
    return "\nunion all\n".join(
        "select " + ", ".join(f"{_literal(v)} as {c}" for v, c in zip(row, columns, strict=True))
        for row in rows
    )


def _literal(value: Any) -> str:
    return str(value) if isinstance(value, int) else f"'{value}'"
