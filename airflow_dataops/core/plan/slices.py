"""What one DAG is made of: a project's tasks, or some of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from airflow_dataops.core.model import NodeKind
from airflow_dataops.core.plan.structs import Input, Start, StartWhen

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from airflow_dataops.core.model import Project
    from airflow_dataops.core.plan.starts import Starting
    from airflow_dataops.core.plan.structs import PlannedTask


class Slice(NamedTuple):
    """The tasks of one DAG, before some of them are fused.

    Attributes:
        part: the part of the project; empty for all of it.
        readers: ids of the tasks that read inputs.
        held: by id of a build, the tasks after which the asset of its table is emitted.
    """

    tasks: Mapping[str, PlannedTask]
    starting: Starting
    readers: Collection[str] = ()
    inputs: tuple[Input, ...] = ()
    held: Mapping[str, Collection[str]] = {}
    part: str = ""

    def waits(self, start_when: StartWhen) -> bool:
        """Tell whether runs wait for inputs after they have started.

        Of several inputs, all of which start a run, some may be older than others: Airflow
        counts events since the last run, and one of them may be from the day before, left over
        because another input was missing.
        """
        if self.starting.start is Start.INPUTS:
            return start_when is StartWhen.ALL and len(self.inputs) > 1
        return self.starting.start is Start.TIME_AND_INPUTS


def external_models(project: Project) -> frozenset[str]:
    """Return the models of other projects that the manifest names without their code.

    dbt writes those of a project in `dependencies.yml` without a path
    (`ModelNode.is_external_node` in dbt-core 1.11).
    """
    return frozenset(
        node.id
        for node in project.nodes.values()
        if node.package != project.name and not node.path and node.kind is NodeKind.MODEL
    )


def filled_elsewhere(project: Project) -> frozenset[str]:
    """Return the sources, and the models of other projects."""
    sources = {node.id for node in project.nodes.values() if node.kind is NodeKind.SOURCE}
    return external_models(project) | sources


def inputs_of(project: Project, ids: Iterable[str]) -> tuple[Input, ...]:
    """Return the inputs that nodes filled elsewhere stand for, sorted."""
    found = {}
    for id_ in ids:
        node = project.nodes[id_]
        if node.relation is not None:
            found[str(node.relation)] = Input(relation=node.relation, maker=node.package)
    return tuple(found[name] for name in sorted(found))
