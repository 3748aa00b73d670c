"""All that is wrong with files of pipelines. Nothing of a user's code is imported."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from airflow_dataops.adapters.pipeline_files import FolderFiles
from airflow_dataops.core.manifests.files import PIPELINE, kind_of
from airflow_dataops.core.pipelines.faults import Fault, PipelineError, Place
from airflow_dataops.core.pipelines.read import environments_of, read_pipelines
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from airflow_dataops.core.pipelines.calls import Signatures
    from airflow_dataops.core.pipelines.model import Pipeline

log = logging.getLogger(__name__)


class Linted(NamedTuple):
    """What was found in a file.

    Attributes:
        path: the file.
        by_environment: the pipelines, under None those without overrides.
        faults: what is wrong, by place.
    """

    path: Path
    by_environment: dict[str | None, list[Pipeline]]
    faults: list[Fault]

    @property
    def pipelines(self) -> list[Pipeline]:
        """Those without overrides of an environment."""
        return self.by_environment.get(None, [])


def lint_all(
    places: Iterable[Path], signatures: Signatures, environments: Sequence[str] | None = None
) -> list[Linted]:
    """Look at files of pipelines, and at those in folders.

    Args:
        environments: those whose overrides are looked at; all that a file has by default.

    Raises:
        ConfigError: a place is not there, or a folder has no pipelines.
    """
    found = []
    taken: dict[str, Path] = {}
    for place in places:
        for path, root in _pipelines(place):
            linted = lint_file(path, root, signatures, environments)
            for pipeline in linted.pipelines:
                first = taken.setdefault(pipeline.dag_id, path)
                if first != path:
                    told = f"The dag_id {pipeline.dag_id!r} is taken by {first}."
                    linted.faults.append(
                        Fault(
                            rule="duplicate-dag", message=told, place=pipeline.at, path="$.dag_id"
                        )
                    )
            found.append(linted)
    return found


def lint_file(
    path: Path, root: Path, signatures: Signatures, environments: Sequence[str] | None = None
) -> Linted:
    """Look at one file; whatever is in it, that becomes a fault."""
    try:
        return _linted(path, root, signatures, environments)
    except PipelineError as error:
        return Linted(path, {}, list(error.faults))
    except Exception as error:
        log.debug("%s", path, exc_info=True)
        told = f"It cannot be read: {type(error).__name__}: {error}"
        place = Place(file=str(path), line=1, column=1)
        return Linted(path, {}, [Fault(rule="bad-file", message=told, place=place)])


def _linted(
    path: Path, root: Path, signatures: Signatures, environments: Sequence[str] | None
) -> Linted:
    files = FolderFiles(root)
    document, defaults = files.main(path), files.defaults(path)
    faults: dict[Fault, None] = {}
    made: dict[str | None, list[Pipeline]] = {}
    if environments is None:
        environments = environments_of(document, defaults)
    for environment in (None, *environments):
        made[environment], found = read_pipelines(
            document,
            str(path),
            files,
            defaults=defaults,
            environment=environment,
            signatures=signatures,
        )
        faults.update(dict.fromkeys(found))
    return Linted(path, made, sorted(faults, key=lambda f: (f.place.line, f.place.column)))


def _pipelines(place: Path) -> Iterator[tuple[Path, Path]]:
    """Yield each file of pipelines, with the folder that it must not lead out of."""
    if place.is_file():
        yield place, place.parent
        return
    if not place.is_dir():
        raise ConfigError(f"{place}: there is no such file or folder")
    found = [
        Path(folder, name)
        for folder, _, names in os.walk(place)
        for name in names
        if kind_of(Path(folder, name).relative_to(place)) == PIPELINE
    ]
    if not found:
        raise ConfigError(
            f"{place}: no pipelines in this folder; one is called <name>.pipeline.yaml"
        )
    for path in sorted(found):
        yield path, place
