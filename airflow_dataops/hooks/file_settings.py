"""What an author may say of files, checked where it is written.

A text where a list is meant is a list of one, since Python would take it letter by letter.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.arguments import count, did_you_mean, flag
from airflow_dataops.core.manifests.schedule import is_zone
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

_OFFSET = re.compile(r"[+-]\d\d:\d\d")


def check_texts(given: object, what: str) -> None:
    """Check that a setting gives a text for each column. Raises `ConfigError`."""
    if not isinstance(given, Mapping):
        raise ConfigError(f"{what}={given!r}: write a mapping by column, such as {{'day': ...}}.")
    for name, value in given.items():
        if not isinstance(name, str) or not isinstance(value, str) or not value.strip():
            raise ConfigError(f"{what}={given!r}: {name!r} is {value!r}; write texts.")


def check_time_zone(given: object) -> None:
    """Check a time zone's name or offset; None is none. Raises `ConfigError`."""
    if given is None or (
        isinstance(given, str) and (is_zone(given) or _OFFSET.fullmatch(given) is not None)
    ):
        return
    raise ConfigError(
        f"time_zone={given!r}: write the name of a time zone, such as 'Europe/Berlin'."
    )


def csv_options(given: object) -> dict[str, Any]:
    """Return the options of CSV, each in its one form. Raises `ConfigError`."""
    return _options(given, _CSV, "CSV has")


def jsonl_options(given: object) -> dict[str, Any]:
    """Return the options of JSON lines. Raises `ConfigError`."""
    return _options(given, _JSONL, "JSON lines have")


def parquet_options(given: object) -> dict[str, Any]:
    """Return the options of Parquet, which has none. Raises `ConfigError`."""
    return _options(given, {}, "Parquet has")


def _options(given: object, known: Mapping[str, Callable[..., Any]], who: str) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise ConfigError(f"options={given!r}: write a mapping, such as {{'delimiter': ';'}}.")
    if unknown := sorted(str(name) for name in given if name not in known):
        near = did_you_mean(unknown[0], known)
        raise ConfigError(
            f"options {', '.join(unknown)}: {who} {', '.join(sorted(known)) or 'none'}{near or '.'}"
        )
    return {name: known[name](value, f"options {name}") for name, value in given.items()}


def _letter(value: object, what: str) -> str:
    if not isinstance(value, str) or len(value) != 1 or not value.isascii() or value in "\r\n\0":
        raise ConfigError(f"{what}={value!r}: write one character of ASCII.")
    return value


def _letter_or_false(value: object, what: str) -> str | bool:
    return False if value is False else _letter(value, what)


def _several(value: object, what: str) -> tuple[str, ...]:
    given = (value,) if isinstance(value, str) else value
    if not isinstance(given, list | tuple) or not all(isinstance(each, str) for each in given):
        raise ConfigError(f"{what}={value!r}: write one text, or several in a list.")
    return tuple(given)


def _parsers(value: object, what: str) -> tuple[Any, ...]:
    """Return formats of strptime, or pyarrow's ISO8601, which is no text."""
    if value is None or isinstance(value, bool | int | float | Mapping | bytes):
        raise ConfigError(f"{what}={value!r}: write one format, or several in a list.")
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def _encoding(value: object, what: str) -> str:
    try:
        return codecs.lookup(value).name if isinstance(value, str) else _no_encoding(value, what)
    except (LookupError, ValueError):
        return _no_encoding(value, what)


def _no_encoding(value: object, what: str) -> str:
    raise ConfigError(f"{what}={value!r}: there is no such encoding; write one such as 'latin-1'.")


_JSONL = {"encoding": _encoding}
_CSV: dict[str, Callable[..., Any]] = {
    "delimiter": _letter,
    "quote_char": _letter_or_false,
    "escape_char": _letter_or_false,
    "decimal_point": _letter,
    "double_quote": flag,
    "newlines_in_values": flag,
    "strings_can_be_null": flag,
    "encoding": _encoding,
    "skip_rows": count,
    "column_names": _several,
    "null_values": _several,
    "true_values": _several,
    "false_values": _several,
    "timestamp_parsers": _parsers,
}
_BY_FORMAT: dict[object, Callable[[object], dict[str, Any]]] = {
    "csv": csv_options,
    "jsonl": jsonl_options,
    "parquet": parquet_options,
}


def options_of(format_: object, given: object) -> dict[str, Any]:
    """Return the options of a format, each in its one form.

    Raises:
        ConfigError: there is no such format or option, or an option is of another type.
    """
    read = _BY_FORMAT.get(format_) if isinstance(format_, str) else None
    if read is None:
        raise ConfigError(f"format={format_!r}: choose one of {', '.join(map(str, _BY_FORMAT))}.")
    return read(given)
