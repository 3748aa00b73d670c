"""Who runs a statement, as each engine keeps it; ids are as hostile as they can be."""

from __future__ import annotations

import json
import re
from urllib.parse import unquote

import duckdb
import pytest

from airflow_dataops.core.sql.tags import Tag, application_name, comment, labels, query_tag
from tests.postgres import open_postgres

HOSTILE = "*/; drop table t; -- %s %(x)s ? $1 'a\" \\ \n\0é☃"
TAGS = [
    Tag(dag="shop", task="orders", run="manual__2026-01-05T00:00:00+00:00"),
    Tag(dag=HOSTILE, task=HOSTILE, run=HOSTILE, try_number=3, map_index=7),
    Tag(dag="d" * 250, task="é" * 250, run="r" * 250),
]


def test_a_comment_reads_like_sqlcommenters() -> None:
    assert comment(TAGS[0]) == (
        "/*dag='shop',run='manual__2026-01-05T00%3A00%3A00%2B00%3A00',task='orders',try='1'*/"
    )


@pytest.mark.parametrize("tag", TAGS)
def test_a_comment_can_be_read_back_and_ends_where_it_should(tag: Tag) -> None:
    text = comment(tag)
    assert text.index("*/") == len(text) - 2
    found = dict(re.findall(r"(\w+)='([^']*)'", text))
    assert {key: unquote(value) for key, value in found.items()} == tag.parts


@pytest.mark.parametrize("tag", TAGS)
def test_engines_take_a_statement_behind_a_comment(tag: Tag) -> None:
    assert duckdb.sql(f"{comment(tag)}\nselect 1").fetchall() == [(1,)]
    with open_postgres() as runner:
        assert runner.fetch(f"{comment(tag)}\nselect 1") == [(1,)]
        doubled = comment(tag).replace("%", "%%")
        assert runner.fetch(f"{doubled}\nselect cast(%s as int)", [1]) == [(1,)]


@pytest.mark.parametrize("tag", TAGS)
def test_a_query_tag_is_json_of_bounded_length(tag: Tag) -> None:
    text = query_tag(tag)
    assert len(text) <= 2000
    assert json.loads(text).keys() == {"app", *tag.parts}


def test_a_query_tag_holds_the_ids() -> None:
    assert json.loads(query_tag(TAGS[0])) == {
        "app": "airflow-dataops",
        "dag": "shop",
        "run": "manual__2026-01-05T00:00:00+00:00",
        "task": "orders",
        "try": "1",
    }


def test_too_long_ids_are_cut_in_a_query_tag() -> None:
    tag = Tag(dag="☃" * 250, task="☃" * 250, run="☃" * 250)
    assert len(query_tag(tag)) <= 2000


@pytest.mark.parametrize("tag", TAGS)
def test_labels_are_what_bigquery_takes(tag: Tag) -> None:
    for key, value in labels(tag).items():
        assert re.fullmatch(r"[a-z][a-z0-9_-]{0,62}", key)
        assert re.fullmatch(r"[a-z0-9_-]{0,63}", value)


def test_labels_of_plain_ids_are_the_ids() -> None:
    assert labels(TAGS[0])["airflow_dag"] == "shop"


def test_labels_keep_different_ids_apart() -> None:
    one, other = (labels(Tag(dag=dag, task="t", run="r")) for dag in ("Shop.a", "shop_a"))
    assert one["airflow_dag"] != other["airflow_dag"]


@pytest.mark.parametrize("tag", TAGS)
def test_postgres_keeps_all_of_an_application_name(tag: Tag) -> None:
    name = application_name(tag)
    with open_postgres() as runner:
        runner.fetch("select set_config('application_name', %s, false)", [name])
        assert runner.fetch("show application_name") == [(name,)]
