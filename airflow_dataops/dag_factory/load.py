"""A folder of manifests -> DAGs in the namespace of a DAG file."""

from __future__ import annotations

import logging
import os
import traceback
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from airflow.sdk import DAG, get_parsing_context

from airflow_dataops.adapters.collection import no_collection
from airflow_dataops.adapters.downloads import name_of
from airflow_dataops.adapters.pipeline_store import PipelineStore
from airflow_dataops.core.arguments import (
    did_you_mean,
    instance,
    optional_text,
    refuse_unknown,
    spelled_out,
)
from airflow_dataops.core.pipelines.faults import PipelineError
from airflow_dataops.dag_factory.arguments import LoadDagsArguments, ProjectArguments, names_of
from airflow_dataops.dag_factory.folders import (
    check_inside,
    find_manifests,
    is_pipeline,
    states_in,
    without_states,
)
from airflow_dataops.dag_factory.pipelines import build_pipelines, explained
from airflow_dataops.errors import ConfigError, DataOpsError
from airflow_dataops.hooks.sources import find_sources, locate
from airflow_dataops.planning.arguments import with_current_names
from airflow_dataops.planning.places import beside
from airflow_dataops.planning.sources import ManifestSource, as_source
from airflow_dataops.task_groups.copies import Copies
from airflow_dataops.task_groups.partial import is_wanted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, MutableMapping, Sequence

    from airflow_dataops.adapters.pipeline_store import OpenedPipelines
    from airflow_dataops.core.pipelines.calls import Signatures
    from airflow_dataops.dag_factory.projects import Projects

log = logging.getLogger(__name__)

_ERRORS = "dataops_errors"
_NAMED = 3
_LONGEST = 2000
"""Characters of an unforeseen error that are shown."""


@spelled_out(LoadDagsArguments)
def load_dags(
    folder: str | Path | ManifestSource,
    namespace: MutableMapping[str, Any],
    *,
    conn_id: str | None = None,
    environment: str | None = None,
    per_project: Mapping[str, ProjectArguments] | None = None,
    **arguments: Unpack[LoadDagsArguments],
) -> list[DAG]:
    """Turn every manifest in a folder into a DAG of this DAG file, or into several.

    A manifest of dbt is a file `manifest.json` in the folder or below it, or any other `.json`
    directly in the folder; a pipeline in YAML is a file `<name>.pipeline.yaml`. Hidden folders
    and `dbt_packages` are left out. Each DAG is called like its project, or as the pipeline
    says, and put into `namespace`. The DAGs of a project that is split are called
    `<project>__<part>`.

    One bad manifest never takes down another's DAG: the good ones load, and all bad ones
    show together as one import error of the DAG file, and in the log.

    Args:
        folder: relative to the DAG file; or a remote one, see `ManifestSource`. A manifest will do.
        namespace: the DAG file's `globals()`.
        conn_id: the warehouse of dbt's projects; pipelines in YAML name their own.
        environment: whose overrides hold in pipelines in YAML (`environments: {prod: ...}`);
            by default `[dataops] environment` of Airflow's configuration.
        per_project: arguments by project name, which beat `arguments`. A name that no
            manifest of the folder has is an error, shown like those of bad manifests.
        **arguments: what `dbt_dag` takes, and `SplitArguments` (`split_by`, `selectors`,
            `unassigned`, `cycles`).
            Its `slas` is relative to the DAG file as well.

    Returns:
        The DAGs that were loaded.

    Raises:
        ArgumentError: there is no such argument, here or in `per_project`.
    """
    named = with_current_names(arguments)
    refuse_unknown("load_dags", named, names_of(LoadDagsArguments))
    own = _own_arguments(per_project or {})
    given = {"conn_id": optional_text(conn_id, "conn_id"), **named}
    loader = _Loader(namespace, given, own, optional_text(environment, "environment"))
    source = as_source(folder)
    if isinstance(source, Path) and loader.load_wanted(
        beside(namespace.get("__file__", "."), source)
    ):
        return loader.dags
    try:
        root, manifests = _manifests(source, namespace, loader.states())
    except ConfigError as error:
        loader.fail(error)
    else:
        # Projects see to that themselves, one by one.
        many = any(map(is_pipeline, manifests))
        with no_collection() if many else nullcontext():
            for manifest in manifests:
                loader.load(manifest, root)
        # Of one manifest that is named, as by a bundle, the arguments may be those of all.
        if root is not None or len(manifests) > 1:
            loader.check_names()
        loader.check_cycles()
    loader.report(name_of(source) if isinstance(source, Path) else str(source))
    return loader.dags


def dag_ids(
    manifest: Path, *, per_project: Any = None, environment: str | None = None, **arguments: Any
) -> list[str]:
    """Return the ids of the DAGs that `load_dags` makes of a manifest. Raises `DataOpsError`."""
    own = _own_arguments(per_project or {})
    return _Loader({}, with_current_names(arguments), own, environment).dag_ids(manifest)


def _own_arguments(per_project: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    found = {}
    for name, own in instance(dict, per_project, "per_project").items():
        where = f"load_dags: per_project[{name!r}]"
        found[name] = with_current_names(instance(dict, own, where))
        refuse_unknown(where, found[name], names_of(ProjectArguments))
    return found


def _manifests(
    folder: Path | ManifestSource,
    namespace: MutableMapping[str, Any],
    states: Iterable[Path | ManifestSource],
) -> tuple[Path | None, Sequence[Path | ManifestSource]]:
    """Return the manifests, and the folder of this host that they are in, if it is one.

    Those in the folders of earlier runs are none.
    """
    if isinstance(folder, ManifestSource):
        return None, without_states(find_sources(folder), folder, states)
    root = beside(namespace.get("__file__", "."), folder)
    if root.is_file():
        return None, [root]
    return root, without_states(list(find_manifests(root)), root, states)


class _Loader:
    """Loads manifests one by one and keeps what went wrong."""

    def __init__(
        self,
        namespace: MutableMapping[str, Any],
        arguments: dict[str, Any],
        per_project: dict[str, dict[str, Any]],
        environment: str | None = None,
    ) -> None:
        self.namespace = namespace
        self.arguments = self._located(arguments)
        self.per_project = {name: self._located(own) for name, own in per_project.items()}
        self.environment = environment
        self.dags: list[DAG] = []
        self._loaded: Projects | None = None
        self._copies = Copies()
        self._signatures: Signatures | None = None
        self._stores: dict[Path, PipelineStore] = {}
        self._nameless = False
        self._sources: dict[str, Path | ManifestSource] = {}
        self._errors: dict[str, list[str]] = {}
        """The manifests that met an error, by its text, which may name them itself."""

    def _located(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return arguments in which the folders of earlier runs are relative to nothing."""
        found = dict(arguments)
        for name in ("state", "defer_state"):
            given = found.get(name)
            if isinstance(given, str | Path) and isinstance(place := as_source(given), Path):
                found[name] = beside(self.namespace.get("__file__", "."), place)
        return found

    def states(self) -> Iterable[Path | ManifestSource]:
        """Return the folders of earlier runs."""
        return states_in(self.arguments, *self.per_project.values())

    def load(self, manifest: Path | ManifestSource, root: Path | None) -> None:
        """Load one manifest, or remember why not; it must not lead out of `root`."""
        known = self._known()
        try:
            if isinstance(manifest, Path) and root is not None:
                check_inside(manifest, root)
            if is_pipeline(manifest):
                self._load_pipelines(manifest, root)
                return
            for dag in self._projects.build(manifest):
                self._add(dag, manifest)
        except DataOpsError as error:
            self._nameless |= self._known() == known
            self.fail(error, manifest)
        except Exception as error:  # noqa: BLE001 - a manifest may hold anything
            self._nameless |= self._known() == known
            # Whatever a manifest holds, it is the only one that does not load.
            log.error("%s: %s", manifest, _redacted(traceback.format_exc()))
            why = f"{type(error).__name__}: {_redacted(str(error))[:_LONGEST]}"
            self.fail(ConfigError(f"{manifest}: it cannot become a DAG: {why}"))

    @property
    def _projects(self) -> Projects:
        """What loads projects of dbt; a process that loads none does without."""
        if self._loaded is None:
            from airflow_dataops.dag_factory.projects import Projects

            self._loaded = Projects(self.namespace, self.arguments, self.per_project)
        return self._loaded

    def _known(self) -> int:
        return len(self._loaded.names) if self._loaded else 0

    def load_wanted(self, root: Path) -> bool:
        """Load the pipeline that a worker runs; tell whether the last parse knew its file.

        So that a task's start does not look at all other files of the folder.
        """
        dag_id = get_parsing_context().dag_id
        if dag_id is None:
            return False
        found = PipelineStore(root, self._environment()).find(dag_id)
        if found is None:
            return False
        path, opened = found
        self._build_pipelines(opened, path, path, root)
        return bool(self.dags)

    def _load_pipelines(self, manifest: Path | ManifestSource, root: Path | None) -> None:
        """Load the DAGs of a file of pipelines, each by itself."""
        path = manifest if isinstance(manifest, Path) else locate(manifest)
        folder = root or path.parent
        try:
            opened = self._store(path, root).open(path)
        except PipelineError as error:
            raise self._explained(error, path, folder) from None
        self._build_pipelines(opened, manifest, path, folder)

    def _build_pipelines(
        self, opened: OpenedPipelines, manifest: Path | ManifestSource, path: Path, folder: Path
    ) -> None:
        for made in build_pipelines(opened, str(path), self._copies):
            try:
                if isinstance(made, PipelineError):
                    raise self._explained(made, path, folder)
                self._add(made, manifest)
            except DataOpsError as error:
                self.fail(error)

    def _explained(self, error: PipelineError, path: Path, folder: Path) -> PipelineError:
        if self._signatures is None:
            # Only where something is wrong: it reads the source of operators.
            from airflow_dataops.adapters.static_signatures import StaticSignatures

            self._signatures = StaticSignatures()
        return explained(error, path, folder, self._environment(), self._signatures)

    def _store(self, path: Path, root: Path | None) -> PipelineStore:
        """Return what keeps the pipelines of a folder, or of a file that is loaded by itself."""
        place = path if root is None else root
        if place not in self._stores:
            only = path if root is None else None
            self._stores[place] = PipelineStore(root or path.parent, self._environment(), only)
        return self._stores[place]

    def _environment(self) -> str | None:
        """Return the environment whose overrides hold; None for none."""
        if self.environment is None:
            from airflow.sdk.configuration import conf

            self.environment = conf.get("dataops", "environment", fallback="")
        return self.environment or None

    def check_names(self) -> None:
        """Refuse arguments for projects, groups and tags that are not there.

        Unless one might be, in a manifest that does not load.
        """
        if self._loaded is not None and not self._errors:
            try:
                self._loaded.check_layers()
            except ConfigError as error:
                self.fail(error)
        known = self._loaded.names if self._loaded else set()
        missing = [] if self._nameless else sorted(self.per_project.keys() - known)
        for name in missing:
            there = ", ".join(sorted(known))
            self.fail(
                ConfigError(
                    f"per_project: no manifest is of a project {name!r}"
                    f"{did_you_mean(name, known)}. There are {there}."
                )
            )

    def check_cycles(self) -> None:
        """Refuse projects whose DAGs wait for each other for ever. The DAGs stay, to be mended."""
        for error in self._projects.cycles() if self._loaded else ():
            self.fail(error)

    def fail(self, error: DataOpsError, manifest: Path | ManifestSource | None = None) -> None:
        """Remember an error, and log it; one that many manifests meet is said once.

        Args:
            manifest: which met it. A wrong argument may be met by all of them.
        """
        name = str(name_of(manifest) if isinstance(manifest, Path) else manifest or "")
        said, where = str(error), ""
        if isinstance(error, ConfigError):
            where = name if said.startswith(f"{name}: ") or name not in said else ""
            said = said.removeprefix(f"{name}: ")
        if said not in self._errors:
            log.error("%s", _redacted(f"{where}: {said}" if where else said))
            self._errors[said] = []
        if where:
            self._errors[said].append(where)

    def report(self, name: str) -> None:
        """Keep what was read; put a DAG into the namespace that carries all errors to the UI."""
        if get_parsing_context().dag_id is None:
            for store in self._stores.values():
                store.close()
        if self._errors and is_wanted(_ERRORS):
            id_ = f"{_ERRORS}_{sum(key.startswith(_ERRORS) for key in self.namespace)}"
            self.namespace[id_] = _Errors(id_, name, self._errors)

    def dag_ids(self, manifest: Path) -> list[str]:
        """Return the ids of a manifest's DAGs. Raises `DataOpsError`."""
        if is_pipeline(manifest):
            opened = self._store(manifest, None).open(manifest)
            return [pipeline.dag_id for pipeline in opened.pipelines]
        return self._projects.dag_ids(manifest)

    def _add(self, dag: DAG, manifest: Path | ManifestSource) -> None:
        dag_id = dag.dag_id
        if dag_id in self._sources or isinstance(self.namespace.get(dag_id), DAG):
            other = self._sources.get(dag_id, "another DAG of this file")
            raise ConfigError(
                f"{manifest}: the dag id {dag_id!r} is taken by {other}; give this project "
                "another name in dbt_project.yml, load it by dbt_dag(dag_id=...), or give this "
                "pipeline another dag_id"
            )
        self._sources[dag_id] = manifest
        self.namespace[dag_id] = dag
        self.dags.append(dag)


def _met_by(manifests: Sequence[str], error: str) -> str:
    """Return an error with the manifests that met it before it."""
    if not manifests:
        return error
    more = f" and {len(manifests) - _NAMED} more" if len(manifests) > _NAMED else ""
    return f"{', '.join(manifests[:_NAMED])}{more}: {error}"


def _redacted(text: str) -> str:
    # Only where something is wrong: it knows the forms of many secrets.
    from airflow_dataops.hooks.masking import redacted

    return redacted(text)


class _Errors(DAG):
    """Not a DAG to run: it is refused, with the errors of a folder of manifests.

    Airflow loses all DAGs of a file that raises. A DAG that does not validate becomes an import
    error of its file in a DagBag, while the file's other DAGs load. But the dag-processor takes all
    DAGs of a file with an import error for stale: there this one is refused later, when it is
    serialized, under a file name of its own.
    """

    _told = False

    def __init__(self, dag_id: str, folder: str, errors: Mapping[str, Sequence[str]]) -> None:
        super().__init__(dag_id, schedule=None)
        count = sum(max(1, len(manifests)) for manifests in errors.values())
        self._text = f"{count} of the manifests in {folder!r} did not load:" + "".join(
            f"\n\n{_redacted(_met_by(manifests, error))}" for error, manifests in errors.items()
        )

    def validate(self) -> None:
        """Tell what went wrong. Raises `ValueError`, in the dag-processor when it is serialized."""
        if os.environ.get("_AIRFLOW_PROCESS_CONTEXT") != "client":
            raise ValueError(self._text)
        self.relative_fileloc = f"{self.relative_fileloc}: {self.dag_id}"
        self._told = True

    @property
    def deadline(self) -> None:
        """What Airflow reads when it serializes a DAG."""
        if self._told:
            raise ValueError(self._text)

    @deadline.setter
    def deadline(self, value: object) -> None: ...
