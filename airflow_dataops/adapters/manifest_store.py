"""Manifests as files, read once per content and host.

Decoding a manifest is the dear part of parsing a DAG file, and every process that parses
needs it. So what was read is kept in the host's cache, keyed by content and by the version of
this package; a worker reads the one node it runs without decoding the others.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from airflow_dataops import __version__
from airflow_dataops.adapters import cache
from airflow_dataops.adapters.downloads import name_of
from airflow_dataops.adapters.local_files import NoFileError, read_regular
from airflow_dataops.core.manifests.files import PIPELINE, named_kind
from airflow_dataops.core.model import Code, Node, Project, ProjectState, Struct
from airflow_dataops.errors import ConfigError, ManifestError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_dataops.adapters.record_file import RecordFile
    from airflow_dataops.core.model import Manifest
    from airflow_dataops.core.relocation import Relocation

T = TypeVar("T")

_CODE = "code "
_encode = msgspec.msgpack.Encoder().encode


class _Head(Struct, frozen=True):
    """What is read of a project without its nodes."""

    name: str = ""
    session: dict[str, Any] = {}


_KEPT_PROJECTS = 4
_projects: dict[str, Project] = {}
"""What this process decoded last, by key: task groups of one DAG file share a project."""


class StoredManifest:
    """One manifest. Nothing is decoded before it is asked for.

    Attributes:
        source: the file's name; of a remote one its address.
        path: of the file on this host.
        key: tells the content, and the version of this package that reads it.
    """

    def __init__(self, path: Path) -> None:
        """Find out what is in the file. Raises `ConfigError`, `ManifestError`."""
        self.source = name_of(path)
        self.path = path
        self._data: bytes | None = None
        self._manifest: Manifest | None = None
        with _told(path):
            content = cache.known_key(path)
        if content is None:
            self._data = _read(path)
            content = cache.learn_key(path, self._data)
        self._content = content
        self.key = f"{content}-{__version__}{_reader_key(self.source)}"

    def project(self) -> Project:
        """Return the project with all of its nodes, without code."""
        if self.key not in _projects:
            if len(_projects) >= _KEPT_PROJECTS:
                _projects.clear()
            _projects[self.key] = self._stored_project() or self._fresh().project
        return _projects[self.key]

    def name(self) -> str:
        """Return the project's name; no node is decoded for it."""
        found = cache.read(self._name, lambda records: cache.decoded(records.header, _Head))
        return self._fresh().project.name if found is None else found.name

    def session(self) -> dict[str, Any]:
        """Return what the sessions of a run are given; no node is decoded for it."""
        found = cache.read(self._name, lambda records: cache.decoded(records.header, _Head))
        return self._fresh().project.session if found is None else found.session

    def node(self, id_: str) -> Node:
        """Return one node by its unique id. Raises `ConfigError` when there is none."""
        node = self.find(id_)
        if node is None:
            raise ConfigError(
                f"{self.source} has no node {id_!r}; was the manifest replaced while the run "
                "was under way? Clear the task to run it with the manifest of today"
            )
        return node

    def find(self, id_: str) -> Node | None:
        """Return one node by its unique id, None when there is none."""
        found = cache.read(self._name, lambda records: _found(records.get(id_), Node))
        return self._fresh().project.nodes.get(id_) if found is None else found[0]

    def code(self, id_: str) -> Code:
        """Return the code of one node; empty where the manifest has none."""
        found = cache.read(self._name, lambda records: _found(records.get(_CODE + id_), Code))
        return (self._fresh().code.get(id_) if found is None else found[0]) or Code()

    def state(self) -> ProjectState:
        """Return what `state:` selectors compare. Raises `ManifestError`, `ConfigError`."""
        name = f"{self.key}.state"
        found = cache.read(name, lambda records: cache.decoded(records.header, ProjectState))
        if found is None:
            from airflow_dataops.core.manifests import read_state

            found = read_state(self._take(), source=self.source)
            cache.store(name, _encode(found))
        return found

    @property
    def _name(self) -> str:
        return f"{self.key}.manifest"

    def _stored_project(self) -> Project | None:
        def decoded(records: RecordFile) -> Project:
            project = cache.decoded(records.header, Project)
            nodes = cache.decoded(records.entries, dict[str, Node])
            return msgspec.structs.replace(project, nodes=nodes)

        return cache.read(self._name, decoded)

    def _fresh(self) -> Manifest:
        """Read the file itself, and keep what was read."""
        if self._manifest is None:
            # Most processes find what they need in the cache, and never load the readers.
            from airflow_dataops.core.manifests.readers import reader_of

            self._manifest = reader_of(self.source).read(self._take(), source=self.source)
            _store(self._name, self._manifest)
        return self._manifest

    def _take(self) -> bytes:
        """Return the file's bytes, and keep them no longer.

        Raises:
            ConfigError: the file was replaced since it was opened: what is read now would be
                kept, and run, as what was there then.
        """
        data, self._data = self._data, None
        if data is None:
            data = _read(self.path)
            if cache.key_of(data) != self._content:
                raise ConfigError(
                    f"{self.source} was replaced while it was being read; it is read again at the "
                    "next parse or try"
                )
        return data


class RelocatedManifest(StoredManifest):
    """A manifest in another environment: its nodes are where `relations=` says.

    Their SQL is moved when it runs, by `core.execution.rendering`.
    """

    def __init__(self, path: Path, relocation: Relocation) -> None:
        """Find out what is in the file; errors as for any manifest."""
        super().__init__(path)
        self._relocation = relocation

    def node(self, id_: str) -> Node:
        """Return one node where it is. Raises `ConfigError` when there is none."""
        return self._relocation.node(super().node(id_))


def open_manifest(path: str | Path, relocation: Relocation | None = None) -> StoredManifest:
    """Open the manifest in a file; what is in it is read when it is asked for.

    Args:
        relocation: where its tables are, if elsewhere than it says.

    Raises:
        ConfigError: the file is not there or may not be read.
        ManifestError: it is empty.
    """
    if relocation is not None:
        return RelocatedManifest(Path(path), relocation)
    return StoredManifest(Path(path))


def _reader_key(name: str) -> str:
    """Return what tells the reader of a file from dbt's: what it makes is kept under it."""
    kind = named_kind(name)
    if kind is None or kind == PIPELINE:
        return ""
    from airflow_dataops.core.manifests.plugged import plugged_version

    return f"-{kind}-{plugged_version(kind)}"


def _found(record: memoryview | None, kind: type[T]) -> tuple[T | None]:
    """Return what a whole record file holds of a key, also where that is nothing."""
    return (None if record is None else cache.decoded(record, kind),)


def _store(name: str, manifest: Manifest) -> None:
    project = msgspec.structs.replace(manifest.project, nodes={})
    code = {_CODE + id_: code for id_, code in manifest.code.items()}
    cache.store(name, _encode(project), manifest.project.nodes, code)


def _read(path: Path) -> bytes:
    with _told(path):
        data = read_regular(path)
    if not data:
        problem = Problem("the file is empty; was it copied while dbt was still writing it?")
        raise ManifestError(str(path), [problem])
    return data


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Say what to do about a file that cannot be read."""
    try:
        yield
    except FileNotFoundError:
        raise ConfigError(
            f"{path}: no such file; run `airflow-dataops compile` (or `dbt compile`) and put the "
            "manifest there"
        ) from None
    except IsADirectoryError:
        raise ConfigError(f"{path} is a folder; name the manifest in it") from None
    except NoFileError as error:
        raise ConfigError(
            f"{path} is no manifest: {error.strerror}; put the manifest itself there"
        ) from None
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read ({error.strerror}); let the user that runs Airflow read it"
        ) from error
