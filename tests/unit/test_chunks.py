"""Every slow test is in one chunk, and every chunk has some."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import chunks
from tests.conftest import MISPLACED

TESTS = Path(__file__).parents[1]


def test_every_slow_test_is_in_one_chunk(request: pytest.FixtureRequest) -> None:
    """Of all tests that this process collected: in `make test`, all there are."""
    assert request.config.stash[MISPLACED] == [], "put its file into a chunk of tests/chunks.py"


@pytest.mark.parametrize("name", chunks.CHUNKS)
def test_a_chunk_names_files_that_there_are(name: str) -> None:
    for pattern in chunks.CHUNKS[name].files:
        assert list(TESTS.glob(pattern)), pattern


@pytest.mark.parametrize(
    ("file", "engine", "expected"),
    [
        ("tests/contract/test_loads_killed.py", None, ["loads-killed"]),
        ("tests/contract/test_loads_merge.py", "snowflake", ["snowflake"]),
        ("tests/contract/test_loads_merge.py", "bigquery", ["bigquery"]),
        ("tests/unit/test_chunks.py", None, []),
    ],
)
def test_where_a_slow_test_belongs(file: str, engine: str | None, expected: list[str]) -> None:
    assert chunks.chunks_of(file, engine) == expected
