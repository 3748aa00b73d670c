"""Runs measurements, each in a fresh process, the contestants in turns."""

from __future__ import annotations

import dataclasses
import datetime
import importlib.metadata
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks import manifests

if TYPE_CHECKING:
    from pathlib import Path

GROUPS = 36
GROUP_MODELS = 1070
"""With two tests each, about 3,200 nodes."""
TINY = 5
SLOW_SIZE = 5000
"""From this size on, those who are quadratic are measured less often."""
LARGEST_SLOW = 5000
"""Beyond this size they are not measured: 20,000 models would take them ten minutes and more."""
PACKAGES = ("airflow-dataops", "apache-airflow", "astronomer-cosmos", "msgspec")


@dataclass(frozen=True)
class Settings:
    sizes: tuple[int, ...]
    repeats: int = 5
    slow_repeats: int = 3
    parses: int = 200
    kinds: tuple[str, ...] = manifests.KINDS

    @classmethod
    def quick(cls) -> Settings:
        return cls(sizes=(100, 1000), repeats=1, slow_repeats=1, parses=5)


@dataclass(frozen=True)
class Case:
    """One contestant of one measure; `cache` is `warm`, `cold` or empty."""

    measure: str
    contestant: str
    cache: str
    models: int
    count: int = 0
    kind: str = manifests.BARE

    @property
    def key(self) -> str:
        of_kind = "" if self.kind == manifests.BARE else f" {self.kind}"
        return f"{self.measure} {self.contestant} {self.cache} {self.models}{of_kind}"


class Runner:
    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings = settings
        self.folder = folder
        self.samples: dict[str, list[dict[str, Any]]] = {}

    def all(self) -> dict[str, Any]:
        """Return what was measured, with the circumstances."""
        main = max((size for size in self.settings.sizes if size <= LARGEST_SLOW), default=100)
        self._prepare(main)
        started = time.time()
        self.parsing(main)
        self._rounds(
            [
                Case("groups", "ours", "warm", GROUP_MODELS, GROUPS),
                Case("groups", "ours", "cold", GROUP_MODELS, GROUPS),
                Case("groups", "cosmos", "", GROUP_MODELS, GROUPS),
            ]
        )
        self._rounds([Case("bare", "none", "", TINY), Case("imports", "ours", "", TINY)])
        self._once(Case("serialized", "ours", "warm", main))
        for contestant in ("ours", "cosmos"):
            self._once(Case("versions", contestant, "", 0, self.settings.parses))
        return self._told(main, started)

    def _told(self, main: int, started: float) -> dict[str, Any]:
        """Return the samples with the circumstances."""
        return {
            "settings": dataclasses.asdict(self.settings) | {"main": main},
            "samples": self.samples,
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
            "minutes": (time.time() - started) / 60,
            "python": platform.python_version(),
            "processors": os.cpu_count(),
            "load": os.getloadavg()[0],
            "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
        }

    def parsing(self, main: int) -> None:
        """Measure what depends on the metadata of a manifest, with and without."""
        for kind in self.settings.kinds:
            for size in self.settings.sizes:
                self._rounds(self._building(size, kind))
            self._rounds(
                [
                    Case("start", "ours", "warm", main, kind=kind),
                    Case("start", "ours", "warm", TINY, kind=kind),
                    *([Case("start", "cosmos", "", main)] if kind == manifests.BARE else []),
                ]
            )

    def only_parsing(self) -> dict[str, Any]:
        """Return what `all` does, of parsing and starts alone."""
        main = max(size for size in self.settings.sizes if size <= LARGEST_SLOW)
        self._prepare(main)
        started = time.time()
        self.parsing(main)
        return self._told(main, started)

    def _building(self, size: int, kind: str) -> list[Case]:
        """List what is measured; Cosmos, which reads no such metadata, on bare manifests alone."""
        cases = [Case("build", "ours", cache, size, kind=kind) for cache in ("warm", "cold")]
        if size <= LARGEST_SLOW:
            cases.append(Case("build", "by_hand", "", size, kind=kind))
            if kind == manifests.BARE:
                cases.append(Case("build", "cosmos", "", size))
        return cases

    def _prepare(self, main: int) -> None:
        for kind in self.settings.kinds:
            for size in {TINY, main, *self.settings.sizes}:
                manifests.write(self._manifest(size, kind), size, kind=kind)
        manifests.write(self._manifest(GROUP_MODELS), GROUP_MODELS, GROUPS)
        shutil.rmtree(self.folder / "homes", ignore_errors=True)
        # Files that changed a moment ago are not known by their time of change.
        time.sleep(3)

    def _manifest(self, size: int, kind: str = manifests.BARE) -> Path:
        name = str(size) if kind == manifests.BARE else f"{size}-{kind}"
        return self.folder / name / "manifest.json"

    def _rounds(self, cases: list[Case]) -> None:
        for case in cases:
            if case.cache == "warm" or case.contestant == "by_hand":
                # What is written by hand takes its tasks from a plan: it is made here.
                self._child(case)
        for number in range(self.settings.repeats):
            for case in cases:
                if number < self._repeats(case):
                    self._once(case)

    def _repeats(self, case: Case) -> int:
        is_slow = case.contestant in ("by_hand", "cosmos") and (
            case.models >= SLOW_SIZE or case.measure == "groups"
        )
        # What takes seconds varies less than what takes milliseconds.
        is_slow |= case.models > LARGEST_SLOW and case.cache == "cold"
        return self.settings.slow_repeats if is_slow else self.settings.repeats

    def _once(self, case: Case) -> None:
        if case.cache == "cold":
            shutil.rmtree(self._home(case) / "dataops", ignore_errors=True)
        found = self._child(case)
        self.samples.setdefault(case.key, []).append(found)
        print(f"{case.key:40} {json.dumps(found)}", file=sys.stderr, flush=True)

    def _home(self, case: Case) -> Path:
        """A home for each, so that none warms another's cache."""
        return self.folder / "homes" / f"{case.measure}-{case.contestant}-{case.cache}-{case.kind}"

    def _child(self, case: Case) -> dict[str, Any]:
        home = self._home(case)
        home.mkdir(parents=True, exist_ok=True)
        manifest = self._manifest(case.models, case.kind)
        if case.measure == "versions":
            manifest = home / "manifest.json"
        command = ["benchmarks.child", case.measure, case.contestant, manifest, case.count]
        done = subprocess.run(
            [sys.executable, "-m", *map(str, command)],
            env=_environment(case, home),
            capture_output=True,
            text=True,
            check=False,
        )
        marked = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
        if done.returncode or not marked:
            raise SystemExit(f"{case}:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
        found: dict[str, Any] = json.loads(marked[-1].removeprefix("RESULT "))
        return found


def _environment(case: Case, home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if "AIRFLOW" not in name}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    ours = {"AIRFLOW_HOME": str(home), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
    if case.measure == "start":
        # How Airflow tells a DAG file on a worker which task it is parsed for.
        task = "stg_model_00000" + (".run" if case.contestant == "cosmos" else "")
        ours["_AIRFLOW_PARSING_CONTEXT_DAG_ID"] = "bench"
        ours["_AIRFLOW_PARSING_CONTEXT_TASK_ID"] = task
    return kept | ours
