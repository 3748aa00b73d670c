"""Operator arguments: project, group, tag, model; the nearest wins."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_dataops.errors import ConfigError, Problem

if TYPE_CHECKING:
    from airflow_dataops.core.model import Node
    from airflow_dataops.core.plan.structs import PlanOptions

RESERVED = frozenset({"task_id", "dag", "task_group", "conn_id", "manifest", "node", "nodes"})
"""Arguments that the plan itself sets."""

_DURATIONS = frozenset({"retry_delay", "max_retry_delay", "execution_timeout"})
_UNITS = {"": "seconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_SETTINGS = ("operator_args", "group_args", "tag_args")


def check_options(options: PlanOptions) -> None:
    """Refuse arguments that would break the plan. Raises `ConfigError`."""
    for setting in _SETTINGS:
        value = getattr(options, setting)
        for layer in [value] if setting == "operator_args" else value.values():
            if not isinstance(layer, Mapping):
                raise ConfigError(
                    f"{setting}: expected a mapping of names to operator arguments, such as "
                    f"{{'marts': {{'pool': 'small'}}}}, got {layer!r}"
                )
            if reserved := sorted(RESERVED & layer.keys()):
                raise ConfigError(f"{setting}: {reserved[0]!r} is set by the plan; leave it out")


def arguments_of(node: Node, group: tuple[str, ...], options: PlanOptions) -> dict[str, Any]:
    """Return the operator arguments of a node's tasks.

    Raises `ValueError` with a message for the author when `meta.airflow` is wrong.
    """
    arguments: dict[str, Any] = dict(options.operator_args)
    for name in group:
        arguments |= options.group_args.get(name, {})
    for tag, of_tag in options.tag_args.items():
        if tag in node.tags:
            arguments |= of_tag
    if node.orchestration.owner:
        arguments["owner"] = node.orchestration.owner
    own = node.orchestration.airflow
    if reserved := sorted(RESERVED & own.keys()):
        raise ValueError(f"meta.airflow: {reserved[0]!r} is set by the plan; leave it out")
    return {name: _value(name, value) for name, value in (arguments | own).items()}


def problem_of(node: Node, error: ValueError) -> Problem:
    """Turn what `arguments_of` raised into a problem of the manifest."""
    return Problem(str(error), node=node.id, path=node.declared_in or node.path)


def _value(name: str, value: Any) -> Any:
    """Turn durations written in YAML into timedeltas: seconds, or text such as `30m`."""
    if name not in _DURATIONS or value is None or isinstance(value, timedelta):
        return value
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd]?)", str(value))
    if not match:
        raise ValueError(
            f"meta.airflow.{name}: expected seconds or a duration such as '30m' "
            f"(units s, m, h, d), got {value!r}"
        )
    return timedelta(**{_UNITS[match[2]]: float(match[1])})
