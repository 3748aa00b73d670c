"""CONTRIBUTING is a plan of the house as it is: its picture, and the files of common changes."""

import re

from tools.floor_plan import PAGE, ROOT, page


def test_the_picture_is_that_of_the_contracts() -> None:
    assert PAGE.read_text() == page(), "run `python -m tools.floor_plan`"


def test_the_files_of_common_changes_are_there() -> None:
    text = PAGE.read_text()
    changes = text[text.index("## Common changes") : text.index("## Real accounts")]
    named = set(
        re.findall(r"`((?:airflow_dataops|tests|docs)/[^`]+|[A-Za-z]+\.(?:toml|md))`", changes)
    )
    assert len(named) > 30
    assert sorted(name for name in named if not (ROOT / name).exists()) == []
