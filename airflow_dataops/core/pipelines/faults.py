"""What is wrong in a pipeline's file, each with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.model import Struct
from airflow_dataops.errors import ManifestError, printable

if TYPE_CHECKING:
    from collections.abc import Iterable


class Place(Struct, frozen=True, gc=False):
    """A place in a file; lines and columns count from 1."""

    file: str
    line: int
    column: int


class Fault(Struct, frozen=True):
    """One thing that is wrong.

    Attributes:
        rule: which rule is broken, such as `unknown-key`.
        path: JSON path in the file, such as `$.tasks.load.conn_id`.
        message: what is wrong, what was expected, the nearest valid name.
    """

    rule: str
    message: str
    place: Place
    path: str = "$"

    def __str__(self) -> str:
        place = self.place
        where = f"{place.file}:{place.line}:{place.column}"
        return printable(f"{where}: {self.message} (at {self.path})")


class PipelineError(ManifestError):
    """A pipeline's file cannot be used; `faults` are all that is wrong with it, by place."""

    def __init__(self, source: str, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(faults, key=_order))
        super().__init__(source, ())

    def __str__(self) -> str:
        if len(self.faults) == 1:
            return str(self.faults[0])
        lines = "".join(f"\n  - {fault}" for fault in self.faults)
        return f"{self.source}: {len(self.faults)} problems:{lines}"


def _order(fault: Fault) -> tuple[str, int, int]:
    return fault.place.file, fault.place.line, fault.place.column
