"""Projects of dbt in a folder -> DAGs: each a DAG, or several where it is split."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from airflow_dataops.adapters.manifest_store import open_manifest
from airflow_dataops.dag_factory.cycles import cycles_between
from airflow_dataops.dag_factory.dbt import build_dag, settle_start
from airflow_dataops.errors import ConfigError
from airflow_dataops.hooks.sources import local_manifest, locate
from airflow_dataops.planning.arguments import split_arguments
from airflow_dataops.planning.manifest import plan_manifest, plan_parts
from airflow_dataops.planning.places import beside
from airflow_dataops.planning.splitting import dag_id_of, split_request, take_split
from airflow_dataops.task_groups.layer_names import LayerNames, check_layer_names
from airflow_dataops.task_groups.partial import is_wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from airflow.sdk import DAG

    from airflow_dataops.adapters.plan_store import StoredPlan
    from airflow_dataops.errors import DataOpsError
    from airflow_dataops.planning.arguments import PlanArguments
    from airflow_dataops.planning.manifest import Planned
    from airflow_dataops.planning.sources import ManifestSource

    _Part = tuple[str, Callable[[], Planned]]
    """The id of a DAG, and what returns its plan."""


class Projects:
    """Loads the projects of a folder one by one.

    Attributes:
        names: the projects so far.
    """

    def __init__(
        self,
        namespace: Mapping[str, Any],
        arguments: dict[str, Any],
        per_project: dict[str, dict[str, Any]],
    ) -> None:
        self.namespace = namespace
        self.arguments = arguments
        self.per_project = per_project
        self.names: set[str] = set()
        self._layers: LayerNames | None = None
        self._plans: dict[str, StoredPlan] = {}

    def check_layers(self) -> None:
        """Refuse arguments for groups and tags that are not there. Raises `ConfigError`."""
        if self._layers is not None:
            self._layers.check()

    def cycles(self) -> Iterable[DataOpsError]:
        """Return what is wrong with projects whose DAGs wait for each other for ever."""
        return cycles_between(self._plans)

    def dag_ids(self, manifest: Path) -> list[str]:
        """Return the ids of a manifest's DAGs. Raises `DataOpsError`."""
        return [id_ for id_, _ in self._parts(manifest)[1]]

    def build(self, manifest: Path | ManifestSource) -> list[DAG]:
        """Build the DAGs of a manifest, without those that this process does not run."""
        of_dag, parts = self._parts(manifest)
        wanted = [(id_, make()) for id_, make in parts if is_wanted(id_)]
        self._plans.update({id_: planned.plan for id_, planned in wanted})
        try:
            return [build_dag(planned, id_, of_dag) for id_, planned in wanted]
        except (TypeError, ValueError) as error:
            raise ConfigError(f"{manifest}: Airflow does not take this DAG: {error}") from error

    def _parts(self, manifest: Path | ManifestSource) -> tuple[dict[str, Any], list[_Part]]:
        """Return what Airflow's `DAG` takes, and the DAGs of a manifest."""
        path = locate(manifest)
        planned, arguments = self._planned(path)
        asked = take_split(arguments := dict(arguments))
        planning, of_dag = _settled(arguments)
        conn_id = of_dag.pop("conn_id")
        if "slas" in of_dag:
            of_dag["slas"] = beside(self.namespace.get("__file__", "."), of_dag["slas"])
        base = of_dag.pop("dag_id", None) or planned.plan.head.name
        split = split_request(asked, planned.plan.head, of_dag)
        if split is None:
            return of_dag, [(base, lambda: planned)]
        parts = plan_parts(path, conn_id, planning, split, local_manifest)
        return of_dag, [
            (dag_id_of(base, part), partial(parts.planned, at))
            for at, part in enumerate(parts.parts)
        ]

    def _planned(self, path: Path) -> tuple[Planned, dict[str, Any]]:
        """Plan a manifest as one DAG; return the arguments of its project as well."""
        planned = None
        try:
            planned = self._plan(path, self.arguments)
            name = planned.plan.head.name
        except ConfigError:
            # What is wrong for all may be right for this project.
            name = open_manifest(path).project().name
            if name not in self.per_project:
                raise
        self.names.add(name)
        own = self.per_project.get(name)
        arguments = self.arguments | (own or {})
        if own or planned is None:
            planned = self._plan(path, arguments)
        if own and own.keys() & {"group_args", "tag_args"}:
            check_layer_names(planned, arguments)
        else:
            self._layers = self._layers or LayerNames(self.arguments)
            self._layers.see(planned)
        return planned, arguments

    def _plan(self, path: Path, arguments: dict[str, Any]) -> Planned:
        """Plan a manifest as one DAG, which also tells the project's name and its schedules."""
        arguments = dict(arguments)
        take_split(arguments)
        planning, of_dag = _settled(arguments)
        if of_dag["conn_id"] is None:
            raise ConfigError(f"{path}: load_dags needs conn_id=, the warehouse of this project")
        return plan_manifest(path, of_dag["conn_id"], planning, local_manifest)


def _settled(arguments: dict[str, Any]) -> tuple[PlanArguments, dict[str, Any]]:
    planning, of_dag = split_arguments(arguments)
    settle_start(planning, of_dag)
    return planning, of_dag
