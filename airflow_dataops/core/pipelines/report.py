"""Gathers what is wrong in a file, so that all of it is told at once."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.arguments import did_you_mean
from airflow_dataops.core.pipelines.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Collection

    from airflow_dataops.core.pipelines.faults import Place
    from airflow_dataops.core.pipelines.located import Map, Seq

Path = tuple[Any, ...]
"""The keys and indexes that lead to a value."""

_PLAIN_KEY = re.compile(r"[A-Za-z_]\w*")
_MOST_NAMES = 12


class Report:
    """The faults of a file so far."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.faults: list[Fault] = []

    def add(self, rule: str, message: str, at: Place, path: Path) -> None:
        """Remember a fault; one that several pipelines of a family meet is told once."""
        fault = Fault(rule=rule, message=message, place=at, path=shown(path))
        if fault not in self.faults:
            self.faults.append(fault)

    def key(self, rule: str, message: str, inside: Map, key: Any, path: Path) -> None:
        """Remember that a key of a mapping is wrong."""
        self.add(rule, message, inside.keys_at[key], (*path, key))

    def value(self, rule: str, message: str, inside: Map | Seq, key: Any, path: Path) -> None:
        """Remember that a value of a mapping or sequence is wrong."""
        self.add(rule, message, inside.values_at[key], (*path, key))

    def unknown_key(self, inside: Map, key: Any, known: Collection[str], path: Path) -> None:
        """Remember that a mapping has a key which nobody takes."""
        self.key("unknown-key", f"Unknown key {key!r}{near(str(key), known)}", inside, key, path)


def listed(known: Collection[str]) -> str:
    """Return the names that would do, for the end of a message."""
    names = sorted(known)
    if not names:
        return ""
    more = ", ..." if len(names) > _MOST_NAMES else ""
    return f"; expected {', '.join(names[:_MOST_NAMES])}{more}"


def near(name: str, known: Collection[str]) -> str:
    """Return the nearest name, or those that would do, for the end of a message."""
    return did_you_mean(name, known) or f"{listed(known)}."


def shown(path: Path) -> str:
    """Return a JSON path, such as `$.tasks.load.keys[0]`."""
    text = "$"
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _PLAIN_KEY.fullmatch(str(part)):
            text += f".{part}"
        else:
            text += f"[{json.dumps(str(part))}]"
    return text
