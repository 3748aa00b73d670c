"""The Airflow asset that stands for a table."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import attrs
from airflow.sdk import Asset

from airflow_dataops.core.plan.names import table_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_dataops.core.model import Relation

    Default = tuple[str, Callable[[Any], object]]

_LONGEST = 1000
"""Longer names are left to Airflow, which refuses some of them."""


def asset_of(relation: Relation, conn_id: str) -> Asset:
    """Name a table's asset by where the table is.

    The same table is the same asset whatever fills or reads it: another project, another
    tool, a hand-written DAG. The uri is `dataops://<conn_id>/<database>/<schema>/<table>`,
    each part percent-encoded, missing ones left out; the name is the same without the scheme.
    """
    name = table_path(relation, conn_id)
    defaults = _defaults()
    if defaults is None or len(name) > _LONGEST:
        return Asset(name=name, uri=f"dataops://{name}")
    return _assembled(name, f"dataops://{name}", defaults)


def _assembled(name: str, uri: str, defaults: tuple[Default, ...]) -> Asset:
    """Return an asset without checking the uri, which has no query, user or fragment.

    To check a uri, Airflow first imports what all of its providers say of assets, and with
    it its database models; a worker would do that for each task it starts.
    """
    asset: Asset = object.__new__(Asset)
    put = object.__setattr__
    put(asset, "name", name)
    put(asset, "uri", uri)
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
    built = Asset(name="a/b", uri="x-dataops://a/b")
    assembled = _assembled("a/b", "x-dataops://a/b", defaults)
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
