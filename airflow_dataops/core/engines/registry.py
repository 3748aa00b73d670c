"""Engines by name. Each is imported when it is first asked for: a task speaks to one."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from airflow_dataops.core.engines.adapters import ADAPTERS, Adapter
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from airflow_dataops.core.engines.base import Engine

GROUP = "airflow_dataops.engines"
"""Entry points of other packages: a name, and where its `Engine` is."""


@cache
def engine_names() -> tuple[str, ...]:
    """Return the sqlglot names of all engines, of this package and of others."""
    return tuple(sorted({*ADAPTERS, *(each.name for each in entry_points(group=GROUP))}))


def is_engine(name: str) -> bool:
    """Tell whether there is an engine of that sqlglot name; at parse, without its import."""
    return name in ADAPTERS or name in engine_names()


def tells_last_change(name: str) -> bool:
    """Tell whether an engine knows when a table changed last."""
    return adapter_of(name).last_change


@cache
def adapter_of(name: str | None) -> Adapter:
    """Return what dbt's adapter of an engine's name does; an unknown one does what most do."""
    if name in ADAPTERS:
        return ADAPTERS[name]
    engine = None if name is None else find_engine(name)
    return Adapter() if engine is None else engine.adapter


@cache
def find_engine(name: str) -> Engine | None:
    """Return the engine of that sqlglot name; None where there is none."""
    if name in ADAPTERS:
        found: Engine = import_module(f"airflow_dataops.core.engines.{name}").ENGINE
        return found
    theirs = next(iter(entry_points(group=GROUP, name=name)), None)
    return None if theirs is None else theirs.load()


def get_engine(name: str) -> Engine:
    """Return the engine of that sqlglot name.

    Raises:
        ConfigError: there is none; the message lists those that there are.
    """
    found = find_engine(name)
    if found is None:
        raise ConfigError(
            f"There is no engine {name!r}: SQL is written for {', '.join(engine_names())}. Use a "
            "connection of one of these, let engine dbt run these nodes, or install a package "
            f"that brings the engine (entry points {GROUP!r})."
        )
    return found
