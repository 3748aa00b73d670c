"""Code in lines as formatters lay it out, so that none changes what was generated."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH = 88
"""Characters in a line; the default of ruff and black."""


class Code:
    """A piece of Python that stays in one line."""

    def __init__(self, text: str) -> None:
        self._text = text

    def flat(self) -> str:
        """Return it in one line."""
        return self._text

    def lines(self, indent: int, after: int = 0) -> list[str]:
        """Return its lines, without the indent of the first.

        Args:
            indent: of the line that it begins in.
            after: characters of its last line that follow it.
        """
        del indent, after
        return [self.flat()]


class Brackets(Code):
    """A call, list, tuple, set or dict: in one line, or with each item in its own.

    Attributes:
        last: whether a comma ends it also in one line.
    """

    def __init__(
        self, opening: str, items: Sequence[Code], closing: str, *, last: bool = False
    ) -> None:
        self.open, self.close, self.last = opening, closing, last
        self.items = list(items)

    def flat(self) -> str:
        """Return it in one line."""
        inside = ", ".join(item.flat() for item in self.items)
        return f"{self.open}{inside}{',' * self.last}{self.close}"

    def lines(self, indent: int, after: int = 0) -> list[str]:
        """Return its lines; `after` characters follow it in its last line."""
        flat = self.flat()
        if not self.items or ("\n" not in flat and indent + len(flat) + after <= WIDTH):
            return [flat]
        found = [self.open]
        for item in self.items:
            first, *rest = item.lines(indent + 4, 1)
            found += [" " * 4 + first, *(" " * 4 + line for line in rest)]
            found[-1] += ","
        return [*found, self.close]
