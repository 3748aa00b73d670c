"""YAML -> plain data that knows the places it came from.

Parsed event by event: PyYAML's C library makes the events, and dies of a stack overflow where it
is asked for a whole document that is nested too deep. Nothing but plain data can come of it: no
tag makes an object, aliases (`*`) stand for a bounded number of values, each key is there once.

Scalars are those of YAML 1.2's core schema (https://yaml.org/spec/1.2.2/#103-core-schema): `17:30`
and `2024-01-01` are text. What YAML 1.1 reads otherwise (`no`, `017`) is refused unless quoted.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import yaml

from airflow_dataops.core.pipelines.faults import Fault, PipelineError, Place

if TYPE_CHECKING:
    from collections.abc import Callable

DEEPEST = 50
MOST_VALUES = 100_000
"""Values that a document may have once its aliases are written out."""

_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_OTHERWISE = re.compile(r"yes|no|on|off|[-+]?0[0-9_]+|0o[0-7]+|0x[0-9a-f]+", re.IGNORECASE)
_WORDS = dict.fromkeys(("", "~", "null", "Null", "NULL")) | {
    form: value
    for word, value in (("true", True), ("false", False))
    for form in (word, word.title(), word.upper())
}
_PLAIN_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("str", "map", "seq")}
_LONGEST_INT = 18


class Map(dict[Any, Any]):
    """A mapping of the file; `keys_at` and `values_at` are the places of each key and value."""

    __slots__ = ("at", "keys_at", "size", "values_at")

    def __init__(self, at: Place) -> None:
        super().__init__()
        self.at = at
        self.keys_at: dict[Any, Place] = {}
        self.values_at: dict[Any, Place] = {}
        self.size = 1

    def put(self, key: Any, value: Any, key_at: Place, value_at: Place) -> None:
        """Set a key, with its places."""
        self[key] = value
        self.keys_at[key] = key_at
        self.values_at[key] = value_at


class Seq(list[Any]):
    """A sequence of the file; `values_at` are the places of its items."""

    __slots__ = ("at", "size", "values_at")

    def __init__(self, at: Place) -> None:
        super().__init__()
        self.at = at
        self.values_at: list[Place] = []
        self.size = 1

    def put(self, value: Any, at: Place) -> None:
        """Append an item, with its place."""
        self.append(value)
        self.values_at.append(at)


class _NotPlainError(ValueError):
    pass


def read_yaml(data: bytes, source: str) -> Map:
    """Return the mapping that a file holds.

    Raises:
        PipelineError: it is no YAML, no mapping, or goes beyond plain data and its bounds.
    """
    reader = None
    try:
        text = data.decode("utf-8-sig")
        reader = _Reader(text, source)
        found = reader.document()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _error("This is no UTF-8.", Place(file=source, line=line, column=1)) from None
    except yaml.reader.ReaderError as error:
        before = text[: error.position] if isinstance(error.position, int) else ""
        place = Place(file=source, line=before.count("\n") + 1, column=1)
        raise _error(f"This is no YAML: {error.reason}.", place) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(
            file=source, line=mark.line + 1 if mark else 1, column=mark.column + 1 if mark else 1
        )
        told = ", ".join(filter(None, (error.problem, error.context)))
        raise _error(f"This is no YAML: {told}.", place) from None
    except yaml.YAMLError as error:
        place = Place(file=source, line=1, column=1)
        raise _error(f"This is no YAML: {' '.join(str(error).split())}.", place) from None
    if not isinstance(found, Map):
        raise _error(
            'Expected a mapping, such as `schedule: "@daily"` and `tasks:` on lines of their own.',
            found.at if isinstance(found, Seq) else Place(file=source, line=1, column=1),
        )
    return found


def _error(message: str, place: Place, rule: str = "yaml") -> PipelineError:
    return PipelineError(place.file, [Fault(rule=rule, message=message, place=place)])


class _Reader:
    def __init__(self, text: str, source: str) -> None:
        # Without its C library PyYAML has no `CSafeLoader`: the other takes ten times as long.
        parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
        self._next: Callable[[], Any] = parser.get_event
        self._source = source
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._values = 0

    def document(self) -> Any:
        event = self._next()
        while not isinstance(event, yaml.DocumentStartEvent):
            if isinstance(event, yaml.StreamEndEvent):
                return None
            event = self._next()
        found = self._value(self._next(), 0)
        self._next()
        if not isinstance(event := self._next(), yaml.StreamEndEvent):
            raise _error("A file holds one document; here begins another.", self._place(event))
        return found

    def _place(self, event: Any) -> Place:
        mark = event.start_mark
        return Place(file=self._source, line=mark.line + 1, column=mark.column + 1)

    def _value(self, event: Any, depth: int) -> Any:
        kind = type(event)
        self._values += 1
        if kind is yaml.ScalarEvent:
            found = self._scalar(event)
            size = 1
        elif kind is yaml.AliasEvent:
            return self._alias(event)
        else:
            if depth >= DEEPEST:
                raise _error(f"It is nested more than {DEEPEST} levels deep.", self._place(event))
            if event.tag is not None and event.tag not in _PLAIN_TAGS:
                raise self._tagged(event)
            is_map = kind is yaml.MappingStartEvent
            found = self._map(event, depth) if is_map else self._seq(event, depth)
            size = found.size
        if event.anchor is not None:
            self._anchors[event.anchor] = (found, size)
        return found

    def _map(self, event: Any, depth: int) -> Map:
        found = Map(self._place(event))
        before, merged = self._values, []
        following = self._next
        while type(key_event := following()) is not yaml.MappingEndEvent:
            if type(key_event) is not yaml.ScalarEvent:
                raise _error("A key is a text or a number.", self._place(key_event))
            key_at = self._place(key_event)
            value_event = following()
            value_at = self._place(value_event)
            if key_event.value == "<<" and key_event.implicit[0]:
                merged.append((self._value(value_event, depth + 1), value_at))
                continue
            # No reader is in doubt about a key such as `on`: it is a name.
            is_word = key_event.value.isalpha() and key_event.anchor is None
            key = key_event.value if is_word else self._value(key_event, depth)
            if key in found:
                raise _error(
                    f"The key {key!r} is there twice; the first is in line "
                    f"{found.keys_at[key].line}.",
                    key_at,
                    "duplicate-key",
                )
            found.put(key, self._value(value_event, depth + 1), key_at, value_at)
        for value, at in merged:
            self._merge(found, value, at)
        found.size = self._values - before + 1
        return found

    def _merge(self, into: Map, value: Any, at: Place) -> None:
        """Take what `<<` names, where the mapping has no key of its own."""
        for each in value if isinstance(value, Seq) else [value]:
            if not isinstance(each, Map):
                raise _error("<< takes a mapping, or a list of them.", at)
            for key in each:
                if key not in into:
                    into.put(key, each[key], each.keys_at[key], each.values_at[key])

    def _seq(self, event: Any, depth: int) -> Seq:
        found = Seq(self._place(event))
        before = self._values
        while type(item := self._next()) is not yaml.SequenceEndEvent:
            found.put(self._value(item, depth + 1), self._place(item))
        found.size = self._values - before + 1
        return found

    def _alias(self, event: Any) -> Any:
        if event.anchor not in self._anchors:
            raise _error(
                f"There is no anchor &{event.anchor} before this, or it is in itself.",
                self._place(event),
            )
        found, size = self._anchors[event.anchor]
        self._values += size
        if self._values > MOST_VALUES:
            raise _error(
                f"The aliases (*) up to here stand for more than {MOST_VALUES} values.",
                self._place(event),
            )
        return found

    def _scalar(self, event: Any) -> Any:
        value: str = event.value
        if self._values > MOST_VALUES:
            raise _error(f"It has more than {MOST_VALUES} values.", self._place(event))
        if event.tag is not None:
            if event.tag == "tag:yaml.org,2002:str" or event.tag == "!":
                return value
            raise self._tagged(event)
        if not event.implicit[0]:
            return value
        try:
            return _plain(value)
        except _NotPlainError as error:
            raise _error(str(error), self._place(event), "ambiguous-value") from None

    def _tagged(self, event: Any) -> PipelineError:
        return _error(
            f"The tag {event.tag!r} is not allowed: a pipeline is plain data. Write an import path "
            "as `$import: package.module.name`.",
            self._place(event),
            "tag",
        )


@lru_cache(maxsize=2048)
def _plain(text: str) -> Any:
    """Return what a scalar without quotes stands for. Raises `_NotPlainError`."""
    if text in _WORDS:
        return _WORDS[text]
    first = text[0]
    if first in "-+.0123456789":
        if _INT.fullmatch(text):
            if len(text) > _LONGEST_INT:
                raise _NotPlainError(f"{text[:40]} is too large a number; quote it to have a text.")
            return int(text)
        if _FLOAT.fullmatch(text) and not _OTHERWISE.fullmatch(text):
            number = float(text)
            if number - number != 0:
                raise _NotPlainError(f"{text[:40]} is too large a number.")
            return number
    if first in "yYnNoO0+-" and _OTHERWISE.fullmatch(text):
        raise _NotPlainError(
            f"{text} is a truth value or a number to some readers of YAML, a text to others: write "
            f"true or false, or quote it."
        )
    return text
