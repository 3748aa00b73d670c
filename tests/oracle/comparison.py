"""Builds a project on both sides, run by run, and keeps what each run left."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from airflow_dataops.cli.compile import compile_project
from airflow_dataops.core.manifests import read_manifest
from tests.oracle.dbt_process import Dbt, environment
from tests.oracle.engine_side import Engine
from tests.oracle.projects import REPOSITORY
from tests.oracle.recording import Way, files_of, lasting
from tests.oracle.state import Clock, State, abridged, as_state, now, read_state, written

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.oracle.databases import Database
    from tests.oracle.dbt_process import Outcomes
    from tests.oracle.projects import Databases, OracleProject
    from tests.oracle.recording import Recording

RUNS = ("full refresh from nothing", "second day", "third day", "full refresh again")
_REFRESHED = {0, 3}
_DATABASE = "{the database}"
"""In a recorded manifest, for the name of the one that it was compiled with."""


@dataclass(frozen=True)
class Side:
    """What one side left after a run."""

    state: State
    outcomes: Outcomes
    freshness: dict[str, str]
    errors: dict[str, str]


@dataclass(frozen=True)
class Comparison:
    """Both sides after each of `RUNS`.

    Attributes:
        left_out: the ids of the nodes that were not built on our side, as dbt was not asked:
            what only dbt can run, and what depends on it.
        absent: the names of their tables and views.
    """

    dbt: tuple[Side, ...]
    ours: tuple[Side, ...]
    left_out: set[str]
    absent: set[str]

    def by_dbt(self, run: int) -> State:
        """Return what dbt left, of what was built on both sides."""
        state = self.dbt[run].state
        return {name: state[name] for name in state.keys() - self.absent}


def compare(project: OracleProject, folder: Path, recording: Recording) -> Comparison:
    """Build a project on both sides. `folder` gets one folder for each of them."""
    theirs, own = (_side(folder / side) for side in ("dbt", "ours"))
    databases = project.databases(theirs, own)
    directory = project.adapted(folder) if project.adapted else project.directory
    dbt = _Asked(project, directory, databases, theirs)
    compiled, answer = recording.answer(question(project, directory), dbt.answer)
    compiled = compiled.replace(_DATABASE, databases.ours.value)
    manifest = read_manifest(compiled.encode(), source="manifest.json")
    engine = Engine(manifest, databases.ours, Dbt(project, directory, databases.ours, own))
    recorded = recording.way is Way.READ
    sides = tuple(map(_side_of, answer)) if recorded else tuple(dbt.sides)
    left_out: set[str] = engine.needing_dbt() if recorded else set()
    ours = _build(project, databases.ours, engine, [_ran(side) - left_out for side in sides])
    if recorded:
        ours = tuple(replace(side, state=abridged(side.state)) for side in ours)
    return Comparison(sides, ours, left_out, engine.relations(left_out))


def question(project: OracleProject, directory: Path) -> list[object]:
    """Return all that dbt's answer depends on: the project's files, and who makes its data."""
    files = files_of(directory)
    files.pop("profiles.yml")  # it may have the address of the tests' server
    return ["four builds", project.id, files, files_of(REPOSITORY / "dags")["shop_generator.py"]]


class _Asked:
    """dbt's side, from dbt.

    Attributes:
        sides: what each run left; the recording has only hashes of large tables.
    """

    def __init__(
        self, project: OracleProject, directory: Path, databases: Databases, folder: Path
    ) -> None:
        self._project, self._directory, self._databases = project, directory, databases
        self._folder = folder
        self.sides: list[Side] = []

    def answer(self) -> tuple[str, list[tuple[Any, ...]]]:
        """Return the compiled manifest and what `RUNS` left, as a recording keeps it."""
        output = self._folder / "compiled.json"
        with environment(self._project.variable, self._databases.compiled.value):
            compile_project(self._directory, output=output)
        dbt = Dbt(self._project, self._directory, self._databases.dbt, self._folder)
        recorder = _Recorder(self._project, self._databases.dbt)
        for run in range(len(RUNS)):
            recorder.begin(run)
            outcomes = dbt.build(*(["--full-refresh"] if run in _REFRESHED else []))
            self.sides.append(Side(recorder.end(), outcomes, dbt.freshness(), {}))
        kept = [(written(abridged(s.state)), s.outcomes, s.freshness) for s in self.sides]
        compiled = lasting(output.read_bytes(), self._directory)
        return compiled.replace(self._databases.compiled.value, _DATABASE), kept


def _side_of(answer: tuple[Any, ...]) -> Side:
    state, outcomes, freshness = answer
    return Side(as_state(state), outcomes, freshness, {})


def _ran(side: Side) -> set[str]:
    return {id_ for id_, (status, _) in side.outcomes.items() if status != "skipped"}


def _build(
    project: OracleProject, database: Database, engine: Engine, ran: Sequence[set[str]]
) -> tuple[Side, ...]:
    recorder = _Recorder(project, database)
    sides = []
    for run, nodes in enumerate(ran):
        recorder.begin(run)
        built, errors = engine.build(nodes, full_refresh=run in _REFRESHED)
        sides.append(Side(recorder.end(), built, engine.freshness(), errors))
    return tuple(sides)


class _Recorder:
    """Loads the raw data of a side, and reads its state and clock."""

    def __init__(self, project: OracleProject, database: Database) -> None:
        self._project = project
        self._database = database
        self._runs: list[tuple[object, object]] = []
        self._start: object = None

    def begin(self, run: int) -> None:
        with self._database.open() as runner:
            if run <= 2:
                self._project.load(runner, run)
            self._start = now(runner)

    def end(self) -> State:
        with self._database.open() as runner:
            self._runs.append((self._start, now(runner)))
            return read_state(runner, Clock(tuple(self._runs)))


def _side(folder: Path) -> Path:
    folder.mkdir()
    return folder
