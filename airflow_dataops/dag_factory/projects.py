"""Projects of dbt in a folder -> DAGs: each a DAG, or several where it is split."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from airflow_dataops.adapters.manifest_store import open_manifest
from airflow_dataops.core.plan.names import dag_id_of
from airflow_dataops.dag_factory.cycles import cycles_between
from airflow_dataops.dag_factory.dbt import build_dag, settle_start
from airflow_dataops.errors import ConfigError
from airflow_dataops.hooks.sources import local_manifest, locate
from airflow_dataops.planning.arguments import split_arguments
from airflow_dataops.planning.manifest import plan_project
from airflow_dataops.planning.places import beside
from airflow_dataops.planning.splitting import take_split
from airflow_dataops.task_groups.layer_names import LayerNames
from airflow_dataops.task_groups.partial import is_wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from airflow.sdk import DAG

    from airflow_dataops.adapters.plan_store import StoredPlan
    from airflow_dataops.errors import DataOpsError
    from airflow_dataops.planning.manifest import Planned, PlannedProject
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
        self._layers = LayerNames(arguments)
        self._plans: dict[str, StoredPlan] = {}

    def check_layers(self) -> None:
        """Refuse arguments for groups and tags that are not there. Raises `ConfigError`."""
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
        own = self._own(path)
        asked = take_split(arguments := self.arguments | own)
        planning, of_dag = split_arguments(arguments)
        settle_start(planning, of_dag)
        conn_id = of_dag.pop("conn_id")
        if conn_id is None:
            raise ConfigError(f"{path}: load_dags needs conn_id=, the warehouse of this project")
        if "slas" in of_dag:
            of_dag["slas"] = beside(self.namespace.get("__file__", "."), of_dag["slas"])
        project = plan_project(
            path,
            conn_id,
            planning,
            asked,
            has_schedule="schedule" in of_dag,
            fetch=local_manifest,
        )
        self.names.add(project.name)
        self._see_layers(project, own)
        base = of_dag.pop("dag_id", None) or project.name
        return of_dag, [
            (dag_id_of(base, part), partial(project.planned, at))
            for at, part in enumerate(project.parts)
        ]

    def _own(self, path: Path) -> dict[str, Any]:
        """Return the arguments of a manifest's own project."""
        if not self.per_project:
            return {}
        name = open_manifest(path).name()
        self.names.add(name)
        return self.per_project.get(name, {})

    def _see_layers(self, project: PlannedProject, own: dict[str, Any]) -> None:
        """Take notice of the groups and tags of a project; those of its own are checked now."""
        is_own = bool(own.keys() & {"group_args", "tag_args"})
        layers = LayerNames(self.arguments | own) if is_own else self._layers
        layers.see(project)
        if is_own:
            layers.check()
