"""Values that stand for an object: mappings with a key that begins with `$`.

{$import: package.module.name}           an object by its import path, such as a function
{$new: Merge, keys: [id]}                an instance: a short name or an import path, its arguments
{$output: extract}                       what a task returned; `key` chooses one of several
{$file: queries/orders.sql}              the text of a file beside the pipeline
{$duration: 30m}  {$datetime: 2026-01-31}  {$asset: orders}
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_dataops.core.pipelines.fields import duration, import_path, moment, text
from airflow_dataops.core.pipelines.located import Map, Seq
from airflow_dataops.core.pipelines.marks import (
    ASSET,
    DATETIME,
    DURATION,
    FILE,
    IMPORT,
    MARKS,
    NEW,
    OUTPUT,
)
from airflow_dataops.core.pipelines.names import OBJECTS
from airflow_dataops.core.pipelines.report import near
from airflow_dataops.core.pipelines.schedules import check_asset
from airflow_dataops.core.pipelines.secrets import check_secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_dataops.core.pipelines.report import Path, Report


class References:
    """Checks the references in values.

    Args:
        task_of: returns the full id of the task that a name stands for, None for none; told the
            value it is in, to report what is wrong.
        file_of: returns the text of a file; raises ValueError.
    """

    def __init__(
        self,
        report: Report,
        task_of: Callable[[Map, str, Path], str | None],
        file_of: Callable[[str], str],
    ) -> None:
        self._report = report
        self._task_of = task_of
        self._file_of = file_of
        self.outputs: list[str] = []
        """Ids of the tasks whose output was referred to."""
        self.found = False
        """Whether there was a reference that is to be resolved when the DAG is built."""

    def of(self, value: Any, path: Path) -> Any:
        """Return a value with its references in one form."""
        if isinstance(value, Map):
            marks = [key for key in value if isinstance(key, str) and key.startswith("$")]
            if marks:
                return self._reference(value, marks, path)
            for key in value:
                if isinstance(key, str):
                    check_secret(value, key, path, self._report)
            return {key: self.of(part, (*path, key)) for key, part in value.items()}
        if isinstance(value, Seq):
            return [self.of(part, (*path, place)) for place, part in enumerate(value)]
        return value

    def _reference(self, value: Map, marks: list[str], path: Path) -> Any:
        for unknown in [mark for mark in marks if mark not in MARKS]:
            self._report.unknown_key(value, unknown, MARKS, path)
            return None
        mark = marks[0]
        allowed = {OUTPUT: ("key",), NEW: tuple(value)}.get(mark, ())
        for extra in [key for key in value if key != mark and key not in allowed]:
            self._report.unknown_key(value, extra, (mark, *allowed), path)
        self.found |= mark != FILE
        try:
            return getattr(self, f"_{mark[1:]}")(value, path)
        except ValueError as error:
            self._report.value("wrong-value", str(error), value, mark, path)
            return None

    def _import(self, value: Map, path: Path) -> Any:
        import_path(value[IMPORT])
        return {IMPORT: value[IMPORT]}

    def _new(self, value: Map, path: Path) -> Any:
        name = value[NEW]
        if name not in OBJECTS:
            if isinstance(name, str) and "." not in name:
                raise ValueError(f"There is no {name!r}{near(name, OBJECTS.keys())}")
            import_path(name)
        arguments = {key: self.of(part, (*path, key)) for key, part in value.items() if key != NEW}
        return {NEW: OBJECTS.get(name, name), **arguments}

    def _output(self, value: Map, path: Path) -> Any:
        text(value[OUTPUT])
        id_ = self._task_of(value, value[OUTPUT], path)
        if id_ is None:
            return None
        self.outputs.append(id_)
        if "key" in value:
            text(value["key"])
            return {OUTPUT: id_, "key": value["key"]}
        return {OUTPUT: id_}

    def _file(self, value: Map, path: Path) -> Any:
        text(value[FILE])
        return self._file_of(value[FILE])

    def _duration(self, value: Map, path: Path) -> Any:
        duration(value[DURATION])
        return dict(value)

    def _datetime(self, value: Map, path: Path) -> Any:
        moment(value[DATETIME])
        return dict(value)

    def _asset(self, value: Map, path: Path) -> Any:
        given = value[ASSET]
        if isinstance(given, Map):
            return {ASSET: check_asset(given, (*path, ASSET), self._report)}
        text(given)
        return {ASSET: {"uri" if "://" in given else "name": given}}
