"""Gathers what a reader finds wrong, so that all of it is told at once."""

from __future__ import annotations

from dataclasses import dataclass, field

from airflow_dataops.errors import Problem


@dataclass
class Report:
    """Problems, which keep the manifest from being used, and warnings, which do not."""

    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    misspelt: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    """Nodes, by the key of their metadata that is nearly one of ours, and that one."""

    def at(self, node: str, path: str) -> Place:
        """Return a place to which problems are tied."""
        return Place(self, node, path)


@dataclass(slots=True)
class Place:
    """A node, and the file that its author would mend."""

    report: Report
    node: str
    path: str

    def complain(self, message: str) -> None:
        """Add a problem of this node."""
        self.report.problems.append(Problem(message, node=self.node, path=self.path or None))

    def warn(self, message: str) -> None:
        """Add a warning that names this node."""
        self.report.warnings.append(f"{self.node}: {message}")

    def note_misspelt(self, key: str, meant: str) -> None:
        """Note a key that is nearly one of ours."""
        self.report.misspelt.setdefault((key, meant), []).append(self.node)
