"""dbt's own answer to a selection: `dbt ls` in this process, over a manifest parsed once.

Or what it was when it was recorded.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.manifests import read_manifest
from airflow_dataops.core.model import NodeKind
from tests.oracle.recording import files_of, lasting

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from airflow_dataops.core.model import Project
    from tests.oracle.recording import Recording

# `dbt ls` lists analyses, metrics and the like too; a `Project` has none of them.
_OURS = tuple(f"{kind.value}." for kind in NodeKind)
_UNMATCHED = "NoNodesForSelectionCriteria"


@dataclass(frozen=True)
class Listing:
    """What `dbt ls` said.

    Attributes:
        ids: of the nodes of our kinds; None when dbt refused the expression.
        warned: whether dbt warned of a part that matches nothing.
    """

    ids: frozenset[str] | None
    warned: bool


class DbtProject:
    """A dbt project in a folder, parsed by dbt and read by us.

    Args:
        recording: has what dbt answers; without one dbt is asked.
    """

    def __init__(self, folder: Path, recording: Recording | None = None) -> None:
        self.folder = folder
        self.target = folder / "target"
        self.target.mkdir()
        self._recording = recording
        self._runner: Any = None
        self._events: list[str] = []
        self._files = files_of(folder)
        self.manifest = self._answer(["parse", self._files], self._parse).encode()
        self.project: Project = read_manifest(self.manifest, source="manifest.json").project

    def ls(self, *arguments: str, state: DbtProject | None = None) -> Listing:
        """Run `dbt ls` with further arguments.

        Args:
            state: what its `--state` is, with the results in its target folder.
        """
        question: list[object] = ["ls", self._files, arguments]
        more: list[str] = []
        if state:
            more = ["--state", str(state.target)]
            question += [state._files, _results(state.target), _results(self.target)]
        ids, warned = self._answer(question, lambda: self._ls(*arguments, *more))
        return Listing(None if ids is None else frozenset(ids), warned)

    def _answer(self, question: object, ask: Callable[[], Any]) -> Any:
        return self._recording.answer(question, ask) if self._recording else ask()

    def _parse(self) -> str:
        from dbt.cli.main import dbtRunner

        parsed = dbtRunner().invoke([*self._common("parse"), "--no-partial-parse"])
        assert parsed.success, parsed.exception
        self._runner = dbtRunner(manifest=parsed.result, callbacks=[self._note])  # type: ignore[arg-type]
        return lasting((self.target / "manifest.json").read_bytes(), self.folder)

    def _ls(self, *arguments: str) -> tuple[list[str] | None, bool]:
        self._events.clear()
        answer = self._runner.invoke(
            [*self._common("ls"), "--output", "json", "--output-keys", "unique_id", *arguments]
        )
        warned = _UNMATCHED in self._events
        if not answer.success:
            return None, warned
        lines: Any = answer.result
        ids = (json.loads(line)["unique_id"] for line in lines)
        return sorted({id_ for id_ in ids if id_.startswith(_OURS)}), warned

    def _note(self, event: Any) -> None:
        self._events.append(event.info.name)

    def _common(self, command: str) -> list[str]:
        place = str(self.folder)
        return ["--quiet", command, "--project-dir", place, "--profiles-dir", place]


def _results(target: Path) -> dict[str, str]:
    """Return the texts of what runs left for a comparison of states."""
    files = (target / name for name in ("run_results.json", "sources.json"))
    return {file.name: file.read_text() for file in files if file.exists()}


def copy_project(source: Path, target: Path) -> Path:
    """Copy a dbt project without what earlier runs left in it."""
    left = shutil.ignore_patterns("target", "logs", "*.duckdb", "dbt_packages")
    shutil.copytree(source, target, ignore=left)
    return target
