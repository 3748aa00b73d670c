"""The files that pipelines are made of: each in one folder, out of which no name leads."""

from __future__ import annotations

import os
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from airflow_dataops.adapters import cache
from airflow_dataops.adapters.local_files import LARGEST_SETTINGS, read_regular
from airflow_dataops.core.pipelines.faults import Fault, PipelineError, Place
from airflow_dataops.core.pipelines.located import read_yaml

if TYPE_CHECKING:
    from airflow_dataops.core.pipelines.located import Map

DEFAULTS = "pipeline_defaults.yaml"
"""The file with settings of all pipelines in its folder and below."""


class FolderFiles:
    """Files of a folder.

    Attributes:
        read: the key of the content of each file that the last one was made of, by its path;
            empty for one that was looked for and is not there.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self.read: dict[str, str] = {}
        self._defaults: dict[str, tuple[list[Map], dict[str, str]]] = {}

    def document(self, name: str, beside: str) -> tuple[str, Map]:
        """Return a YAML file; see `core.pipelines.files.Files`."""
        path = self.path(name, beside)
        return path, read_yaml(self._bytes(Path(path), name), path)

    def text(self, name: str, beside: str) -> str:
        """Return the text of a file; see `core.pipelines.files.Files`."""
        try:
            return self._bytes(Path(self.path(name, beside)), name).decode()
        except UnicodeDecodeError:
            raise ValueError(f"{name} is no text in UTF-8.") from None

    def path(self, name: str, beside: str) -> str:
        """Return the path of a file; see `core.pipelines.files.Files`."""
        if PurePath(name).is_absolute() or "\0" in name or "\\" in name:
            raise ValueError(f"Expected a path relative to this file, got {name!r}.")
        path = Path(beside).parent / name
        try:
            place = path.resolve()
        except (OSError, RuntimeError):
            raise ValueError(f"{name!r} is a link in a circle.") from None
        if not place.is_relative_to(self._root):
            raise ValueError(f"{name!r} leads out of the folder of pipelines {self._root}.")
        if not place.is_file():
            raise ValueError(f"There is no file {name!r} beside this one.")
        return str(path)

    def defaults(self, path: Path) -> list[Map]:
        """Return the defaults of the folders around a file, the outermost first.

        They are read once, as long as this object is there.
        """
        folder = os.path.dirname(path)
        if folder not in self._defaults:
            before, self.read = self.read, {}
            found = [
                read_yaml(data, str(each))
                for each in defaults_around(path, self._root)
                if (data := self._optional(each)) is not None
            ]
            self._defaults[folder] = (found, self.read)
            self.read = before
        found, read = self._defaults[folder]
        self.read.update(read)
        return found

    def main(self, path: Path) -> Map:
        """Return a file of pipelines, and begin anew with `read`. Raises `PipelineError`."""
        self.read = {}
        try:
            return read_yaml(self._bytes(path, path.name), str(path))
        except ValueError as error:
            place = Place(file=str(path), line=1, column=1)
            fault = Fault(rule="bad-file", message=str(error), place=place)
            raise PipelineError(str(path), [fault]) from None

    def _optional(self, path: Path) -> bytes | None:
        if not path.exists():
            self.read[str(path)] = ""
            return None
        if not path.resolve().is_relative_to(self._root):
            place = Place(file=str(path), line=1, column=1)
            told = f"It is a link out of the folder of pipelines {self._root}."
            raise PipelineError(str(path), [Fault(rule="bad-file", message=told, place=place)])
        return self._bytes(path, path.name)

    def _bytes(self, path: Path, name: str) -> bytes:
        """Return what is in a file. Raises ValueError."""
        try:
            data = read_regular(path, LARGEST_SETTINGS)
        except OSError as error:
            raise ValueError(f"{name} cannot be read: {error.strerror or error}.") from None
        self.read[str(path)] = cache.key_of(data)
        return data


def defaults_around(path: Path, root: Path) -> list[Path]:
    """Return where the defaults of a file may be, the outermost first."""
    folder = path.parent
    below = [folder]
    resolved = folder.resolve()
    while resolved != root and resolved.is_relative_to(root):
        folder, resolved = folder.parent, resolved.parent
        below.append(folder)
    return [each / DEFAULTS for each in reversed(below)]
