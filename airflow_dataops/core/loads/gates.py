"""Checks of staged rows, before they are published."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.engines.relations import render
from airflow_dataops.core.loads.settings import OneOf, Settings, default
from airflow_dataops.core.model import Severity, Struct
from airflow_dataops.core.sql.gates import wrong_rows
from airflow_dataops.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_dataops.core.model import Relation
    from airflow_dataops.core.ports import SqlRunner


class Gate(Settings, frozen=True):
    """A condition that every row must meet.

    Attributes:
        condition: SQL over the row's columns. A row for which it is false, or NULL, is wrong.
        at_most: so many wrong rows are let through.
        severity: what more of them do: stop, or only speak.
    """

    name: str
    condition: str
    at_most: int = 0
    severity: OneOf[Severity] = default(Severity.ERROR)


class GateResult(Struct, frozen=True):
    """What a gate found: `wrong` of the rows do not meet its condition."""

    gate: Gate
    wrong: int

    @property
    def passed(self) -> bool:
        """Whether no more rows are wrong than the gate lets through."""
        return self.wrong <= self.gate.at_most

    def __str__(self) -> str:
        allowed = f", {self.gate.at_most} allowed" if self.gate.at_most else ""
        return f"{self.gate.name}: {self.wrong} rows wrong{allowed} ({self.gate.condition})"


class GatesResult(Struct, frozen=True):
    """What all gates found in `rows` rows."""

    rows: int
    results: tuple[GateResult, ...] = ()

    def failures(self, severity: Severity) -> tuple[GateResult, ...]:
        """Return the gates of a severity that were not passed."""
        return tuple(r for r in self.results if not r.passed and r.gate.severity is severity)


def check_gates(
    relation: Relation, gates: Sequence[Gate], runner: SqlRunner, *, min_rows: int = 0
) -> GatesResult:
    """Count the rows that do not meet the gates, in one pass over the table.

    Raises:
        RunError: a gate of severity `error` is not passed, or there are fewer than `min_rows`
            rows; the message names all of them. What the engine raises, because a condition
            is no SQL, comes as it is: a check that cannot be made has not failed.
    """
    query = wrong_rows(render(relation, runner.dialect), [gate.condition for gate in gates])
    [(rows, *wrong)] = runner.fetch(query)
    found = GatesResult(
        rows=int(rows),
        results=tuple(
            GateResult(gate=gate, wrong=int(count or 0))
            for gate, count in zip(gates, wrong, strict=True)
        ),
    )
    problems = [str(failure) for failure in found.failures(Severity.ERROR)]
    if found.rows < min_rows:
        problems.append(f"{found.rows} rows, at least {min_rows} expected")
    if problems:
        raise RunError(f"{relation} with {found.rows} rows is not published. {'; '.join(problems)}")
    return found
