"""Which TaskGroup a node belongs to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from airflow_dataops.core.model import NodeKind
from airflow_dataops.core.plan.structs import GroupBy

if TYPE_CHECKING:
    from airflow_dataops.core.model import Node

_LAYERS = {
    "base": "staging",
    "stg": "staging",
    "staging": "staging",
    "int": "intermediate",
    "intermediate": "intermediate",
    "fct": "marts",
    "fact": "marts",
    "dim": "marts",
    "mart": "marts",
    "marts": "marts",
}
_KINDS = {
    NodeKind.SEED: "seeds",
    NodeKind.SNAPSHOT: "snapshots",
    NodeKind.SOURCE: "sources",
}


def group_of(node: Node, group_by: GroupBy) -> tuple[str, ...]:
    """Return the path of groups a node belongs to, outermost first; empty for none."""
    if group_by is GroupBy.NONE:
        return ()
    if group_by is GroupBy.TAG:
        return node.tags[:1]
    if group_by is GroupBy.SCHEMA:
        return (node.relation.schema,) if node.relation and node.relation.schema else ()
    if kind := _KINDS.get(node.kind):
        return (kind,)
    return node.fqn[1:-1] if group_by is GroupBy.FOLDER else (layer_of(node),)


def layer_of(node: Node) -> str:
    """Tell a model's layer by its prefix, else its folder, else its schema.

    Returns `staging`, `intermediate`, `marts`, or `models` where nothing tells.
    """
    prefix, underscore, _ = node.name.partition("_")
    if underscore and (layer := _LAYERS.get(prefix.lower())):
        return layer
    schema = node.relation.schema if node.relation else None
    words = (*node.fqn[1:-1], *re.split(r"[\W_]+", schema or ""))
    return next((_LAYERS[word] for word in map(str.lower, words) if word in _LAYERS), "models")
