"""Whether a manifest holds compiled SQL at all; that of `dbt parse` does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.manifests.dbt.unsupported import NO_CODE
from airflow_dataops.core.model import ModelSpec, SnapshotSpec, TestSpec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_dataops.core.model import Node
    from airflow_dataops.errors import Problem


def uncompiled(nodes: Iterable[Node]) -> frozenset[str]:
    """Return the ids of the nodes without compiled code, if it is so with all that need some."""
    found = set()
    for node in nodes:
        spec = node.spec
        if isinstance(spec, ModelSpec) and (
            spec.language != "sql" or spec.materialized == "ephemeral"
        ):
            continue
        if isinstance(spec, ModelSpec | SnapshotSpec | TestSpec):
            if NO_CODE not in spec.unsupported:
                return frozenset()
            found.add(node.id)
    return frozenset(found)


def remedy_of(ids: frozenset[str]) -> str:
    """Say what is missing, and what makes it."""
    return (
        f"{NO_CODE}: none of its {len(ids)} models, snapshots and tests has any, as after "
        "`dbt parse`; make the manifest with `airflow-dataops compile`"
    )


def other_problems(problems: Iterable[Problem], ids: frozenset[str]) -> list[Problem]:
    """Return the problems that compiling would not mend."""
    return [
        problem for problem in problems if problem.node not in ids or NO_CODE not in problem.message
    ]
