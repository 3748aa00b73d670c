"""Bytes that are not JSON, and JSON that is not a manifest: what they seem to be."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import msgspec

from airflow_dataops.core.manifests.show import show
from airflow_dataops.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

_REMEDY = "Take target/manifest.json, which `dbt compile` or `airflow-dataops compile` writes."
_BEGINNINGS = (
    (b"\xef\xbb\xbf", "begins with a UTF-8 byte order mark", "Save it as UTF-8 without a BOM."),
    (b"\xff\xfe", "is UTF-16 text", "Save it as UTF-8 without a BOM."),
    (b"\xfe\xff", "is UTF-16 text", "Save it as UTF-8 without a BOM."),
    (b"\x1f\x8b", "is a gzip archive", "Unpack it."),
    (b"PK\x03\x04", "is a zip archive", "Unpack it."),
    (
        b"version https://git-lfs",
        "is a Git LFS pointer, not the file itself",
        "Run `git lfs pull` where the file is checked out.",
    ),
    (b"<", "is XML or HTML, not JSON", _REMEDY),
)
_YAML = re.compile(rb"(?:---|#[^\n]*\n\s*|%YAML|[\w'\"-]+[ \t]*:(?:\s|$)|- )")
_NOT_NUMBERS = re.compile(rb"-?(?:NaN|Infinity)")
_POSITION = re.compile(r"\(byte (\d+)\)")


def not_text(data: bytes) -> Problem | None:
    """Say why the bytes are not UTF-8 text, or text of something well known, if so."""
    if not data.strip():
        return Problem(f"the file is empty ({len(data)} bytes). {_REMEDY}")
    for beginning, what, remedy in _BEGINNINGS:
        if data.startswith(beginning):
            return Problem(f"the file {what}. {remedy}")
    if data.isascii():
        return None
    try:
        # All of it: the decoder does not look at what it skips.
        data.decode()
    except UnicodeDecodeError as error:
        return Problem(
            f"the file is not UTF-8: byte 0x{data[error.start]:02x} at position {error.start} "
            f"cannot be decoded. {_REMEDY}"
        )
    return None


def not_json(data: bytes, said: str) -> Problem:
    """Say where JSON goes wrong; `said` is the decoder's message."""
    if data.lstrip()[:1] not in b"{[" and _YAML.match(data.lstrip()):
        return Problem(f"the file is not JSON, it looks like YAML. {_REMEDY}")
    if "truncated" in said:
        return Problem(
            f"the JSON ends too early, after byte {len(data)}: the file was cut off. "
            "Copy it again, or let dbt write it again."
        )
    match = _POSITION.search(said)
    position = int(match[1]) if match else 0
    if number := _NOT_NUMBERS.match(data, max(position - 1, 0)) or _NOT_NUMBERS.match(
        data, position
    ):
        return _not_a_number(data, number[0].decode(), position)
    what = said.removeprefix("JSON is malformed: ").split(" (byte ")[0]
    line = data.count(b"\n", 0, position) + 1
    return Problem(f"the file is not JSON: {what} at byte {position} (line {line}). {_REMEDY}")


def _not_a_number(data: bytes, number: str, position: int) -> Problem:
    """Say which key of which node has a number that JSON has no word for."""
    try:
        found = json.loads(data, parse_constant=_NotNumber)
        keys = next(_where(found), ())
    except (ValueError, RecursionError):
        found, keys = None, ()
    node = path = None
    if len(keys) > 2 and isinstance(entry := _entry(found, *keys[:2]), dict):
        node, keys = keys[1], keys[2:]
        written = entry.get("patch_path") or entry.get("original_file_path")
        path = written.rpartition("://")[2] if isinstance(written, str) else None
    at = f" ({show('.'.join(keys))})" if keys else ""
    return Problem(
        f"{number} at byte {position}{at} is not JSON, though dbt writes it for "
        "`.nan` or `.inf` in YAML. Put another value into the dbt project.",
        node=node,
        path=path,
    )


def _entry(found: Any, kind: str, name: str) -> object:
    """Return an entry of a manifest, None where the JSON is something else."""
    entries = found.get(kind) if isinstance(found, dict) else None
    return entries.get(name) if isinstance(entries, dict) else None


class _NotNumber(str):
    """Stands where `NaN` or `Infinity` was."""

    __slots__ = ()


def _where(value: object, *keys: str) -> Iterator[tuple[str, ...]]:
    """Yield the keys that lead to what is no number."""
    if isinstance(value, _NotNumber):
        yield keys
    elif isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, each in pairs:
            yield from _where(each, *keys, str(key))


def too_deep() -> Problem:
    """Say that the JSON is nested beyond reason."""
    return Problem(f"the JSON is nested too deeply to be a dbt manifest. {_REMEDY}")


def other_json(data: bytes) -> Problem:
    """Say what JSON this is, when even its metadata is not that of a dbt artifact."""
    kind = {"{": "an object", "[": "a list", '"': "a text"}.get(chr(data.lstrip()[0]), "a value")
    if kind != "an object":
        return Problem(f"this is JSON, but {kind} and no dbt manifest. {_REMEDY}")
    keys = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    names = ", ".join(key[:30] for key in list(keys)[:5])
    return Problem(f"this is JSON, but no dbt manifest; its keys are: {names}. {_REMEDY}")
