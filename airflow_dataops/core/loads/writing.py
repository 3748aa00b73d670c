"""Chooses the engine's fastest correct way to update and add rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from airflow_dataops.core.engines.loads import Upsert
from airflow_dataops.core.engines.statements import Statement, ask
from airflow_dataops.core.loads.deletions import keeps_rows, refuse_changed_references
from airflow_dataops.core.model import Struct
from airflow_dataops.core.sql import staging, upserts
from airflow_dataops.core.sql.tables import Table

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_dataops.core.loads.job import Job


class Wanted(Struct, frozen=True):
    """Rows to update or add; see `core.sql.upserts.Rows` for the attributes.

    Attributes:
        null_keys: some of the keys hold NULL.
        whole: a row that is there may be deleted and inserted again: nothing of it is lost, and
            `bystanders.keeps_rows` tells whether of others.
    """

    source: Table
    keys: tuple[str, ...]
    inserted: tuple[str, ...]
    updated: tuple[str, ...]
    changed_only: bool = False
    deleted: str | None = None
    null_keys: bool = False
    whole: bool = False


def upsert(job: Job, wanted: Wanted) -> tuple[Statement, ...]:
    """Return the statements that update and add rows.

    Raises:
        RunError: rows of other tables would lose values.
    """
    wanted = replace(wanted, whole=wanted.whole and not keeps_rows(job))
    refuse_changed_references(
        job, wanted.source.sql, wanted.keys, wanted.updated, null_keys=wanted.null_keys
    )
    if not wanted.null_keys or job.engine.loads.hashes_nulls:
        return _way(job, wanted)(_rows(job, wanted, wanted.source.sql, wanted.null_keys))
    # Rows with NULL keys apart: there the comparison is slow, and no unique index helps.
    source, keys = wanted.source.sql, wanted.keys
    without = staging.without_null(source, keys, job.dialect)
    with_ = staging.with_null(source, keys, job.dialect)
    slow = upserts.delete_insert if wanted.whole else upserts.update_insert
    return (
        *_way(job, wanted)(_rows(job, wanted, without, False)),
        *slow(_rows(job, wanted, with_, True)),
    )


def has_unique_index(job: Job, keys: tuple[str, ...]) -> bool:
    """Tell whether the target has an index that ON CONFLICT can use for the keys."""
    if job.engine.loads.unique_keys is None:
        return False
    found = ask(job.engine.loads.unique_keys(job.load.target), job.runner)
    return any(set(columns) == set(keys) for (columns,) in found)


def _way(job: Job, wanted: Wanted) -> Callable[[upserts.Rows], tuple[Statement, ...]]:
    if job.engine.loads.upsert is Upsert.MERGE:
        return upserts.merge
    if job.engine.loads.upsert is Upsert.CONFLICT and has_unique_index(job, wanted.keys):
        return upserts.on_conflict
    return upserts.delete_insert if wanted.whole else upserts.update_insert


def _rows(job: Job, wanted: Wanted, source: str, null_keys: bool) -> upserts.Rows:
    return upserts.Rows(
        target=job.target.sql,
        source=source,
        keys=wanted.keys,
        inserted=wanted.inserted,
        updated=wanted.updated,
        dialect=job.dialect,
        changed_only=wanted.changed_only,
        deleted=wanted.deleted,
        null_keys=null_keys,
    )
