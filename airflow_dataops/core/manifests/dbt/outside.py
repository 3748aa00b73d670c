"""What lies outside the project: sources before it, exposures after it.

Source: https://docs.getdbt.com/reference/resource-properties/freshness and
https://docs.getdbt.com/docs/build/exposures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.manifests.dbt.unsupported import frozen
from airflow_dataops.core.manifests.show import show
from airflow_dataops.core.model import Code, ExposureSpec, FreshnessSpec, SourceSpec

if TYPE_CHECKING:
    from airflow_dataops.core.manifests.dbt.context import Entry
    from airflow_dataops.core.manifests.dbt.settings import Settings
    from airflow_dataops.core.manifests.dbt.wire import Node, Owner, Period

_MINUTES = {"minute": 1, "hour": 60, "day": 24 * 60}


def read_source(entry: Entry) -> SourceSpec:
    """Read a source; its freshness only where it has a limit, as dbt does."""
    freshness = _freshness(entry)
    if freshness and (found := frozen(entry)):
        entry.settings.warn(f"its freshness is checked with {', '.join(found)}, as when compiled")
    return SourceSpec(source=entry.node.source_name, freshness=freshness)


def read_code(entry: Entry) -> Code | None:
    """Return where values of the run go into the condition of a freshness, if any do."""
    slots = entry.node.dataops_slots
    return Code(slots=slots) if slots else None


def read_exposure(entry: Entry) -> ExposureSpec:
    """Read an exposure."""
    return ExposureSpec(type=entry.node.type, url=entry.node.url)


def owner_of(owner: Owner | None) -> str | None:
    """Return whom to ask: the first address, else the name."""
    if owner is None:
        return None
    emails = [owner.email] if isinstance(owner.email, str) else owner.email or []
    return next(filter(None, emails), None) or owner.name or None


def is_external(source: Node, adapter: str | None) -> bool:
    """Say whether a source is no table: dbt-duckdb reads it from files or through a plugin."""
    return adapter == "duckdb" and (_declares(source, "external_location") or has_plugin(source))


def has_plugin(source: Node) -> bool:
    """Say whether a plugin of dbt-duckdb loads a source."""
    return _declares(source, "plugin")


def _declares(source: Node, key: str) -> bool:
    """Look where dbt-duckdb looks: in `meta`, and in `config` beside it."""
    config = source.config or {}
    nested = config.get("meta")
    places = (source.meta or {}, config, nested if isinstance(nested, dict) else {})
    return any(place.get(key) for place in places)


def _freshness(entry: Entry) -> FreshnessSpec | None:
    node, settings = entry.node, entry.settings
    found = node.freshness
    if found is None:
        return None
    warn = _limit("warn_after", found.warn_after, settings)
    error = _limit("error_after", found.error_after, settings)
    if warn is None and error is None:
        return None
    if is_external(node, entry.context.adapter):
        settings.warn("its freshness is not checked, for it is read from files, not a table")
        return None
    return FreshnessSpec(
        warn_after_minutes=warn,
        error_after_minutes=error,
        loaded_at_field=node.loaded_at_field or settings.text("loaded_at_field"),
        loaded_at_query=node.loaded_at_query or settings.text("loaded_at_query"),
        filter=found.filter or None,
    )


def _limit(name: str, period: Period | None, settings: Settings) -> float | None:
    if period is None or period.count is None or period.period is None:
        return None
    if period.period in _MINUTES and period.count >= 0:
        return period.count * _MINUTES[period.period]
    settings.complain(
        f"freshness.{name} is {show(period)}; write a count and a period of minute, hour or day."
    )
    return None
