"""Operator arguments: project, group, tag, model; the nearest wins."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.plan.structs import ArgumentLayers
from airflow_dataops.errors import ConfigError, Problem

if TYPE_CHECKING:
    from airflow_dataops.core.plan.structs import Profile

RESERVED = frozenset(
    {"task_id", "dag", "task_group", "conn_id", "manifest", "node", "nodes", "fingerprint"}
    | {"parts", "threads"}
)
"""Arguments that the plan itself sets."""

FROM_METADATA = frozenset(
    {"pool", "pool_slots", "queue", "executor", "priority_weight", "weight_rule", "owner"}
    | {"retries", "retry_delay", "max_retry_delay", "retry_exponential_backoff"}
    | {"execution_timeout", "trigger_rule", "depends_on_past", "wait_for_downstream"}
    | {"ignore_first_depends_on_past", "wait_for_past_depends_before_skipping"}
    | {"max_active_tis_per_dag", "max_active_tis_per_dagrun", "do_xcom_push"}
    | {"task_display_name", "doc", "doc_md", "doc_json", "doc_yaml", "doc_rst"}
    | {"params", "metric_tags"}
)
"""Arguments that `meta.airflow` may set: plain data, which nothing runs or renders as Jinja.

A manifest may come from somebody who may not write DAG files. Other arguments of operators name a
command (`dbt_executable_path`), a user (`run_as_user`), a container (`executor_config`) or are
templates (`map_index_template`, `env`): those are for the author of the DAG file.
"""

_DURATIONS = frozenset({"retry_delay", "max_retry_delay", "execution_timeout"})
_UNITS = {"": "seconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def argument_layers(
    operator_args: Mapping[str, Any] | None = None,
    group_args: Mapping[str, Mapping[str, Any]] | None = None,
    tag_args: Mapping[str, Mapping[str, Any]] | None = None,
) -> ArgumentLayers:
    """Check what the caller sets and return it. Raises `ConfigError`."""
    layers = ArgumentLayers(
        operator_args=operator_args or {}, group_args=group_args or {}, tag_args=tag_args or {}
    )
    _check("operator_args", layers.operator_args)
    for setting in ("group_args", "tag_args"):
        for layer in getattr(layers, setting).values():
            _check(setting, layer)
    return layers


def _check(setting: str, layer: object) -> None:
    if not isinstance(layer, Mapping):
        raise ConfigError(
            f"{setting}: expected a mapping of names to operator arguments, such as "
            f"{{'marts': {{'pool': 'small'}}}}, got {layer!r}"
        )
    if reserved := sorted(RESERVED & layer.keys()):
        raise ConfigError(f"{setting}: {reserved[0]!r} is set by the plan; leave it out")


def arguments_of(profile: Profile, layers: ArgumentLayers) -> dict[str, Any]:
    """Return the operator arguments of the tasks that have this profile.

    Raises:
        ConfigError: `meta.airflow` is wrong; `problem_of` tells it earlier.
    """
    arguments: dict[str, Any] = dict(layers.operator_args)
    for name in profile.group:
        arguments |= layers.group_args.get(name, {})
    for tag, of_tag in layers.tag_args.items():
        if tag in profile.tags:
            arguments |= of_tag
    if profile.owner:
        arguments["owner"] = profile.owner
    return {name: _value(name, value) for name, value in (arguments | profile.airflow).items()}


def problem_of(profile: Profile) -> Problem | None:
    """Tell what is wrong with a node's `meta.airflow`, None when nothing is."""
    reserved = sorted(RESERVED & profile.airflow.keys())
    try:
        if reserved:
            raise ConfigError(f"{reserved[0]!r} is set by the plan; leave it out")
        if foreign := sorted(profile.airflow.keys() - FROM_METADATA):
            raise ConfigError(
                f"{foreign[0]!r} is not for a manifest to set; it may set "
                f"{', '.join(sorted(FROM_METADATA))}. The DAG file sets others by operator_args, "
                "group_args or tag_args"
            )
        arguments_of(profile, ArgumentLayers())
    except ConfigError as error:
        return Problem(f"meta.airflow: {error}", node=profile.node, path=profile.path)
    return None


def _value(name: str, value: Any) -> Any:
    """Turn durations written in YAML into timedeltas: seconds, or text such as `30m`."""
    if name not in _DURATIONS or value is None or isinstance(value, timedelta):
        return value
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd]?)", str(value))
    if not match:
        raise ConfigError(
            f"{name}: expected seconds or a duration such as '30m' "
            f"(units s, m, h, d), got {value!r}"
        )
    return timedelta(**{_UNITS[match[2]]: float(match[1])})
