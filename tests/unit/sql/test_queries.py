"""Queries as authors write them, before they go into a statement."""

from __future__ import annotations

import pytest

from airflow_dataops.core.engines import engine_names
from airflow_dataops.core.sql.queries import bare_query
from airflow_dataops.errors import ConfigError

DIALECTS = engine_names()


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    ("sql", "bare"),
    [
        ("select 1;", "select 1"),
        ("select 1 ;\n ; -- that is all;\n/* ; */", "select 1 "),
        ("select ';' as a, 'ü;' as b -- ;\n;", "select ';' as a, 'ü;' as b -- ;\n"),
        ("select 1 -- a; b", "select 1 -- a; b"),
        ("select 1 /* a; */ as b", "select 1 /* a; */ as b"),
        ("select 'it''s;'", "select 'it''s;'"),
        ("select 1", "select 1"),
        ("select 'never closed;", "select 'never closed;"),
    ],
)
def test_a_semicolon_at_the_end_goes(dialect: str, sql: str, bare: str) -> None:
    assert bare_query(sql, dialect) == bare


def test_semicolons_in_quoted_names_and_dollar_quotes_stay() -> None:
    assert bare_query('select 1 as "a;b";', "duckdb") == 'select 1 as "a;b"'
    assert bare_query("select 1 as `a;b`;", "bigquery") == "select 1 as `a;b`"
    assert bare_query("select $$a;b$$;", "postgres") == "select $$a;b$$"
    assert bare_query(r"select 'a\';';", "snowflake") == r"select 'a\';'"


@pytest.mark.parametrize("sql", ["select 1; select 2", "select 1; drop table a;"])
def test_several_statements_are_refused(sql: str) -> None:
    with pytest.raises(ConfigError, match="several statements"):
        bare_query(sql, "duckdb")


@pytest.mark.parametrize("sql", [";", " ; -- nothing"])
def test_no_query_is_refused(sql: str) -> None:
    with pytest.raises(ConfigError, match="no query"):
        bare_query(sql, "postgres")
