"""Generated files in a folder: written, checked, and taken away when nothing makes them."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_dataops.adapters.local_files import read_regular, read_settings_file
from airflow_dataops.adapters.record_file import write_whole
from airflow_dataops.codegen.regions import filled, is_changed, kept, manifest_of
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Change:
    """What generation does to a file.

    Attributes:
        path: of the file.
        content: what will be in it; None where it goes.
        is_new: whether there is no such file yet.
        added, removed: lines.
    """

    path: Path
    content: bytes | None
    added: int
    removed: int
    is_new: bool = False


def changes(
    folder: Path, files: Mapping[str, bytes], *, manifest: str, force: bool = False
) -> list[Change]:
    """Return what must change in a folder so that it holds these files.

    What people wrote in the regions of a file stays. Other files that were generated with this
    manifest go.

    Args:
        files: content by name.
        manifest: name of the one that the DAG files go with.
        force: whether edits outside of the regions may be lost.

    Raises:
        ConfigError: a file was made by somebody else or edited outside of its regions; or one
            that should go holds code of somebody's.
    """
    found = []
    for name, content in sorted(files.items()):
        path = folder / name
        if (change := _change(path, content, manifest, force=force)) is not None:
            found.append(change)
    for path in sorted(folder.glob("*.py")):
        if path.name in files or manifest_of(old := _read(path)) != manifest:
            continue
        if any(map(_is_code, kept(old, str(path)).values())) and not force:
            raise ConfigError(
                f"{path}: nothing generates this file any more, and its kept regions hold code; "
                "move it elsewhere and delete the file, or use --force"
            )
        found.append(Change(path, None, 0, old.count("\n")))
    return found


def apply(found: list[Change]) -> None:
    """Make the changes. Each file is replaced at once. Raises `ConfigError`."""
    for change in found:
        try:
            if change.content is None:
                change.path.unlink()
            else:
                change.path.parent.mkdir(parents=True, exist_ok=True)
                write_whole(change.path, change.content, mode=0o644)
        except OSError as error:
            told = error.strerror or error
            raise ConfigError(f"{change.path} cannot be written: {told}") from error


def _change(path: Path, content: bytes, manifest: str, *, force: bool) -> Change | None:
    """Return what happens to one file; None where it is as it should be."""
    if not path.exists():
        return Change(path, content, content.count(b"\n"), 0, is_new=True)
    if path.suffix != ".py":
        return None if read_regular(path) == content else Change(path, content, 0, 0)
    old = _read(path)
    if manifest_of(old) != manifest and not force:
        raise ConfigError(
            f"{path} was not generated with {manifest} and would be overwritten; choose another "
            "--prefix or --output-dir, or use --force"
        )
    if is_changed(old, str(path)) and not force:
        raise ConfigError(
            f"{path} was edited outside of its kept regions, and that would be lost; move the edit "
            "into one of them, or use --force"
        )
    try:
        new = filled(content.decode(), kept(old, str(path)))
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
    if new == old:
        return None
    marks = [line[:1] for line in difflib.ndiff(old.split("\n"), new.split("\n"))]
    return Change(path, new.encode(), marks.count("+"), marks.count("-"))


def _read(path: Path) -> str:
    try:
        # As git writes them on Windows; Python reads both.
        return read_settings_file(path).decode().replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error


def _is_code(lines: list[str]) -> bool:
    return any(line.strip() for line in lines)
