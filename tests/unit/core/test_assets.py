"""One table, one asset: whoever writes or reads it, however it is spelt, on every engine."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from airflow_dataops.core.assets import asset_name, canonical, is_plain, label
from airflow_dataops.core.engines.names import parse_relation
from airflow_dataops.core.manifests.dbt.names import read_relation
from airflow_dataops.core.manifests.dbt.wire import Node
from airflow_dataops.core.model import Relation

if TYPE_CHECKING:
    from collections.abc import Sequence

ENGINES = ("duckdb", "postgres", "snowflake", "bigquery")
WORDS = ("src", "Src", "SRC", "order_lines", "ORDER_LINES", "é1", "É1", "a.b", "a b", "x-y")


def stored(word: str, engine: str, *, quoted: bool) -> str:
    """What the warehouse's catalogue holds, as the engines' documentation has it."""
    if quoted or engine in ("bigquery", "duckdb"):
        return word
    if engine == "snowflake":
        return word.upper()
    return "".join(c.lower() if c.isascii() else c for c in word)


def is_one_table(one: Sequence[str], other: Sequence[str], engine: str) -> bool:
    if engine != "duckdb":
        return list(one) == list(other)
    fold = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
    return [part.translate(fold) for part in one] == [part.translate(fold) for part in other]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_writer_and_a_reader_agree_exactly_on_one_table(engine: str) -> None:
    """A load's target in any spelling, a dbt relation in any quoting: one asset or two tables."""
    rng = random.Random(f"assets {engine}")
    same = 0
    for _ in range(3000):
        wrote = [(rng.choice(WORDS[:4]), rng.random() < 0.5) for _ in range(3)]
        reads = [
            (rng.choice((word, word.lower(), word.upper())), rng.random() < 0.5)
            for word, _ in wrote
        ]
        text = ".".join(f'"{word}"' if quoted else word for word, quoted in wrote)
        target = parse_relation(text, engine)
        node = Node(
            name="m",
            database=reads[0][0],
            schema=reads[1][0],
            alias=reads[2][0],
            relation_name=".".join(f'"{w}"' if quoted else w for w, quoted in reads),
        )
        relation = read_relation(node, engine)
        assert relation is not None
        written_to = [stored(word, engine, quoted=quoted) for word, quoted in wrote]
        read_from = [stored(word, engine, quoted=quoted) for word, quoted in reads]
        one = asset_name(target, "lp", engine) == asset_name(relation, "lp", engine)
        assert one == is_one_table(written_to, read_from, engine), (text, node.relation_name)
        same += one
    assert same > 50


@pytest.mark.parametrize("engine", ENGINES)
def test_a_plain_name_is_the_same_asset_before_the_engine_is_known(engine: str) -> None:
    for text in ("lp.dev.src", "my-project.sales.order_lines", "a1.b2._c"):
        assert is_plain(text)
        known = asset_name(parse_relation(text, engine), "lp", engine)
        assert asset_name(parse_relation(text), "lp", None) == known


@pytest.mark.parametrize(
    "text",
    ["src", "dev.src", "Lp.dev.src", 'lp.dev."src"', "lp.dev.{{ t }}", "lp.dev.é", "`a.b.c`"],
)
def test_a_name_that_engines_read_differently_is_not_plain(text: str) -> None:
    assert not is_plain(text)


@pytest.mark.parametrize("engine", ENGINES)
def test_every_part_keeps_its_place(engine: str) -> None:
    """No two tables share an asset because of a dot, a slash or a quote in a name."""
    names = [
        Relation(database=a, schema=b, identifier=c)
        for a in ("a", "a/b", 'a"b')
        for b in ("b", "b.c", "%2F")
        for c in WORDS
    ]
    distinct = {
        (*((canonical(p, engine)) for p in (r.database or "", r.schema or "", r.identifier)),)
        for r in names
    }
    assert len({asset_name(r, "lp", engine) for r in names}) == len(distinct)


def test_bigquery_takes_all_parts_in_one_pair_of_backticks() -> None:
    assert parse_relation("`my-project.ds.Orders`", "bigquery") == Relation(
        database="my-project", schema="ds", identifier="Orders"
    )
    assert parse_relation("`a.b`", "duckdb") == Relation(identifier="a.b")


def test_people_call_an_asset_by_its_table() -> None:
    assert label("dataops://lp/lp/dev/src") == "lp/lp/dev/src"
    assert label("orders") == "orders"
