"""One file per verb: what it checks, and what it publishes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.loads.specs import (
    Append,
    ApplyChanges,
    History,
    Increment,
    LoadPartition,
    Merge,
    Replace,
)
from airflow_dataops.core.loads.verbs.append import prepare_append
from airflow_dataops.core.loads.verbs.changes import prepare_changes
from airflow_dataops.core.loads.verbs.history import prepare_history
from airflow_dataops.core.loads.verbs.increment import prepare_increment
from airflow_dataops.core.loads.verbs.merge import prepare_merge
from airflow_dataops.core.loads.verbs.partition import prepare_partition
from airflow_dataops.core.loads.verbs.replace import prepare_replace

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from airflow_dataops.core.loads.job import Job, Publication
    from airflow_dataops.core.loads.sources import Source

_PREPARE: dict[type, Callable[[Job, Any, Source], Publication]] = {
    LoadPartition: prepare_partition,
    Merge: prepare_merge,
    Replace: prepare_replace,
    Append: prepare_append,
    Increment: prepare_increment,
    History: prepare_history,
    ApplyChanges: prepare_changes,
}


def prepare(job: Job, source: Source) -> Publication:
    """Stage a source, check its rows, and say what is to be done in the transaction.

    Raises:
        LoadEmptyError: there are no rows, and the table is to stay as it is.
    """
    verb = job.load.verb
    return _PREPARE[type(verb)](job, verb, source)
