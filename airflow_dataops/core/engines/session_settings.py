"""Which of the settings that somebody names are given to sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_dataops.core.engines.registry import get_engine, is_engine

if TYPE_CHECKING:
    from collections.abc import Mapping


def carried(adapter: str | None, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of the settings that sessions of an adapter's engine are given.

    Values are texts, numbers, true and false; others are left out.
    """
    if not settings or adapter is None or not is_engine(adapter):
        return {}
    known = get_engine(adapter).session.settings
    return {
        name: value
        for name, value in settings.items()
        if name.lower() in known and isinstance(value, str | int | float)
    }
