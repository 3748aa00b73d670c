"""Every slow test is in one chunk, and every chunk has some."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests import chunks
from tests.conftest import WITHOUT_CHUNK

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"


def test_every_slow_test_is_in_one_chunk(request: pytest.FixtureRequest) -> None:
    """Of all tests that this process collected: in `make test`, all there are."""
    assert request.config.stash[WITHOUT_CHUNK] == [], "put its file into a chunk of tests/chunks.py"


def test_ci_runs_every_chunk() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "slow.yml").read_text())
    assert workflow["jobs"]["chunk"]["strategy"]["matrix"]["chunk"] == list(chunks.CHUNKS)


@pytest.mark.parametrize("name", chunks.CHUNKS)
def test_a_chunk_names_files_that_there_are(name: str) -> None:
    for pattern in chunks.CHUNKS[name].files:
        assert list(TESTS.glob(pattern)), pattern


@pytest.mark.parametrize(
    ("file", "engine", "expected"),
    [
        ("tests/contract/test_loads_killed.py", None, "loads-killed"),
        ("tests/contract/test_loads_merge.py", "snowflake", "snowflake"),
        ("tests/contract/test_loads_merge.py", "bigquery", "bigquery"),
        ("tests/functional/test_new.py", None, "airflow"),
        ("tests/tools/test_new.py", None, None),
    ],
)
def test_where_a_slow_test_belongs(file: str, engine: str | None, expected: str | None) -> None:
    assert chunks.chunk_of(file, engine) == expected
