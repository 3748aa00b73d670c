"""The one transaction in which a load becomes visible."""

from __future__ import annotations

import itertools
import logging
import random
import time
from typing import TYPE_CHECKING, Any

import msgspec

from airflow_dataops.core.engines.loads import Locks
from airflow_dataops.core.engines.statements import Effect, Lock, send
from airflow_dataops.core.loads.column_additions import widened
from airflow_dataops.core.loads.failures import Yielding
from airflow_dataops.core.loads.lease import pass_fence
from airflow_dataops.core.loads.specs import LoadResult
from airflow_dataops.core.loads.waiting import Patience, execute_patiently, limit_waits
from airflow_dataops.errors import RetryableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from airflow_dataops.core.engines.statements import Statement
    from airflow_dataops.core.loads.job import Job, Publication
    from airflow_dataops.core.loads.lease import Lease

log = logging.getLogger(__name__)

_TRIES = 8
_PAUSE = 0.05
_LONGEST_PAUSE = 15.0


def publish(job: Job, lease: Lease, publication: Publication) -> LoadResult:
    """Do what a verb wants done, in one transaction that begins with the fence.

    Raises:
        SupersededError: another attempt has taken the load's place; nothing was written.
        RetryableError: other transactions kept writing the same rows, or the table was in use
            for longer than the load may wait.
    """
    publication = apart(job, publication)
    with widened(job, lease, publication.before):
        for number in _tries(job):
            with Yielding() as attempt:
                changed = _in_one_transaction(job, lease, publication)
            if not attempt.yielded:
                return _result(job, publication, changed)
            log.info("%s: another transaction was in the way; again", job.load.target)
            # By chance: two that gave way to each other must not come back together.
            longest = min(_PAUSE * 2**number, _LONGEST_PAUSE)
            time.sleep(longest * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
        raise RetryableError(
            f"{job.load.target}: other transactions wrote the same rows each of {number + 1} "
            "times; the table is as it was. Run the task again, or keep other writers off the "
            "table meanwhile."
        )


def _tries(job: Job) -> Iterator[int]:
    """Count to the last try: one of a few, or the first after as long as a load may wait."""
    waits = job.load.wait.total_seconds() if job.engine.loads.locks is Locks.TABLES else 0.0
    deadline = time.monotonic() + waits
    for number in itertools.count():
        yield number
        if number + 1 >= _TRIES and time.monotonic() > deadline:
            return


def apart(job: Job, publication: Publication) -> Publication:
    """Take new columns out of the transaction where they would end it; NULL, they do no harm."""
    if job.engine.loads.transactional_ddl:
        return publication
    defined = [s for s in publication.statements if s.effect is Effect.DEFINED]
    others = [s for s in publication.statements if s.effect is not Effect.DEFINED]
    before = (*publication.before, *defined)
    return msgspec.structs.replace(publication, statements=tuple(others), before=before)


def _in_one_transaction(job: Job, lease: Lease, publication: Publication) -> list[int]:
    patience = Patience(job.load.wait)
    with job.runner.transaction():
        limit_waits(job.runner, patience)
        pass_fence(lease, job.runner)
        return [_send(statement, job, patience) for statement in publication.statements]


def _send(statement: Statement, job: Job, patience: Patience) -> int:
    if statement.locks is not Lock.READERS:
        return send(statement, job.runner)
    return execute_patiently(statement.sql, job.runner, patience, what=str(job.load.target))


def _result(job: Job, publication: Publication, changed: Sequence[int]) -> LoadResult:
    return result_of(
        str(job.load.target),
        [statement.effect for statement in publication.statements],
        changed,
        told=publication.counts,
        staged=publication.staged,
        bytes=sum(job.sizes) if job.sizes else None,
        partitions=publication.partitions,
        watermark=publication.watermark,
    )


def result_of(
    target: str,
    effects: Sequence[Effect],
    changed: Sequence[int],
    told: Mapping[Effect, int] | None = None,
    **known: Any,
) -> LoadResult:
    """Return what a load did, by the rows that each of its statements changed, and those told."""
    counts = {**tally(effects, changed), **(told or {})}
    return LoadResult(
        target=target,
        inserted=counts.get(Effect.INSERTED),
        updated=counts.get(Effect.UPDATED),
        deleted=counts.get(Effect.DELETED),
        written=counts.get(Effect.WRITTEN),
        **known,
    )


def tally(effects: Sequence[Effect], changed: Sequence[int]) -> dict[Effect, int]:
    """Add up what statements changed; what was removed to be inserted again was updated.

    Effects of which the engine did not tell a number are left out.
    """
    totals: dict[Effect, int] = {}
    unknown: set[Effect] = set()
    for effect, rows in zip(effects, changed, strict=True):
        totals[effect] = totals.get(effect, 0) + rows
        if rows < 0:
            unknown.add(effect)
    removed = totals.pop(Effect.REMOVED, None)
    if Effect.REMOVED in unknown:
        unknown |= {Effect.INSERTED, Effect.UPDATED}
    elif removed is not None:
        totals[Effect.UPDATED] = totals.get(Effect.UPDATED, 0) + removed
        totals[Effect.INSERTED] = totals.get(Effect.INSERTED, 0) - removed
    return {effect: rows for effect, rows in totals.items() if effect not in unknown}
