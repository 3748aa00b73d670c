"""What a bundle of manifests is on disk: a small DAG file per manifest, and what they load.

deployment.json         which content each manifest has, and the arguments
manifests/<key>.json    the contents; where there is none, it is in the folder of versions
<name>.py               one per manifest; it names the content it loads
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from airflow_dataops.adapters import cache
from airflow_dataops.adapters.downloads import name_file
from airflow_dataops.adapters.local_files import NoFileError, read_regular, sealed, unsealed
from airflow_dataops.adapters.record_file import write_whole
from airflow_dataops.dag_factory.bundle_arguments import arguments_for
from airflow_dataops.dag_factory.load import dag_ids, load_dags
from airflow_dataops.errors import ConfigError, DataOpsError
from airflow_dataops.hooks.sources import local_manifest
from airflow_dataops.planning.sources import ManifestSource, as_source

if TYPE_CHECKING:
    from collections.abc import MutableMapping

INDEX = "deployment.json"
MANIFESTS = "manifests"
PER_PROJECT = "per_project"
"""In the place of a manifest: the DAG file that tells of arguments for projects that are not."""
READABLE = 0o644
"""Mode of all files: tasks may run as another user than the one that deploys."""
_DAY = 24 * 3600.0
_FOREVER = 10 * 365 * _DAY
_ODD = re.compile(r"[^A-Za-z0-9]+")
_encode = msgspec.json.Encoder(order="deterministic").encode

_LONGEST = 100
"""Characters of a file name that remind of the manifest's path, which may be longer than a name."""
_FILE = '''\
"""The dag of a manifest, written by ManifestFolderBundle of airflow-dataops; do not edit."""

from airflow_dataops.dag_factory.bundle_files import load_file

load_file(globals(), {name}, {key})
'''

Key = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9]*\Z")]
"""Of a content: a hash. It names a file, so it must not be able to name one elsewhere."""


class Deployment(msgspec.Struct, frozen=True):
    """What is deployed at one time.

    Attributes:
        manifests: key of the content by path of the manifest in the folder.
        arguments: what `load_dags` takes.
        store: the folder of versions; empty for none. Not a part of the version.
        errors: why a manifest could not be had, by its path. Not a part of the version.
        projects: name of the project by key of the content. Not a part of the version.
        bundle: its name, for messages. Not a part of the version.
        at: when it was deployed last, seconds since 1970, in the folder of versions; 0 elsewhere.
    """

    manifests: dict[str, Key]
    arguments: dict[str, Any]
    store: str = ""
    errors: dict[str, str] = {}
    projects: dict[str, str] = {}
    bundle: str = ""
    at: float = 0.0

    @property
    def version(self) -> str:
        """40 hexadecimal digits that tell the contents and the arguments."""
        content = _encode((self.manifests, self.arguments))
        return hashlib.sha256(content).hexdigest()[:40]


class _Metadata(msgspec.Struct, frozen=True):
    project_name: str | None = None


class _Head(msgspec.Struct, frozen=True):
    metadata: _Metadata = _Metadata()


def project_of(manifest: Path) -> str:
    """Return the name of a manifest's project; empty where it has none, or is no manifest."""
    try:
        return msgspec.json.decode(read_regular(manifest), type=_Head).metadata.project_name or ""
    except (OSError, msgspec.MsgspecError, RecursionError, UnicodeError):
        return ""


def read_deployment(folder: Path) -> Deployment | None:
    """Return what is deployed in a folder, None for nothing, or where the index was damaged."""
    try:
        data = unsealed(read_regular(folder / INDEX))
        return msgspec.json.decode(data or b"", type=Deployment)
    except (OSError, msgspec.MsgspecError):
        return None


def write_deployment(folder: Path, deployment: Deployment) -> None:
    """Write the index and the DAG files; what did not change is left alone.

    Each file is replaced whole. The index comes last: a folder that has one is complete.
    """
    before = read_deployment(folder)
    wanted = {_file_name(name): _text(name, key) for name, key in deployment.manifests.items()}
    if before is None or before.arguments != deployment.arguments:
        # The DAG files read the arguments from the index.
        write_whole(folder / INDEX, sealed(_encode(deployment)), READABLE)
    for file, text in wanted.items():
        if _content(folder / file) != text.encode():
            write_whole(folder / file, text.encode(), READABLE)
    for path in folder.glob("*.py"):
        if path.name not in wanted:
            path.unlink(missing_ok=True)
    write_whole(folder / INDEX, sealed(_encode(deployment)), READABLE)
    _drop_unused(folder, before, deployment)


def is_deployed(folder: Path, deployment: Deployment) -> bool:
    """Tell whether the DAG files in a folder are those of a deployment, and none was changed."""
    wanted = {_file_name(name): _text(name, key) for name, key in deployment.manifests.items()}
    return all(_content(folder / file) == text.encode() for file, text in wanted.items())


def load_file(namespace: MutableMapping[str, Any], name: str, key: str) -> None:
    """Put the DAG of one manifest of a bundle into the namespace of its DAG file.

    Args:
        name: path of the manifest in the bundle's folder.
        key: of its content; empty where it could not be had.
    """
    folder = Path(namespace["__file__"]).parent
    deployment = read_deployment(folder)
    if deployment is None:
        raise ConfigError(
            f"{folder / INDEX} is gone or damaged; the bundle writes it at its next refresh"
        )
    if not key:
        raise ConfigError(f"{name}: {deployment.errors.get(name, 'it cannot be had')}")
    path = _content_file(folder, deployment.store, key)
    if not path.is_file():
        raise ConfigError(f"{name}: its content {path} is gone; was it deleted by hand?")
    if not is_whole(path, key):
        raise ConfigError(
            f"{name}: its content {path} was changed after it was deployed; delete it, then the "
            "bundle writes it at its next refresh"
        )
    name_file(path, name)
    given = deployment.arguments
    project = deployment.projects.get(key) or (project_of(path) if given.get("per_project") else "")
    try:
        arguments = arguments_for(deployment.bundle, given, project)
    except ConfigError as error:
        raise ConfigError(f"{name}: {error}") from None
    load_dags(path, namespace, **arguments)


def is_whole(path: Path, key: str) -> bool:
    """Tell whether a file has the content of a key."""
    try:
        return (cache.known_key(path) or cache.learn_key(path, read_regular(path))) == key
    except OSError:
        return False


def dag_ids_of(path: Path, name: str, arguments: dict[str, Any], project: str) -> list[str]:
    """Return the ids of the DAGs of a manifest; none where it is no good, which its file tells."""
    name_file(path, name)
    try:
        return dag_ids(path, **arguments_for("", arguments, project))
    except (DataOpsError, TypeError, ValueError):
        return []


def _content_file(folder: Path, store: str, key: str) -> Path:
    path = folder / MANIFESTS / f"{key}.json"
    if path.is_file() or not store:
        return path
    place = as_source(store)
    if isinstance(place, ManifestSource):
        uri = f"{place.uri}/{MANIFESTS}/{key}.json"
        return local_manifest(ManifestSource(uri, check_every=_FOREVER, max_age=_FOREVER))
    return place / MANIFESTS / f"{key}.json"


def _file_name(manifest: str) -> str:
    """Name the DAG file of a manifest; two manifests never share one."""
    short = _ODD.sub("_", manifest.removesuffix(".json").removesuffix("/manifest")).strip("_")
    return (
        f"{short[:_LONGEST] or 'manifest'}_{hashlib.sha256(manifest.encode()).hexdigest()[:8]}.py"
    )


def _text(manifest: str, key: str) -> str:
    """Write a DAG file. The path of a manifest comes from outside: it stays a literal."""
    return _FILE.format(name=ascii(manifest), key=ascii(key))


def _content(path: Path) -> bytes:
    try:
        return read_regular(path)
    except (FileNotFoundError, NoFileError):
        return b""


def _drop_unused(folder: Path, before: Deployment | None, now: Deployment) -> None:
    """Drop the contents that were replaced a day ago: tasks under way may still read them."""
    replaced = set(before.manifests.values()) if before else set()
    for path in (folder / MANIFESTS).glob("*.json"):
        with contextlib.suppress(OSError):
            if path.stem in now.manifests.values():
                continue
            if path.stem in replaced:
                os.utime(path)
            elif time.time() - path.stat().st_mtime > _DAY:
                path.unlink()
