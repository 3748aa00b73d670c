"""The folder in which a bundle keeps its versions: shared by all hosts, or object storage.

    <bundle>/<version>.json         which content each manifest had, and the arguments
    <bundle>/manifests/<key>.json   the contents; those that did not change are kept once

Nothing in it ever changes, so that any number of processes may write and read it.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from airflow_dataops.adapters.addresses import is_address, shown
from airflow_dataops.adapters.downloads import OriginError
from airflow_dataops.adapters.pack import write_whole
from airflow_dataops.dag_factory.bundle_files import MANIFESTS, READABLE, Deployment
from airflow_dataops.errors import ConfigError
from airflow_dataops.hooks.object_storage import storage_path, told
from airflow_dataops.hooks.sources import Source, as_source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow.sdk import ObjectStoragePath


def versions_place(folder: str, bundle: str) -> str:
    """Return where the versions of one bundle are."""
    return f"{folder.rstrip('/')}/{bundle}"


def keep_version(place: str, deployment: Deployment, contents: Path) -> None:
    """Keep what is deployed; its index comes last, so that a version that is there is whole.

    Raises:
        ConfigError: the folder cannot be written.
    """
    index = msgspec.structs.replace(deployment, store="", errors={})
    with _named(place):
        if _exists(place, f"{deployment.version}.json"):
            return
        for key in filter(None, sorted(set(deployment.manifests.values()))):
            if not _exists(place, f"{MANIFESTS}/{key}.json"):
                data = (contents / f"{key}.json").read_bytes()
                _write(place, f"{MANIFESTS}/{key}.json", data)
        _write(place, f"{deployment.version}.json", msgspec.json.encode(index))


def kept_version(place: str, version: str) -> Deployment:
    """Return what was deployed as a version.

    Raises:
        ConfigError: the folder cannot be read, or has no such version.
    """
    with _named(place):
        file = _path(place, f"{version}.json")
        if not file.exists():
            raise OriginError(f"the version {version} is not kept there", may_pass=False)
        found = msgspec.json.decode(file.read_bytes(), type=Deployment)
    return msgspec.structs.replace(found, store=place)


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
    if isinstance(where, Source):
        return storage_path(f"{where.uri}/{name}", None)
    return where / name


def _exists(place: str, name: str) -> bool:
    return _path(place, name).exists()


def _write(place: str, name: str, data: bytes) -> None:
    path = _path(place, name)
    if isinstance(path, Path):
        write_whole(path, data, READABLE)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
