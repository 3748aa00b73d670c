"""Pipelines, read once per content of their files, and kept in the host's cache.

All files of a folder are kept in one record file, so that a parse reads one file for a thousand
pipelines, and asks the file system only whether each is as it was. A worker reads the record of the
one that it runs, found by the id of its DAG.
"""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from airflow_dataops import __version__
from airflow_dataops.adapters import cache
from airflow_dataops.adapters.downloads import name_of
from airflow_dataops.adapters.local_files import read_regular
from airflow_dataops.core.model import Struct
from airflow_dataops.core.pipelines.model import Pipeline

if TYPE_CHECKING:
    from airflow_dataops.adapters.pipeline_files import FolderFiles
    from airflow_dataops.adapters.record_file import RecordFile

State = tuple[int, int, int, int]
"""Inode, size and times of a file: what changes with its content."""
_SETTLED = 2.0
"""Seconds after which a file's time of change tells one content from the next."""
_DAG = "dag "


class Mark(Struct, frozen=True, kw_only=True):
    """The content of a file that was read: its key, empty for no file, and its state if settled."""

    key: str
    state: State | None = None


class Model(Struct, frozen=True, kw_only=True):
    """An operator that others are copied from; see `task_groups.copies`.

    Attributes:
        key: of the family.
        own: the arguments that differ in the family, as in the file.
    """

    key: bytes
    own: dict[str, Any]


class Kept(Struct, frozen=True, kw_only=True):
    """What was read of a file of pipelines.

    Attributes:
        files: what it was made of, by path, and files that were looked for and are not there.
        models: what operators are copied from.
        copied: by id of the DAG and of the task, the place of its model; -1 for none.
    """

    files: dict[str, Mark]
    pipelines: tuple[Pipeline, ...]
    models: tuple[Model, ...] = ()
    copied: dict[str, dict[str, int]] = {}


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Kept).decode
_decode_all = msgspec.msgpack.Decoder(dict[str, Kept]).decode


class OpenedPipelines:
    """The pipelines of a file, and the models of their operators.

    Attributes:
        kept: what is known of the file.
    """

    def __init__(self, kept: Kept) -> None:
        self.kept = kept
        self._new: dict[str, dict[str, Model | None]] = {}

    @property
    def pipelines(self) -> tuple[Pipeline, ...]:
        """The pipelines."""
        return self.kept.pipelines

    def model(self, dag_id: str, task_id: str) -> Model | None:
        """Return the model that a task's operator is copied from; None for none."""
        place = self.kept.copied.get(dag_id, {}).get(task_id, -1)
        return None if place < 0 else self.kept.models[place]

    def is_seen(self, dag_id: str, task_id: str) -> bool:
        """Tell whether it was tried already to copy a task's operator."""
        return task_id in self.kept.copied.get(dag_id, {})

    def learn(self, dag_id: str, task_id: str, model: Model | None) -> None:
        """Remember the model of a task's operator, None for none."""
        self._new.setdefault(dag_id, {})[task_id] = model

    def learnt(self) -> Kept | None:
        """Return what is known of the file now; None where that is nothing new."""
        if not self._new:
            return None
        models: dict[bytes, tuple[int, Model]] = {}
        copied: dict[str, dict[str, int]] = {}
        for pipeline in self.pipelines:
            learnt = self._new.get(pipeline.dag_id, {})
            for task in pipeline.tasks:
                if task.id in learnt:
                    model = learnt[task.id]
                elif self.is_seen(pipeline.dag_id, task.id):
                    model = self.model(pipeline.dag_id, task.id)
                else:
                    continue
                place = -1
                if model is not None:
                    place, _ = models.setdefault(_encode(model), (len(models), model))
                copied.setdefault(pipeline.dag_id, {})[task.id] = place
        kept = tuple(model for _, model in models.values())
        return msgspec.structs.replace(self.kept, models=kept, copied=copied)


class PipelineStore:
    """The pipelines of a folder.

    Args:
        root: the folder that no file of a pipeline may be out of.
        environment: whose overrides hold; None for none.
        only: the one file of it that is opened; None for any.
    """

    def __init__(self, root: Path, environment: str | None, only: Path | None = None) -> None:
        self._root = root
        self._environment = environment
        place = f"{only} {name_of(only)}" if only else ""
        told = "\0".join((str(root), place, environment or "", __version__))
        digest = hashlib.sha256(told.encode(errors="surrogateescape")).hexdigest()
        self._name = f"{digest[:32]}.pipelines"
        self._kept: dict[str, Kept] | None = None
        self._marks: dict[str, Mark] = {}
        self._opened: dict[str, OpenedPipelines] = {}
        self._is_new = False
        self._files: FolderFiles | None = None

    def open(self, path: Path) -> OpenedPipelines:
        """Return the pipelines of a file, from the cache or read now.

        Raises:
            PipelineError: with all that is wrong in the file.
        """
        kept = self._all().get(str(path))
        if kept is None or not self._is_current(kept):
            kept = self._read(path)
            self._is_new = True
        opened = self._opened[str(path)] = OpenedPipelines(kept)
        return opened

    def others(self, path: Path) -> list[str]:
        """Return the other files that a file of pipelines is made of. Raises `PipelineError`."""
        marks = self.open(path).kept.files
        return [each for each, mark in marks.items() if mark.key and each != str(path)]

    def find(self, dag_id: str) -> tuple[Path, OpenedPipelines] | None:
        """Return the file that made a DAG at the last parse of the folder, if it is unchanged."""

        def found(records: RecordFile) -> tuple[str, Kept] | None:
            if (record := records.get(_DAG + dag_id)) is None:
                return None
            path = msgspec.msgpack.decode(record, type=str)
            kept = records.get(path)
            return None if kept is None else (path, _decode(kept))

        known = cache.read(self._name, found)
        if known is None or not self._is_current(known[1]):
            return None
        return Path(known[0]), OpenedPipelines(known[1])

    def close(self) -> None:
        """Keep what was read, and forget files that are gone."""
        learnt = {path: opened.learnt() for path, opened in self._opened.items()}
        is_same = self._opened.keys() == (self._kept or {}).keys()
        if not (self._is_new or not is_same or any(learnt.values())):
            return
        kept = {path: learnt[path] or opened.kept for path, opened in self._opened.items()}
        ids: dict[str, str] = {}
        for path, each in kept.items():
            for pipeline in each.pipelines:
                ids.setdefault(_DAG + pipeline.dag_id, path)
        cache.store(self._name, b"", kept, ids)

    def _all(self) -> dict[str, Kept]:
        if self._kept is None:
            self._kept = cache.read(self._name, lambda records: _decode_all(records.entries)) or {}
        return self._kept

    def _read(self, path: Path) -> Kept:
        # Most processes find what they need in the cache, and never load the reader.
        from airflow_dataops.adapters.pipeline_files import FolderFiles
        from airflow_dataops.core.pipelines.faults import PipelineError
        from airflow_dataops.core.pipelines.read import read_pipelines

        files = self._files = self._files or FolderFiles(self._root)
        pipelines, faults = read_pipelines(
            files.main(path),
            str(path),
            files,
            name=name_of(path),
            defaults=files.defaults(path),
            environment=self._environment,
        )
        if faults:
            raise PipelineError(name_of(path), faults)
        marks = {each: Mark(key=key, state=_settled(each)) for each, key in files.read.items()}
        return Kept(files=marks, pipelines=tuple(pipelines))

    def _is_current(self, kept: Kept) -> bool:
        return all(self._is_same(path, mark) for path, mark in kept.files.items())

    def _is_same(self, path: str, mark: Mark) -> bool:
        """Tell whether a file is as it was; one that changed a moment ago is read again."""
        if mark.key and mark.state is not None and _state(path) == mark.state:
            return True
        if path not in self._marks:
            self._marks[path] = _mark(path)
            self._is_new |= bool(mark.key)
        return self._marks[path].key == mark.key


def _mark(path: str) -> Mark:
    try:
        return Mark(key=cache.key_of(read_regular(Path(path))))
    except OSError:
        return Mark(key="")


def _state(path: str) -> State | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _settled(path: str) -> State | None:
    """Return the state of a file; None where it changed a moment ago, and may do so again."""
    if (state := _state(path)) is None:
        return None
    is_settled = time.time() - max(state[2], state[3]) / 1e9 > _SETTLED
    return state if is_settled else None
