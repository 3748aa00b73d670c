"""Layers of documents, one over another; and values put in for the parameters of a template."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.pipelines.located import Map, Seq
from airflow_dataops.core.pipelines.report import Path, near

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_dataops.core.pipelines.faults import Place
    from airflow_dataops.core.pipelines.report import Report

_HOLE = re.compile(r"\$\{\{([^{}]*)\}\}")
_HARMLESS = re.compile(r"[\w .,:/@+=-]*")
_JINJA = re.compile(r"\{\{|\{%|\{#")


def over(base: Map, top: Map) -> Map:
    """Return a mapping with another over it: mappings go together key by key, all else replaces."""
    found = Map(top.at)
    for key, value in base.items():
        found.put(key, value, base.keys_at[key], base.values_at[key])
    for key, value in top.items():
        below = base.get(key)
        if isinstance(value, Map) and isinstance(below, Map) and not _replaces(value, below):
            value = over(below, value)
        found.put(key, value, top.keys_at[key], top.values_at[key])
    return found


def _replaces(value: Map, below: Map) -> bool:
    """Tell whether a mapping stands for one value, which another cannot be a part of."""
    return any(
        isinstance(key, str) and key.startswith("$") for each in (value, below) for key in each
    )


def without_empty(tasks: Map) -> Map:
    """Return tasks without those that a layer took away, by `null`."""
    found = Map(tasks.at)
    for key, value in tasks.items():
        if value is None:
            continue
        if isinstance(value, Map) and isinstance(value.get("tasks"), Map):
            inner = Map(value.at)
            for name, part in value.items():
                part = without_empty(part) if name == "tasks" else part
                inner.put(name, part, value.keys_at[name], value.values_at[name])
            value = inner
        found.put(key, value, tasks.keys_at[key], tasks.values_at[key])
    return found


class Filler:
    """Puts values in for `${{ name }}`, in texts and in keys."""

    def __init__(self, values: Mapping[str, Any], report: Report) -> None:
        self._values = values
        self._report = report

    def filled(self, value: Any, at: Place, path: Path) -> Any:
        """Return a value with all holes in it filled."""
        if isinstance(value, str):
            return self._text(value, at, path) if "${{" in value else value
        if isinstance(value, Map):
            found = Map(value.at)
            for key, part in value.items():
                key_at, value_at = value.keys_at[key], value.values_at[key]
                new = self.filled(key, key_at, path)
                if new in found:
                    message = f"The key {new!r} is there twice once parameters are filled in."
                    self._report.add("duplicate-key", message, key_at, (*path, key))
                found.put(new, self.filled(part, value_at, (*path, key)), key_at, value_at)
            return found
        if isinstance(value, Seq):
            items = Seq(value.at)
            for place, part in enumerate(value):
                at = value.values_at[place]
                items.put(self.filled(part, at, (*path, place)), at)
            return items
        return value

    def _text(self, text: str, at: Place, path: Path) -> Any:
        if (whole := _HOLE.fullmatch(text)) is not None:
            return self._value(whole[1].strip(), at, path)
        return _HOLE.sub(lambda hole: self._inside(hole[1].strip(), at, path), text)

    def _value(self, name: str, at: Place, path: Path) -> Any:
        if name not in self._values:
            message = f"There is no parameter {name!r}{near(name, self._values.keys())}"
            self._report.add("unknown-parameter", message, at, path)
            return ""
        return self._values[name]

    def _inside(self, name: str, at: Place, path: Path) -> str:
        """Return a value as a part of a text, which may be SQL or a command."""
        value = self._value(name, at, path)
        text = str(value).lower() if isinstance(value, bool) else str(value)
        if isinstance(value, Map | Seq) or not _HARMLESS.fullmatch(text):
            message = (
                f"The value of {name!r}, {text[:60]!r}, cannot be a part of a text: only letters, "
                "digits, spaces and . , : / @ + = - _ can. Make it all of the value, as in "
                f"`key: ${{{{ {name} }}}}`."
            )
            self._report.add("unsafe-parameter", message, at, path)
        return text


def check_parameter(name: Any, value: Any, at: Place, path: Path, report: Report) -> None:
    """Refuse a value that Airflow would run as a template: it is data."""
    if isinstance(value, str) and _JINJA.search(value):
        message = (
            f"The value of {name!r} is a template of Jinja, which Airflow would run; write the "
            "template where it is used."
        )
        report.add("template-injection", message, at, path)
    elif isinstance(value, Map):
        for key, part in value.items():
            check_parameter(name, key, value.keys_at[key], (*path, key), report)
            check_parameter(name, part, value.values_at[key], (*path, key), report)
    elif isinstance(value, Seq):
        for place, part in enumerate(value):
            check_parameter(name, part, value.values_at[place], (*path, place), report)
