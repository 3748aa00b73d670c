"""Operator arguments: project, group, tag, model; the nearest wins."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.manifests.task_settings import (
    DURATIONS,
    RESERVED,
    duration_of,
    mistakes_in,
)
from airflow_dataops.core.plan.structs import ArgumentLayers
from airflow_dataops.errors import ConfigError, Problem

if TYPE_CHECKING:
    from airflow_dataops.core.plan.structs import Profile


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
    return with_durations(arguments | profile.airflow)


def problem_of(profile: Profile) -> Problem | None:
    """Tell what is wrong with a node's `meta.airflow`, None when nothing is."""
    mistakes = mistakes_in(profile.airflow) if profile.airflow else []
    if not mistakes:
        return None
    return Problem(" ".join(mistakes), node=profile.node, path=profile.path)


def with_durations(arguments: Mapping[str, Any], where: str = "") -> dict[str, Any]:
    """Return operator arguments with timedeltas for durations written as in YAML: `30m`, or 90.

    Args:
        where: whose arguments they are, for the message.

    Raises:
        ConfigError: one is no duration.
    """
    found = dict(arguments)
    for name in DURATIONS & found.keys():
        if not isinstance(found[name], timedelta | None):
            found[name] = duration_of(f"{where}: {name}" if where else name, found[name])
    return found
