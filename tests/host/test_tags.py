"""Whose a statement is, as the task that runs it says."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from airflow_dataops.hooks.tags import tag_of


def context(**task: Any) -> Any:
    ti = SimpleNamespace(
        dag_id="shop",
        task_id="orders",
        run_id="r",
        try_number=2,
        map_index=-1,
        task=SimpleNamespace(**task),
    )
    return {"ti": ti}


@pytest.mark.parametrize(
    ("task", "model", "owner"),
    [
        ({"nodes": ("model.shop.orders",), "owner": "ann"}, "model.shop.orders", "ann"),
        ({"nodes": ("model.shop.a", "model.shop.b"), "owner": "airflow"}, None, None),
        ({}, None, None),
    ],
    ids=["one model", "several, nobody's", "another operator"],
)
def test_a_tag_names_the_model_and_the_owner(
    task: dict[str, Any], model: str | None, owner: str | None
) -> None:
    tag = tag_of(context(**task))
    assert (tag.dag, tag.task, tag.run, tag.try_number) == ("shop", "orders", "r", 2)
    assert (tag.model, tag.owner) == (model, owner)
