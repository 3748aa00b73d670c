"""Names and texts become SQL that says nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_dataops.core.engines.identifiers import (
    literal,
    quote,
    quote_all,
    resolve,
    resolve_all,
    unquote,
)
from airflow_dataops.errors import ConfigError, RunError
from tests.duckdb_runner import open_duckdb

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.duckdb_runner import DuckDBRunner

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


@pytest.fixture(scope="module")
def judge() -> Iterator[DuckDBRunner]:
    with open_duckdb() as runner:
        yield runner


def test_names_are_quoted_and_quotes_doubled() -> None:
    assert quote_all(["id", 'a"b', "Größe"], "duckdb") == '"id", "a""b", "Größe"'


@pytest.mark.parametrize("name", ["", "a\0b"])
def test_a_name_that_no_engine_takes_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="cannot be the name"):
        quote(name, "duckdb")


@settings(deadline=None, max_examples=200)
@given(name=texts.filter(bool))
def test_the_engine_reads_a_quoted_name_back_as_it_was(judge: DuckDBRunner, name: str) -> None:
    """Hypothesis tries names; DuckDB is the judge."""
    found = judge.connection.execute(f"select 1 as {quote(name, 'duckdb')}").description
    assert found is not None
    assert [column[0] for column in found] == [name]


@settings(deadline=None, max_examples=200)
@given(text=texts)
def test_the_engine_reads_a_literal_back_as_it_was(judge: DuckDBRunner, text: str) -> None:
    """Hypothesis tries texts; DuckDB is the judge."""
    assert judge.fetch(f"select {literal(text, 'duckdb')}") == [(text,)]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("id", "id"),
        ('"my id"', "my id"),
        ('"a""b"', 'a"b'),
        ("`my id`", "my id"),
        ('"', '"'),
        ('"a"b"', '"a"b"'),
        ('""', '""'),
    ],
)
def test_quotes_around_an_authors_name_are_not_part_of_it(written: str, name: str) -> None:
    assert unquote(written) == name


@pytest.mark.parametrize(
    ("written", "column"),
    [
        ("id", "id"),
        ("ID", "ID"),
        ("Id", "id"),
        (' "Name" ', "name"),
        ('"x"', '"x"'),
        ("id || name", None),
    ],
)
def test_the_exact_name_wins_over_one_in_another_case(written: str, column: str | None) -> None:
    assert resolve(written, ["id", "ID", "name", '"x"', "x"]) == column


def test_an_unknown_key_is_an_error_that_lists_the_columns() -> None:
    with pytest.raises(RunError) as caught:
        resolve_all(["id", "lower(x)"], ["id", "x"], what="unique_key", where="db.s.t")
    assert str(caught.value) == (
        "unique_key names 'lower(x)', which db.s.t does not have; its columns are id, x. "
        "Name columns, not expressions, or build the model with engine dbt."
    )


@pytest.mark.parametrize("name", ["a`b", "a\\", "a\nb"])
def test_what_would_end_a_quoted_name_on_bigquery_is_refused(name: str) -> None:
    assert quote('a\'b "c"', "bigquery") == '`a\'b "c"`'
    with pytest.raises(ConfigError, match="on BigQuery"):
        quote(name, "bigquery")
