"""Every block of README and docs is run by a test here, or says why it cannot be."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

from tests.docs.blocks import PAGES, ROOT, Block, blocks_of

UNRUN = 20
"""So many blocks say that they cannot run; each with its reason on the page."""
EXPECTED = ROOT / "tests" / "unit" / "sql" / "expected"
ALL = [block for page in PAGES for block in blocks_of(page)]


def taken() -> set[tuple[str, int]]:
    """Return the blocks that tests ask for by `block("page", number)`."""
    found = set()
    for path in Path(__file__).parent.glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "block":
                page, number = (ast.literal_eval(argument) for argument in node.args)
                found.add((page, number))
    return found


def named(blocks: list[Block]) -> list[str]:
    return [f"{block.page}:{block.line} ({block.number})" for block in blocks]


def test_every_block_is_run_or_says_why_not() -> None:
    asked = taken()
    rest = [block for block in ALL if not block.is_pinned_sql and block.not_run is None]
    assert named([block for block in rest if (block.page, block.number) not in asked]) == []


def test_what_says_that_it_cannot_run_is_not_run() -> None:
    asked = taken()
    unrun = [block for block in ALL if block.not_run is not None]
    assert named([block for block in unrun if (block.page, block.number) in asked]) == []
    assert len(unrun) == UNRUN


def test_every_block_names_its_language() -> None:
    assert named([block for block in ALL if not block.language]) == []
    assert Counter(block.language for block in ALL).keys() <= {
        *("bash", "console", "ini", "json", "python", "shell", "sql", "text", "toml", "yaml"),
    }


@pytest.mark.parametrize(
    "page", sorted({block.page for block in ALL if block.is_pinned_sql}), ids=lambda page: page
)
def test_sql_on_a_page_is_what_loads_write(page: str) -> None:
    """The files are pinned by `tests/contract/test_loads_sql.py`, from loads that ran."""
    for block in blocks_of(page):
        if block.is_pinned_sql:
            name = block.text.removeprefix('--8<-- "').strip().removesuffix('"')
            assert (EXPECTED / name).read_text().strip()
