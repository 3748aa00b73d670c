"""One tree of errors, cut by what the caller does next.

========================  =====================================================
`ManifestError`           mend the manifest (or the dbt project it came from)
`ConfigError`             mend the call, the DAG file or the connection
`MissingExtraError`       install an extra
`RetryableError`          run the task again
`RunError`                give up: running again cannot help
`SupersededError`         stop: another attempt does the work
========================  =====================================================

Every message says what is wrong, where, and what to do about it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class DataOpsError(Exception):
    """The root of all errors that this package raises on purpose."""


def printable(text: str) -> str:
    """Return a name from outside in one line of a log: no new lines, no escapes of terminals."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a manifest.

    Attributes:
        message: what is wrong and what to do, one sentence each.
        node: unique id of the node it concerns, if any.
        path: the file in which the user wrote it, relative to the project.
    """

    message: str
    node: str | None = None
    path: str | None = None

    def __str__(self) -> str:
        where = ", ".join(printable(part) for part in (self.node, self.path) if part)
        return f"{where}: {self.message}" if where else self.message


class ManifestError(DataOpsError):
    """A manifest cannot be used; carries all of its problems at once."""

    def __init__(self, source: str, problems: Iterable[Problem]) -> None:
        self.source = source
        self.problems = tuple(problems)
        super().__init__(source, self.problems)

    def __str__(self) -> str:
        if len(self.problems) == 1:
            return f"{self.source}: {self.problems[0]}"
        lines = "".join(f"\n  - {problem}" for problem in self.problems)
        return f"{self.source}: {len(self.problems)} problems:{lines}"


class ConfigError(DataOpsError):
    """An argument, a setting or a connection is wrong."""


class ArgumentError(ConfigError, TypeError):
    """A call has an argument that nobody takes; Python's own errors of that kind are TypeErrors."""


class MissingExtraError(DataOpsError):
    """A feature needs an extra that is not installed."""

    def __init__(self, feature: str, extra: str) -> None:
        self.feature = feature
        self.extra = extra
        super().__init__(feature, extra)

    def __str__(self) -> str:
        return f"{self.feature} needs an extra: pip install 'airflow-dataops[{self.extra}]'"


class RetryableError(DataOpsError):
    """The world was not ready; the same call may succeed later."""


class RunError(DataOpsError):
    """The data or the SQL is wrong; the same call will fail again."""


class SupersededError(RunError):
    """Another attempt has taken this one's place; what it wrote was rolled back."""
