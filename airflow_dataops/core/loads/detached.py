"""Publications that the warehouse runs by itself, while no process waits for them.

The transaction is sent as one script and its id is kept. Whoever comes next, perhaps on another
machine, asks for the script's end and tidies up. The fence is the script's first statement, so a
script that is overtaken writes nothing, however late it runs.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import msgspec

from airflow_dataops.core.engines import get_engine
from airflow_dataops.core.engines.statements import Effect
from airflow_dataops.core.engines.values import SUPERSEDED
from airflow_dataops.core.loads.column_additions import take_back, widened
from airflow_dataops.core.loads.failures import LostSessionsNamed, Quietly, is_conflict
from airflow_dataops.core.loads.lease import Lease, give_back, renew, superseded
from airflow_dataops.core.loads.publish import apart, result_of
from airflow_dataops.core.loads.stage import drop_staging
from airflow_dataops.core.model import Relation, Struct
from airflow_dataops.core.sql import control, scripts
from airflow_dataops.core.sql.columns import Addition
from airflow_dataops.core.sql.control import Leased
from airflow_dataops.errors import RetryableError

if TYPE_CHECKING:
    from airflow_dataops.core.loads.job import Job, Publication
    from airflow_dataops.core.loads.specs import LoadResult
    from airflow_dataops.core.ports import JobRunner

log = logging.getLogger(__name__)

_TRIES = 8


class Detached(Struct, frozen=True):
    """A load whose publication is under way. It is data: `msgspec.to_builtins` writes it.

    Attributes:
        job: the script's id with the warehouse.
        script: what runs, to be sent again where another transaction was in the way.
        tries: how often it was sent.
        leases: the table of the lease.
        seconds: how long the lease lasts from now on, should the script not begin.
        effects: what the rows that each statement changes are.
        staging: tables that go when the script has ended.
        additions: new columns that are taken back if it fails.
    """

    job: str
    script: str
    target: str
    partition: str
    leases: Relation
    token: int
    seconds: int
    staged: int
    effects: tuple[Effect, ...]
    staging: tuple[Relation, ...] = ()
    additions: tuple[Addition, ...] = ()
    partitions: tuple[str, ...] = ()
    watermark: str | None = None
    tries: int = 1


def detach(job: Job, lease: Lease, publication: Publication, runner: JobRunner) -> Detached:
    """Send a publication to the warehouse as one script, and do not wait for its end.

    The lease and the staging tables are the script's from then on: `finish` or `abandon` ends
    with them.

    Raises:
        SupersededError: another attempt has taken the load's place; nothing was written.
    """
    publication = apart(job, publication)
    fence = control.fence(lease.row, lease.token)
    script = scripts.publication_script(fence, publication.statements, job.dialect)
    seconds = int(job.load.lease.total_seconds())
    renew(lease, seconds, runner)
    with widened(job, lease, publication.before):
        sent = runner.submit(script)
    made = tuple(job.made)
    job.made.clear()
    return Detached(
        job=sent,
        script=script,
        target=lease.row.target,
        partition=lease.row.partition,
        leases=lease.row.table,
        token=lease.token,
        seconds=seconds,
        staged=publication.staged,
        effects=tuple(statement.effect for statement in publication.statements),
        staging=made,
        additions=tuple(s for s in publication.before if isinstance(s, Addition)),
        partitions=publication.partitions,
        watermark=publication.watermark,
    )


def finish(detached: Detached, runner: JobRunner) -> LoadResult | Detached:
    """Return what a script that has ended did, or the script that was sent in its place.

    Raises:
        SupersededError: another attempt had taken the load's place; nothing was written.
        RetryableError: other transactions kept writing the same rows.
        Exception: what the engine raised in the script; the table is as it was.
    """
    try:
        with LostSessionsNamed(detached.target):
            [(changed,)] = runner.result(detached.job)
    except Exception as error:  # each engine has errors of its own, and what is left is swept
        if is_conflict(error) and detached.tries < _TRIES:
            return _again(detached, runner)
        _tidy(detached, runner)
        if is_conflict(error):
            raise RetryableError(
                f"{detached.target}: other transactions wrote the same rows each of {_TRIES} "
                "times; the table is as it was. Run the task again, or keep other writers off "
                "the table meanwhile."
            ) from error
        raise
    _tidy(detached, runner)
    if changed == SUPERSEDED:
        raise superseded(_lease(detached, runner))
    _, *rows = map(int, changed.split(","))
    return result_of(
        detached.target,
        detached.effects,
        rows,
        staged=detached.staged,
        partitions=detached.partitions,
        watermark=detached.watermark,
    )


def abandon(detached: Detached, runner: JobRunner) -> None:
    """Stop a script and tidy up after it; where it has ended already, the table is loaded."""
    with Quietly(f"stop the publication of {detached.target}"):
        runner.cancel(detached.job)
    _tidy(detached, runner)


def _again(detached: Detached, runner: JobRunner) -> Detached:
    log.info("%s: another transaction was in the way; again", detached.target)
    renew(_lease(detached, runner), detached.seconds, runner)
    sent = runner.submit(detached.script)
    return msgspec.structs.replace(detached, job=sent, tries=detached.tries + 1)


def _tidy(detached: Detached, runner: JobRunner) -> None:
    lease = _lease(detached, runner)
    take_back(lease, detached.additions, runner)
    with Quietly(f"give back the lease of {detached.target}"):
        give_back(lease, runner)
    for relation in detached.staging:
        with Quietly(f"drop the staging table {relation}"):
            drop_staging(relation, runner)


def _lease(detached: Detached, runner: JobRunner) -> Lease:
    row = Leased(
        table=detached.leases,
        target=detached.target,
        partition=detached.partition,
        engine=get_engine(runner.dialect),
    )
    return Lease(row=row, token=detached.token)
