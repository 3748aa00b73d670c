"""The Airflow asset that stands for a table."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import attrs
from airflow.sdk import Asset, AssetAlias

from airflow_dataops.core.arguments import did_you_mean, text
from airflow_dataops.core.assets import SCHEME, asset_name, encoded, is_plain
from airflow_dataops.core.engines import engine_names, is_engine
from airflow_dataops.core.engines.names import parse_relation
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_dataops.core.model import Relation

    Default = tuple[str, Callable[[Any], object]]

_LONGEST = 1000
"""Longer names are left to Airflow, which refuses some of them."""


def asset_of(table: str, conn_id: str, *, dialect: str | None = None) -> Asset:
    """Return the asset of a table, to schedule a DAG on it or to set an SLA on it.

    Models of manifests and loads emit it. Its name and its uri are both
    `dataops://<conn_id>/<database>/<schema>/<table>`, so that `Asset(<that text>)` is the same.

    Args:
        table: with database and schema, such as `shop.sales.orders`.
        conn_id: the Airflow connection of its warehouse.
        dialect: the engine (`duckdb`, `postgres`, `snowflake`, `bigquery`); needed only where
            the name has capitals or quotes, which engines read in different ways.

    Raises:
        ConfigError: it cannot be told which table is meant.
    """
    relation = parse_relation(text(table, "table"), dialect)
    text(conn_id, "conn_id")
    if dialect is not None and not is_engine(text(dialect, "dialect")):
        raise ConfigError(
            f"dialect={dialect!r}: there is no such engine{did_you_mean(dialect, engine_names())}; "
            f"those are {', '.join(engine_names())}."
        )
    if relation.database is None or relation.schema is None:
        raise ConfigError(
            f"asset_of({table!r}): write database.schema.table; an asset is named where nobody "
            "has looked at the connection yet, which knows the rest."
        )
    if dialect is None and not is_plain(table):
        raise ConfigError(
            f"asset_of({table!r}): engines read capitals, quotes and other letters than a to z in "
            "different ways; say which one it is, such as dialect='snowflake', or write the name "
            "in small letters without quotes if it needs none."
        )
    return table_asset(relation, conn_id, dialect)


def load_outlet(target: str, conn_id: str) -> Asset | AssetAlias:
    """Return what a load says at parse of the table that it will write.

    Its asset where the text tells which table that is. Where it does not (no database, a
    template, capitals), an alias: the task finds out and emits the asset through it.
    """
    if is_plain(target) and "{" not in conn_id:
        return asset_of(target, conn_id)
    return AssetAlias(name=f"{SCHEME}{encoded(conn_id)}?{target}"[:_LONGEST])


def table_asset(relation: Relation, conn_id: str, dialect: str | None) -> Asset:
    """Return the asset of a table, named by where the table is; see `core.assets`.

    Args:
        relation: as the warehouse stores it.
    """
    name = asset_name(relation, conn_id, dialect)
    defaults = _defaults()
    if defaults is None or len(name) > _LONGEST:
        return Asset(name=name, uri=name)
    return _assembled(name, defaults)


def _assembled(name: str, defaults: tuple[Default, ...]) -> Asset:
    """Return an asset without checking the uri, which has no query, user or fragment.

    To check a uri, Airflow first imports what all of its providers say of assets, and with
    it its database models; a worker would do that for each task it starts.
    """
    asset: Asset = object.__new__(Asset)
    put = object.__setattr__
    put(asset, "name", name)
    put(asset, "uri", name)
    for field, make in defaults:
        put(asset, field, make(asset))
    return asset


@cache
def _defaults() -> tuple[Default, ...] | None:
    """Return how the other fields are filled; None for an Airflow whose assets are different."""
    fields = [field for field in attrs.fields(Asset) if field.name not in ("name", "uri")]
    if any(field.default is attrs.NOTHING for field in fields):
        return None
    defaults = tuple((field.name, _maker(field.default)) for field in fields)
    # Schemes that begin so are not looked up.
    built = Asset("x-dataops://a/b")
    assembled = _assembled("x-dataops://a/b", defaults)
    is_same = all(
        getattr(built, field.name) == getattr(assembled, field.name)
        for field in attrs.fields(Asset)
    )
    return defaults if is_same else None


def _maker(default: Any) -> Callable[[Any], object]:
    if not isinstance(default, attrs.Factory):  # type: ignore[arg-type]
        return lambda asset: default
    make: Callable[..., object] = default.factory
    if default.takes_self:
        return make
    make = _unchecked(make) or make
    return lambda asset: make()


def _unchecked(kind: Callable[..., object]) -> Callable[[], object] | None:
    """Return what makes an instance of an attrs class without checking its defaults.

    None where it is no such class, or fills itself in another way.
    """
    if not isinstance(kind, type) or not attrs.has(kind):
        return None
    fields = attrs.fields(kind)
    if any(field.default is attrs.NOTHING or not field.init for field in fields):
        return None
    defaults = tuple((field.name, _maker(field.default)) for field in fields)
    put = object.__setattr__

    def make() -> object:
        made = object.__new__(kind)
        for name, default in defaults:
            put(made, name, default(made))
        return made

    return make if make() == kind() else None
