"""Columns of the staged rows against those of the target, before anything is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.engines.identifiers import resolve
from airflow_dataops.core.engines.statements import Statement, send
from airflow_dataops.core.engines.types import misfit
from airflow_dataops.core.loads.retyping import Copies, typed_alike
from airflow_dataops.core.loads.specs import Drift
from airflow_dataops.core.model import Struct
from airflow_dataops.core.sql import columns as column_sql
from airflow_dataops.core.sql import staging
from airflow_dataops.core.sql.catalog import Column
from airflow_dataops.core.sql.tables import Filled, Table, TableColumn
from airflow_dataops.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from airflow_dataops.core.loads.job import Job


class Fitted(Struct, frozen=True):
    """Staged rows whose columns are named as in the target, with values as it will hold them.

    Attributes:
        written: columns that go from the staging table into the target, in its order.
        whole: whether those, and what the verb fills itself, are all that the target has.
        added: statements that give the target columns it has not yet (`Drift.ADD`).
        copies: the staged columns that hold the values of others in another way; see `fit`.
    """

    staged: Table
    written: tuple[str, ...]
    whole: bool
    added: tuple[Statement, ...] = ()
    copies: dict[str, str] = {}


def fit(
    job: Job,
    staged: Table,
    *,
    consumed: Collection[str] = (),
    given: Collection[str] = (),
    compared: Collection[str] | None = None,
    ordering: Collection[str] = (),
    becoming: Mapping[str, str] | None = None,
) -> Fitted:
    """Give the staged columns the target's names and types, and check that they fit.

    Where a column of the target holds some values other than they were staged, rounded for one,
    the staged rows are made anew with the values that it will hold: all that is compared from
    then on is compared as it will be found again.

    Args:
        consumed: columns of the source that are for the verb, not for the target.
        given: columns of the target that the verb fills itself.
        compared: columns of the target that the verb compares; None for all.
        ordering: columns of the source that order rows of the source, by the values it gives.
        becoming: columns of the source, and the given columns that their values go into.

    Columns that the table fills itself take no values: the source may not have them, unless
    columns that cannot be written are ignored.

    Raises:
        RunError: columns are missing, new (see `Drift`), or of a type that does not fit. The
            message names all of them.
    """
    staged = _named_alike(job, staged)
    consumed, given = set(consumed), set(given)
    filled = {column.name: column.filled for column in job.target.columns if column.filled}
    known = set(job.target.names) - given
    new = [c for c in staged.columns if c.name not in known | consumed | given]
    both = [c for c in job.target.columns if c.name in set(staged.names) & known - consumed]
    common = [c for c in both if c.name not in filled]
    _check(job, staged, common, new, given)
    copies = Copies(ordering=tuple(ordering), becoming=dict(becoming or {}))
    staged, copied = typed_alike(job, staged, common, compared, copies)
    added = new if job.load.drift is Drift.ADD else []
    written = tuple(column.name for column in (*common, *added))
    computed = {name for name, how in filled.items() if how is Filled.COMPUTED}
    return Fitted(
        staged=staged,
        written=written,
        added=tuple(
            column_sql.addition(job.load.target, Column(name=c.name, type=c.type), job.engine)
            for c in added
        ),
        whole=set(written) | given | computed >= set(job.target.names),
        copies=copied,
    )


def require(names: Sequence[str], table: Table, *, setting: str, where: str) -> tuple[str, ...]:
    """Return the columns that an author's names mean.

    Raises:
        RunError: some are not there; the message says which setting names them.
    """
    found = [resolve(name, table.names) for name in names]
    missing = [name for name, column in zip(names, found, strict=True) if column is None]
    if missing:
        raise RunError(
            f"{where} has no column {', '.join(map(repr, missing))}, which {setting} names; its "
            f"columns are {', '.join(table.names)}. Mend {setting}, or the query."
        )
    return tuple(filter(None, found))


def _named_alike(job: Job, staged: Table) -> Table:
    """Rename staged columns whose names differ from the target's by case alone."""
    folded: dict[str, str] = {}
    for name in staged.names:
        if (other := folded.setdefault(name.casefold(), name)) != name:
            raise RunError(
                f"{job.load.target}: the source has the columns {other!r} and {name!r}, which "
                "differ by case alone; name them apart."
            )
    renamed = {}
    for name in staged.names:
        means = resolve(name, job.target.names)
        if means is not None and means != name and means not in staged.names:
            statement = staging.rename_column(staged.relation, name, means, job.dialect)
            send(statement, job.runner)
            renamed[name] = means
    return job.read(staged.relation) if renamed else staged


def _check(
    job: Job,
    staged: Table,
    common: Sequence[TableColumn],
    new: Sequence[TableColumn],
    given: Collection[str],
) -> None:
    problems = []
    missing = [
        c.name
        for c in job.target.columns
        if c.required and c.name not in staged.names and c.name not in given
    ]
    if missing:
        problems.append(
            f"the table requires {', '.join(map(repr, missing))}, which the source lacks"
        )
    filled = [
        f"{c.name} ({c.filled})"
        for c in job.target.columns
        if c.filled and c.name in staged.names and c.name not in given
    ]
    if filled and job.load.drift is not Drift.IGNORE:
        problems.append(
            f"the table fills {', '.join(filled)} itself and takes no values for it (leave it out "
            "of the query, or set drift to ignore)"
        )
    if new and job.load.drift is Drift.REFUSE:
        problems.append(
            f"the source has {', '.join(f'{c.name} {c.type}' for c in new)}, which the table "
            "has not (set drift to ignore or add, or leave them out)"
        )
    if not common:
        problems.append(f"they have no column in common; the source has {', '.join(staged.names)}")
    problems += [text for c in common if (text := _misfit(job, staged, c))]
    problems += _too_long(job, new)
    if problems:
        raise RunError(
            f"{job.load.target}: the columns of the source do not fit: {'; '.join(problems)}. "
            "Nothing was written."
        )


def _misfit(job: Job, staged: Table, column: TableColumn) -> str | None:
    type_ = staged.type_of(column.name)
    reason = misfit(type_, column.type, job.dialect)
    if reason is None:
        return None
    return (
        f"{column.name} is {type_} in the source and {column.type} in the table, and {reason} "
        "(cast it in the query)"
    )


def _too_long(job: Job, new: Sequence[TableColumn]) -> list[str]:
    naming = job.engine.naming
    most = f"{naming.limit(column=True)} bytes, the most {job.dialect} keeps"
    return [
        f"the name {column.name!r} is longer than {most}"
        for column in new
        if naming.is_too_long(column.name, column=True)
    ]
