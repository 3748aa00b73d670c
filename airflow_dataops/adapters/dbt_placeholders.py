"""What stands for values of a run while dbt renders code, and who looks at it.

A value that is only printed (`'{{ run_started_at.strftime("%Y") }}'`) need not be known when code
is compiled. So a mark is printed in its place, a word that no SQL has, and each run writes its own
value there. But what compares a value, cuts it, or gives it to Python would see the mark: all that
may do so asks `Placeholders.seen` first (see `dbt_watching`), which notes who looked and gives the
value of the compilation. Code that looks is not made of text alone, and goes to dbt.
"""

from __future__ import annotations

import datetime as clock
import re
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from airflow_dataops.core.execution.values import CALLED, READ, begun, stepped
from airflow_dataops.core.manifests.dbt.touched import Kind
from airflow_dataops.core.model import RunValue, Slot
from airflow_dataops.core.sql.places import places_of

if TYPE_CHECKING:
    from collections.abc import Iterator

Record = Callable[[Kind, str], None]

_CONTAINERS = (list, tuple, dict, set)
_DEEPEST = 4
_KINDS = {"var": Kind.RUN_VAR, "invocation_id": Kind.RUN}
"""What looking at a value is, by its source; of all others the clock."""

SAMPLE = "2000-01-01"
"""The value of a var that has none when code is compiled."""

COMPILED_AT = clock.datetime(2001, 2, 3, 4, 5, 6, 789012, tzinfo=clock.UTC)
"""The time of all compilations: the same project gives the same manifest."""


class Found(NamedTuple):
    """A text without marks.

    Attributes:
        text: with names where values go.
        slots: where they go.
        unplaced: what those are called that cannot be written where they stand.
    """

    text: str
    slots: list[Slot]
    unplaced: list[str]


class Mark(str):
    """What stands for a value, which may be a number; joined with a text it becomes one."""

    __slots__ = ()


class Placeholders:
    """The marks of one compilation.

    Attributes:
        variables: the vars that each run sets for itself.
        real: whether values are printed and no marks, to see that nothing else differs.
    """

    def __init__(self, variables: frozenset[str] = frozenset()) -> None:
        self.variables = variables
        self.real = False
        self._front = f"dataops{secrets.token_hex(8)}x"
        self._pattern = re.compile(self._front + r"(\d{6})x")
        self._marks: dict[bytes, str] = {}
        self._values: list[tuple[RunValue, Any]] = []

    def mark(self, value: RunValue, real: Any) -> Any:
        """Return what stands for a value; `real` is what it is now."""
        if self.real:
            return real
        key = msgspec.json.encode((value, str(real), type(real).__name__))
        if key not in self._marks:
            self._marks[key] = f"{self._front}{len(self._values):06}x"
            self._values.append((value, real))
        return Mark(self._marks[key])

    def has_mark(self, value: Any) -> bool:
        """Tell whether a mark is in a text, or a moment or a mark anywhere in a container."""
        return _anywhere(value, self._is_marked, _DEEPEST)

    def seen(self, value: Any, record: Record) -> Any:
        """Return a value as it is when code is compiled; record that somebody looks at it."""
        if not self.has_mark(value):
            return value
        for each in self._within(value):
            record(_KINDS.get(each.source, Kind.CLOCK), _called(each))
        return self.without(value)

    def true(self, value: Any, record: Record) -> Any:
        """Return a value that is asked whether it is true; a text beside a mark always is."""
        if type(value) is str and self._pattern.sub("", value):
            return value
        return self.seen(value, record) if isinstance(value, str) else value

    def found(self, text: str, dialect: str) -> Found:
        """Take the marks out of rendered code."""
        matches = list(self._pattern.finditer(text))
        if not matches:
            return Found(text, [], [])
        places = places_of(text, [match.span() for match in matches], dialect)
        parts, slots, unplaced, at, length = [], [], [], 0, 0
        for match, place in zip(matches, places, strict=True):
            value, _ = self._values[int(match[1])]
            shown = re.sub(r"\W", "_", value.name or value.source)
            between = text[at : match.start()]
            parts += [between, shown]
            length += len(between)
            if place is None:
                unplaced.append(_called(value))
            else:
                slots.append(Slot(at=length, length=len(shown), place=place, value=value))
            length += len(shown)
            at = match.end()
        return Found("".join(parts) + text[at:], slots, unplaced)

    def real_text(self, text: str) -> str:
        """Return rendered code with the values of the compilation in place of marks."""
        return self._pattern.sub(lambda match: str(self._values[int(match[1])][1]), text)

    def without(self, value: Any) -> Any:
        """Return a value as it is when code is compiled."""
        if isinstance(value, Moment):
            return value.real
        if isinstance(value, str):
            whole = self._pattern.fullmatch(value) if isinstance(value, Mark) else None
            return self._values[int(whole[1])][1] if whole else self.real_text(value)
        if type(value) is dict:
            return {self.without(key): self.without(each) for key, each in value.items()}
        if type(value) in _CONTAINERS:
            return type(value)(self.without(each) for each in value)
        return value

    def _is_marked(self, value: Any) -> bool:
        return isinstance(value, Moment) or (isinstance(value, str) and self._front in value)

    def _within(self, value: Any) -> Iterator[RunValue]:
        if isinstance(value, Moment):
            yield value.value
        elif isinstance(value, str):
            for match in self._pattern.finditer(value):
                yield self._values[int(match[1])][0]
        elif type(value) in _CONTAINERS:
            for each in _elements(value):
                yield from self._within(each)


class Moment:
    """A time of the run. What it is asked for is kept as a step; what is no step looks at it."""

    def __init__(self, placeholders: Placeholders, value: RunValue, real: Any, record: Record):
        self.value = value
        self.real = real
        self._placeholders = placeholders
        self._record = record

    @classmethod
    def begin(cls, placeholders: Placeholders, source: str, record: Record) -> Any:
        """Return the time of a source."""
        real = COMPILED_AT if source == "run_started_at" else begun("run_started_at", COMPILED_AT)
        if source in ("now", "utcnow"):
            real = COMPILED_AT.replace(tzinfo=None)
        elif source == "today":
            real = COMPILED_AT.date()
        if placeholders.real:
            return real
        return cls(placeholders, RunValue(source=source), real, record)

    def strftime(self, format: Any) -> Any:  # noqa: A002 - as datetime has it
        """Return a mark for the text."""
        return self._text("strftime", self._placeholders.seen(format, self._record))

    def isoformat(self, *arguments: Any) -> Any:
        """Return a mark for the text."""
        return self._text("isoformat", *arguments)

    def date(self) -> Any:
        """Return the day."""
        return self._moment("date")

    def astimezone(self, tz: Any) -> Any:
        """Return the time in a zone that has a name."""
        name = getattr(tz, "zone", None) or getattr(tz, "key", None)
        if not isinstance(name, str):
            return self._seen().astimezone(tz)
        return self._moment("astimezone", name)

    def replace(self, *arguments: Any, **parts: Any) -> Any:
        """Return the time with other parts."""
        if arguments or not all(type(part) is int or part is None for part in parts.values()):
            return self._seen().replace(*arguments, **parts)
        return self._moment("replace", parts)

    def __add__(self, other: Any) -> Any:
        if isinstance(other, clock.timedelta):
            return self._moment("plus", other.days, other.seconds, other.microseconds)
        return self._seen() + other

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        if isinstance(other, clock.timedelta):
            return self + -other
        return self._seen() - self._placeholders.seen(other, self._record)

    def __rsub__(self, other: Any) -> Any:
        return other - self._seen()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "jinja_pass_arg":
            raise AttributeError(name)
        if name in READ and hasattr(self.real, name):
            return self._text("get", name)
        if name in CALLED and hasattr(self.real, name):
            return lambda: self._text("call", name)
        return getattr(self._seen(), name)

    def __str__(self) -> str:
        return str(self._placeholders.mark(self.value, self.real))

    def __format__(self, spec: str) -> str:
        return format(self._seen(), spec) if spec else str(self)

    def __eq__(self, other: object) -> bool:
        return bool(self._seen() == other)

    def __hash__(self) -> int:
        return hash(self._seen())

    def __bool__(self) -> bool:
        return True

    def _seen(self) -> Any:
        return self._placeholders.seen(self, self._record)

    def _moment(self, *step: Any) -> Any:
        value = self._then(step)
        return Moment(self._placeholders, value, stepped(self.real, step), self._record)

    def _text(self, *step: Any) -> Any:
        return self._placeholders.mark(self._then(step), stepped(self.real, step))

    def _then(self, step: tuple[Any, ...]) -> RunValue:
        return msgspec.structs.replace(self.value, steps=(*self.value.steps, step))


def _anywhere(value: Any, test: Callable[[Any], bool], depth: int) -> bool:
    if test(value):
        return True
    if depth and type(value) in _CONTAINERS:
        return any(_anywhere(each, test, depth - 1) for each in _elements(value))
    return False


def _elements(value: Any) -> Iterator[Any]:
    yield from value
    if type(value) is dict:
        yield from value.values()


def _called(value: RunValue) -> str:
    return value.name or value.source
