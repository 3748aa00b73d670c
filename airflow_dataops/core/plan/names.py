"""Task ids: readable, valid in Airflow, and the same whatever else joins the project."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from typing import TYPE_CHECKING

from airflow_dataops.core.model import NodeKind, SourceSpec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_dataops.core.model import Node, Project

LONGEST_ID, LONGEST_GROUP = 250, 200
"""Letters that Airflow takes in the id of a task or DAG, and of a group."""

MAX_LENGTH = 150
"""Airflow allows 250 characters; the rest is room for the names of groups and suffixes."""

_OF_OTHERS = re.compile(
    r"(?:^|\.)(?:test|freshness|ready)(?:_sql|_dbt)?(?:\.|$)|^inputs\.wait$|^hooks\."
)
"""Names that would be the ids of tasks of other nodes: a gate must not be lost to one of them."""


def task_names(project: Project, nodes: Iterable[Node]) -> dict[str, str]:
    """Give each node the name its tasks start with, by node id.

    A node of the project itself is called by its name, one of a package
    `<package>__<name>`, a version `<name>_v<version>`, a source `source.<group>.<table>`.
    What Airflow does not allow becomes `_`; names that were changed, are not unique or look
    like the ids of other tasks (`orders.test`) get a short hash of the node's id, so that none
    depends on what else is in the project.
    """
    wanted = {node.id: _readable(project, node) for node in nodes}
    cleaned = {id_: clean(name) for id_, name in wanted.items()}
    count = Counter(cleaned.values())

    def is_free(id_: str, name: str) -> bool:
        return name == wanted[id_] and count[name] == 1 and not _OF_OTHERS.search(name)

    return {
        id_: name if is_free(id_, name) else _hashed(name, id_) for id_, name in cleaned.items()
    }


def clean(text: str, *, dots: bool = True) -> str:
    """Replace what Airflow does not allow in an id, and cut what is too long."""
    if text.isascii() and text.isidentifier():
        return text[:MAX_LENGTH]
    return re.sub(r"[^\w.-]" if dots else r"[^\w-]", "_", text)[:MAX_LENGTH]


def fitted(id_: str, longest: int = LONGEST_ID) -> str:
    """Return an id that Airflow takes: one that is too long ends in a short hash of all of it."""
    if len(id_) <= longest:
        return id_
    digest = hashlib.sha256(id_.encode()).hexdigest()[:8]
    return f"{id_[: longest - 9]}_{digest}"


def dag_id_of(base: str, part: str) -> str:
    """Return the id of the DAG of a part; no part is all of it."""
    return f"{base}__{part}" if part else base


def _readable(project: Project, node: Node) -> str:
    if isinstance(node.spec, SourceSpec):
        name = f"source.{node.spec.source}.{node.name}"
    elif node.version is not None:
        name = f"{node.name}_v{node.version}"
    else:
        name = node.name
    is_own = node.package == project.name or node.kind is NodeKind.SOURCE
    return name if is_own else f"{node.package}__{name}"


def _hashed(name: str, node_id: str) -> str:
    digest = hashlib.sha256(node_id.encode()).hexdigest()
    return f"{name[: MAX_LENGTH - 7]}_{digest[:6]}"
