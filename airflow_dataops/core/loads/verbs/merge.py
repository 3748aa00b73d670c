"""Merge: update the rows whose key is there, add the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.loads.alignment import fit, require
from airflow_dataops.core.loads.checks import (
    count_keys,
    refuse,
    refuse_incomparable,
    refuse_null_keys,
)
from airflow_dataops.core.loads.job import Publication
from airflow_dataops.core.loads.ordering import last_row_per_key
from airflow_dataops.core.loads.specs import Compare, NullKeys
from airflow_dataops.core.loads.stage import stage
from airflow_dataops.core.loads.writing import Wanted, upsert
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from airflow_dataops.core.loads.alignment import Fitted
    from airflow_dataops.core.loads.job import Job
    from airflow_dataops.core.loads.sources import Source
    from airflow_dataops.core.loads.specs import Merge
    from airflow_dataops.core.sql.tables import Table

_COMPARED = (
    f"compare is {Compare.CHANGED}: set it to {Compare.ALWAYS}, or name update_columns without it"
)


def prepare_merge(job: Job, verb: Merge, source: Source) -> Publication:
    """See `Merge`."""
    name = str(job.load.target)
    if not verb.keys:
        raise ConfigError(f"{name}: Merge needs keys; to add rows without any, use Append.")
    require(verb.keys, job.target, setting="keys", where=name)
    staged = stage(job, source)
    flag = _flag(verb, staged, name)
    fitted = fit(job, staged, consumed=flag, ordering=verb.order_by)
    keys = require(verb.keys, fitted.staged, setting="keys", where=f"the source of {name}")
    order = require(verb.order_by, fitted.staged, setting="order_by", where=f"the source of {name}")
    counts, unique = count_keys(job, fitted.staged, keys, verb.on_empty)
    if verb.null_keys is NullKeys.REFUSE:
        refuse(job, counts, [refuse_null_keys(keys, job.dialect)])
    updated = _updated(verb, fitted, keys, name)
    if verb.compare is Compare.CHANGED:
        refuse_incomparable(job, fitted.staged, updated, _COMPARED)
    rows = fitted.staged
    if not unique:
        columns = (*fitted.written, *flag)
        rows = last_row_per_key(job, rows, columns, keys, order, verb.text_order, fitted.copies)
    wanted = Wanted(
        source=rows,
        keys=keys,
        inserted=fitted.written,
        updated=updated,
        changed_only=verb.compare is Compare.CHANGED,
        deleted=flag[0] if flag else None,
        null_keys=bool(counts.met[0]),
        whole=fitted.whole and verb.update_columns is None,
    )
    return Publication(staged=counts.rows, statements=(*fitted.added, *upsert(job, wanted)))


def _flag(verb: Merge, staged: Table, name: str) -> tuple[str, ...]:
    named = (verb.delete_flag,) if verb.delete_flag else ()
    return require(named, staged, setting="delete_flag", where=f"the source of {name}")


def _updated(verb: Merge, fitted: Fitted, keys: tuple[str, ...], name: str) -> tuple[str, ...]:
    if verb.update_columns is None:
        return tuple(column for column in fitted.written if column not in keys)
    where = f"the source of {name}"
    named = require(verb.update_columns, fitted.staged, setting="update_columns", where=where)
    if set(named) & set(keys):
        raise ConfigError(f"{name}: update_columns names a key; keys stay as they are.")
    return named
