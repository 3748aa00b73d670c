"""The renderings of a project's code, without the marks that stand for values of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from airflow_dataops.core.engines.registry import is_engine
from airflow_dataops.core.manifests.dbt.touched import Kind, reasons
from airflow_dataops.core.sql.relocated import understood

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_dataops.adapters.dbt_placeholders import Placeholders
    from airflow_dataops.adapters.dbt_recording import Recorder
    from airflow_dataops.core.model import Slot

Codes = dict[str, str]
"""Compiled code by unique id."""


class Renderings:
    """Texts by node, each with the places for values of a run.

    Attributes:
        texts: by unique id: `sql`, `incremental_sql`, `filter`.
        slots: by unique id and text.
    """

    def __init__(self, recorder: Recorder, dialect: str) -> None:
        self.texts: dict[str, Codes] = {}
        self.slots: dict[str, dict[str, list[Slot]]] = {}
        self._recorder = recorder
        self._dialect = dialect

    def add(self, name: str, codes: Mapping[str, str]) -> None:
        """Take one rendering; a value that cannot be written where it stands is recorded."""
        for id_, text in codes.items():
            found = self._recorder.placeholders.found(text, self._dialect)
            self.texts.setdefault(id_, {})[name] = found.text
            if found.slots:
                self.slots.setdefault(id_, {})[name] = found.slots
            if is_engine(self._dialect) and not understood(found.text, self._dialect):
                self._recorder.touched.setdefault(id_, set()).add(f"{Kind.UNREAD}:{name}")
            for value in found.unplaced:
                self._recorder.touched.setdefault(id_, set()).add(f"{Kind.PLACE}:{value}")

    def named(self, name: str) -> Codes:
        """Return one text of all nodes that have it."""
        return {id_: texts[name] for id_, texts in self.texts.items() if name in texts}

    def plain(self, id_: str) -> dict[str, Any]:
        """Return the texts of a node, with `slots`, as a manifest has them."""
        slots = self.slots.get(id_)
        return self.texts.get(id_, {}) | ({"slots": msgspec.to_builtins(slots)} if slots else {})

    def differs(self, id_: str, other: Renderings) -> bool:
        """Tell whether one of the texts here is not as there."""
        return any(
            text != other.texts.get(id_, {}).get(name)
            or self.slots.get(id_, {}).get(name) != other.slots.get(id_, {}).get(name)
            for name, text in self.texts.get(id_, {}).items()
        )


def check(first: Codes, again: Codes, recorder: Recorder) -> None:
    """Compare code with marks to code of the values they stand for; record what else differs."""
    real = recorder.placeholders.real_text
    for id_, text in again.items():
        # What dbt keeps from the parse has marks in both.
        if id_ in first and real(first[id_]) != real(text):
            mine = recorder.touched.setdefault(id_, set())
            if not reasons(mine):
                mine.add(f"{Kind.RUN}:two renderings that differ")


def marked(codes: Codes, placeholders: Placeholders) -> bool:
    """Tell whether a value of a run is printed anywhere."""
    return any(placeholders.has_mark(text) for text in codes.values())


def codes_of(manifest: Mapping[str, Any]) -> Codes:
    """Return the compiled code of a manifest's nodes, but for Python."""
    return {
        id_: node["compiled_code"]
        for id_, node in manifest["nodes"].items()
        if node.get("compiled_code") is not None and node.get("language") != "python"
    }


def filters_of(manifest: Mapping[str, Any]) -> Codes:
    """Return the conditions of sources' freshness."""
    found = {
        id_: (source.get("freshness") or {}).get("filter")
        for id_, source in manifest["sources"].items()
    }
    return {id_: text for id_, text in found.items() if text}


def unmarked(value: Any, placeholders: Placeholders) -> Any:
    """Return plain data with the values of the compilation in place of marks."""
    if isinstance(value, str):
        return placeholders.real_text(value) if placeholders.has_mark(value) else value
    if isinstance(value, dict):
        return {unmarked(k, placeholders): unmarked(v, placeholders) for k, v in value.items()}
    if isinstance(value, list):
        return [unmarked(each, placeholders) for each in value]
    return value
