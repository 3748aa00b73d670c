"""What a build has around it on engines that are not here: the statements, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_dataops.core.execution.building import building
from airflow_dataops.core.model import Hook, ModelSpec, Node, NodeKind, Relation
from tests.fakes.sql_runner import FakeSqlRunner

if TYPE_CHECKING:
    from collections.abc import Callable


def node(**config: Any) -> Node:
    return Node(
        id="model.shop.orders",
        kind=NodeKind.MODEL,
        name="orders",
        package="shop",
        spec=ModelSpec(
            materialized="table",
            pre_hooks=(Hook(sql="before"),),
            post_hooks=(Hook(sql="after"),),
        ),
        relation=Relation(identifier="orders"),
        config=config,
    )


@pytest.mark.parametrize(
    ("wanted", "named"), [("big", '"BIG"'), ('"Big one"', '"Big one"'), ('b"; drop', '"B""; DROP"')]
)
def test_a_model_is_built_on_its_own_warehouse_and_the_session_goes_back(
    wanted: str, named: str
) -> None:
    runner = FakeSqlRunner([("USUAL",)], dialect="snowflake")
    last: list[Callable[[], object]] = []
    with (
        pytest.raises(ZeroDivisionError),
        building(node(snowflake_warehouse=wanted), runner, last=last),
    ):
        raise ZeroDivisionError
    told = [sql for sql, _ in runner.told]
    assert told == [
        "select current_warehouse()",
        f"use warehouse {named}",
        "before",
        'use warehouse "USUAL"',
    ]


def test_what_comes_last_comes_after_the_hooks() -> None:
    runner = FakeSqlRunner(dialect="snowflake")
    last: list[Callable[[], object]] = []
    with building(node(), runner, last=last) as (_, within):
        within.execute("build")
        last.append(lambda: within.execute("grant"))
    assert [sql for sql, _ in runner.told] == ["before", "build", "after", "grant"]
