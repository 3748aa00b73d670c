"""Files that pages for contributors name are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_FILE = re.compile(
    r"`((?:airflow_dataops|core|hooks|adapters|tests|docs)/[\w./-]+\.(?:py|md|txt))`"
)


def named(page: str) -> list[str]:
    return _FILE.findall((ROOT / page).read_text())


@pytest.mark.parametrize("page", ["docs/engines.md"])
def test_files_that_a_page_names_are_there(page: str) -> None:
    found = named(page)
    assert found
    missing = [
        name
        for name in found
        if not (ROOT / name).exists() and not (ROOT / "airflow_dataops" / name).exists()
    ]
    assert missing == []
