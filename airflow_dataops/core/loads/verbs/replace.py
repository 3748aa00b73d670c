"""Replace: put the source's rows in the place of the whole table."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from airflow_dataops.core.loads.checks import count
from airflow_dataops.core.loads.fitting import fit
from airflow_dataops.core.loads.job import Publication
from airflow_dataops.core.loads.stage import stage
from airflow_dataops.core.sql import replaces
from airflow_dataops.core.sql.dialects.loading import Swap
from airflow_dataops.core.sql.statements import ask

if TYPE_CHECKING:
    from airflow_dataops.core.loads.fitting import Fitted
    from airflow_dataops.core.loads.job import Job
    from airflow_dataops.core.loads.sources import Source
    from airflow_dataops.core.loads.specs import Replace
    from airflow_dataops.core.model import Relation
    from airflow_dataops.core.sql.dialects.loading import Belonging
    from airflow_dataops.core.sql.statements import Statement

log = logging.getLogger(__name__)


def prepare_replace(job: Job, verb: Replace, source: Source) -> Publication:
    """See `Replace`."""
    fitted = fit(job, stage(job, source))
    counts = count(job, fitted.staged, [], verb.on_empty)
    return Publication(staged=counts.rows, statements=_statements(job, fitted))


def _statements(job: Job, fitted: Fitted) -> tuple[Statement, ...]:
    way, target, source = _way(job), job.target, fitted.staged.sql
    if way is Swap.STATEMENT:
        return replaces.create_or_replace(target, source, fitted.written, job.dialect)
    if way is Swap.RENAME:
        new = job.new_staging(session=False)
        made = _belongings(job, new)
        swap = replaces.swap_by_rename(target, source, fitted.written, made, new, job.dialect)
        return (*fitted.added, *swap)
    return (
        *fitted.added,
        *replaces.replace_rows(target, source, fitted.written, job.dialect),
    )


def _way(job: Job) -> Swap:
    """Return the engine's way, or deletion and insertion where something would be lost."""
    if job.loading.in_the_way is None:
        return job.loading.swap
    found = ask(job.loading.in_the_way(job.load.target), job.runner)
    if not found:
        return job.loading.swap
    what = ", ".join(str(name) for (name,) in found)
    log.info("%s is emptied and filled, not swapped, because of: %s", job.load.target, what)
    return Swap.ROWS


def _belongings(job: Job, new: Relation) -> list[Belonging]:
    loading, old = job.loading, job.load.target
    if loading.belongings is None or loading.belonging is None:
        return []
    found = ask(loading.belongings(old), job.runner)
    return [loading.belonging((row[0], row[1], row[2]), old, new) for row in found]
