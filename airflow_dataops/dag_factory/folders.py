"""Which files of a folder are manifests, and which of them are in it."""

from __future__ import annotations

import os
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from airflow_dataops.adapters.downloads import name_of
from airflow_dataops.core.manifests.files import PIPELINES, SUFFIXES, is_manifest
from airflow_dataops.errors import ConfigError
from airflow_dataops.planning.sources import ManifestSource, as_source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

Place = Path | ManifestSource
P = TypeVar("P", Path, ManifestSource)


def check_inside(path: Path, root: Path) -> None:
    """Check that a manifest does not lead out of its folder. Raises `ConfigError`.

    Who may put files there should not choose which other files of the host are read.
    """
    # The folders on the way to it are none: those are not looked into.
    if not os.path.islink(path):
        return
    try:
        place = path.resolve()
    except (OSError, RuntimeError):
        # A circle of links; whoever opens it tells so.
        return
    if place.exists() and not place.is_relative_to(root.resolve()):
        raise ConfigError(
            f"{path} is a link to {place}, out of the folder {root}; put the manifest itself "
            "there, or name its own folder"
        )


def is_pipeline(manifest: Path | ManifestSource) -> bool:
    """Tell whether a manifest is a pipeline in YAML: told by its name."""
    name = name_of(manifest) if isinstance(manifest, Path) else manifest.uri
    return urlsplit(name).path.endswith(PIPELINES) if "://" in name else name.endswith(PIPELINES)


def find_manifests(root: Path) -> Iterator[Path]:
    """Yield the manifests in a folder, sorted. Raises `ConfigError` when there is none."""
    if not root.is_dir():
        raise ConfigError(
            f"{root}: no such folder; the folder given to load_dags is relative to the DAG file"
        )
    start = f"{root}/"
    found = {path for path in _names_below(root) if is_manifest(str(path).removeprefix(start))}
    if not found:
        raise ConfigError(
            f"{root}: no manifest in this folder; put one there with `airflow-dataops compile "
            f"--output {root.name}/<project>/manifest.json`"
        )
    yield from sorted(found)


def _names_below(root: Path) -> Iterator[Path]:
    """Yield what may be a manifest by its name: also links into nowhere, which must be told of.

    Of a folder that cannot be listed that is the manifest which may be in it.
    """
    unlisted: list[Path] = []
    walk = os.walk(root, onerror=lambda error: unlisted.append(Path(str(error.filename))))
    for folder, folders, files in walk:
        yield from (Path(folder, name) for name in (*files, *folders) if name.endswith(SUFFIXES))
        folders[:] = [name for name in folders if is_manifest(PurePath(name, "manifest.json"))]
    yield from (folder / "manifest.json" for folder in unlisted)


def states_in(*arguments: Mapping[str, Any]) -> list[Place]:
    """Return the folders of earlier runs that arguments name."""
    named = (each.get(name) for each in arguments for name in ("state", "defer_state"))
    return [as_source(place) for place in named if isinstance(place, str | Path | ManifestSource)]


def without_states(found: Sequence[P], root: Place, states: Iterable[Place]) -> list[P]:
    """Leave out the manifests of earlier runs, which are there to be compared with.

    Args:
        found: the manifests in a folder.
        root: the folder.
        states: the folders that `state` and `defer_state` name, wherever they are.

    Raises:
        ConfigError: no other manifest is left.
    """
    inside = [place for place in states if _is_below(place, root)]
    left = [each for each in found if not any(_is_below(each, state) for state in inside)]
    if found and not left:
        raise ConfigError(
            f"{root}: all manifests in this folder are below {', '.join(map(str, inside))}, which "
            "state= or defer_state= names; keep what earlier runs left beside the folder"
        )
    return left


def _is_below(place: Place, folder: Place) -> bool:
    if isinstance(place, Path) and isinstance(folder, Path):
        inner, outer = (Path(os.path.abspath(each)) for each in (place, folder))
        return inner != outer and inner.is_relative_to(outer)
    if isinstance(place, Path) or isinstance(folder, Path):
        return False
    return _address(place).startswith(f"{_address(folder)}/")


def _address(source: ManifestSource) -> str:
    """Return an address without its connection."""
    parts = urlsplit(source.uri)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"
