"""What Snowflake would refuse of the SQL that it gets, and its emulator takes."""

from __future__ import annotations

import pytest
import sqlglot
from sqlglot import exp
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


@pytest.mark.parametrize("file", FILES)
def test_exists_is_a_condition_of_where_and_not_of_or(file: str) -> None:
    """https://docs.snowflake.com/en/sql-reference/operators-subquery#exists"""
    for statement in sqlglot.parse(
        (EXPECTED / file).read_text().replace("%s", "?"), read="snowflake"
    ):
        for found in statement.find_all(exp.Exists) if statement else ():
            above = found.parent
            while isinstance(above, exp.And | exp.Not | exp.Paren):
                above = above.parent
            assert isinstance(above, exp.Where | exp.Drop), found.sql("snowflake")


def test_there_are_files() -> None:
    assert FILES
