"""Text -> spec: `@`, `n+`, `method:value`, commas that intersect, spaces that unite."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.selection.spec import (
    ANY_DEPTH,
    Criterion,
    Group,
    IndirectSelection,
    MethodName,
    SetOperator,
)
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

_CRITERION = re.compile(
    r"(?P<at>@)?"
    r"(?:(?P<up>\d*)\+)?"
    r"(?:(?P<method>[\w.]+):)?"
    r"(?P<value>.*?)"
    r"(?:\+(?P<down>\d*))?"
)
_MOST_DIGITS = 10
_FILE_SUFFIXES = (".sql", ".py", ".csv")


def parse_expression(expression: str | Sequence[str]) -> Group:
    """Read what dbt's `--select` takes: one text, or several that are united.

    Raises:
        ConfigError: an unknown method, an empty part, or operators that exclude each other.
    """
    texts = [expression] if isinstance(expression, str) else list(expression)
    words = [word for text in texts for word in text.split()]
    return Group(
        text=" ".join(words),
        operator=SetOperator.UNION,
        parts=tuple(_parse_intersection(word) for word in words),
        indirect=None,
    )


def _parse_intersection(word: str) -> Group:
    parts = word.split(",")
    if not all(parts):
        raise ConfigError(
            f"selector {word!r} has an empty part. Put commas between conditions that must all "
            "hold, without spaces; spaces separate conditions of which any may hold."
        )
    return Group(
        text=word,
        operator=SetOperator.INTERSECTION,
        parts=tuple(parse_criterion(part) for part in parts),
        indirect=None,
        expected=True,
    )


def parse_criterion(text: str) -> Criterion:
    """Read one condition with its graph operators, such as `2+tag:daily+`.

    Raises:
        ConfigError: an unknown method, no value, or operators that exclude each other.
    """
    match = _CRITERION.fullmatch(text)
    if match is None:
        raise ConfigError(f"selector {text!r} is not one line of text.")
    up, method, value, down = match.group("up", "method", "value", "down")
    if not value:
        raise ConfigError(f"selector {text!r} names nothing to select.")
    return make_criterion(
        text,
        method or default_method(value),
        value,
        parents=_depth(up),
        children=_depth(down),
        childrens_parents=match["at"] is not None,
    )


def make_criterion(
    text: str,
    method: str,
    value: Any,
    *,
    parents: int = 0,
    children: int = 0,
    childrens_parents: bool = False,
    indirect: IndirectSelection | None = None,
) -> Criterion:
    """Check and make one condition; `method` is as written, such as `config.materialized`.

    Raises:
        ConfigError: an unknown method, or operators that exclude each other.
    """
    name, *arguments = method.split(".")
    if childrens_parents and children:
        raise ConfigError(
            f"selector {text!r}: `@` before and `+` after exclude each other; `@` takes the "
            "descendants already."
        )
    checked = _method(name, text)
    if bool(arguments) != (checked is MethodName.CONFIG):
        raise ConfigError(
            f"selector {text!r}: the method {checked.value!r} takes "
            + ("a path, as in config.materialized:table." if not arguments else "no dots.")
        )
    return Criterion(
        text=text,
        method=checked,
        value=value,
        arguments=tuple(arguments),
        parents=parents,
        children=children,
        childrens_parents=childrens_parents,
        indirect=indirect,
    )


def default_method(value: str) -> MethodName:
    """Tell what a bare word means, as dbt does: a path, a file's name or a node's name."""
    if "/" in value:
        return MethodName.PATH
    return MethodName.FILE if value.lower().endswith(_FILE_SUFFIXES) else MethodName.FQN


def _method(name: str, text: str) -> MethodName:
    try:
        return MethodName(name)
    except ValueError:
        close = difflib.get_close_matches(name, [each.value for each in MethodName], n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise ConfigError(
            f"selector {text!r}: there is no method {name!r}.{hint} "
            f"The methods are {', '.join(MethodName)}."
        ) from None


def _depth(digits: str | None) -> int:
    if digits is None:
        return 0
    return int(digits) if 0 < len(digits) < _MOST_DIGITS else ANY_DEPTH
