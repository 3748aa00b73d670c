"""Looks for quotes in CSV that do not enclose a whole field: https://www.rfc-editor.org/rfc/rfc4180.

Arrow's reader takes the end of a file for the end of a quoted field, so that a file cut there, or
one forgotten quote, makes one value of the rows that follow. Blocks are looked through by Arrow's
and Python's own loops, some gigabytes a second.
"""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc


class QuoteError(Exception):
    """A quote is where none may be."""

    def __init__(self, line: int, why: str) -> None:
        """Keep the line, counted from 1, and what is wrong."""
        super().__init__(f"line {line}: {why}")
        self.line = line
        self.why = why


class QuoteCheck:
    """Follows the quotes of a file, block by block.

    Args:
        quote: the character around a field.
        delimiter: the one between fields.
        doubled: a quote inside of quotes is written twice.
        escape: the character before one that means nothing, if there is such.
    """

    def __init__(self, quote: str, delimiter: str, *, doubled: bool, escape: str | None) -> None:
        self._quote = quote.encode()
        inner = self._quote if doubled else b""
        self._beside = delimiter.encode() + b"\r\n" + inner
        self._escape = (
            re.compile(re.escape(escape.encode()) + rb"(.?)", re.DOTALL) if escape else None
        )
        self._escaped = False
        self._inside = False
        self._line = 1
        self._opened = 1
        self._before = b"\n"
        self._closes = False

    def feed(self, block: bytes) -> None:
        """Look at the next bytes.

        Raises:
            QuoteError: a quote begins or ends in the middle of a field.
        """
        if self._escape is not None:
            block = self._without_escapes(block)
        if self._closes and block[0] not in self._beside:
            raise self._after(block, 0)
        self._closes = False
        if self._quote in block:
            self._look(block)
        self._line += _lines(block)
        self._before = block[-1:]

    def end(self) -> None:
        """Say that there are no more bytes.

        Raises:
            QuoteError: the last quote is not closed.
        """
        if self._inside:
            raise QuoteError(
                self._opened,
                "the quote that opens here is never closed: the file is cut, or a quote is missing",
            )

    def _look(self, block: bytes) -> None:
        padded = self._before + block + b"\n"
        codes = pa.Array.from_buffers(pa.uint8(), len(padded), [None, pa.py_buffer(padded)])
        inner = codes.slice(1, len(block))
        places = pc.indices_nonzero(pc.equal(inner, pa.scalar(self._quote[0], pa.uint8())))
        first = int(self._inside)  # of the quotes that open a field
        before = _bytes(codes.take(places))[first::2]
        after = _bytes(codes.slice(2).take(places))[1 - first :: 2]
        amid = self._first_wrong(before, places, first)
        closing = self._first_wrong(after, places, 1 - first)
        if amid is not None and (closing is None or amid < closing):
            raise self._amid(block, amid)
        if closing is not None:
            raise self._after(block, closing)
        self._inside = bool((len(places) + first) % 2)
        last = places[-1].as_py()
        if self._inside:
            self._opened = self._line + _lines(block[:last])
        self._closes = not self._inside and last == len(block) - 1

    def _first_wrong(self, beside: bytes, places: pa.Array, first: int) -> int | None:
        """Return where the first quote is that has the wrong neighbour.

        Args:
            beside: the neighbours of every other quote, from the one of number `first` on.
        """
        wrong = beside.translate(None, self._beside)
        if not wrong:
            return None
        return int(places[first + 2 * beside.index(wrong[:1])].as_py())

    def _amid(self, block: bytes, place: int) -> QuoteError:
        return QuoteError(
            self._line + _lines(block[:place]), "a quote in the middle of a field without quotes"
        )

    def _after(self, block: bytes, place: int) -> QuoteError:
        return QuoteError(
            self._line + _lines(block[:place]), "more of a field after the quote that closes it"
        )

    def _without_escapes(self, block: bytes) -> bytes:
        assert self._escape is not None  # noqa: S101 - asked by the caller
        if self._escaped:
            block = b"x" + block[1:]
        found = self._escape.split(block)
        self._escaped = len(found) > 1 and found[-1] == b"" and found[-2] == b""
        return self._escape.sub(lambda pair: b"x" * len(pair[0]), block)


def _bytes(codes: pa.Array) -> bytes:
    found: bytes = codes.buffers()[1].to_pybytes()
    return found[: len(codes)]


def _lines(block: bytes) -> int:
    return block.count(b"\n") or block.count(b"\r")
