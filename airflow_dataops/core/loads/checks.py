"""What is refused before anything is written: counted in one pass over the staged rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.engines.identifiers import quote
from airflow_dataops.core.engines.statements import Statement, ask
from airflow_dataops.core.loads.specs import NullKeys, OnEmpty
from airflow_dataops.core.model import Struct
from airflow_dataops.core.sql import orders, staging
from airflow_dataops.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from airflow_dataops.core.loads.job import Job
    from airflow_dataops.core.sql.tables import Table

_SHOWN = 3
NO_COPIES: Mapping[str, str] = {}
_A_KEY = "it is a key: name other columns in keys"
SEVERAL = "several staged rows have the same key: make the rows of the query unique"


class Test(Struct, frozen=True):
    """A condition that no staged row may meet.

    Attributes:
        problem: what is wrong with such rows, after "N rows"; and what to do.
    """

    condition: Statement
    problem: str


class Counts(Struct, frozen=True):
    """What one pass over the staged rows found; `met` in the order of the conditions."""

    rows: int
    met: tuple[int, ...]


class LoadEmptyError(Exception):
    """The source has no rows and the target is to stay as it is: not an error of the load."""


class LoadDoneError(Exception):
    """The run's rows are in the target already: not an error of the load."""


def count(
    job: Job,
    staged: Table,
    conditions: Sequence[Statement],
    on_empty: OnEmpty,
    *,
    known: int | None = None,
) -> Counts:
    """Count the staged rows, and those that meet each condition.

    Args:
        known: the number of rows, where that is known and no condition is given.

    Raises:
        RunError: there is none, and that is to fail.
        LoadEmptyError: there is none, and the target is to stay as it is.
    """
    rows, met = known, list[int]()
    if rows is None or conditions:
        [(rows, *met)] = ask(staging.facts(staged.sql, conditions), job.runner)
    _check_empty(job, rows, on_empty)
    return Counts(rows=int(rows), met=tuple(map(int, met)))


def _check_empty(job: Job, rows: int, on_empty: OnEmpty) -> None:
    if rows == 0 and on_empty is OnEmpty.FAIL:
        raise RunError(
            f"{job.load.target}: the source has no rows, and on_empty is fail; the table is as "
            "it was. Look at the source, or set on_empty to write or keep."
        )
    if rows == 0 and on_empty is OnEmpty.KEEP:
        raise LoadEmptyError


def refuse(job: Job, counts: Counts, tests: Sequence[Test]) -> None:
    """Fail if staged rows meet conditions that they may not, naming all of them.

    Args:
        tests: in the order of the counts; there may be fewer of them.
    """
    problems = [
        f"{found} of {counts.rows} staged rows {test.problem}"
        for found, test in zip(counts.met, tests, strict=False)
        if found
    ]
    if problems:
        raise RunError(f"{job.load.target}: {'; '.join(problems)}. Nothing was written.")


def count_keys(
    job: Job, staged: Table, keys: Sequence[str], on_empty: OnEmpty
) -> tuple[Counts, bool]:
    """Count the staged rows, and those whose key is, or holds, NULL.

    Returns:
        Besides, whether it is known that no key comes twice. That is told of a key of one
        column, in the same pass: on Postgres at a third of what a look for duplicates takes.
    """
    nulls = null_keys(keys, job.dialect)
    if len(keys) > 1:
        return count(job, staged, [nulls], on_empty), False
    refuse_incomparable(job, staged, keys, _A_KEY)
    refuse_unequal(job, staged, keys)
    [(rows, null, distinct)] = ask(
        staging.facts(staged.sql, [nulls], quote(keys[0], job.dialect)), job.runner
    )
    counts = Counts(rows=int(rows), met=(int(null),))
    _check_empty(job, counts.rows, on_empty)
    return counts, distinct == rows - null and null <= 1


def null_keys(keys: Sequence[str], dialect: str) -> Statement:
    """Return the condition that a key is, or holds, NULL."""
    return Statement(sql=staging.any_null(keys, dialect))


def refuse_null_keys(keys: Sequence[str], dialect: str) -> Test:
    """Return the test for `NullKeys.REFUSE`."""
    return Test(
        condition=null_keys(keys, dialect),
        problem=(
            f"have NULL in the key ({', '.join(keys)}): leave them out of the query, or set "
            f"null_keys to {NullKeys.MATCH}, by which NULL equals NULL"
        ),
    )


def refuse_incomparable(job: Job, table: Table, columns: Collection[str], why: str) -> None:
    """Fail if values of columns are to be compared whose type has no equality.

    Args:
        why: why they are compared, and what to do instead.

    Raises:
        RunError: the message names them.
    """
    found = [
        f"{column.name} ({column.type})"
        for column in table.columns
        if column.name in columns
        and column.type.removesuffix("[]") in job.engine.loads.incomparable
    ]
    if found:
        raise RunError(
            f"{job.load.target}: {job.dialect} cannot tell whether values of {', '.join(found)} "
            f"are equal, and {why}; or give the column a type that has an equality, such as "
            "jsonb. Nothing was written."
        )


def refuse_unequal(job: Job, table: Table, keys: Sequence[str]) -> None:
    """Fail if keys hold values that do not equal themselves, which would be added again.

    Raises:
        RunError: the message names the column.
    """
    told = [
        (key, orders.unequal_to_itself(key, table.type_of(key), job.dialect))
        for key in keys
        if key in table.names
    ]
    tests = [
        Test(
            condition=Statement(sql=condition),
            problem=f"have NaN in the key ({key}), which equals nothing: leave them out",
        )
        for key, condition in told
        if condition is not None
    ]
    if tests:
        refuse(job, count(job, table, [test.condition for test in tests], OnEmpty.WRITE), tests)


def one_row_per_key(
    job: Job,
    staged: Table,
    columns: Sequence[str],
    keys: Sequence[str],
    order: Sequence[str],
    found: Sequence[tuple[object, ...]],
    copies: Mapping[str, str] = NO_COPIES,
) -> Table:
    """Return staged rows that have each key once: the last one of each in the order.

    Args:
        found: keys that come several times, of `duplicate_keys`.
        copies: the columns that hold the values to order by, by the name of those of `order`.

    Raises:
        RunError: keys come several times and no order tells which row is the last; the
            message names some.
    """
    if not order:
        raise RunError(_ambiguous(job, found, keys))
    refuse_incomparable(job, staged, columns, SEVERAL)
    by = [copies.get(column, column) for column in order]
    tied = ask(staging.ties(staged.sql, columns, keys, by, job.dialect, _SHOWN), job.runner)
    if tied:
        raise RunError(_tied(job, tied, keys, order))
    return job.stage_query(staging.last_rows(staged.sql, columns, keys, by, job.dialect))


def distinct_row_per_key(
    job: Job,
    staged: Table,
    columns: Sequence[str],
    keys: Sequence[str],
    copies: Mapping[str, str] = NO_COPIES,
) -> Table:
    """Return staged rows that have each key once; rows that are equal in all columns are one.

    Args:
        copies: the columns that hold the values to compare, by the name of those of `keys`.

    Raises:
        RunError: different rows have the same key; the message names some.
    """
    by = [copies.get(column, column) for column in keys]
    if not duplicate_keys(job, staged, by):
        return staged
    refuse_incomparable(job, staged, columns, SEVERAL)
    once = job.stage_query(staging.distinct_rows(staged.sql, columns, job.dialect))
    found = duplicate_keys(job, once, by)
    if found:
        raise RunError(_ambiguous(job, found, keys))
    return once


def refuse_ties(
    job: Job, staged: Table, columns: Sequence[str], keys: Sequence[str], order: str
) -> None:
    """Fail if the last rows of a key are several and not the same.

    Raises:
        RunError: the message names some keys.
    """
    if not duplicate_keys(job, staged, (*keys, order)):
        return
    refuse_incomparable(job, staged, columns, SEVERAL)
    tied = ask(staging.ties(staged.sql, columns, keys, (order,), job.dialect, _SHOWN), job.runner)
    if tied:
        raise RunError(_tied(job, tied, keys, (order,)))


def duplicate_keys(job: Job, staged: Table, keys: Sequence[str]) -> list[tuple[object, ...]]:
    """Return some keys that several staged rows have, with the number of rows."""
    refuse_incomparable(job, staged, keys, _A_KEY)
    refuse_unequal(job, staged, keys)
    return ask(staging.duplicates(staged.sql, keys, job.dialect, _SHOWN), job.runner)


def _ambiguous(job: Job, found: Sequence[tuple[object, ...]], keys: Sequence[str]) -> str:
    return (
        f"{job.load.target}: several staged rows have the same key, and no order_by tells which "
        f"is the last: {_listed(found, keys)}. Name columns in order_by, or make the rows of the "
        "query unique. Nothing was written."
    )


def _tied(
    job: Job, found: Sequence[tuple[object, ...]], keys: Sequence[str], order: Sequence[str]
) -> str:
    return (
        f"{job.load.target}: different staged rows have the same key and the same "
        f"{', '.join(order)}: {_listed(found, keys)}. Name a column in order_by that tells them "
        "apart. Nothing was written."
    )


def _listed(found: Sequence[tuple[object, ...]], keys: Sequence[str]) -> str:
    named = [
        ", ".join(f"{key} = {value!r}" for key, value in zip(keys, row[:-1], strict=True))
        + f" ({row[-1]} rows)"
        for row in found
    ]
    return "; ".join(named)
