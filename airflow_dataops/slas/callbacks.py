"""Callbacks that are given as Python objects -> their dotted paths and plain arguments."""

from __future__ import annotations

import functools
import inspect
from importlib.util import find_spec
from typing import Any

import msgspec

from airflow_dataops.core.sla.policies import CallbackRef
from airflow_dataops.errors import ConfigError

_HINT = (
    "SLAs travel with the serialized DAG and their callbacks run elsewhere; give a function at the "
    "top level of a module that the triggerer can import, a notifier's class, or the dotted path "
    "of either, and arguments by functools.partial or CallbackRef(path=..., kwargs={...})"
)


def callback_data(callback: Any) -> dict[str, Any]:
    """Return a callback as plain data, as `on_sla_miss` holds it.

    Args:
        callback: a top-level function or a notifier's class, a dotted path, a `CallbackRef` or
            the same as a mapping, an `AlertNotifier`, or `functools.partial` of any of these.

    Raises:
        ConfigError: it cannot be called elsewhere.
    """
    kwargs: dict[str, Any] = {}
    if isinstance(callback, functools.partial):
        if callback.args:
            raise ConfigError(f"on_sla_miss {callback!r}: give its arguments by keyword")
        callback, kwargs = callback.func, dict(callback.keywords)
    if isinstance(callback, CallbackRef):
        path, kwargs = callback.path, callback.kwargs | kwargs
    elif isinstance(callback, dict):
        return callback
    elif isinstance(callback, str):
        path = callback
    elif not inspect.isclass(callback) and hasattr(callback, "as_callback_ref"):
        made: CallbackRef = callback.as_callback_ref()
        path, kwargs = made.path, made.kwargs
    else:
        path = _path_of(callback)
    _check_module(path)
    return {"path": path, "kwargs": _plain(path, kwargs)}


def _path_of(callback: Any) -> str:
    name = getattr(callback, "__qualname__", None)
    if name is None or not (inspect.isfunction(callback) or inspect.isclass(callback)):
        kind = type(callback).__name__
        raise ConfigError(f"on_sla_miss: an object of type {kind} cannot be stored. {_HINT}")
    if "<lambda>" in name:
        raise ConfigError(f"on_sla_miss: a lambda cannot be stored. {_HINT}")
    if "<locals>" in name or "." in name:
        raise ConfigError(f"on_sla_miss: {name} is inside of something else. {_HINT}")
    module = callback.__module__
    if module == "__main__" or module.startswith("unusual_prefix_"):
        raise ConfigError(
            f"on_sla_miss: {name} is written in the DAG file, which is no module that the "
            f"triggerer can import; move it to one. {_HINT}"
        )
    return f"{module}.{name}"


def _check_module(path: str) -> None:
    module = path.rpartition(".")[0]
    try:
        found = find_spec(module)
    except (ImportError, ValueError):
        found = None
    if found is None:
        raise ConfigError(f"on_sla_miss: there is no module {module!r} (of {path!r}). {_HINT}")


def _plain(path: str, kwargs: dict[str, Any]) -> dict[str, Any]:
    try:
        data: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(kwargs))
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"on_sla_miss: the arguments of {path} are not plain data: {error}. {_HINT}"
        ) from None
    if "context" in data:
        raise ConfigError(f"on_sla_miss: {path} is given its context by Airflow; leave it out")
    return data
