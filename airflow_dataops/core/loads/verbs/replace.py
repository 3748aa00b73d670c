"""Replace: put the source's rows in the place of the whole table."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from airflow_dataops.core.engines.loads import Swap
from airflow_dataops.core.engines.statements import Effect, ask
from airflow_dataops.core.loads.alignment import fit
from airflow_dataops.core.loads.checks import count
from airflow_dataops.core.loads.deletions import refuse_deletion
from airflow_dataops.core.loads.job import Publication
from airflow_dataops.core.loads.sources import StreamedSource
from airflow_dataops.core.loads.stage import stage, stage_beside
from airflow_dataops.core.sql import replaces

if TYPE_CHECKING:
    from airflow_dataops.core.engines.loads import Belonging
    from airflow_dataops.core.engines.statements import Statement
    from airflow_dataops.core.loads.alignment import Fitted
    from airflow_dataops.core.loads.job import Job
    from airflow_dataops.core.loads.sources import Source
    from airflow_dataops.core.loads.specs import Replace
    from airflow_dataops.core.model import Relation

log = logging.getLogger(__name__)


def prepare_replace(job: Job, verb: Replace, source: Source) -> Publication:
    """See `Replace`."""
    refuse_deletion(job, "all rows", all_rows=True)
    if not _may_swap_in(job, source):
        fitted = fit(job, stage(job, source), compared=())
        rows = count(job, fitted.staged, [], verb.on_empty).rows
        return Publication(staged=rows, statements=_statements(job, fitted))
    table, staged = stage_beside(job, source)
    fitted = fit(job, table, compared=())
    rows = count(job, fitted.staged, [], verb.on_empty, known=staged.rows).rows
    way = _way(job)
    if way is Swap.ROWS or not (staged.alike or _is_same(job, fitted)):
        return Publication(staged=rows, statements=_statements(job, fitted))
    new = fitted.staged.relation
    swap = replaces.swap_in(job.target, new, _belongings(job, new), job.dialect)
    return Publication(staged=rows, statements=swap, counts={Effect.INSERTED: rows})


def _may_swap_in(job: Job, source: Source) -> bool:
    """Tell whether the staging table itself can be given the target's name.

    So nothing is written twice. Where tables are more than their columns, the source must be
    one that fills a table made like the target.
    """
    if not job.engine.loads.transactional_ddl:
        return False
    way = _way(job)
    return way is Swap.STATEMENT or (way is Swap.RENAME and isinstance(source, StreamedSource))


def _is_same(job: Job, fitted: Fitted) -> bool:
    """Tell whether the staged columns are the target's, on an engine where that is all."""
    mine = [(column.name, column.type) for column in fitted.staged.columns]
    return job.engine.loads.swap is Swap.STATEMENT and mine == [
        (column.name, column.type) for column in job.target.columns
    ]


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
    if job.engine.loads.in_the_way is None:
        return job.engine.loads.swap
    found = ask(job.engine.loads.in_the_way(job.load.target), job.runner)
    if not found:
        return job.engine.loads.swap
    what = ", ".join(str(name) for (name,) in found)
    log.info("%s is emptied and filled, not swapped, because of: %s", job.load.target, what)
    return Swap.ROWS


def _belongings(job: Job, new: Relation) -> list[Belonging]:
    engine, old = job.engine, job.load.target
    if engine.loads.belongings is None or engine.loads.belonging is None:
        return []
    found = ask(engine.loads.belongings(old), job.runner)
    return [engine.loads.belonging((row[0], row[1], row[2]), old, new) for row in found]
