"""Reads CSV as texts, some megabytes at a time, and those by the rules of their columns."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.csv

from airflow_dataops.errors import ConfigError, RunError
from airflow_dataops.hooks.file_bytes import BLOCK, text_blocks
from airflow_dataops.hooks.file_formats import Opened, Reading, check_names
from airflow_dataops.hooks.file_settings import csv_options
from airflow_dataops.hooks.quote_check import QuoteCheck, QuoteError
from airflow_dataops.hooks.value_rules import Rule, ValueRefusedError, find_rule, read_texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_PARSE = ("delimiter", "quote_char", "escape_char", "double_quote", "newlines_in_values")
_CONVERT = ("null_values", "strings_can_be_null")
_LINE = re.compile(rb"\r\n|\n|\r")


@dataclass(frozen=True)
class _Dialect:
    """How the file is written."""

    parse: dict[str, Any]
    convert: dict[str, Any]
    options: Mapping[str, Any]

    @property
    def quote(self) -> str | None:
        quote = self.parse.get("quote_char", '"')
        return quote if isinstance(quote, str) else None

    @property
    def skipped(self) -> int:
        return int(self.options.get("skip_rows", 0))

    def check(self) -> QuoteCheck | None:
        """Return what follows the quotes; None where there are none."""
        if self.quote is None:
            return None
        escape = self.parse.get("escape_char") or None
        doubled = bool(self.parse.get("double_quote", True))
        return QuoteCheck(
            self.quote, self.parse.get("delimiter", ","), doubled=doubled, escape=escape
        )


def open_csv(file: Any, path: str, reading: Reading, known: Mapping[str, Rule]) -> Opened:
    """Read CSV; the first line names the columns unless `column_names` does.

    A field without quotes that is empty is NULL; in quotes it is an empty text.

    Args:
        known: how columns are read that a file before had.

    Raises:
        ConfigError: an option is unknown (the message lists them), or of another type.
        RunError: a quote is not closed, or two columns have one name.
    """
    dialect = _read_options(reading.options)
    reading = replace(reading, options=dialect.options)
    encoding = reading.options.get("encoding", "utf8")
    text = _without_lines(text_blocks(file, path, reading.compression, encoding), dialect.skipped)
    place = _Place(dialect)
    blocks = _checked(text, dialect, path, place)
    first = next(blocks, b"")
    if not first:
        return Opened(path, {}, iter(()), rows=False)
    names = _names(first, dialect)
    check_names(path, names)
    rules = {name: known.get(name) or _named(reading, name) for name in names}
    if any(rule is None for rule in rules.values()):
        sample = _sample(first, names, dialect)
        for name in [name for name, rule in rules.items() if rule is None]:
            texts = sample.column(name).combine_chunks()
            rules[name] = find_rule(texts, _plain(reading, name))
    final = {name: rule for name, rule in rules.items() if rule is not None}
    source = pa.PythonFile(_Stream(chain([first], blocks)), "r")
    reader = _reader(source, final, names, dialect)
    return Opened(path, final, _typed(reader, final, path, place), rows=_has_rows(first, dialect))


def _has_rows(first: bytes, dialect: _Dialect) -> bool:
    header = 0 if dialect.options.get("column_names") else 1
    return len(_LINE.split(first.rstrip(b"\r\n"), maxsplit=header)) > header


def _named(reading: Reading, name: str) -> Rule | None:
    return _plain(reading, name) if name in reading.types else None


def _plain(reading: Reading, name: str) -> Rule:
    options, rule = reading.options, reading.rule(name)
    more: dict[str, Any] = {"decimal_point": options.get("decimal_point", ".")}
    for given, wanted in (("true_values", "true"), ("false_values", "false")):
        if given in options:
            more[wanted] = options[given]
    if not rule.formats and _may_be_time(name, rule, reading):
        more["formats"] = _parsers(options.get("timestamp_parsers") or ())
    return rule._replace(**more)


def _may_be_time(name: str, rule: Rule, reading: Reading) -> bool:
    return pa.types.is_timestamp(rule.type) or name not in reading.types


def _parsers(parsers: Sequence[Any]) -> tuple[str, ...]:
    formats = tuple(parser for parser in parsers if isinstance(parser, str))
    if formats and len(formats) < len(parsers):
        raise ConfigError(
            "options timestamp_parsers: give formats of strptime or ISO8601, not both; for some "
            "columns alone take `formats`."
        )
    return formats


def _read_options(options: Mapping[str, Any]) -> _Dialect:
    options = csv_options(options)
    nulls = {"null_values": [""], "strings_can_be_null": True, "quoted_strings_can_be_null": False}
    return _Dialect(
        # Whatever is asked for: without it Arrow cuts blocks in the middle of quotes.
        parse={n: options[n] for n in _PARSE if n in options} | {"newlines_in_values": True},
        convert={**nulls, **{n: options[n] for n in _CONVERT if n in options}},
        options=options,
    )


def _checked(
    blocks: Iterator[bytes], dialect: _Dialect, path: str, place: _Place
) -> Iterator[bytes]:
    """Yield the blocks; the last one ends in a line break, and all quotes are sound."""
    check, held = dialect.check(), b""
    try:
        for block in blocks:
            if check is not None:
                check.feed(block)
            place.look(block)
            if held:
                yield held
            held = block
        if check is not None:
            check.end()
    except QuoteError as error:
        raise RunError(
            f"{path}, line {error.line + dialect.skipped}: {error.why}. Mend the file: a field "
            "with a delimiter, a quote or a line break goes in quotes, and a quote inside it is "
            "written twice; where quotes mean nothing, set the option quote_char to False."
        ) from error
    if held:
        yield held if held.endswith((b"\n", b"\r")) else held + b"\n"


def _without_lines(blocks: Iterator[bytes], lines: int) -> Iterator[bytes]:
    """Yield the blocks without the first lines; those are in the first block."""
    first = next(blocks, b"")
    for _ in range(lines):
        found = _LINE.search(first)
        first = first[found.end() :] if found else b""
    if first:
        yield first
    yield from blocks


def _names(first: bytes, dialect: _Dialect) -> list[str]:
    given = dialect.options.get("column_names")
    if given:
        return list(given)
    header = pyarrow.csv.read_csv(
        io.BytesIO(_rows_of(first, dialect, 1)),
        parse_options=pyarrow.csv.ParseOptions(**dialect.parse),
    )
    return list(header.schema.names)


def _rows_of(block: bytes, dialect: _Dialect, most: int | None = None) -> bytes:
    """Return the whole rows of a block that begins with one; the first one of them alone if so."""
    quote = (dialect.quote or "\0").encode()
    place = 0
    if most is None:
        end = len(block)
        while (end := max(block.rfind(b"\n", 0, end), block.rfind(b"\r", 0, end))) >= 0:
            if block.count(quote, 0, end) % 2 == 0:
                return block[: end + 1]
        return block
    while found := _LINE.search(block, place):
        place = found.end()
        if block.count(quote, 0, place) % 2 == 0 and block[:place].strip(b"\r\n"):
            break
    else:
        return block + b"\n"
    return block[:place]


def _sample(first: bytes, names: list[str], dialect: _Dialect) -> pa.Table:
    rows = io.BytesIO(_rows_of(first, dialect))
    texts = dict.fromkeys(names, Rule(pa.string()))
    return _reader(rows, texts, names, dialect, block=BLOCK * 2).read_all()


def _reader(
    source: Any,
    rules: Mapping[str, Rule],
    names: list[str],
    dialect: _Dialect,
    block: int = BLOCK + 64,
) -> pyarrow.csv.CSVStreamingReader:
    texts = {
        name: pa.binary() if pa.types.is_binary(rule.type) else pa.string()
        for name, rule in rules.items()
    }
    return pyarrow.csv.open_csv(
        source,
        read_options=pyarrow.csv.ReadOptions(
            block_size=block, column_names=dialect.options.get("column_names")
        ),
        # An empty line is a value where there is one column, and nothing where there are more.
        parse_options=pyarrow.csv.ParseOptions(**dialect.parse, ignore_empty_lines=len(names) > 1),
        convert_options=pyarrow.csv.ConvertOptions(column_types=texts, **dialect.convert),
    )


def _typed(
    reader: pyarrow.csv.CSVStreamingReader, rules: Mapping[str, Rule], path: str, place: _Place
) -> Iterator[pa.RecordBatch]:
    rows = 0
    schema = pa.schema([(name, rule.type) for name, rule in rules.items()])
    for batch in reader:
        columns = []
        for name, rule in rules.items():
            texts = batch.column(name)
            try:
                binary = pa.types.is_binary(rule.type)
                columns.append(texts if binary else read_texts(texts, rule))
            except ValueRefusedError as error:
                where = place.of(rows + error.index)
                raise refused(f"{path}, {where}", name, rule, error) from error
        yield pa.record_batch(columns, schema=schema)
        rows += batch.num_rows


def refused(where: str, name: str, rule: Rule, error: ValueRefusedError) -> RunError:
    """Return the error of a value: where it is, what is wrong, what to do."""
    return RunError(
        f"{where}, column {name!r}: {error.text!r} is no {rule.said}: {error.why}. Mend the file, "
        "or name another type for the column in `columns`."
    )


class _Place:
    """Knows which line a row is on, as long as each line is a row."""

    def __init__(self, dialect: _Dialect) -> None:
        self._first = dialect.skipped + (1 if dialect.options.get("column_names") else 2)
        self._quote = (dialect.quote or "\0").encode()
        self._plain = True

    def look(self, block: bytes) -> None:
        if self._plain:
            empty = b"\n\n" in block
            if b"\r" in block:
                empty = empty or b"\n\r" in block or b"\r\r" in block
            self._plain = not empty and self._quote not in block

    def of(self, row: int) -> str:
        """Return where a row is, which is counted from 0."""
        line = f" (line {row + self._first})" if self._plain else ""
        return f"row {row + 1}{line}"


class _Stream:
    """Blocks as a file for Arrow."""

    closed = False

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._left = b""

    def read(self, size: int) -> bytes:
        if not self._left:
            self._left = next(self._blocks, b"")
        found, self._left = self._left[:size], self._left[size:]
        return found

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self._blocks = iter(())
