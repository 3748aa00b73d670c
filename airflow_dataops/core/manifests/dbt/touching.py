"""What each node of a manifest touches while it is rendered, told or read from its words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.manifests.dbt.touched import words
from airflow_dataops.core.manifests.graph import parents_within
from airflow_dataops.core.model import NodeKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_dataops.core.manifests.dbt import wire
    from airflow_dataops.core.manifests.dbt.macros import Macros

_COMPILED = (NodeKind.MODEL, NodeKind.SNAPSHOT, NodeKind.TEST)


def touched_by_node(
    file: wire.File, entries: Mapping[str, tuple[NodeKind, wire.Node]], macros: Macros
) -> dict[str, set[str]]:
    """Return what touches something, by id; what an ephemeral model does, its readers do.

    Args:
        entries: kind and entry of what becomes a node, by id.
    """
    own = {}
    for id_, (kind, node) in entries.items():
        told = set(node.dataops_touched)
        if mine := told if file.metadata.dataops else _by_words(kind, node, macros):
            own[id_] = mine
    ephemeral = {
        id_: node.depends_on.nodes or []
        for id_, (_, node) in entries.items()
        if (node.config or {}).get("materialized") == "ephemeral"
    }
    return own | _inherited(own, ephemeral, entries)


def _inherited(
    own: Mapping[str, set[str]],
    ephemeral: Mapping[str, list[str]],
    entries: Mapping[str, tuple[NodeKind, wire.Node]],
) -> dict[str, set[str]]:
    """Return what nodes touch that read such ephemeral models, themselves or through others."""
    found: dict[str, set[str]] = {}
    for each in own.keys() & ephemeral.keys():
        for id_, (kind, node) in entries.items():
            read = node.depends_on.nodes or ()
            if kind in _COMPILED and parents_within(read, {each}, ephemeral):
                found.setdefault(id_, set(own.get(id_, ()))).update(own[each])
    return found


def _by_words(kind: NodeKind, node: wire.Node, macros: Macros) -> set[str]:
    found = set(words(bytes(node.unrendered_config).decode()))
    if kind in _COMPILED:
        found |= macros.touched(node.raw_code or "", node.depends_on.macros or ())
    if node.test_metadata:
        found.update(words(bytes(node.test_metadata.kwargs).decode()))
    return found
