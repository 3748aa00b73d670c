"""The text that asks for a source's newest row."""

from __future__ import annotations

import pytest

from airflow_dataops.core.model import Relation
from airflow_dataops.core.sql.freshness import answer_of, newest_row
from airflow_dataops.errors import ConfigError

ORDERS = Relation(database="shop", schema="raw", identifier="orders")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("Loaded At", '"Loaded At"'),
        ("loaded at", '"Loaded At"'),
        ('"Loaded At"', '"Loaded At"'),
        ("loaded::timestamp", "loaded::timestamp"),
    ],
)
def test_a_field_is_a_column_or_else_an_expression(field: str, value: str) -> None:
    assert newest_row(ORDERS, field, None, ["id", "Loaded At"], "duckdb") == (
        f'select extract(epoch from max({value}))\nfrom "shop"."raw"."orders"'
    )


def test_a_filter_limits_the_rows() -> None:
    text = newest_row(ORDERS, "at", "region = 'eu' -- ours", ["at"], "duckdb")
    assert text.endswith('from "shop"."raw"."orders"\nwhere region = \'eu\' -- ours')


@pytest.mark.parametrize("this", ["{{ this }}", "{{this}}", "{{- this -}}"])
def test_this_in_a_query_is_the_source(this: str) -> None:
    assert answer_of(f"select max(at) from {this} -- all", ORDERS, "duckdb") == (
        'select extract(epoch from (\nselect max(at) from "shop"."raw"."orders" -- all\n))'
    )


@pytest.mark.parametrize("jinja", ["{{ var('x') }}", "{% if x %}", "{# x #}"])
def test_other_jinja_is_left_to_dbt(jinja: str) -> None:
    with pytest.raises(ConfigError, match=r"shop\.raw\.orders holds Jinja"):
        answer_of(f"select {jinja} from {{{{ this }}}}", ORDERS, "duckdb")
