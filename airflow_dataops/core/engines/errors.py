"""What an engine's error means for whoever runs the statement again.

Whose an error is, its class's module tells, so that a load from one engine to another reads each
error by its own engine's table.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from airflow_dataops.core.engines.error_codes import STATES, ErrorCodes, ErrorKind
from airflow_dataops.core.engines.registry import engine_names, get_engine

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOOKED_AT = 2_000
"""Characters of an error that are searched: the rest may be the text of a statement."""


@cache
def _by_module() -> dict[str, ErrorCodes]:
    tables = [get_engine(name).errors for name in engine_names()]
    return {module: codes for codes in tables for module in codes.modules}


def codes_of(error: BaseException) -> ErrorCodes | None:
    """Return the table for an error; None where it is no engine's."""
    modules = (type_.__module__.partition(".")[0] for type_ in type(error).__mro__)
    known = _by_module()
    return next((known[module] for module in modules if module in known), None)


def kind_of(error: BaseException | None) -> ErrorKind | None:
    """Return what an error is about; None where it is neither an engine's nor the network's."""
    if error is None:
        return None
    codes, state = codes_of(error), sqlstate(error)
    if codes is None:
        known = None if state is None else _by_state(state)
        lost = isinstance(error, ConnectionError | TimeoutError)
        return ErrorKind.LOST if known is None and lost else known
    return next(_kinds(error, codes, state), ErrorKind.OTHER)


def sqlstate(error: BaseException) -> str | None:
    """Return an error's SQLSTATE, where it has one."""
    state = getattr(error, "sqlstate", None)
    return state if isinstance(state, str) and len(state) == 5 else None


def _kinds(error: BaseException, codes: ErrorCodes, state: str | None) -> Iterator[ErrorKind]:
    number = getattr(error, "errno", None)
    if number in codes.numbers:
        yield codes.numbers[number]
    if state is not None and (known := _by_state(state)) is not None:
        yield known
    text = str(error)[:_LOOKED_AT]
    yield from (kind for pattern, kind in codes.texts if pattern.search(text))
    for told in getattr(error, "errors", None) or ():
        reason = told.get("reason") if isinstance(told, dict) else None
        if reason in codes.reasons:
            yield codes.reasons[reason]
    if state is None:  # a state that is not listed is more than a class's name
        names = (type_.__name__ for type_ in type(error).__mro__)
        yield from (codes.names[name] for name in names if name in codes.names)


def _by_state(state: str) -> ErrorKind | None:
    return STATES.get(state) or STATES.get(state[:2])
