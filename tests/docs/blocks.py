"""The code blocks of README and docs.

markdown-it-py finds them, as it does for renderers. (sybil and pytest-examples would run blocks and
compare what they print; ours are DAG files, whose results are tables.)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from itertools import dropwhile, takewhile
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
PAGES = {
    path.relative_to(ROOT).as_posix(): path
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
}
_NOT_RUN = re.compile(r"<!-- not run: (.+?) -->", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        number: its place on the page, from 1 on; blocks that show pinned SQL are not counted.
        line: where its text begins.
        not_run: why it cannot run; None for the others.
    """

    page: str
    number: int
    language: str
    text: str
    line: int
    not_run: str | None = None

    @property
    def is_pinned_sql(self) -> bool:
        """Whether it shows SQL out of `tests/unit/sql/expected`, which loads have to write."""
        return self.language == "sql" and self.text.startswith('--8<-- "')


@cache
def blocks_of(page: str) -> tuple[Block, ...]:
    found, number, why = [], 0, None
    for token in MarkdownIt().parse(PAGES[page].read_text()):
        if token.type == "html_block":
            marked = _NOT_RUN.search(token.content)
            why = " ".join(marked[1].split()) if marked else None
        elif token.type == "fence":
            block = Block(
                page, number + 1, token.info, token.content, (token.map or [0])[0] + 1, why
            )
            number += not block.is_pinned_sql
            found.append(block)
            why = None
        elif token.level == 0:
            why = None
    return tuple(found)


def block(page: str, number: int) -> Block:
    """Return a block of a page; whoever asks for one runs it, see `test_coverage`."""
    for found in blocks_of(page):
        if found.number == number and not found.is_pinned_sql:
            return found
    raise LookupError(f"{page} has no block {number}")


def rows_of(page: str, below: str) -> list[list[str]]:
    """Return the cells of the first table below a text of a page, without the heads."""
    text = PAGES[page].read_text().split(below, 1)[1]
    begun = dropwhile(lambda line: not line.startswith("|"), text.splitlines())
    table = list(takewhile(lambda line: line.startswith("|"), begun))
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in table[2:]]
