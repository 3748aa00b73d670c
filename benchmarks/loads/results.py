"""Keeps what was measured, case by case, so that a run that was ended can go on."""

from __future__ import annotations

import json
import os
import platform
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.loads.cases import CASES

if TYPE_CHECKING:
    from benchmarks.loads.cases import Size

_FOLDER = Path(__file__).parents[2] / ".cache" / "benchmarks" / "loads"
_PACKAGES = ("apache-airflow", "duckdb", "adbc-driver-postgresql", "pyarrow", "psycopg")


class Results:
    """The results of one size: by case, by way, the runs."""

    def __init__(self, size: Size) -> None:
        self._folder = _FOLDER / size
        self._folder.mkdir(parents=True, exist_ok=True)

    def missing(self) -> list[str]:
        """Return the cases that are to be measured; all of them when none is missing."""
        missing = [case for case in CASES if not self._file(case).exists()]
        return missing or list(CASES)

    def keep(self, case: str, runs: dict[str, list[dict[str, Any]]]) -> None:
        """Keep what a case's ways took."""
        self._file(case).write_text(json.dumps({"runs": runs, "machine": _machine()}, indent=1))

    def read(self) -> dict[str, dict[str, Any]]:
        """Return what was measured so far, in the order of the cases."""
        files = {case: self._file(case) for case in CASES}
        return {case: json.loads(f.read_text()) for case, f in files.items() if f.exists()}

    def _file(self, case: str) -> Path:
        return self._folder / f"{case}.json"


def _machine() -> dict[str, Any]:
    return {
        "date": time.strftime("%Y-%m-%d"),
        "processors": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: version(name) for name in _PACKAGES},
    }
