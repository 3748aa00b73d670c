"""Reads files of JSON lines, some megabytes at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from airflow_dataops.errors import RunError
from airflow_dataops.hooks.file_bytes import text_blocks
from airflow_dataops.hooks.file_formats import Opened, Reading, check_names
from airflow_dataops.hooks.file_settings import jsonl_options
from airflow_dataops.hooks.json_finding import find_fields
from airflow_dataops.hooks.json_lines import LineRefusedError, ObjectDecoder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import pyarrow as pa

    from airflow_dataops.hooks.value_rules import Rule

T = TypeVar("T")

_LONGEST = 64 * 1024**2


class _Lines(NamedTuple):
    """Some lines, without those that are blank, and their numbers, counted from 1."""

    lines: list[bytes]
    numbers: list[int]


def open_jsonl(file: Any, path: str, reading: Reading, known: Mapping[str, Rule]) -> Opened:
    """Read JSON lines: an object in each; fields that the first megabytes lack are errors.

    Args:
        known: how fields are read that a file before had.

    Raises:
        ConfigError: an option is unknown.
        RunError: a line is no object, or a field is of several kinds.
    """
    encoding = jsonl_options(reading.options).get("encoding", "utf8")
    parts = _lines(text_blocks(file, path, reading.compression, encoding), path)
    first = next(parts, None)
    if first is None:
        return Opened(path, {}, iter(()), rows=False)

    def rule_of(name: str) -> Rule | None:
        return known.get(name) or (reading.rule(name) if name in reading.types else None)

    rules = _told(path, first, lambda: find_fields(first.lines, rule_of, reading.rule))
    # A field that no object has is NULL, where it is one by name.
    rules |= {name: reading.rule(name) for name in reading.types if name not in rules}
    if not rules:
        raise RunError(
            f"{path}, line {first.numbers[0]}: its objects have no fields, so that there are no "
            "columns. Mend the file, or name some in `columns`."
        )
    check_names(path, list(rules))
    return Opened(path, rules, _decoded(path, first, parts, rules))


def _decoded(
    path: str, first: _Lines, others: Iterator[_Lines], rules: Mapping[str, Rule]
) -> Iterator[pa.RecordBatch]:
    decode = ObjectDecoder(rules, ignore=False)
    yield _told(path, first, lambda: decode(first.lines))
    for part in others:
        yield _told(path, part, lambda: decode(part.lines))  # noqa: B023 - called at once


def _told(path: str, part: _Lines, work: Callable[[], T]) -> T:
    try:
        return work()
    except LineRefusedError as error:
        column = f", column {error.column!r}" if error.column else ""
        raise RunError(
            f"{path}, line {part.numbers[error.index]}{column}: {error.why}. Mend the file, or "
            "name the column's type in `columns`."
        ) from error


def _lines(blocks: Iterator[bytes], path: str) -> Iterator[_Lines]:
    """Yield lines, some megabytes at a time; the last one needs no line break."""
    left, number = b"", 1
    block = next(blocks, b"")
    while block:
        following = next(blocks, b"")
        text = left + block
        end = text.rfind(b"\n") + 1 if following else len(text)
        left = text[end:]
        if len(left) > _LONGEST:
            raise RunError(
                f"{path}, line {number}: it is longer than {_LONGEST >> 20} MB. Write an object "
                "in each line."
            )
        found = _cut(text[:end], number)
        number += text.count(b"\n")
        if found.lines:
            yield found
        block = following


def _cut(block: bytes, number: int) -> _Lines:
    numbered = [(at, line) for at, line in enumerate(block.split(b"\n"), number) if line.strip()]
    return _Lines([line for _, line in numbered], [at for at, _ in numbered])
