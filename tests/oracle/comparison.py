"""Builds a project on both sides, run by run, and keeps what each run left."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import time_machine

from airflow_dataops.adapters.dbt_run_hooks import set_run_hooks
from airflow_dataops.cli.compile import compile_project
from airflow_dataops.core.execution.requests import RunRequest
from airflow_dataops.core.execution.values import RunValues
from airflow_dataops.core.manifests import read_manifest
from tests.oracle.dbt_process import Dbt, environment
from tests.oracle.engine_side import Engine
from tests.oracle.projects import REPOSITORY, STEPS
from tests.oracle.recording import Way, files_of, lasting
from tests.oracle.state import (
    Clock,
    State,
    abridged,
    as_state,
    now,
    read_beside,
    read_state,
    written,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from airflow_dataops.core.model import Manifest
    from tests.oracle.databases import Database
    from tests.oracle.dbt_process import Outcomes
    from tests.oracle.projects import Databases, OracleProject, Step
    from tests.oracle.recording import Recording

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
    """Both sides after each step of a project.

    Attributes:
        manifest: what our side was built from.
        left_out: the ids of the nodes that were not built on our side, as dbt was not asked:
            what only dbt can run, and what depends on it.
        absent: the names of their tables and views.
    """

    dbt: tuple[Side, ...]
    ours: tuple[Side, ...]
    left_out: set[str]
    absent: set[str]
    manifest: Manifest

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
    bare = without_hooks(directory, own) if manifest.project.run_hooks else directory
    engine = Engine(manifest, databases.ours, Dbt(project, bare, databases.ours, own))
    recorded = recording.way is not Way.ASK
    sides = tuple(map(_side_of, answer)) if recorded else tuple(dbt.sides)
    left_out: set[str] = engine.needing_dbt() if recorded else set()
    ours = _build(project, databases.ours, engine, [_ran(side) - left_out for side in sides])
    if recorded:
        ours = tuple(replace(side, state=abridged(side.state)) for side in ours)
    return Comparison(sides, ours, left_out, engine.relations(left_out), manifest)


def without_hooks(directory: Path, folder: Path) -> Path:
    """Copy a project without what runs around a run, as a task of dbt has it."""
    copy = folder / "bare"
    shutil.copytree(directory, copy, ignore=shutil.ignore_patterns("target", "logs", "*.duckdb*"))
    set_run_hooks(copy, os.environ)
    return copy


def question(project: OracleProject, directory: Path) -> list[object]:
    """Return all that dbt's answer depends on: the project's files, and who makes its data."""
    files = files_of(directory)
    files.pop("profiles.yml")  # it may have the address of the tests' server
    asked = ["four builds", project.id, files, files_of(REPOSITORY / "dags")["shop_generator.py"]]
    # The steps of most are those that the words above mean.
    return asked if project.steps is STEPS else [*asked, repr(project.steps), project.runtime_vars]


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
        """Return the compiled manifest and what each step left, as a recording keeps it."""
        project = self._project
        output = self._folder / "compiled.json"
        if project.asks:
            with self._databases.compiled.open() as runner:
                project.load(runner, 0)
        with environment(project.variable, self._databases.compiled.value):
            compile_project(
                self._directory,
                output=output,
                variables=project.runtime_vars,
                runtime_vars=tuple(project.runtime_vars or ()),
            )
        dbt = Dbt(project, self._directory, self._databases.dbt, self._folder)
        recorder = _Recorder(project, self._databases.dbt)
        for step in project.steps:
            recorder.begin(step)
            with _moment(step):
                outcomes = dbt.build(*options(step))
            state = recorder.end(dbt.invocation())
            freshness = dbt.freshness() if project.watched else {}
            self.sides.append(Side(state, outcomes, freshness, {}))
        kept = [(written(abridged(s.state)), s.outcomes, s.freshness) for s in self.sides]
        compiled = lasting(output.read_bytes(), self._directory)
        return compiled.replace(self._databases.compiled.value, _DATABASE), kept


def options(step: Step) -> tuple[str, ...]:
    """Return what dbt is called with for a step."""
    refresh = ("--full-refresh",) if step.full_refresh else ()
    given = ("--vars", json.dumps(step.variables)) if step.variables else ()
    return (*refresh, *given)


def _moment(step: Step) -> AbstractContextManager[object]:
    return time_machine.travel(step.begins) if step.begins else nullcontext()


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
    for step, nodes in zip(project.steps, ran, strict=True):
        recorder.begin(step)
        id_ = f"ours, {step.name}"
        values = RunValues(
            variables=dict(step.variables or {}), started_at=step.begins, invocation_id=id_
        )
        engine.request = RunRequest(full_refresh=step.full_refresh, values=values)
        engine.options = options(step)
        with _moment(step):
            built, errors = engine.build(nodes, full_refresh=step.full_refresh)
        state = recorder.end(id_)
        freshness = engine.freshness() if project.watched else {}
        sides.append(Side(state, built, freshness, errors))
    return tuple(sides)


class _Recorder:
    """Loads the raw data of a side, and reads its state and clock."""

    def __init__(self, project: OracleProject, database: Database) -> None:
        self._project = project
        self._database = database
        self._runs: list[tuple[object, object]] = []
        self._ids: list[str] = []
        self._start: object = None

    def begin(self, step: Step) -> None:
        with self._database.open() as runner:
            if step.day is not None:
                self._project.load(runner, step.day)
            self._start = now(runner)

    def end(self, id_: str) -> State:
        """Return what a run left, of which dbt's `invocation_id` is given."""
        with self._database.open() as runner:
            self._runs.append((self._start, now(runner)))
            self._ids.append(id_)
            beside = read_beside(runner) if self._project.beside else {}
            return read_state(runner, Clock(tuple(self._runs), tuple(self._ids))) | beside


def _side(folder: Path) -> Path:
    folder.mkdir()
    return folder
