"""Values -> the Python that makes them. All that comes from outside passes through here.

A text becomes the literal that `repr` makes, in the quotes that formatters prefer; other values
become calls of classes that are imported by name. What has no such form is refused.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping, Set
from datetime import date, datetime, time, timedelta
from enum import Enum
from pathlib import Path, PurePath
from types import FunctionType
from typing import Any

import msgspec
from airflow.sdk import Asset, AssetAll, AssetAny

import airflow_dataops
from airflow_dataops.codegen.layout import Brackets, Code
from airflow_dataops.errors import ConfigError


class Literals:
    """Writes values, and remembers what must be imported for them.

    Attributes:
        imports: names by module.
        modules: what is imported as a whole.
    """

    def __init__(self) -> None:
        self.imports: dict[str, set[str]] = {}
        self.modules: set[str] = set()

    def names(self) -> set[str]:
        """Return all names that imports take."""
        return self.modules.union(*self.imports.values())

    def name(self, thing: Any) -> str:
        """Return the name of a class or function, and import it. Raises `ConfigError`."""
        module, name = getattr(thing, "__module__", ""), getattr(thing, "__qualname__", "")
        if thing is not Any and getattr(inspect.getmodule(thing), name, None) is not thing:
            raise ConfigError(f"{module}.{name} cannot be imported, so no file can name it")
        if module.startswith("airflow_dataops.") and getattr(airflow_dataops, name, None) is thing:
            module = "airflow_dataops"
        elif module.startswith("airflow.sdk."):
            module = "airflow.sdk"
        self.imports.setdefault(module, set()).add(name)
        return str(name)

    def call(self, thing: Any, *values: Any, **named: Any) -> Brackets:
        """Return a call of a class or function."""
        items: list[Code] = [self.value(each) for each in values]
        items += [labelled(f"{name}=", self.value(each)) for name, each in named.items()]
        return Brackets(f"{self.name(thing)}(", items, ")")

    def value(self, value: Any) -> Code:
        """Return the code of a value.

        Raises:
            ConfigError: it has no form in a file.
        """
        if isinstance(value, Code):
            return value
        if (plain := self._plain(value)) is not None:
            return plain
        if isinstance(value, Mapping):
            pairs: list[Code] = [
                labelled(f"{self.value(key).flat()}: ", self.value(each))
                for key, each in value.items()
            ]
            return Brackets("{", pairs, "}")
        if isinstance(value, list | tuple | Set):
            return self._collection(value)
        if isinstance(value, Asset):
            return self._asset(value)
        if isinstance(value, AssetAll | AssetAny):
            return self.call(type(value), *value.objects)
        if isinstance(value, msgspec.Struct):
            return self.call(type(value), **changed_fields(value))
        raise ConfigError(
            f"{value!r:.200} cannot be written into a DAG file; load the manifest with load_dags, "
            "or set it in the kept part of the file"
        )

    def _plain(self, value: Any) -> Code | None:
        match value:
            case Enum():
                return Code(f"{self.name(type(value))}.{value.name}")
            case None | bool() | int() | bytes():
                return Code(repr(value))
            case float():
                is_number = value == value and abs(value) != float("inf")
                return Code(repr(value) if is_number else f'float("{value}")')
            case str():
                return Code(text(value))
            case PurePath():
                return self.call(Path, str(value))
            case timedelta():
                return self.call(timedelta, **_parts(value))
            case datetime() | date() | time() if getattr(value, "tzinfo", None) is None:
                return self.call(type(value), *_numbers(value))
            case datetime():
                return self._aware(value)
            case FunctionType() | type():
                return Code(self.name(value))
        return None

    def _aware(self, value: datetime) -> Code:
        self.modules.add("pendulum")
        named = [Code(repr(each)) for each in _numbers(value)]
        zone = getattr(value.tzinfo, "name", None) or getattr(value.tzinfo, "key", None)
        if not isinstance(zone, str):
            raise ConfigError(f"{value!r}: only named time zones can be written into a DAG file")
        return Brackets("pendulum.datetime(", [*named, Code(f"tz={text(zone)}")], ")")

    def _collection(self, values: Any) -> Code:
        if isinstance(values, Set):
            values = sorted(values, key=repr)
            items = [self.value(each) for each in values]
            return Brackets("{", items, "}") if items else Code("set()")
        items = [self.value(each) for each in values]
        if isinstance(values, list):
            return Brackets("[", items, "]")
        return Brackets("(", items, ")", last=len(items) == 1)

    def _asset(self, asset: Asset) -> Code:
        named: dict[str, Any] = {} if asset.name == asset.uri else {"uri": asset.uri}
        if asset.group != "asset":
            named["group"] = asset.group
        if asset.extra:
            named["extra"] = dict(asset.extra)
        if asset.watchers:
            raise ConfigError(f"the asset {asset.name!r} has watchers, which no file can name")
        return self.call(Asset, asset.name, **named)


def text(value: str) -> str:
    """Return the literal of a text."""
    found = repr(str(value))
    if found[0] == "'" and value.count('"') <= value.count("'"):
        # repr has escaped the single quotes; what is in double quotes need not.
        body = found[1:-1].replace("\\'", "'").replace('"', '\\"')
        found = f'"{body}"'
    if ast.literal_eval(found) != value:
        raise ConfigError(f"{value!r} has no literal")
    return found


def labelled(label: str, code: Code) -> Code:
    """Return code with a text before it, such as `name=`."""
    if isinstance(code, Brackets):
        return Brackets(label + code.open, code.items, code.close, last=code.last)
    return Code(label + code.flat())


def _parts(value: timedelta) -> dict[str, int]:
    """Return a duration in the greatest unit that tells it in one number, if there is one."""
    for unit in ("days", "hours", "minutes", "seconds"):
        number, rest = divmod(value, timedelta(**{unit: 1}))
        if not rest:
            return {unit: number}
    return {"days": value.days, "seconds": value.seconds, "microseconds": value.microseconds}


def _numbers(value: date | time) -> list[int]:
    """Return what a date or time is made of, without the zeros at its end."""
    names = ["hour", "minute", "second", "microsecond"] if hasattr(value, "hour") else []
    needed = 0
    if isinstance(value, date):
        names, needed = ["year", "month", "day", *names], 3
    found = [getattr(value, name) for name in names]
    while len(found) > needed and not found[-1]:
        found.pop()
    return found


def changed_fields(value: msgspec.Struct) -> dict[str, Any]:
    """Return the fields of a struct that are not their defaults."""
    found = {}
    for field in msgspec.structs.fields(value):
        now = getattr(value, field.name)
        default = field.default
        if field.default_factory is not msgspec.NODEFAULT:
            default = field.default_factory()
        if default is msgspec.NODEFAULT or now != default:
            found[field.name] = now
    return found
