"""Staged values as the target will hold them: what is compared later is compared like that."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from airflow_dataops.core.engines.identifiers import resolve
from airflow_dataops.core.engines.statements import ask, send
from airflow_dataops.core.engines.types import misfit, needs_cast
from airflow_dataops.core.model import Struct
from airflow_dataops.core.sql import staging
from airflow_dataops.core.sql.rounding import (
    Loss,
    Retyped,
    is_changed,
    loss,
    make_anew,
    retyped,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from airflow_dataops.core.loads.job import Job
    from airflow_dataops.core.sql.tables import Table, TableColumn

log = logging.getLogger(__name__)

_COPY = "dataops_copy_{}"


class Copies(Struct, frozen=True):
    """Staged columns whose values are wanted in another way than their own column holds them.

    Attributes:
        ordering: names of columns that are wanted as the source gives them.
        becoming: names of columns, and the target's columns that their values go into besides.
    """

    ordering: tuple[str, ...] = ()
    becoming: dict[str, str] = {}


def typed_alike(
    job: Job,
    staged: Table,
    common: Sequence[TableColumn],
    compared: Collection[str] | None,
    copies: Copies,
) -> tuple[Table, dict[str, str]]:
    """Return the staged rows with the values that the target will hold.

    Where it will hold all of them as they are, those are the rows that were given, and nothing
    is written.

    Args:
        common: columns of the target that the staged rows have.
        compared: those of them that matter, besides such as the engine does not convert by
            itself; None for all.
        copies: what is wanted of the rows besides. The names may be written in another case.

    Returns:
        Besides, the columns that hold the copies, by the names of those that differ from them.
    """
    pairs = [
        (staged.column(column.name), column)
        for column in common
        if compared is None
        or column.name in compared
        or needs_cast(staged.type_of(column.name), column.type, job.dialect)
    ]
    becoming = _becoming(job, staged, copies)
    changed = _changed(job, staged, [*pairs, *becoming.values()])
    if not changed:
        return staged, {}
    wanted = {s.name: retyped(s, t, job.dialect) for s, t in pairs if (s, t) in changed}
    columns = [wanted.get(c.name) or retyped(c, c, job.dialect) for c in staged.columns]
    extra: dict[str, Retyped] = {}
    for name, pair in becoming.items():
        if pair in changed or name in wanted:
            extra[name] = _copy(job, *pair, len(extra))
    for name in copies.ordering:
        found = resolve(name, staged.names)
        if found in wanted and found not in extra:
            column = staged.column(found)
            extra[found] = _copy(job, column, column, len(extra))
    told = ", ".join(f"{c.source} as {c.like.type}" for c in (*wanted.values(), *extra.values()))
    log.info("%s holds other values than were staged; compared are %s", job.load.target, told)
    remade = _remake(job, staged, [*columns, *extra.values()])
    return remade, {name: column.name for name, column in extra.items()}


def _becoming(
    job: Job, staged: Table, copies: Copies
) -> dict[str, tuple[TableColumn, TableColumn]]:
    found = {resolve(name, staged.names): to for name, to in copies.becoming.items()}
    return {
        name: (staged.column(name), job.target.column(to))
        for name, to in found.items()
        if name is not None and not _misfit(job, staged, name, to)
    }


def _misfit(job: Job, staged: Table, name: str, to: str) -> str | None:
    """Return what is wrong with a pair of types, of which the verb tells."""
    return misfit(staged.type_of(name), job.target.type_of(to), job.dialect)


def _changed(
    job: Job, staged: Table, pairs: Sequence[tuple[TableColumn, TableColumn]]
) -> list[tuple[TableColumn, TableColumn]]:
    """Return the pairs of columns of which the second holds a value other than the first."""
    losses = [(pair, loss(*pair, job.dialect)) for pair in pairs]
    doubtful = [pair for pair, what in losses if what is Loss.SOME]
    met: Sequence[int] = ()
    if doubtful:
        conditions = [is_changed(s.name, t, job.dialect) for s, t in doubtful]
        [(_, *met)] = ask(staging.facts(staged.sql, conditions), job.runner)
    return [
        *(pair for pair, what in losses if what is Loss.ANY),
        *(pair for pair, count in zip(doubtful, met, strict=True) if count),
    ]


def _copy(job: Job, source: TableColumn, like: TableColumn, number: int) -> Retyped:
    return retyped(source, like, job.dialect, name=_COPY.format(number))


def _remake(job: Job, staged: Table, columns: Sequence[Retyped]) -> Table:
    new = job.new_staging(session=staging.is_of_session(staged.relation, job.dialect))
    for statement in make_anew(new, staged, columns, job.dialect):
        send(statement, job.runner)
    send(staging.drop_table(staged.relation, job.dialect), job.runner)
    return job.read(new)
