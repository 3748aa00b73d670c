"""Reads a seed's CSV: names, types and NULLs as `dbt seed` would have them.

The types are those of dbt's reader (dbt_common/clients/agate_helper.py over agate's
TypeTester) and its adapters' `convert_*_type`: the first of number, date, time and boolean
that fits every value of a column, else text. A number column is `integer` unless a value has
decimals, even when that is too narrow.

The values are those that dbt-duckdb leaves, which hands the file to DuckDB's COPY: an empty
field is NULL, quoted or not, and any other text stays as it is, `null` and blanks included (on
other engines those are NULL in texts too).
Where COPY fails on what dbt's reader understands (` true`, `$5`, `1,000`, `null` among
numbers), the reader's value is taken, as on dbt's other adapters.
"""

from __future__ import annotations

import csv
import io
import string
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from airflow_dataops.core.engines.models import TextNulls
from airflow_dataops.core.model import Struct
from airflow_dataops.core.sql.catalog import Column
from airflow_dataops.errors import ConfigError, RunError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    Values = list[str | None]

_NULLS = ("", "null")
_NO_TEXT = 64
"""Bytes of the texts of a column that has none, as dbt-redshift has it."""
_CURRENCIES = "؋$ƒ៛¥₡₱£€¢﷼₪₩₭₮₦฿₤₫"  # agate.data_types.number.DEFAULT_CURRENCY_SYMBOLS
_LONGEST_INTEGER = 40  # digits; no engine's integer is longer


class SeedTable(Struct, frozen=True):
    """A file's columns and, for each of them, its values as texts that SQL can cast."""

    columns: tuple[Column, ...]
    values: tuple[list[str | None], ...]

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(self.values[0])


def read_seed(
    text: str,
    *,
    where: str,
    delimiter: str = ",",
    column_types: Mapping[str, str] | None = None,
    nulls: TextNulls = TextNulls.EMPTY,
    types: Mapping[str, str] | None = None,
) -> SeedTable:
    """Read a seed's file.

    Args:
        where: names the file in errors.
        column_types: SQL types by exact column name; other columns are inferred.
        nulls: what is NULL in texts.
        types: the engine's names for inferred types, where it has others; see `Seeds`.

    Raises:
        ConfigError: the delimiter is not one character.
        RunError: the file is not well-formed CSV, with the line.
    """
    records = _records(text, delimiter, where)
    _, header = next(records, (1, []))
    if not header:
        raise RunError(f"{where}, line 1: there is no header; the first line names the columns.")
    names = _unique_names(header)
    fields: list[list[str]] = [[] for _ in names]
    for line, record in records:
        for column, value in zip(fields, _filled(record, len(names), where, line), strict=True):
            column.append(value)
    typed = [
        _typed(name, column, column_types or {}, nulls, types or {})
        for name, column in zip(names, fields, strict=True)
    ]
    return SeedTable(
        columns=tuple(column for column, _ in typed), values=tuple(values for _, values in typed)
    )


def problem_of(text: str, delimiter: str = ",") -> str | None:
    """Say what keeps a seed's file from being read, with the line; None if nothing does."""
    try:
        read_seed(text, where="the file", delimiter=delimiter)
    except (ConfigError, RunError) as error:
        return str(error)
    return None


def _records(text: str, delimiter: str, where: str) -> Iterator[tuple[int, list[str]]]:
    """Give each record with the line it starts on, without lines that mean nothing."""
    if len(delimiter) != 1:
        raise ConfigError(f"{where}: the delimiter {delimiter!r} is not one character.")
    lines = io.StringIO(text.removeprefix("\ufeff"), newline="")
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    columns = 0
    while True:
        line = reader.line_num + 1
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise RunError(
                f"{where}, line {line}: {error}. Mend the record that starts on this line; "
                'a field with a delimiter, a quote or a line break goes in "quotes", and a quote '
                "inside it is written twice."
            ) from error
        columns = columns or len(record)
        # An empty line is a value where there is one column, and nothing where there are more.
        if record or columns <= 1:
            yield line, record


def _filled(record: list[str], width: int, where: str, line: int) -> list[str]:
    if not record and width == 1:
        return [""]
    if len(record) != width:
        raise RunError(
            f"{where}, line {line}: {len(record)} values for {width} columns. "
            "Give each row one value for each column, and quote values with a delimiter in them."
        )
    return record


def _unique_names(header: Sequence[str]) -> list[str]:
    """Name the columns as agate does: a letter for no name, `_2` behind a repeated one."""
    names: list[str] = []
    for index, written in enumerate(header):
        wanted = written or string.ascii_lowercase[index % 26] * (index // 26 + 1)
        name, occurrence = wanted, 1
        while name in names:
            occurrence += 1
            name = f"{wanted}_{occurrence}"
        names.append(name)
    return names


def _typed(
    name: str,
    fields: list[str],
    configured: Mapping[str, str],
    nulls: TextNulls,
    types: Mapping[str, str],
) -> tuple[Column, Values]:
    inferred, values = _infer(fields, nulls)
    type_ = types.get(inferred, inferred)
    if "{}" in type_:
        sizes = (len(text.encode()) for text in values if text is not None)
        type_ = type_.format(max(sizes, default=_NO_TEXT))
    # A compiled manifest names the inferred types as well: they read what they would have read.
    if configured.get(name, type_).lower() == type_:
        return Column(name=name, type=type_), values
    type_ = configured[name]
    if nulls is TextNulls.NEVER and not type_.lower().startswith("string"):
        nulls = TextNulls.EMPTY
    return Column(name=name, type=type_), _texts(fields, nulls)


def _infer(fields: list[str], nulls: TextNulls) -> tuple[str, Values]:
    for read in (_numbers, _dates, _times, _iso_times, _booleans):
        try:
            return read(fields)
        except ValueError:
            continue
    return "text", _texts(fields, nulls)


def _texts(fields: list[str], nulls: TextNulls) -> Values:
    if nulls is TextNulls.NEVER:
        return list(fields)
    if nulls is TextNulls.EMPTY:
        return [field or None for field in fields]
    return [None if _is_null(field) else field for field in fields]


def _numbers(fields: list[str]) -> tuple[str, Values]:
    numbers = [None if _is_null(field) else _number(field) for field in fields]
    if any(n is not None and _has_decimals(n) for n in numbers):
        return "float8", [None if n is None else str(n) for n in numbers]
    return "integer", [None if n is None else _whole(n) for n in numbers]


def _number(field: str) -> Decimal:
    digits = field.strip().strip("%")
    negative = digits.startswith("-")
    digits = digits[1:] if negative else digits
    try:
        number = Decimal(digits.strip(_CURRENCIES).replace(",", ""))
    except InvalidOperation as error:
        raise ValueError(field) from error
    return number.copy_negate() if negative else number


def _has_decimals(number: Decimal) -> bool:
    exponent = number.normalize().as_tuple().exponent if number.is_finite() else 0
    return isinstance(exponent, int) and exponent < 0


def _whole(number: Decimal) -> str:
    fits = number.is_finite() and number.adjusted() < _LONGEST_INTEGER
    return str(int(number)) if fits else str(number)


def _dates(fields: list[str]) -> tuple[str, Values]:
    return "date", _each(fields, lambda f: datetime.strptime(f, "%Y-%m-%d").date().isoformat())


def _times(fields: list[str]) -> tuple[str, Values]:
    values = _each(fields, lambda f: datetime.strptime(f, "%Y-%m-%d %H:%M:%S").isoformat(" "))
    return "timestamp without time zone", values


def _iso_times(fields: list[str]) -> tuple[str, Values]:
    return "timestamp without time zone", _each(fields, _iso_time)


def _iso_time(field: str) -> str:
    if field.count("T") != 1:
        raise ValueError(field)
    # An offset is dropped, as DuckDB does when it reads a timestamp without a zone.
    return datetime.fromisoformat(field).replace(tzinfo=None).isoformat(" ")


def _booleans(fields: list[str]) -> tuple[str, Values]:
    return "boolean", _each(fields, _boolean)


def _boolean(field: str) -> str:
    if field.lower() not in ("true", "false"):
        raise ValueError(field)
    return field.lower()


def _each(fields: list[str], read: Callable[[str], str]) -> Values:
    return [None if _is_null(field) else read(field.strip()) for field in fields]


def _is_null(field: str) -> bool:
    return field.strip().lower() in _NULLS
