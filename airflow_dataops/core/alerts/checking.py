"""Reads plain data as structs and gathers all that is wrong, each with its path."""

from __future__ import annotations

from difflib import get_close_matches
from types import UnionType
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

import msgspec

from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable


class Mistakes:
    """Attributes: `found`, one line per mistake, such as `$.routes[2].group: ...`."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, path: str, message: str) -> None:
        """Note a mistake, once."""
        line = f"{path}: {message}"
        if line not in self.found:
            self.found.append(line)

    def check(self, path: str, parse: Callable[[Any], object], value: Any) -> None:
        """Note what a parser has against a value."""
        try:
            parse(value)
        except ConfigError as error:
            self.add(path, str(error))

    def read(self, data: Any, kind: Any, path: str) -> Any:
        """Return the data as a `kind`, or None after noting why it is none."""
        struct = _struct_in(kind)
        if struct is not None and isinstance(data, dict):
            return self._read_struct(data, struct, path)
        item = _item_of(kind)
        if item is not None and isinstance(data, list | tuple):
            return tuple(self.read(each, item, f"{path}[{n}]") for n, each in enumerate(data))
        try:
            return msgspec.convert(data, kind)
        except msgspec.ValidationError as error:
            message, _, inner = str(error).partition(" - at `$")
            self.add(path + inner.rstrip("`"), message)
            return None

    def _read_struct(self, data: dict[Any, Any], kind: type[msgspec.Struct], path: str) -> Any:
        fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
        for key in data:
            if key not in fields:
                near = get_close_matches(str(key), fields, 1)
                hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(fields)}"
                self.add(f"{path}.{key}", f"unknown key; {hint}")
        values = {}
        for name, field in fields.items():
            if name in data:
                values[field.name] = self.read(data[name], field.type, f"{path}.{name}")
            elif field.required:
                self.add(f"{path}.{name}", "missing")
        return None if self.found else kind(**values)


def _struct_in(kind: Any) -> type[msgspec.Struct] | None:
    options = get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)
    for option in options:
        if isinstance(option, type) and issubclass(option, msgspec.Struct):
            return option
    return None


def _item_of(kind: Any) -> Any:
    """Return the type of the items of `tuple[X, ...]` whose items are structs."""
    if get_origin(kind) is tuple and _struct_in(get_args(kind)[0]):
        return get_args(kind)[0]
    return None
