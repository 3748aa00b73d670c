"""What the pages take for granted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.docs.running import Desk
from tests.host.manifests import manifest, model, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(tmp_path, monkeypatch)


def shop_nodes(**meta: Any) -> list[dict[str, Any]]:
    """The models that the pages name: a small shop with the SQL of each.

    Args:
        meta: by model, what its `meta` says.
    """

    def node(name: str, *parents: str, sql: str, folder: str, tags: list[str]) -> dict[str, Any]:
        config = {"materialized": "table", "enabled": True, "meta": meta.get(name, {})}
        return model(
            name,
            *parents,
            project="shop",
            compiled_code=sql,
            raw_code=sql,
            tags=tags,
            meta=meta.get(name, {}),
            config=config,
            fqn=["shop", folder, name],
            path=f"{folder}/{name}.sql",
            original_file_path=f"models/{folder}/{name}.sql",
        )

    values = "(1, 'ada', 10), (2, 'ada', 5), (3, 'bob', 7)"
    orders = f"select * from (values {values}) o(id, customer, amount)"
    return [
        node("stg_orders", sql=orders, folder="staging", tags=[]),
        node(
            "fct_orders",
            "stg_orders",
            sql='select id, amount from "wh"."main"."stg_orders" where amount > 5',
            folder="marts",
            tags=["marts", "finance"],
        ),
        node(
            "dim_customers",
            "stg_orders",
            sql='select distinct customer from "wh"."main"."stg_orders"',
            folder="marts",
            tags=["marts", "marketing"],
        ),
    ]


SNAPSHOT = model(
    "customers_history",
    "dim_customers",
    project="shop",
    unique_id="snapshot.shop.customers_history",
    resource_type="snapshot",
    config={
        "materialized": "snapshot",
        "strategy": "check",
        "unique_key": "customer",
        "check_cols": "all",
        "enabled": True,
    },
)


@pytest.fixture
def shop(desk: Desk) -> Callable[..., Path]:
    """Write the shop's manifest where the pages have it; return its path."""

    def put(folder: str = "manifests", *, snapshots: bool = False, **meta: Any) -> Path:
        nodes = [*shop_nodes(**meta), *([SNAPSHOT] if snapshots else [])]
        content = manifest(*nodes, project="shop")
        return write(desk.folder / folder / "shop" / "manifest.json", content)

    return put
