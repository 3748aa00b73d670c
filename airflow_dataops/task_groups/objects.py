"""Values of a pipeline's file that stand for objects -> the objects."""

from __future__ import annotations

import inspect
import sys
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from airflow.sdk import Asset

from airflow_dataops.core.arguments import did_you_mean
from airflow_dataops.core.manifests.task_settings import duration_of
from airflow_dataops.core.pipelines.marks import (
    ASSET,
    CALLABLE,
    DATES,
    DATETIME,
    DURATION,
    DURATIONS,
    IMPORT,
    MARKS,
    NEW,
    OUTPUT,
)
from airflow_dataops.errors import ConfigError
from airflow_dataops.planning.callbacks import CALLBACKS, with_callbacks

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping


@cache
def import_object(path: str) -> Any:
    """Return an object by its import path. Raises `ConfigError` where there is none."""
    module_name, _, name = path.rpartition(".")
    try:
        module = import_module(module_name)
    except Exception as error:
        raise ConfigError(f"{module_name} cannot be imported: {error}") from error
    found = getattr(module, name, None)
    if found is None:
        near = did_you_mean(name, [each for each in dir(module) if not each.startswith("_")])
        raise ConfigError(f"{module_name} has no {name!r}{near or '.'}")
    return found


def class_of(path: str) -> Any:
    """Return a class whose instances are made while a DAG is built. Raises `ConfigError`.

    None of Python's own: whoever may write a pipeline should not run a command at each parse.
    """
    found = import_object(path)
    module = str(getattr(found, "__module__", ""))
    is_pythons = module.partition(".")[0] in sys.stdlib_module_names and module != "datetime"
    if not inspect.isclass(found) or is_pythons:
        raise ConfigError(f"{path} is no class that a pipeline may make: name one of a package's")
    return found


def moment_of(text: Any, zone: str | None) -> Any:
    """Return a time; one without a time zone is of that zone, UTC by default."""
    if not isinstance(text, str):
        return text
    found = datetime.fromisoformat(text)
    if found.tzinfo is not None:
        return found
    return found.replace(tzinfo=ZoneInfo(zone) if zone else UTC)


class Objects:
    """Makes the objects of one DAG.

    Args:
        zone: the time zone of dates that name none.
        output_of: returns the output of a task by its full id.
    """

    def __init__(self, zone: str | None, output_of: Callable[[str, str | None], Any]) -> None:
        self._zone = zone
        self._output_of = output_of

    def arguments(
        self, given: Mapping[str, Any], referring: Collection[str] | None = None
    ) -> dict[str, Any]:
        """Return arguments of an operator.

        Args:
            referring: those in which something stands for an object; None for any.
        """
        found = dict(given)
        for name in given if referring is None else referring:
            found[name] = self.of(given[name])
        for name in DURATIONS & found.keys():
            found[name] = duration_from(name, found[name])
        for name in DATES & found.keys():
            found[name] = moment_of(found[name], self._zone)
        for name in found:
            if name.endswith(CALLABLE) and isinstance(found[name], str):
                found[name] = import_object(found[name])
        if not found.keys().isdisjoint(CALLBACKS):
            found = with_callbacks(found, "arguments")
        return found

    def of(self, value: Any) -> Any:
        """Return a value with objects in place of what stands for them."""
        if isinstance(value, dict):
            mark = next((key for key in value if key in MARKS), None)
            if mark is not None:
                return self._made(mark, value)
            return {key: self.of(part) for key, part in value.items()}
        if isinstance(value, list):
            return [self.of(part) for part in value]
        return value

    def _made(self, mark: str, value: dict[str, Any]) -> Any:
        match mark:
            case _ if mark == IMPORT:
                return import_object(value[IMPORT])
            case _ if mark == NEW:
                arguments = {key: self.of(part) for key, part in value.items() if key != NEW}
                return class_of(value[NEW])(**arguments)
            case _ if mark == OUTPUT:
                return self._output_of(value[OUTPUT], value.get("key"))
            case _ if mark == DURATION:
                return duration_from(DURATION, value[DURATION])
            case _ if mark == DATETIME:
                return moment_of(value[DATETIME], self._zone)
            case _:
                return Asset(**value[ASSET])


def duration_from(name: str, value: Any) -> timedelta | None:
    """Return a duration as a file has it; null stays None."""
    return value if value is None or isinstance(value, timedelta) else duration_of(name, value)
