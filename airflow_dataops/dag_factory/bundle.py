"""A folder of manifests as a DAG bundle of Airflow; see docs/bundle.md."""

from __future__ import annotations

import contextlib
import inspect
import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.dag_processing.bundles.base import BaseDagBundle, BundleVersion

from airflow_dataops.adapters import cache
from airflow_dataops.adapters.local_files import read_regular
from airflow_dataops.adapters.pipeline_store import PipelineStore
from airflow_dataops.adapters.record_file import write_whole
from airflow_dataops.core.arguments import instance, refuse_unknown, text
from airflow_dataops.core.pipelines.faults import PipelineError
from airflow_dataops.dag_factory import bundle_pruning
from airflow_dataops.dag_factory.bundle_arguments import (
    check_arguments,
    refresh_seconds,
    unknown_projects,
)
from airflow_dataops.dag_factory.bundle_doubles import doubles
from airflow_dataops.dag_factory.bundle_files import (
    INDEX,
    MANIFESTS,
    PER_PROJECT,
    READABLE,
    Deployment,
    is_deployed,
    is_whole,
    project_of,
    read_deployment,
    write_deployment,
)
from airflow_dataops.dag_factory.bundle_versions import (
    check_version,
    keep_version,
    kept_version,
    versions_place,
)
from airflow_dataops.dag_factory.folders import (
    check_inside,
    find_manifests,
    is_pipeline,
    states_in,
    without_states,
)
from airflow_dataops.errors import ConfigError, DataOpsError
from airflow_dataops.hooks.masking import redacted
from airflow_dataops.hooks.sources import find_sources, local_manifest
from airflow_dataops.planning.sources import ManifestSource, as_source

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger(__name__)

_OF_AIRFLOW = frozenset(inspect.signature(BaseDagBundle.__init__).parameters) - {"self"}


class ManifestFolderBundle(BaseDagBundle):
    """A bundle in which each manifest is a file of its own to Airflow.

    Args:
        folder: absolute path or URI (what `ManifestSource` takes) of the folder of manifests.
        conn_id: the warehouse.
        arguments: what else `load_dags` takes, as JSON can say it.
        versions_folder: where versions are kept, so that a run under way keeps its manifest;
            the dag-processor must write it and all workers read it. Without it the bundle has
            no versions, and each task runs what is deployed when it starts.
        keep_versions: how many of the newest versions are kept in any case, at least 2.
        keep_days: days for which a version is kept after it was replaced. The versions of
            runs under way are kept however old they are.
        **arguments_of_airflow: those of `BaseDagBundle`.

    Raises:
        ConfigError: a path is relative, an argument is wrong or unknown (all of them at once), or
            a number of versions or days is none. What is wrong for one project (`per_project`) is
            an import error of its manifest.
    """

    def __init__(
        self,
        *,
        folder: str,
        conn_id: str,
        arguments: dict[str, Any] | None = None,
        versions_folder: str | None = None,
        keep_versions: int = 20,
        keep_days: float = 30,
        **arguments_of_airflow: Any,
    ) -> None:
        told = f"bundle {arguments_of_airflow.get('name', '?')}"
        refuse_unknown(told, arguments_of_airflow, _OF_AIRFLOW)
        super().__init__(**arguments_of_airflow)
        self.refresh_interval = refresh_seconds(self.name, self.refresh_interval)
        where = f"bundle {self.name}: arguments"
        given: dict[str, Any] = dict(instance(dict, {} if arguments is None else arguments, where))
        _check_absolute(self.name, "folder", folder)
        if versions_folder is not None:
            _check_absolute(self.name, "versions_folder", versions_folder)
        check_arguments(self.name, given)
        self.supports_versioning = versions_folder is not None
        self._folder = as_source(folder)
        self._arguments = {**given, "conn_id": text(conn_id, f"bundle {self.name}: conn_id")}
        self._store = versions_place(versions_folder, self.name) if versions_folder else ""
        self._keeping = bundle_pruning.checked(self.name, keep_versions, keep_days)
        self._current = self.base_dir / "current"

    @property
    def path(self) -> Path:
        """The folder with the DAG files."""
        if self.version and self.supports_versioning:
            return Path(self.versions_dir / self.version)
        return Path(self._current)

    def initialize(self) -> None:
        """Have the DAG files of the version, or the newest ones, on this host.

        Raises:
            ConfigError: the version is not kept any more, or nothing can be had.
        """
        if self.version and self.supports_versioning:
            self._restore(self.version)
        elif not self._is_fresh():
            self.refresh()
        if self.version and not self.supports_versioning:
            log.warning(
                "Bundle %s has no versions_folder: the run asks for version %s and gets what is "
                "deployed now",
                self.name,
                self.version,
            )
        super().initialize()

    def refresh(self) -> None:
        """Deploy what is in the folder of manifests now.

        A folder that cannot be listed, or is empty, leaves what is deployed, with an error in
        the log.

        Raises:
            ConfigError: nothing can be had, and nothing is deployed; or the versions cannot be
                kept.
        """
        with self.lock():
            before = read_deployment(self._current)
            try:
                found = list(self._found())
            except ConfigError as error:
                if before is None:
                    raise
                log.error("Bundle %s stays as it is: %s", self.name, redacted(str(error)))
                return
            self._deploy(found, before)

    def get_current_version(self) -> BundleVersion | None:
        """Return the version that is deployed; None where no versions are kept."""
        if not self.supports_versioning:
            return None
        if self.version:
            return BundleVersion(self.version)
        deployment = read_deployment(self._current)
        return BundleVersion(deployment.version) if deployment else None

    def _found(self) -> Iterator[tuple[str, Path | ManifestSource]]:
        """Yield each manifest with its path in the folder; those of earlier runs are none."""
        per_project = self._arguments.get("per_project") or {}
        own = [each for each in per_project.values() if isinstance(each, dict)]
        states = states_in(self._arguments, *own)
        folder = self._folder
        if isinstance(folder, ManifestSource):
            start = len(folder.uri.rstrip("/")) + 1
            for source in without_states(find_sources(folder), folder, states):
                yield source.uri[start:] or "manifest.json", source
            return
        for path in without_states(list(find_manifests(folder)), folder, states):
            name = path.relative_to(folder).as_posix()
            # A path that is no text in UTF-8 could not be kept in the index.
            yield name.encode(errors="backslashreplace").decode(), path

    def _deploy(
        self, found: list[tuple[str, Path | ManifestSource]], before: Deployment | None
    ) -> None:
        manifests: dict[str, str] = {}
        errors: dict[str, str] = {}
        for name, place in found:
            try:
                manifests[name] = self._copied(place)
            except DataOpsError as error:
                log.error("Bundle %s: %s", self.name, redacted(str(error)))
                manifests[name] = before.manifests.get(name, "") if before else ""
                errors[name] = redacted(str(error))
        projects = self._projects(manifests, before)
        named = {name: projects[key] for name, key in manifests.items() if key}
        contents = {name: self._content(manifests[name]) for name in named}
        for name, why in doubles(named, self._arguments, contents):
            log.error("Bundle %s: %s: %s", self.name, name, why)
            manifests[name], errors[name] = "", why
        known = [each for name, each in named.items() if not is_pipeline(Path(name))]
        if not errors and (told := unknown_projects(self.name, self._arguments, known)):
            log.error("%s", told)
            manifests[PER_PROJECT], errors[PER_PROJECT] = "", told
        deployment = Deployment(
            manifests, self._arguments, self._store, errors, projects, self.name
        )
        is_new = before is None or before.version != deployment.version
        if self._store:
            keep_version(self._store, deployment, self._current / MANIFESTS, is_new=is_new)
        if deployment != before or not is_deployed(self._current, deployment):
            write_deployment(self._current, deployment)
        (self._current / INDEX).touch()
        if self._store and is_new:
            self._prune()

    def _projects(self, manifests: dict[str, str], before: Deployment | None) -> dict[str, str]:
        """Return the name of the project of each content; those deployed before are known."""
        known = before.projects if before else {}
        return {
            key: known[key] if key in known else project_of(self._content(key))
            for key in filter(None, manifests.values())
        }

    def _prune(self) -> None:
        """Drop old versions. That must not keep a deploy from being one."""
        in_use = bundle_pruning.versions_in_use()
        if in_use is None:
            return
        try:
            dropped = bundle_pruning.prune(self._store, self._keeping, in_use)
        except ConfigError as error:
            log.warning("Bundle %s: old versions stay: %s", self.name, redacted(str(error)))
        else:
            if dropped:
                log.info("Bundle %s: dropped %d old versions", self.name, len(dropped))

    def _copied(self, place: Path | ManifestSource) -> str:
        """Copy a manifest, unless its content is there already; return the key of its content."""
        if isinstance(place, ManifestSource):
            path = local_manifest(place)
        else:
            path = place
            check_inside(path, Path(str(self._folder)))
            if is_pipeline(path):
                self._check_alone(path)
        try:
            key = cache.known_key(path)
            if key is None or not is_whole(self._content(key), key):
                data = read_regular(path)
                key = cache.learn_key(path, data)
                write_whole(self._content(key), data, READABLE)
        except OSError as error:
            raise ConfigError(f"{path} cannot be copied: {error.strerror}") from error
        return key

    def _check_alone(self, path: Path) -> None:
        """Refuse a pipeline that other files belong to: only the file itself is deployed."""
        try:
            others = PipelineStore(Path(str(self._folder)), None).others(path)
        except PipelineError:
            # Its DAG file tells so.
            return
        if others:
            raise ConfigError(
                f"{path} is made of {', '.join(others)} as well, which a bundle does not deploy; "
                "write it in one file, or load the folder by load_dags"
            )

    def _content(self, key: str) -> Path:
        return Path(self._current / MANIFESTS / f"{key}.json")

    def _restore(self, version: str) -> None:
        check_version(version)
        folder = Path(self.versions_dir / version)
        if read_deployment(folder) is not None:
            return
        with self.lock():
            if read_deployment(folder) is None:
                write_deployment(folder, kept_version(self._store, version))

    def _is_fresh(self) -> bool:
        """Tell whether a process of this host refreshed a moment ago."""
        with contextlib.suppress(OSError):
            age = time.time() - (self._current / INDEX).stat().st_mtime
            is_young = 0 <= age < self.refresh_interval
            return bool(is_young and read_deployment(self._current) is not None)
        return False


def _check_absolute(bundle: str, what: str, place: str) -> None:
    where = as_source(text(place, f"bundle {bundle}: {what}"))
    if isinstance(where, Path) and not where.is_absolute():
        raise ConfigError(
            f"bundle {bundle}: {place!r} is a relative path; name an absolute one, or a URI, since "
            "the processes of Airflow do not share a working folder"
        )
