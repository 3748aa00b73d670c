"""Load a partition: delete and insert by one condition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.loads.alignment import fit, require
from airflow_dataops.core.loads.checks import Test, count, refuse
from airflow_dataops.core.loads.deletions import refuse_deletion
from airflow_dataops.core.loads.job import Publication
from airflow_dataops.core.loads.ordering import refuse_text
from airflow_dataops.core.loads.specs import Outside
from airflow_dataops.core.loads.stage import stage
from airflow_dataops.core.loads.values import adapt, check_held
from airflow_dataops.core.sql import partitions
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from airflow_dataops.core.engines.statements import Statement
    from airflow_dataops.core.loads.job import Job
    from airflow_dataops.core.loads.sources import Source
    from airflow_dataops.core.loads.specs import LoadPartition


def prepare_partition(job: Job, verb: LoadPartition, source: Source) -> Publication:
    """See `LoadPartition`."""
    columns, condition = _condition(job, verb)
    refuse_deletion(job, "the rows of the partition")
    staged = stage(job, source)
    where = f"the source of {job.load.target}"
    require(columns, staged, setting="the partition", where=where)
    fitted = fit(job, staged, compared=columns)
    counts = count(job, fitted.staged, [partitions.outside(condition)], verb.on_empty)
    if verb.outside is Outside.REFUSE:
        refuse(job, counts, [_outside(condition, columns)])
    return Publication(
        staged=counts.rows,
        statements=(
            *fitted.added,
            *partitions.replace_partition(
                job.target.sql, fitted.staged.sql, fitted.written, condition, job.dialect
            ),
        ),
        partitions=(verb.label,),
    )


def _condition(job: Job, verb: LoadPartition) -> tuple[tuple[str, ...], Statement]:
    """Return the partition's columns and the condition for its rows."""
    named = (*verb.values, *([verb.within.column] if verb.within else []))
    if not named:
        raise ConfigError(
            f"{job.load.target}: a partition needs `values` or `within`; to put the source in "
            "the place of the whole table, use Replace."
        )
    columns = require(named, job.target, setting="the partition", where=str(job.load.target))
    if verb.within is not None:
        refuse_text(job, job.target, [columns[-1]], setting="the range")
    partition = {column: job.target.column(column) for column in columns}
    types = {name: column.type for name, column in partition.items()}

    def fitting(column: str, value: object) -> object:
        return adapt(value, column, types[column], job.dialect)

    values = {c: fitting(c, v) for c, v in zip(columns, verb.values.values(), strict=False)}
    for name, value in values.items():
        check_held(value, name, types[name], job.dialect)
    within = None
    if verb.within is not None:
        column = columns[-1]
        within = (column, fitting(column, verb.within.start), fitting(column, verb.within.end))
    return columns, partitions.condition(values, within, partition, job.dialect)


def _outside(condition: Statement, columns: tuple[str, ...]) -> Test:
    return Test(
        condition=partitions.outside(condition),
        problem=(
            f"are not of the partition (by {', '.join(columns)}): filter them in the query, or "
            f"set outside to {Outside.DROP}"
        ),
    )
