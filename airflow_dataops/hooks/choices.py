"""Choices that several sources have in common."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

from airflow_dataops.errors import ConfigError

E = TypeVar("E", bound=StrEnum)


class Missing(StrEnum):
    """What it means that there is no file."""

    FAIL = "fail"
    SKIP = "skip"
    """Nothing is to be loaded: the target stays as it is."""


def chosen(kind: type[E], value: str, what: str) -> E:
    """Return a member of an enum by its value.

    Raises:
        ConfigError: there is none; the message lists them.
    """
    try:
        return kind(value)
    except ValueError:
        raise ConfigError(f"{what}={value!r}: choose one of {', '.join(kind)}.") from None
