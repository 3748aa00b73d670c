"""What the settings of a verb may be, read from the types that it declares."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from functools import lru_cache
from types import NoneType, UnionType
from typing import (
    TYPE_CHECKING,
    Any,
    Generic,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from msgspec.structs import fields, force_setattr

from airflow_dataops.core.arguments import (
    choice,
    count,
    flag,
    instance,
    lag_of,
    names,
    text,
    values,
)
from airflow_dataops.core.model import Struct

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_dataops.core.arguments import Names

    T = TypeVar("T")
    Given = TypeVar("Given")

    class _Setting(Generic[Given, T]):
        """What may be written, and what is then read; type checkers know it as a descriptor."""

        def __get__(self, instance: object, owner: Any = None) -> T: ...
        def __set__(self, instance: object, value: Given) -> None: ...

    Several = _Setting[Names, tuple[str, ...]]
    SeveralOrAll = _Setting[Names | None, tuple[str, ...] | None]
    OneOf = _Setting[T | str, T]
    OneOfOrNone = _Setting[T | str | None, T | None]
else:
    Several = tuple[str, ...]
    """One name or several, kept as a tuple."""
    SeveralOrAll = tuple[str, ...] | None

    class OneOf:
        """A word, or the member of an enum that it names."""

        def __class_getitem__(cls, kind: type[StrEnum]) -> type[StrEnum]:
            """Return the enum."""
            return kind

    class OneOfOrNone:
        """As `OneOf`, or None for what is best where it is used."""

        def __class_getitem__(cls, kind: type[StrEnum]) -> UnionType:
            """Return the enum or None."""
            return kind | None


def default(value: Any) -> Any:
    """Return the default of a setting that may be written in more forms than it is read in."""
    return value


_VALUES = frozenset({"deletes", "upserts", "ignores"})
"""Settings that hold values, not names; the same one twice does no harm."""


class Settings(Struct, frozen=True):
    """Base of the verbs: what is written is checked, and put in its one form.

    Names are one text or several, words are members of their enum.

    Raises:
        ConfigError: a setting is wrong; the message begins with its name.
    """

    def __post_init__(self) -> None:
        """Check all settings."""
        for name, settle, takes_none in _checks(type(self)):
            value = getattr(self, name)
            if value is not None or not takes_none:
                force_setattr(self, name, settle(value, name))


@lru_cache(maxsize=64)
def _checks(kind: type[Settings]) -> tuple[tuple[str, Callable[[Any, str], Any], bool], ...]:
    """Return the settings that are checked: name, check, and whether it takes None."""
    hints = get_type_hints(kind)
    found = []
    for field in fields(kind):
        types = _members(hints[field.name])
        others = [member for member in types if member is not NoneType]
        settle = _check(others, field.name, is_required=field.required)
        if settle is not None:
            found.append((field.name, settle, NoneType in types))
    return tuple(found)


def _members(hint: Any) -> tuple[Any, ...]:
    """Return the types of a union, or the one that it is."""
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)


def _check(types: list[Any], name: str, *, is_required: bool) -> Callable[[Any, str], Any] | None:
    """Return what checks a setting of these types, None for what is not checked here."""
    if timedelta in types:
        return lambda value, what: lag_of(value)
    if len(types) != 1:
        return None
    (kind,) = types
    if get_origin(kind) is tuple:
        if name in _VALUES:
            return values
        return lambda value, what: names(value, what, least=int(is_required))
    kind = get_origin(kind) or kind
    if issubclass(kind, StrEnum):
        return lambda value, what: choice(kind, value, what)
    plain: dict[type, Callable[[Any, str], Any]] = {str: text, bool: flag, int: count}
    if kind in plain:
        return plain[kind]
    return lambda value, what: instance(kind, value, what)
