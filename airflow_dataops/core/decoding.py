"""Reads configs: every mistake in one is told at once, each at its JSON path."""

from __future__ import annotations

import json
import re
from datetime import date, time
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import inspect

from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")

_PLAIN_KEY = re.compile(r"[A-Za-z_]\w*")
_AT = re.compile(r" - at `(?:\$|key in \$)(?P<path>.*)`$")


class Mistake(msgspec.Struct, frozen=True):
    """One thing that is wrong in a config, and where: `$.tables[0].freshness`."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class MistakesError(ConfigError):
    """A config cannot be used; carries all of its mistakes."""

    def __init__(self, source: str, mistakes: tuple[Mistake, ...]) -> None:
        self.source = source
        self.mistakes = mistakes
        super().__init__(source, mistakes)

    def __str__(self) -> str:
        count = len(self.mistakes)
        lines = "".join(f"\n  - {mistake}" for mistake in self.mistakes)
        return f"{self.source}: {count} mistake{'s' if count > 1 else ''}:{lines}"


def decode(content: bytes | str, kind: type[T], *, source: str) -> T:
    """Return a config of `kind`, read from JSON.

    Args:
        source: the file's name, for the message.

    Raises:
        MistakesError: it is no JSON, or holds what `kind` does not take; all mistakes at once.
    """
    try:
        data = json.loads(content)
    except ValueError as error:
        raise MistakesError(source, (Mistake("$", f"This is no JSON: {error}"),)) from None
    return convert(data, kind, source=source)


def read_yaml(text: str | bytes, source: str) -> Any:
    """Return what YAML holds; `17:30` is text there, not 1050 as in YAML 1.1.

    Raises:
        MistakesError: it is no YAML, or a mapping has a key twice.
    """
    import yaml

    from airflow_dataops.core.yaml_loader import Loader

    try:
        return yaml.load(text, Loader)  # noqa: S506 - a safe loader
    except yaml.YAMLError as error:
        told = " ".join(str(error).split())
        raise MistakesError(source, (Mistake("$", f"This is no YAML: {told}"),)) from None


def convert(data: Any, kind: type[T], *, source: str) -> T:
    """Return a config of `kind`, made of plain data: what JSON or YAML holds.

    Args:
        source: where it comes from, for the message.

    Raises:
        MistakesError: it holds what `kind` does not take; all mistakes at once.
    """
    mistakes = tuple(find_mistakes(data, kind))
    if mistakes:
        raise MistakesError(source, mistakes)
    return msgspec.convert(data, kind)


def find_mistakes(data: Any, kind: Any) -> Iterator[Mistake]:
    """Yield what is wrong in plain data that is meant to be of `kind`."""
    return _mistakes(data, _info(kind), "$")


@lru_cache(maxsize=64)
def _info(kind: Any) -> inspect.Type:
    return inspect.type_info(kind)


def schema(kind: type) -> dict[str, Any]:
    """Return the JSON Schema of a config."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(kind)}


def _mistakes(data: Any, kind: inspect.Type, path: str) -> Iterator[Mistake]:
    """Yield the mistakes in the parts of a value, or else of the value itself."""
    kind = _meant(data, kind)
    if isinstance(kind, inspect.Metadata):
        yield from [*_mistakes(data, kind.type, path)] or _checked(data, kind, path)
        return
    inner: list[Mistake] = []
    match kind:
        case inspect.StructType() if isinstance(data, dict):
            inner = [*_of_fields(data, kind, path)]
        case inspect.VarTupleType() | inspect.ListType() if isinstance(data, list | tuple):
            each = (_mistakes(d, kind.item_type, f"{path}[{i}]") for i, d in enumerate(data))
            inner = [mistake for found in each for mistake in found]
        case inspect.DictType() if isinstance(data, dict):
            values = (_mistakes(d, kind.value_type, _key(path, k)) for k, d in data.items())
            inner = [mistake for found in values for mistake in found]
    yield from inner or _own(data, kind, path)


def _of_fields(data: dict[str, Any], kind: inspect.StructType, path: str) -> Iterator[Mistake]:
    fields = {field.encode_name: field for field in kind.fields}
    for name in sorted(data.keys() - fields.keys() - {kind.tag_field}, key=str):
        close = get_close_matches(str(name), fields, 1)
        hint = f"do you mean {close[0]}?" if close else f"it takes {', '.join(sorted(fields))}."
        yield Mistake(_key(path, name), f"There is no such setting; {hint}")
    for name, field in fields.items():
        if name in data:
            yield from _mistakes(data[name], field.type, _key(path, name))
        elif field.required:
            yield Mistake(_key(path, name), "It is missing.")


def _checked(data: Any, kind: inspect.Metadata, path: str) -> Iterator[Mistake]:
    """Run the check of `Meta(extra={"check": ...})`, which raises ValueError."""
    try:
        (kind.extra or {}).get("check", str)(data)
    except ValueError as error:
        yield Mistake(path, str(error))


def _own(data: Any, kind: inspect.Type, path: str) -> Iterator[Mistake]:
    try:
        msgspec.convert(data, _type_of(kind))
    except msgspec.ValidationError as error:
        text = str(error)
        if (at := _AT.search(text)) is not None:
            text, path = text[: at.start()], path + at["path"]
        yield Mistake(path, text if text.endswith(".") else f"{text}.")


def _meant(data: Any, kind: inspect.Type) -> inspect.Type:
    """Return which type of a union a value is meant to be: `X | None` is X unless null.

    Of several structs it is the one with the value's tag.
    """
    if not isinstance(kind, inspect.UnionType) or data is None:
        return kind
    others = [each for each in kind.types if not isinstance(each, inspect.NoneType)]
    if len(others) == 1:
        return others[0]
    fitting = [each for each in others if _looks_like(data, each)]
    return fitting[0] if len(fitting) == 1 else kind


def _looks_like(data: Any, kind: inspect.Type) -> bool:
    if isinstance(kind, inspect.Metadata):
        return _looks_like(data, kind.type)
    if isinstance(kind, inspect.StructType):
        has_tag = kind.tag_field is None or (
            isinstance(data, dict) and data.get(kind.tag_field) == kind.tag
        )
        return isinstance(data, dict) and has_tag
    shapes: dict[type[inspect.Type], type | tuple[type, ...]] = {
        inspect.StrType: str,
        inspect.VarTupleType: (list, tuple),
        inspect.ListType: (list, tuple),
    }
    return isinstance(data, shapes.get(type(kind), ()))


def _type_of(kind: inspect.Type) -> Any:
    """Return the Python type that `msgspec.inspect` described."""
    match kind:
        case inspect.StructType() | inspect.EnumType():
            return kind.cls
        case inspect.Metadata():
            return _type_of(kind.type)
        case inspect.UnionType():
            members = [_type_of(each) for each in kind.types]
            joined = members[0]
            for member in members[1:]:
                joined = joined | member
            return joined
        case inspect.VarTupleType():
            return _limited(tuple[_type_of(kind.item_type), ...], kind)  # type: ignore[misc]
        case inspect.DictType():
            return dict[_type_of(kind.key_type), _type_of(kind.value_type)]  # type: ignore[misc]
        case inspect.LiteralType():
            return Literal[kind.values]
    return _plain(kind)


def _plain(kind: inspect.Type) -> Any:
    plain: dict[type[inspect.Type], Any] = {
        inspect.StrType: str,
        inspect.IntType: int,
        inspect.FloatType: float,
        inspect.BoolType: bool,
        inspect.NoneType: None,
        inspect.DateType: date,
        inspect.TimeType: time,
    }
    return _limited(plain.get(type(kind), Any), kind)


def _limited(bare: Any, kind: inspect.Type) -> Any:
    limits = {
        name: getattr(kind, name)
        for name in ("gt", "ge", "lt", "le", "min_length", "max_length", "pattern")
        if getattr(kind, name, None) is not None
    }
    return Annotated[bare, msgspec.Meta(**limits)] if limits else bare


def _key(path: str, name: object) -> str:
    name = str(name)
    return f"{path}.{name}" if _PLAIN_KEY.fullmatch(name) else f"{path}[{json.dumps(name)}]"
