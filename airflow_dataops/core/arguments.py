"""What callers write as arguments, checked where it is written: one rule for each form.

Each function takes a value and the argument's name, returns the value in its one form, and
raises a `ConfigError` that begins with the name.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar, cast

from airflow_dataops.errors import ArgumentError, ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

Names = str | Sequence[str]
"""One name, or several in a list or tuple."""
Duration = timedelta | float
"""A timedelta, or seconds."""

Choice = TypeVar("Choice", bound=StrEnum)
T = TypeVar("T")
F = TypeVar("F", bound="Callable[..., object]")


def names(value: object, what: str, *, least: int = 0) -> tuple[str, ...]:
    """Return one name or several as a tuple, each once.

    Args:
        least: so many there must be.
    """
    found = texts(value, what)
    if twice := sorted({name for name in found if found.count(name) > 1}):
        raise ConfigError(f"{what}={value!r}: {twice[0]!r} is named twice.")
    if len(found) < least:
        raise ConfigError(f"{what}={value!r}: name at least one.")
    return found


def optional_names(value: object, what: str) -> tuple[str, ...] | None:
    """Return one name or several as a tuple; None stays None."""
    return None if value is None else names(value, what)


def texts(value: object, what: str) -> tuple[str, ...]:
    """Return one text or several as a tuple."""
    given = (value,) if isinstance(value, str) else value
    # A set has no order, and what is made of it would change from one process to the next.
    if not isinstance(given, Sequence) or isinstance(given, bytes):
        raise ConfigError(f"{what}={value!r}: write one name, or several in a list.")
    if wrong := [each for each in given if not isinstance(each, str) or not each.strip()]:
        raise ConfigError(f"{what}={value!r}: {wrong[0]!r} is no name.")
    return tuple(given)


def values(value: object, what: str) -> tuple[str, ...]:
    """Return one value or several as a tuple; unlike a name, one may be empty."""
    given = (value,) if isinstance(value, str) else value
    if isinstance(given, Sequence) and any(each == "" for each in given):
        texts([each for each in given if each != ""], what)
        return tuple(given)
    return texts(value, what)


def text(value: object, what: str) -> str:
    """Return a text that is not empty."""
    if not isinstance(value, str) or not value.strip():
        raise ConfigError(f"{what}={value!r}: write a text.")
    return value


def optional_text(value: object, what: str) -> str | None:
    """Return a text that is not empty; None stays None."""
    return None if value is None else text(value, what)


def flag(value: object, what: str) -> bool:
    """Return a boolean."""
    if not isinstance(value, bool):
        raise ConfigError(f"{what}={value!r}: write True or False.")
    return value


def count(value: object, what: str, *, least: int = 0) -> int:
    """Return a whole number that is not below `least`."""
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ConfigError(f"{what}={value!r}: write a whole number from {least} on.")
    return value


def choice(kind: type[Choice], value: object, what: str) -> Choice:
    """Return the member of an enum that a value names; the error lists them all."""
    try:
        return kind(value)  # type: ignore[arg-type]
    except ValueError:
        accepted = [str(member) for member in kind]
        close = _nearest(str(value), accepted)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise ConfigError(
            f"{what}={value!r}: choose one of {', '.join(map(repr, accepted))}.{hint}"
        ) from None


def instance(kind: type[T] | tuple[type[T], ...], value: Any, what: str) -> T:
    """Return what is an instance of a class, or of one of several."""
    if isinstance(value, kind):
        return cast("T", value)
    kinds = kind if isinstance(kind, tuple) else (kind,)
    raise ConfigError(
        f"{what}={value!r}: write {' or '.join(f'{each.__name__}(...)' for each in kinds)}."
    )


def several(kind: type[T], value: Any, what: str) -> tuple[T, ...]:
    """Return one instance of a class, or a list of them, as a tuple."""
    given = value if isinstance(value, list | tuple) else (value,)
    return tuple(instance(kind, each, what) for each in given)


def duration(value: object, what: str, *, is_positive: bool = False) -> timedelta:
    """Return a timedelta or a number of seconds as a timedelta; none is negative.

    Args:
        is_positive: whether zero is refused too.
    """
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        try:
            value = timedelta(seconds=value)
        except OverflowError:
            raise ConfigError(f"{what}={value!r}: so many seconds are no time.") from None
    if not isinstance(value, timedelta):
        raise ConfigError(f"{what}={value!r}: write a timedelta, or a number of seconds.")
    if value < timedelta() or (is_positive and not value):
        raise ConfigError(f"{what}={value!r}: it must be {'above' if is_positive else 'from'} 0.")
    return value


def lag_of(value: object) -> timedelta | float:
    """Return how far back a cursor is read again: a time, or a number for a numeric cursor."""
    if isinstance(value, timedelta):
        return duration(value, "lag")
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf:
        return value
    raise ConfigError(f"lag={value!r}: write a timedelta or a number, from 0 on.")


def seconds(value: object, what: str, *, is_positive: bool = False) -> float:
    """Return a timedelta or a number of seconds as seconds; see `duration`."""
    return duration(value, what, is_positive=is_positive).total_seconds()


def refuse_unknown(caller: str, given: Iterable[str], known: Collection[str]) -> None:
    """Refuse arguments that nobody takes, each with the nearest that somebody does.

    Args:
        caller: what was called, such as `MergeOperator`.

    Raises:
        ArgumentError: it lists all of them.
    """
    if unknown := [name for name in given if name not in known]:
        told = "; ".join(f"{name!r}{did_you_mean(name, known)}" for name in sorted(unknown))
        raise ArgumentError(f"{caller} has no argument {told}.")


def spelled_out(arguments: type, *, without: Collection[str] = ()) -> Callable[[F], F]:
    """Show each of a function's `**arguments` in its signature, for `help()`.

    Args:
        arguments: the TypedDict that they are declared as.
        without: those of them that the function does not take.
    """

    def decorate(function: F) -> F:
        signature = inspect.signature(function)
        own = [each for each in signature.parameters.values() if each.kind is not each.VAR_KEYWORD]
        others = [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=...,
                annotation=getattr(kind, "__forward_arg__", kind),
            )
            for name, kind in arguments.__annotations__.items()
            if name not in without
        ]
        function.__signature__ = signature.replace(parameters=own + others)  # type: ignore[attr-defined]
        return function

    return decorate


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `, did you mean 'x'?` for the name that is nearest, an empty text for none."""
    close = _nearest(name, list(known))
    return f", did you mean {close[0]!r}?" if close else ""


def _nearest(name: str, known: list[str]) -> list[str]:
    # Only where something is wrong.
    from difflib import get_close_matches

    return get_close_matches(name, known, 1)
