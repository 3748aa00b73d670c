"""An engine's error in words: what was done, where it is written, and what to do about it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from airflow_dataops.core.alerts.masking import mask
from airflow_dataops.core.engines.error_codes import ErrorKind, Fate
from airflow_dataops.core.engines.errors import codes_of, kind_of, sqlstate
from airflow_dataops.core.model import Struct
from airflow_dataops.errors import DataOpsError, RetryableError, RunError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_LONGEST_SAYING = 600
_LONGEST_STATEMENT = 1200
_LONGEST_LINE = 200
_AROUND = 2
"""So many lines of a query are shown before and after the one that is wrong."""

# `LINE 3: group by alll` and a caret below (Postgres, DuckDB), `error line 3 at position 9`
# (Snowflake), `at [3:10]` (BigQuery)
_EXCERPT = re.compile(r"\n*^LINE (\d+): (.*)\n?(?:[ \t]*\^+.*)?", re.M)
_LINES = (
    re.compile(r"\berror line (\d+) at position \d+", re.I),
    re.compile(r"\bat \[(\d+):\d+\]"),
)
_QUOTED = re.compile(r'"([^"\n]+)"')

_ADVICE = {
    ErrorKind.SYNTAX: "Mend the SQL",
    ErrorKind.MISSING: "Mend the name, make what it names, or grant the right to see it",
    ErrorKind.DENIED: "Grant the connection's user what it lacks, or name another connection",
    ErrorKind.DATA: "Mend the data, or cast it otherwise",
    ErrorKind.CONSTRAINT: "Mend the data, or the constraint",
    ErrorKind.UNSUPPORTED: "Write it another way",
}
_FINALLY = "; a retry would end the same, so there is none."
_AGAIN = "Running it again may succeed."
_PERHAPS = "Nobody can tell whether a retry would end the same, so the task's retries decide."


class Place(Struct, frozen=True):
    """Where what failed is written.

    Attributes:
        name: of the node, the table or the connection.
        path: the file of its author.
        code: its compiled query, in which lines are counted.
    """

    name: str = ""
    path: str = ""
    code: str = ""


def explained(
    error: BaseException,
    *,
    place: Place | None = None,
    statement: str = "",
    redact: Callable[[str], str] = mask,
) -> DataOpsError | None:
    """Return an engine's error as one of ours, of the kind that says what to do next.

    Args:
        statement: what the engine was told when it failed.
        redact: takes secrets out of the text.

    Returns:
        `RunError` where running it again would end the same, else `RetryableError`; None where
        the error is not an engine's.
    """
    kind = kind_of(error)
    if kind is None:
        return None
    codes, place = codes_of(error), place or Place()
    said, line = _said(error, statement, place.code)
    where = _where(place, line)
    state = sqlstate(error)
    told = f"{codes.title if codes else 'the network'} says: {said}"
    marks = ", ".join(filter(None, (type(error).__name__, state, str(kind))))
    text = f"{where}{told} [{marks}]{_shown(statement, place.code, line)}\n{_advice(kind)}"
    final = kind.fate is Fate.FINAL
    return (RunError if final else RetryableError)(redact(text))


def causes(error: BaseException) -> Iterator[BaseException]:
    """Give an error and what it came from, the latest first."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__


def _advice(kind: ErrorKind) -> str:
    match kind.fate:
        case Fate.FINAL:
            return _ADVICE[kind] + _FINALLY
        case Fate.RETRYABLE:
            return _AGAIN
        case _:
            return _PERHAPS


def _said(error: BaseException, statement: str, code: str) -> tuple[str, int | None]:
    """Return what the engine said, without its own excerpt, and the line of the query it is in."""
    text = str(error).strip()
    excerpt = _EXCERPT.search(text)
    if excerpt is not None:
        line = _line(int(excerpt[1]), excerpt[2], statement, code)
        text = _EXCERPT.sub("", text).strip()
    else:
        found = next(filter(None, (each.search(text) for each in _LINES)), None)
        line = None if found is None else _line(int(found[1]), "", statement, code)
        line = line or _naming(text, code)
    return _cut(text, _LONGEST_SAYING), line


def _line(number: int, printed: str, statement: str, code: str) -> int | None:
    """Return the line of a query that an engine means by a line of a whole statement.

    What the engine prints of the line decides, since a comment may stand before a statement.
    """
    if not code or code not in statement:
        return None
    guess = number - statement[: statement.index(code)].count("\n")
    lines, part = code.split("\n"), printed.strip().removeprefix("...").removesuffix("...").strip()
    fitting = [n for n, line in enumerate(lines, 1) if part and part in line]
    if fitting:
        return min(fitting, key=lambda n: abs(n - guess))
    return guess if not part and 1 <= guess <= len(lines) else None


def _naming(said: str, code: str) -> int | None:
    """Return the line with the name that an engine quotes, if it is in one line alone.

    DuckDB tells no line where a comment stands before the statement.
    """
    found = _QUOTED.search(said)
    if found is None or not code:
        return None
    word = re.compile(rf"(?<!\w){re.escape(found[1])}(?!\w)", re.I)
    lines = [n for n, line in enumerate(code.split("\n"), 1) if word.search(line)]
    return lines[0] if len(lines) == 1 else None


def _where(place: Place, line: int | None) -> str:
    number = "" if line is None else f"line {line} of the compiled query"
    at = ", ".join(filter(None, (place.path, number)))
    inside = f" ({at})" if at and place.name else at
    return f"{place.name}{inside}: " if place.name or inside else ""


def _shown(statement: str, code: str, line: int | None) -> str:
    """Return the failing statement, or of a long query what is around the line that is wrong."""
    if not statement:
        return ""
    if line is None:
        return f"\nThe statement:\n{_indented(_cut(statement, _LONGEST_STATEMENT))}"
    lines = code.split("\n")
    first, last = max(line - _AROUND, 1), min(line + _AROUND, len(lines))
    around = [
        f"{'>' if n == line else ' '} {n:>4} {_cut(lines[n - 1], _LONGEST_LINE)}"
        for n in range(first, last + 1)
    ]
    opening = _cut(statement[: statement.index(code)].strip(), _LONGEST_LINE)
    above = f"{_indented(opening)}\n" if opening else ""
    return f"\nThe statement:\n{above}{chr(10).join(around)}"


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.split("\n"))


def _cut(text: str, longest: int) -> str:
    if len(text) <= longest:
        return text
    return f"{text[:longest]} ... (and {len(text) - longest} characters more)"
