"""Deletions that are none to readers, but are to foreign keys and triggers: refused by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.engines.statements import ask
from airflow_dataops.core.loads.bystanders import Kind
from airflow_dataops.core.sql.upserts import changing
from airflow_dataops.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_dataops.core.loads.job import Job


def keeps_rows(job: Job) -> bool:
    """Tell whether rows that stay must not be deleted and inserted again."""
    return any(
        one.kind in (Kind.KEY, Kind.HEIR) or (one.kind is Kind.TRIGGER and one.on_delete)
        for one in job.bystanders
    )


def refuse_deletion(job: Job, what: str, *, all_rows: bool = False) -> None:
    """Fail if rows that are deleted to be inserted again would change others, or stay.

    Args:
        what: what is deleted, for people.
        all_rows: whether these are all of the table: then its own foreign keys do no harm.

    Raises:
        RunError: the message names the foreign key, the trigger or the inheriting table.
    """
    for one in job.bystanders:
        if one.kind is Kind.HEIR:
            raise RunError(
                f"{job.load.target}: {what} would be deleted and inserted again, and those of "
                f"{one.shown} are among them, which would lose them. Use Merge, which updates "
                "rows in place, or partitions instead of inheritance. Nothing was written."
            )
        if one.follows_deletion and not (all_rows and one.own):
            raise RunError(
                f"{job.load.target}: {what} would be deleted and inserted again, and {one.shown} "
                "would change the rows that refer to them. Use Merge, which updates rows in "
                "place, or give that key another action. Nothing was written."
            )
        if one.kind is Kind.TRIGGER and one.on_delete == "before":
            raise RunError(
                f"{job.load.target}: {what} would be deleted and inserted again, and "
                f"{one.shown}, which is called before each row is deleted, may keep it: there "
                "would be two. Use Merge, which updates rows in place. Nothing was written."
            )


def refuse_changed_references(
    job: Job, source: str, keys: Sequence[str], updated: Sequence[str], *, null_keys: bool
) -> None:
    """Fail if an update would make a foreign key take its values from rows that refer.

    Raises:
        RunError: the message names the foreign key.
    """
    for one in job.bystanders:
        columns = [name for name in one.columns if name in updated]
        if one.kind is not Kind.KEY or one.on_update not in ("n", "d") or not columns:
            continue
        query = changing(job.target.sql, source, keys, columns, job.dialect, null_keys=null_keys)
        if ask(query, job.runner):
            raise RunError(
                f"{job.load.target}: rows that are there would get other values in "
                f"{', '.join(columns)}, and {one.shown} would take theirs from the rows that refer "
                "to them. Leave these columns out (update_columns), or give that key another "
                "action. Nothing was written."
            )
