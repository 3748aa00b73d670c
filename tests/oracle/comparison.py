"""Builds a project on both sides, run by run, and keeps what each run left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_dataops.cli.compile import compile_project
from airflow_dataops.core.manifests import read_manifest
from tests.oracle.dbt_process import Dbt, environment
from tests.oracle.engine_side import Engine
from tests.oracle.state import Clock, State, now, read_state

if TYPE_CHECKING:
    from pathlib import Path

    from tests.oracle.databases import Database
    from tests.oracle.dbt_process import Outcomes
    from tests.oracle.projects import OracleProject

RUNS = ("full refresh from nothing", "second day", "third day", "full refresh again")
_REFRESHED = {0, 3}


@dataclass(frozen=True)
class Side:
    """What one side left after a run."""

    state: State
    outcomes: Outcomes
    freshness: dict[str, str]
    errors: dict[str, str]


@dataclass(frozen=True)
class Comparison:
    """Both sides after each of `RUNS`, and the ids of the nodes that dbt ran on both."""

    dbt: tuple[Side, ...]
    ours: tuple[Side, ...]
    only_dbt: set[str]


def compare(project: OracleProject, folder: Path) -> Comparison:
    """Build a project on both sides. `folder` gets one folder for each of them."""
    theirs, own = (_side(folder / side) for side in ("dbt", "ours"))
    databases = project.databases(theirs, own)
    directory = project.adapted(folder) if project.adapted else project.directory
    manifest_file = folder / "manifest.json"
    with environment(project.variable, databases.compiled.value):
        compile_project(directory, output=manifest_file)
    manifest = read_manifest(manifest_file.read_bytes(), source="manifest.json")
    dbt = Dbt(project, directory, databases.dbt, theirs)
    engine = Engine(manifest, databases.ours, Dbt(project, directory, databases.ours, own))
    recorders = [_Recorder(project, side) for side in (databases.dbt, databases.ours)]
    sides: tuple[list[Side], list[Side]] = ([], [])
    for run in range(len(RUNS)):
        refresh = run in _REFRESHED
        for recorder in recorders:
            recorder.begin(run)
        outcomes = dbt.build(*(["--full-refresh"] if refresh else []))
        sides[0].append(Side(recorders[0].end(), outcomes, dbt.freshness(), {}))
        ran = {id_ for id_, (status, _) in outcomes.items() if status != "skipped"}
        recorders[1].restart()
        built, errors = engine.build(ran, full_refresh=refresh)
        sides[1].append(Side(recorders[1].end(), built, engine.freshness(), errors))
    return Comparison(tuple(sides[0]), tuple(sides[1]), engine.only_dbt())


class _Recorder:
    """Loads the raw data of a side, and reads its state and clock."""

    def __init__(self, project: OracleProject, database: Database) -> None:
        self._project = project
        self._database = database
        self._runs: list[tuple[object, object]] = []
        self._start: object = None

    def begin(self, run: int) -> None:
        if run <= 2:
            with self._database.open() as runner:
                self._project.load(runner, run)
        self.restart()

    def restart(self) -> None:
        with self._database.open() as runner:
            self._start = now(runner)

    def end(self) -> State:
        with self._database.open() as runner:
            self._runs.append((self._start, now(runner)))
            return read_state(runner, Clock(tuple(self._runs)))


def _side(folder: Path) -> Path:
    folder.mkdir()
    return folder
