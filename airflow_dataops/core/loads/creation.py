"""Makes a missing target with the columns that a source has and a verb needs."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from airflow_dataops.core.engines import get_engine
from airflow_dataops.core.engines.loads import Upsert
from airflow_dataops.core.loads.alignment import require
from airflow_dataops.core.loads.choices import TextOrder
from airflow_dataops.core.loads.failures import Quietly
from airflow_dataops.core.loads.job import new_staging
from airflow_dataops.core.loads.lease import ensure_table
from airflow_dataops.core.loads.ordering import unordered_text
from airflow_dataops.core.loads.sources import Placement
from airflow_dataops.core.loads.specs import (
    Append,
    ApplyChanges,
    Envelope,
    History,
    Increment,
    Merge,
    NullKeys,
)
from airflow_dataops.core.loads.stage import drop_staging
from airflow_dataops.core.model import Struct
from airflow_dataops.core.sql import orders
from airflow_dataops.core.sql.bulk import create_table
from airflow_dataops.core.sql.catalog import Column
from airflow_dataops.core.sql.tables import read_table
from airflow_dataops.errors import ConfigError, RunError

if TYPE_CHECKING:
    from airflow_dataops.core.engines.base import Engine
    from airflow_dataops.core.loads.sources import Source
    from airflow_dataops.core.loads.specs import Load
    from airflow_dataops.core.ports import SqlRunner
    from airflow_dataops.core.sql.tables import Table

log = logging.getLogger(__name__)

_BOOLEAN = "boolean"


class _Shape(Struct, frozen=True):
    """What a target has besides the source's columns.

    Attributes:
        left_out: columns of the source that are for the verb alone.
        key: columns that name a row.
    """

    left_out: tuple[str, ...] = ()
    added: tuple[Column, ...] = ()
    key: tuple[str, ...] = ()


def create_target(load: Load, source: Source, runner: SqlRunner, engine: Engine) -> None:
    """Make the target with the source's columns; others may be doing the same.

    The engine tells the types: it is given a staging table without rows.

    Raises:
        ConfigError: the source does not tell the columns, for they are in JSON.
        RunError: the verb names columns that the source does not have.
    """
    if isinstance(load.verb, ApplyChanges) and load.verb.envelope is Envelope.DEBEZIUM:
        raise ConfigError(
            f"{load.target} does not exist, and Debezium's objects do not tell the types of its "
            "columns; create it yourself."
        )
    empty = new_staging(load, engine, session=source.placement is Placement.SESSION)
    try:
        source.stage_columns(runner, empty)
        staged = read_table(runner, empty)
        if staged is not None:
            _create(load, staged, runner, engine)
    finally:
        with Quietly(f"drop the staging table {empty}"):
            drop_staging(empty, runner)


def _create(load: Load, staged: Table, runner: SqlRunner, engine: Engine) -> None:
    shape = _shape(load, staged, runner.dialect)
    added = {column.name.casefold() for column in shape.added}
    kept = [
        Column(name=column.name, type=column.type)
        for column in staged.columns
        if column.name not in shape.left_out and column.name.casefold() not in added
    ]
    # Where nothing but the load itself looks for the key, an index costs and helps nothing.
    key = () if engine.loads.upsert is Upsert.DELETE_INSERT else shape.key
    columns = (*kept, *shape.added)
    create = create_table(load.target, columns, key, engine)
    ensure_table(runner, load.target, create, load.wait)
    told = ", ".join(f"{column.name} {column.type}" for column in columns)
    log.info("Made the table %s (%s)", load.target, told)


def _sequence_type(load: Load, staged: Table, sequence: str, dialect: str) -> str:
    """Return the type of the column that keeps sequences: an order, and no text's."""
    type_ = staged.type_of(sequence)
    if not orders.is_text(type_, dialect):
        return type_
    if isinstance(load.verb, ApplyChanges) and load.verb.text_order is TextOrder.NUMBER:
        return get_engine(dialect).values.whole
    raise RunError(unordered_text(load.target, "sequence", sequence, type_, dialect))


def _shape(load: Load, staged: Table, dialect: str) -> _Shape:
    verb, where = load.verb, f"the source of {load.target}"

    def named(names: tuple[str, ...], setting: str) -> tuple[str, ...]:
        return require(names, staged, setting=setting, where=where)

    def key(verb: Merge | Append | Increment | ApplyChanges | History) -> tuple[str, ...]:
        return named(verb.keys, "keys") if verb.null_keys is NullKeys.REFUSE else ()

    match verb:
        case Merge(delete_flag=flag):
            return _Shape(left_out=named((flag,), "delete_flag") if flag else (), key=key(verb))
        case Append() | Increment():
            return _Shape(key=key(verb))
        case History():
            [effective_at] = named((verb.effective_at,), "effective_at")
            names, type_ = verb.columns, staged.type_of(effective_at)
            return _Shape(
                left_out=(effective_at,),
                added=(
                    Column(name=names.valid_from, type=type_),
                    Column(name=names.valid_to, type=type_),
                    Column(name=names.is_current, type=_BOOLEAN),
                ),
                key=(*key(verb), names.valid_from) if key(verb) else (),
            )
        case ApplyChanges():
            [op, sequence] = (*named((verb.op,), "op"), *named((verb.sequence,), "sequence"))
            flag = verb.soft_delete
            return _Shape(
                left_out=(op, sequence),
                added=(
                    Column(
                        name=verb.sequence_column,
                        type=_sequence_type(load, staged, sequence, dialect),
                    ),
                    *((Column(name=flag, type=_BOOLEAN),) if flag else ()),
                ),
                key=key(verb),
            )
        case _:
            return _Shape()
