"""Where the nodes of a DAG read what the DAG does not build: dbt's `--defer`."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from airflow_dataops.adapters.manifest_store import StoredManifest
    from airflow_dataops.core.execution.deferring import Reference
    from airflow_dataops.core.model import Code, Node
    from airflow_dataops.core.ports import SqlRunner
    from airflow_dataops.planning.warehouse import Deferral

log = logging.getLogger(__name__)


class Found:
    """A node of a manifest with its code, as a session is going to run it."""

    def __init__(
        self,
        manifest: StoredManifest,
        id_: str,
        deferral: Deferral | None,
        selected: frozenset[str] | None,
    ) -> None:
        """Look a node up, and what it reads in the earlier state."""
        self.node = manifest.node(id_)
        self._code = manifest.code(id_)
        self._references: list[Reference] = []
        if deferral is not None:
            self._references = _references(self.node, manifest, deferral, selected)

    def at(self, runner: SqlRunner) -> tuple[Node, Code]:
        """Return node and code, with references that lead to the earlier state where they do."""
        if not self._references:
            return self.node, self._code
        from airflow_dataops.core.execution.deferring import deferred, moves_for

        moves = moves_for(self._references, runner)
        for each in moves.values():
            log.info("%s reads %s from %s (defer)", self.node.id, each.id, each.there)
        return deferred(self.node, self._code, moves, runner.dialect)


def filtered(manifest: Path, into: Path, ids: Sequence[str]) -> None:
    """Write an earlier manifest with some of its nodes alone, for dbt to defer to."""
    from airflow_dataops.adapters.local_files import read_regular

    file = msgspec.json.decode(read_regular(manifest), type=dict[str, msgspec.Raw])
    nodes = msgspec.json.decode(file["nodes"], type=dict[str, msgspec.Raw])
    kept = {id_: nodes[id_] for id_ in ids if id_ in nodes}
    into.write_bytes(msgspec.json.encode({**file, "nodes": kept}))


def _references(
    node: Node,
    manifest: StoredManifest,
    deferral: Deferral,
    selected: frozenset[str] | None,
) -> list[Reference]:
    from airflow_dataops.adapters.manifest_store import open_manifest
    from airflow_dataops.core.execution.deferring import Reference, is_referable, read_by

    earlier = open_manifest(deferral.manifest)
    found = []
    for parent in read_by(node, manifest.node):
        then = earlier.find(parent.id)
        here, there = parent.relation, then.relation if then else None
        if then is None or here is None or there is None or not is_referable(then):
            continue
        if here != there:
            always = deferral.leads_away(parent.id, selected)
            found.append(Reference(id=parent.id, here=here, there=there, always=always))
    return found
