"""The folder in which a bundle keeps its versions: shared by all hosts, or object storage.

    <bundle>/<version>.json         which content each manifest had, and the arguments
    <bundle>/manifests/<key>.json   the contents; those that did not change are kept once

Nothing in it ever changes but the time at which a version was deployed last, so that any number
of processes may write and read it. What is dropped: see `bundle_pruning`.
"""

from __future__ import annotations

import contextlib
import re
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from airflow_dataops.adapters.addresses import is_address, shown
from airflow_dataops.adapters.downloads import OriginError
from airflow_dataops.adapters.local_files import read_regular
from airflow_dataops.adapters.record_file import write_whole
from airflow_dataops.dag_factory.bundle_files import MANIFESTS, READABLE, Deployment
from airflow_dataops.errors import ConfigError
from airflow_dataops.hooks.object_storage import storage_path, told
from airflow_dataops.planning.sources import ManifestSource, as_source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow.sdk import ObjectStoragePath


_VERSION = re.compile(r"[0-9a-f]{40}")


def check_version(version: str) -> None:
    """Check that a version is one that a bundle gave: it names a file. Raises `ConfigError`."""
    if not _VERSION.fullmatch(version):
        raise ConfigError(
            f"the version {ascii(version)[1:-1]} is not kept there: a version of a bundle is 40 "
            "hexadecimal digits"
        )


def versions_place(folder: str, bundle: str) -> str:
    """Return where the versions of one bundle are."""
    return f"{folder.rstrip('/')}/{bundle}"


def keep_version(place: str, deployment: Deployment, contents: Path, *, is_new: bool) -> None:
    """Keep what is deployed; its index comes last, so that a version that is there is whole.

    Args:
        is_new: whether another version was deployed before; if so, this one's time is noted.

    Raises:
        ConfigError: the folder cannot be written.
    """
    index = msgspec.structs.replace(deployment, store="", errors={}, projects={}, at=time.time())
    with _named(place):
        if not is_new and _exists(place, f"{deployment.version}.json"):
            return
        _keep_contents(place, deployment, contents)
        _write(place, f"{deployment.version}.json", msgspec.json.encode(index))
        # Another host may have dropped an old version that named some of them.
        _keep_contents(place, deployment, contents)


def _keep_contents(place: str, deployment: Deployment, contents: Path) -> None:
    for key in filter(None, sorted(set(deployment.manifests.values()))):
        if not _exists(place, f"{MANIFESTS}/{key}.json"):
            data = read_regular(contents / f"{key}.json")
            _write(place, f"{MANIFESTS}/{key}.json", data)


def kept_versions(place: str) -> dict[str, Deployment]:
    """Return all that is kept, by version. Raises `ConfigError` when the folder cannot be read."""
    found = {}
    with _named(place):
        for path in _path(place, "").iterdir():
            version = path.name.removesuffix(".json")
            if path.name.endswith(".json") and _VERSION.fullmatch(version):
                with contextlib.suppress(FileNotFoundError):
                    found[version] = msgspec.json.decode(_bytes(path), type=Deployment)
    return found


def drop_index(place: str, version: str) -> None:
    """Drop a version; its contents stay. Raises `ConfigError`."""
    _drop(place, f"{version}.json")


def drop_content(place: str, key: str) -> None:
    """Drop a content that no version names. Raises `ConfigError`."""
    _drop(place, f"{MANIFESTS}/{key}.json")


def _drop(place: str, name: str) -> None:
    with _named(place), contextlib.suppress(FileNotFoundError):
        _path(place, name).unlink()


def kept_version(place: str, version: str) -> Deployment:
    """Return what was deployed as a version.

    Raises:
        ConfigError: the folder cannot be read, or has no such version, or another one under
            its name.
    """
    check_version(version)
    with _named(place):
        file = _path(place, f"{version}.json")
        if not file.exists():
            raise OriginError(f"the version {version} is not kept there", may_pass=False)
        found = msgspec.json.decode(_bytes(file), type=Deployment)
        if found.version != version:
            text = f"the index of the version {version} was changed after it was written"
            raise OriginError(text, may_pass=False)
    return msgspec.structs.replace(found, store=place, at=0.0)


@contextmanager
def _named(place: str) -> Iterator[None]:
    try:
        with told():
            yield
    except OriginError as error:
        raise ConfigError(
            f"{shown(place) if is_address(place) else place}: {error.reason}"
        ) from error


def _path(place: str, name: str) -> Path | ObjectStoragePath:
    where = as_source(place)
    if isinstance(where, ManifestSource):
        return storage_path(f"{where.uri}/{name}", None)
    return where / name


def _bytes(path: Path | ObjectStoragePath) -> bytes:
    return read_regular(path) if isinstance(path, Path) else path.read_bytes()


def _exists(place: str, name: str) -> bool:
    return _path(place, name).exists()


def _write(place: str, name: str, data: bytes) -> None:
    path = _path(place, name)
    if isinstance(path, Path):
        write_whole(path, data, READABLE)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
