"""Finds out how the fields of JSON objects are read, from some of the objects."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn

import pyarrow as pa

from airflow_dataops.hooks.json_lines import LineRefusedError
from airflow_dataops.hooks.value_rules import Origin, Rule, find_rule

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class _Number(str):
    """A number as it is written."""

    __slots__ = ()


_KINDS = {str: "texts", _Number: "numbers", bool: "booleans", dict: "objects", list: "lists"}


def find_fields(
    lines: Sequence[bytes], known: Callable[[str], Rule | None], rule: Callable[[str], Rule]
) -> dict[str, Rule]:
    """Return how each field is read, in the order in which they come.

    Args:
        known: how a field is read of which that is known.
        rule: what is known of the others.

    Raises:
        LineRefusedError: a line is no object, or a field is of several kinds.
    """
    decoder = json.JSONDecoder(
        parse_float=_Number, parse_int=_Number, parse_constant=_refuse_constant
    )
    values: dict[str, list[tuple[int, Any]]] = {}
    for index, line in enumerate(lines):
        for name, value in _object(decoder, index, line).items():
            values.setdefault(name, []).append((index, value))
    return {name: known(name) or _find(name, found, rule(name)) for name, found in values.items()}


def _object(decoder: json.JSONDecoder, index: int, line: bytes) -> Mapping[str, Any]:
    try:
        found = decoder.decode(line.decode())
    except (ValueError, RecursionError) as error:
        raise LineRefusedError(index, f"it is no JSON object: {error}") from error
    if not isinstance(found, dict):
        raise LineRefusedError(index, "it is no JSON object")
    return found


def _find(name: str, values: list[tuple[int, Any]], rule: Rule) -> Rule:
    given = [(index, value) for index, value in values if value is not None]
    kinds = {type(value) for _, value in given}
    if kinds <= {dict, list} and kinds:
        return rule._replace(type=pa.string(), origin=Origin.FOUND, nested=True)
    if len(kinds) > 1:
        first = type(given[0][1])
        at = next(index for index, value in given if type(value) is not first)
        listed = " and ".join(sorted(_KINDS[kind] for kind in kinds))
        raise LineRefusedError(at, f"{listed} are in one column; name its type in `columns`", name)
    if kinds == {bool}:
        return rule._replace(type=pa.bool_(), origin=Origin.FOUND)
    texts = pa.array([value for _, value in given], pa.string())
    found = find_rule(texts, rule)
    if kinds == {_Number}:
        if pa.types.is_string(found.type):
            _refuse_numbers(name, given)
        return found
    # A text that looks like a number, or like true, is a text.
    temporal = pa.types.is_temporal(found.type) or pa.types.is_null(found.type)
    return found if temporal else rule._replace(type=pa.string(), origin=Origin.FOUND)


def _refuse_numbers(name: str, given: list[tuple[int, Any]]) -> NoReturn:
    index, value = max(given, key=lambda pair: len(pair[1]))
    raise LineRefusedError(
        index,
        f"{value[:100]} has more digits than a double holds; name the column's type, such as "
        "decimal(38,10)",
        name,
    )


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
