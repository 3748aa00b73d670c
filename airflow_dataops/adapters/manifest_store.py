"""Manifests as files, read once per content and host.

Decoding a manifest is the dear part of parsing a DAG file, and every process that parses
needs it. So what was read is kept in the host's cache, keyed by content and by the version of
this package; a worker reads the one node it runs without decoding the others.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from airflow_dataops import __version__
from airflow_dataops.adapters import cache
from airflow_dataops.adapters.downloads import name_of
from airflow_dataops.core.model import Code, Node, Project
from airflow_dataops.errors import ConfigError, ManifestError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_dataops.adapters.pack import Pack
    from airflow_dataops.core.model import Manifest

_CODE = "code "
_encode = msgspec.msgpack.Encoder().encode
_decode_project = msgspec.msgpack.Decoder(Project).decode
_decode_nodes = msgspec.msgpack.Decoder(dict[str, Node]).decode
_decode_node = msgspec.msgpack.Decoder(Node).decode
_decode_code = msgspec.msgpack.Decoder(Code).decode


_KEPT_PROJECTS = 4
_projects: dict[str, Project] = {}
"""What this process decoded last, by key: task groups of one DAG file share a project."""


class StoredManifest:
    """One manifest. Nothing is decoded before it is asked for.

    Attributes:
        source: the file's name; of a remote one its address.
        key: tells the content, and the version of this package that reads it.
    """

    def __init__(self, path: Path) -> None:
        """Find out what is in the file. Raises `ConfigError`, `ManifestError`."""
        self.source = name_of(path)
        self._path = path
        self._data: bytes | None = None
        self._manifest: Manifest | None = None
        with _told(path):
            content = cache.known_key(path)
        if content is None:
            self._data = _read(path)
            content = cache.learn_key(path, self._data)
        self.key = f"{content}-{__version__}"

    def project(self) -> Project:
        """Return the project with all of its nodes, without code."""
        if self.key not in _projects:
            if len(_projects) >= _KEPT_PROJECTS:
                _projects.clear()
            _projects[self.key] = self._stored_project() or self._fresh().project
        return _projects[self.key]

    def node(self, id_: str) -> Node:
        """Return one node by its unique id. Raises `ConfigError` when there is none."""
        if (pack := self._pack()) is None:
            node = self._fresh().project.nodes.get(id_)
        else:
            record = pack.get(id_)
            node = None if record is None else _decode_node(record)
        if node is None:
            raise ConfigError(
                f"{self.source} has no node {id_!r}; was the manifest replaced while the run "
                "was under way? Clear the task to run it with the manifest of today"
            )
        return node

    def code(self, id_: str) -> Code:
        """Return the code of one node; empty where the manifest has none."""
        if (pack := self._pack()) is None:
            return self._fresh().code.get(id_, Code())
        record = pack.get(_CODE + id_)
        return Code() if record is None else _decode_code(record)

    @property
    def _name(self) -> str:
        return f"{self.key}.manifest"

    def _pack(self) -> Pack | None:
        return cache.load(self._name)

    def _stored_project(self) -> Project | None:
        if (pack := self._pack()) is None:
            return None
        try:
            project = _decode_project(pack.header)
            return msgspec.structs.replace(project, nodes=_decode_nodes(pack.entries))
        except msgspec.MsgspecError:
            cache.drop(self._name)
            return None

    def _fresh(self) -> Manifest:
        """Read the file itself, and keep what was read."""
        if self._manifest is None:
            # Most processes find what they need in the cache, and never load the readers.
            from airflow_dataops.core.manifests import read_manifest

            self._manifest = read_manifest(self._take(), source=self.source)
            _store(self._name, self._manifest)
        return self._manifest

    def _take(self) -> bytes:
        """Return the file's bytes, and keep them no longer."""
        data, self._data = self._data, None
        return data or _read(self._path)


def open_manifest(path: str | Path) -> StoredManifest:
    """Open the manifest in a file; what is in it is read when it is asked for.

    Raises:
        ConfigError: the file is not there or may not be read.
        ManifestError: it is empty.
    """
    return StoredManifest(Path(path))


def _store(name: str, manifest: Manifest) -> None:
    project = msgspec.structs.replace(manifest.project, nodes={})
    code = {_CODE + id_: code for id_, code in manifest.code.items()}
    cache.store(name, _encode(project), manifest.project.nodes, code)


def _read(path: Path) -> bytes:
    with _told(path):
        data = path.read_bytes()
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
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read ({error.strerror}); let the user that runs Airflow read it"
        ) from error
