"""dbt's own answer to a selection: `dbt ls` in this process, over a manifest parsed once."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dbt.cli.main import dbtRunner

from airflow_dataops.core.manifests import read_manifest
from airflow_dataops.core.model import NodeKind

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_dataops.core.model import Project

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


@dataclass
class DbtProject:
    """A dbt project in a folder, parsed by dbt and read by us."""

    folder: Path
    _events: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        parsed = dbtRunner().invoke([*self._common("parse"), "--no-partial-parse"])
        assert parsed.success, parsed.exception
        self._runner = dbtRunner(manifest=parsed.result, callbacks=[self._note])  # type: ignore[arg-type]
        self.manifest = (self.folder / "target/manifest.json").read_bytes()
        self.project: Project = read_manifest(self.manifest, source="manifest.json").project

    def ls(self, *arguments: str) -> Listing:
        """Run `dbt ls` with further arguments."""
        self._events.clear()
        answer = self._runner.invoke(
            [*self._common("ls"), "--output", "json", "--output-keys", "unique_id", *arguments]
        )
        warned = _UNMATCHED in self._events
        if not answer.success:
            return Listing(None, warned)
        lines: Any = answer.result
        ids = (json.loads(line)["unique_id"] for line in lines)
        return Listing(frozenset(id_ for id_ in ids if id_.startswith(_OURS)), warned)

    def _note(self, event: Any) -> None:
        self._events.append(event.info.name)

    def _common(self, command: str) -> list[str]:
        place = str(self.folder)
        return ["--quiet", command, "--project-dir", place, "--profiles-dir", place]


def copy_project(source: Path, target: Path) -> Path:
    """Copy a dbt project without what earlier runs left in it."""
    left = shutil.ignore_patterns("target", "logs", "*.duckdb", "dbt_packages")
    shutil.copytree(source, target, ignore=left)
    return target
