"""Callbacks that are given as text, as a bundle's JSON or YAML must: import paths of functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.arguments import did_you_mean
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

WarningCallback = Callable[[dict[str, Any]], object]
WarningCallbacks = WarningCallback | Sequence[WarningCallback] | None

CALLBACKS = (
    "on_execute_callback",
    "on_failure_callback",
    "on_retry_callback",
    "on_skipped_callback",
    "on_success_callback",
    "on_warning_callback",
)
"""Arguments that take functions, or lists of them: Airflow's of tasks and DAGs, and one of ours."""


def with_callbacks(arguments: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return arguments with functions for the import paths among the callbacks.

    Airflow takes a text for a list of its letters, calls none of them, and tells nobody.

    Args:
        where: whose arguments they are, for the message.

    Raises:
        ConfigError: there is no such function.
    """
    found = dict(arguments)
    for name in CALLBACKS:
        given = found.get(name)
        if given is None:
            continue
        if isinstance(given, list | tuple):
            found[name] = [_called(each, f"{where}: {name}") for each in given]
        else:
            found[name] = _called(given, f"{where}: {name}")
    return found


def callbacks_of(given: Any) -> tuple[WarningCallback, ...]:
    """Return one function or several as a tuple. Raises `ConfigError`."""
    functions = () if given is None else given if isinstance(given, list | tuple) else (given,)
    if wrong := [each for each in functions if not callable(each)]:
        raise ConfigError(
            f"on_warning_callback={wrong[0]!r}: write a function, or its import path such as "
            "'alerts.notify'."
        )
    return tuple(functions)


def _called(given: object, where: str) -> Any:
    if isinstance(given, str):
        return _function(given, where)
    if not callable(given) or isinstance(given, type):
        raise ConfigError(
            f"{where}={given!r}: write a function, an instance of a notifier, an import path of "
            "one, or a list of these."
        )
    return given


def _function(path: str, where: str) -> Callable[..., Any]:
    module_name, dot, name = path.rpartition(".")
    if not (dot and all(part.isidentifier() for part in path.split("."))):
        raise ConfigError(
            f"{where}={path!r}: write a function, or its import path such as 'alerts.notify'."
        )
    try:
        module = import_module(module_name)
    # Whatever the module does at its import, even an exit, is an error of this argument.
    except (Exception, SystemExit) as error:
        why = f"{type(error).__name__}: {error}"
        raise ConfigError(f"{where}={path!r}: {module_name} cannot be imported: {why}") from error
    function = getattr(module, name, None)
    if function is None:
        public = [each for each in vars(module) if not each.startswith("_")]
        raise ConfigError(
            f"{where}={path!r}: {module_name} has no {name}{did_you_mean(name, public)}"
        )
    if not callable(function) or isinstance(function, type):
        raise ConfigError(
            f"{where}={path!r} is no function; of a notifier's class name an instance of it."
        )
    called: Callable[..., Any] = function
    return called
