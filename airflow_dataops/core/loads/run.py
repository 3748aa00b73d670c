"""Run a load: lease, staging, checks, publication, and tidying up."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from airflow_dataops.core.engines import get_engine
from airflow_dataops.core.loads import positions, verbs
from airflow_dataops.core.loads.bystanders import read_bystanders
from airflow_dataops.core.loads.checks import LoadDoneError, LoadEmptyError
from airflow_dataops.core.loads.creation import create_target
from airflow_dataops.core.loads.detached import Detached, detach
from airflow_dataops.core.loads.emptied import forget_missing
from airflow_dataops.core.loads.failures import LostSessionsNamed
from airflow_dataops.core.loads.job import Job
from airflow_dataops.core.loads.lease import give_back, holding
from airflow_dataops.core.loads.publish import publish
from airflow_dataops.core.loads.specs import LoadResult
from airflow_dataops.core.loads.stage import tidied
from airflow_dataops.core.sql.scripts import has_scripts
from airflow_dataops.core.sql.tables import Table, read_table
from airflow_dataops.errors import ConfigError, RunError

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_dataops.core.engines.base import Engine
    from airflow_dataops.core.loads.job import Publication
    from airflow_dataops.core.loads.lease import Lease
    from airflow_dataops.core.loads.positions import Resumed
    from airflow_dataops.core.loads.sources import Source
    from airflow_dataops.core.loads.specs import Load
    from airflow_dataops.core.ports import JobRunner, SqlRunner

Result = TypeVar("Result")


def run_load(load: Load, source: Source, runner: SqlRunner) -> LoadResult:
    """Put a source's rows into a table, so that it can be done again.

    Killed anywhere, retried, run twice, late, or by two workers at once, the table ends the
    same. The source is read once, into a staging table; it is checked before anything is
    written; what is written becomes visible at once.

    Args:
        load: the table, the verb, and who runs it.
        source: the rows.
        runner: an open session with the table's warehouse, outside of a transaction.

    Raises:
        ConfigError: the load or the connection cannot be used.
        RunError: the source's rows or columns cannot be loaded; the table is as it was.
        SupersededError: another attempt has taken the load's place.
        RetryableError: the table was not free in time, or the session ended.
    """
    return _run(load, source, runner, publish)


def begin_load(load: Load, source: Source, runner: JobRunner) -> LoadResult | Detached:
    """Do as `run_load`, but do not wait for the publication where there is something to publish.

    Where the engine runs no scripts by itself, it is `run_load`.
    """
    if not has_scripts(runner.dialect):
        return run_load(load, source, runner)

    def send(job: Job, lease: Lease, publication: Publication) -> LoadResult | Detached:
        return detach(job, lease, publication, runner)

    return _run(load, source, runner, send)


def _run(
    load: Load,
    source: Source,
    runner: SqlRunner,
    publish: Callable[[Job, Lease, Publication], Result],
) -> LoadResult | Result:
    engine = get_engine(runner.dialect)
    _check_names(load, engine)
    with LostSessionsNamed(str(load.target)):
        if load.create and read_table(runner, load.target) is None:
            forget_missing(load, runner)
            try:
                create_target(load, source, runner, engine)
            except LoadEmptyError:  # nothing tells what columns it would have
                return LoadResult(target=str(load.target), staged=0)
        _find_target(load, runner)
        with holding(load, runner) as lease:
            # Looked up again: whoever held the lease before may have added columns.
            target = _find_target(load, runner)
            job = Job(
                load=load,
                runner=runner,
                engine=engine,
                target=target,
                bystanders=read_bystanders(load.target, runner, engine),
            )
            with tidied(job):
                resumed = positions.resumed(job, source)
                publication = _prepared(job, resumed)
                if publication is None:
                    positions.acknowledge(resumed, published=False)
                    give_back(lease, runner)
                    return LoadResult(target=str(load.target), staged=0)
                result = publish(job, lease, publication)
                positions.acknowledge(resumed, published=isinstance(result, LoadResult))
                return result


def _prepared(job: Job, resumed: Resumed) -> Publication | None:
    """Return what is to be published; None where the table is to stay as it is."""
    try:
        return positions.kept(job, resumed, verbs.prepare(job, resumed.source))
    except LoadEmptyError:
        return positions.alone(job, resumed)
    except LoadDoneError:
        return None


def _find_target(load: Load, runner: SqlRunner) -> Table:
    found = read_table(runner, load.target)
    if found is None:
        raise RunError(
            f"{load.target} does not exist; create it with the columns and types it is to have, "
            "let the load make it (create), or mend the target's name."
        )
    if found.view:
        raise RunError(f"{load.target} is a view; name the table that the load is to write.")
    return found


def _check_names(load: Load, engine: Engine) -> None:
    for part in (load.target.identifier, load.target.schema, load.target.database):
        if part is not None and engine.naming.is_too_long(part):
            raise ConfigError(
                f"{load.target}: {part!r} is longer than {engine.naming.limit()} bytes, the most "
                f"that {engine.name} keeps of a name; give the shorter name it really has."
            )
