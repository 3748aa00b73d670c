"""Methods that find by file: path, file."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from airflow_dataops.core.globs import has_wildcard, matches
from airflow_dataops.core.selection.scope import folders_above
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_dataops.core.selection.scope import Scope
    from airflow_dataops.core.selection.spec import Criterion


def by_path(scope: Scope, criterion: Criterion) -> Iterator[str]:
    """`path:models/staging`: by file, by folder, or by the file that holds the properties.

    dbt looks the path up in the project's folder and compares what it finds with the files of
    all packages, whose paths are relative to the package. So `path:models` takes packages'
    models too, and `path:models/x.sql` only where the project itself has that file.
    """
    found = _glob(scope, criterion)
    within = {
        path: path in found or any(folder in found for folder in folders_above(path))
        for path in {node.path for node in scope.nodes}
    }
    for node in scope.nodes:
        if within[node.path] or node.declared_in in found:
            yield node.id


def _glob(scope: Scope, criterion: Criterion) -> set[str]:
    pattern = PurePosixPath(criterion.pattern)
    if pattern.is_absolute() or ".." in pattern.parts:
        raise ConfigError(
            f"selector {criterion.text!r}: write the path relative to the dbt project's folder."
        )
    only_folders = criterion.pattern.endswith("/") or pattern.parts[-1:] == ("**",)
    candidates = scope.folders if only_folders else scope.folders | scope.files
    if not has_wildcard(criterion.pattern):
        return {"/".join(pattern.parts)} & candidates
    return {path for path in candidates if matches(PurePosixPath(path).parts, pattern.parts)}


def known_paths(scope: Scope, criterion: Criterion) -> Iterator[str]:
    """Yield files and folders."""
    yield from scope.folders
    yield from scope.files


def by_file(scope: Scope, criterion: Criterion) -> Iterator[str]:
    """`file:stg_orders.sql`: by the file's name, with or without its suffix."""
    pattern = criterion.pattern
    found = {
        path
        for path in {node.path for node in scope.nodes}
        if fnmatchcase(PurePosixPath(path).name, pattern)
        or fnmatchcase(PurePosixPath(path).stem, pattern)
    }
    return (node.id for node in scope.nodes if node.path in found)


def known_files(scope: Scope, criterion: Criterion) -> Iterator[str]:
    """Yield the names of files."""
    return (PurePosixPath(node.path).name for node in scope.nodes)
