"""Names in what Snowflake gets: an unquoted one is folded there, and no emulator minds."""

from __future__ import annotations

import pytest
import sqlglot
from sqlglot.tokens import TokenType

from tests.contract.emitted import EXPECTED

FILES = sorted(path.name for path in EXPECTED.glob("*.snowflake.sql"))
APART = {"scope"}
"""A column of the table of watermarks, and, unquoted, one of the rows that go into it."""


@pytest.mark.parametrize("file", FILES)
def test_a_name_that_is_quoted_once_is_quoted_each_time(file: str) -> None:
    tokens = sqlglot.tokenize((EXPECTED / file).read_text(), read="snowflake")
    quoted = {t.text for t in tokens if t.token_type is TokenType.IDENTIFIER}
    bare = {t.text for t in tokens if t.token_type is TokenType.VAR}
    assert not quoted & bare - APART


def test_there_are_files() -> None:
    assert FILES
