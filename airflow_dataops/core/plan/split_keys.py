"""What a node's part of a split project is called after, and how parts are named."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from airflow_dataops.core.manifests.schedule import split_zone
from airflow_dataops.core.model import NodeKind
from airflow_dataops.core.plan import names
from airflow_dataops.core.plan.groups import group_of
from airflow_dataops.core.plan.structs import GroupBy, SplitBy
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_dataops.core.model import Node

_CRON_FIELDS = re.compile(r"[\w*/,?#-]+( [\w*/,?#-]+){4}")
_CRON = {"*": "x", "/": ".", ",": "and", "?": "q", "#": "n"}


def key_of(node: Node, by: SplitBy) -> str | None:
    """Return what the node itself says of its part, None where it says nothing.

    `domain` is `meta.domain`, else the dbt group. Seeds and snapshots have no layer and go
    with the models around them.
    """
    match by:
        case SplitBy.SCHEDULE:
            return node.orchestration.schedule
        case SplitBy.TAG:
            return next(iter(node.tags), None)
        case SplitBy.OWNER:
            return node.orchestration.owner
        case SplitBy.DOMAIN:
            return node.orchestration.domain or node.group
        case SplitBy.LAYER:
            return group_of(node, GroupBy.LAYER)[0] if node.kind is NodeKind.MODEL else None
        case SplitBy.FOLDER:
            return next(iter(node.fqn[1:-1]), None)
    return None


def part_names(keys: Iterable[str]) -> dict[str, str]:
    """Name the parts, by key: what goes into the dag id.

    Presets lose their `@`; of cron expressions `*` becomes `x`, `/` a dot and `,` `and`.

    Raises:
        ConfigError: two keys would have one name.
    """
    named: dict[str, str] = {}
    owners: dict[str, str] = {}
    for key in sorted(keys):
        name = names.clean(_readable(key))
        if (other := owners.setdefault(name, key)) != key:
            raise ConfigError(
                f"the parts {other!r} and {key!r} would both be called {name!r} in their dag "
                "ids; give one of them another name"
            )
        named[key] = name
    return named


def _readable(key: str) -> str:
    text, zone = split_zone(key)
    if zone is not None and (text.startswith("@") or _CRON_FIELDS.fullmatch(text)):
        return f"{_readable(text)}_{zone.replace('/', '.')}"
    if key.startswith("@"):
        return key[1:]
    if _CRON_FIELDS.fullmatch(key):
        return "".join(_CRON.get(letter, letter) for letter in key).replace(" ", "_")
    return key
