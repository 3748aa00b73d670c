"""Columns whose order decides: what is no order is refused before anything is written."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from airflow_dataops.core.engines import get_engine
from airflow_dataops.core.engines.statements import Statement, ask, send
from airflow_dataops.core.loads.checks import (
    SEVERAL,
    Test,
    duplicate_keys,
    one_row_per_key,
    refuse,
    refuse_incomparable,
)
from airflow_dataops.core.loads.checks import count as counted
from airflow_dataops.core.loads.choices import TextOrder
from airflow_dataops.core.loads.specs import OnEmpty
from airflow_dataops.core.sql import orders, staging
from airflow_dataops.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_dataops.core.loads.job import Job
    from airflow_dataops.core.model import Relation
    from airflow_dataops.core.sql.tables import Table

log = logging.getLogger(__name__)

_AS_NUMBER = "__as_number"
_CAST_ONLY = ("cursor", "effective_at", "the range")
"""Settings whose texts are no numbers by any choice."""
_CAST = (
    "as texts '9' comes after '10'. Cast it in the query: numbers as in cast({column} as "
    "{number}), times as in cast({column} as timestamp), hexadecimal ones (such as LSNs) by the "
    "engine's function for them"
)


def ordered(
    job: Job, table: Table, columns: Sequence[str], text_order: TextOrder, *, setting: str
) -> tuple[Table, tuple[str, ...]]:
    """Return staged rows, and the columns by which they are ordered.

    Texts that are numbers by choice are numbers in columns of their own.

    Raises:
        RunError: a column holds texts that are none, or values that nothing comes after.
    """
    texts = [name for name in columns if orders.is_text(table.type_of(name), job.dialect)]
    if texts and text_order is TextOrder.REFUSE:
        refuse_text(job, table, texts, setting=setting)
    table = _with_numbers(job, table, texts, setting)
    names = tuple(f"{name}{_AS_NUMBER}" if name in texts else name for name in columns)
    tests = not_finite(job, table, names, setting=setting)
    if tests:
        found = counted(job, table, [test.condition for test in tests], OnEmpty.WRITE)
        refuse(job, found, tests)
    return table, names


def last_row_per_key(
    job: Job,
    staged: Table,
    columns: Sequence[str],
    keys: Sequence[str],
    order: Sequence[str],
    text_order: TextOrder,
    copies: Mapping[str, str],
) -> Table:
    """Return staged rows that have each key once: the last one of each by `order_by`.

    Args:
        copies: the columns that hold the source's own values, by the name of those of `order`.

    Raises:
        RunError: keys come several times, and no order tells which row is the last.
    """
    found = duplicate_keys(job, staged, keys)
    if not found:
        return staged
    if _is_of_texts(job, staged, order) and text_order is TextOrder.REFUSE:
        refuse_incomparable(job, staged, columns, SEVERAL)
        once = job.stage_query(staging.distinct_rows(staged.sql, columns, job.dialect))
        if not duplicate_keys(job, once, keys):  # they are equal: no order decides
            return once
    if order:
        staged, order = ordered(job, staged, order, text_order, setting="order_by")
    return one_row_per_key(job, staged, columns, keys, order, found, copies)


def drop_preceding(
    job: Job,
    rows: Table,
    keys: Sequence[str],
    order: Sequence[str],
    text_order: TextOrder,
    *,
    null_keys: bool,
) -> None:
    """Drop staged rows that come before what the target has of their key.

    So the same rows end in the same table however they are cut into loads, or read again.

    Raises:
        RunError: the target does not keep what rows are ordered by, or it keeps texts.
    """
    missing = [name for name in order if name not in job.target.names]
    if missing:
        raise RunError(
            f"{job.load.target}: order_by names {', '.join(missing)}, which the table has not, so "
            "rows that are read again cannot be told from later ones: add the column to the "
            "table, or leave order_by out, by which the row with the greatest cursor is the last. "
            "Nothing was written."
        )
    texts = [name for name in order if orders.is_text(job.target.type_of(name), job.dialect)]
    if texts and text_order is TextOrder.REFUSE:
        known = orders.ordered_otherwise(rows.sql, job.target.sql, keys, order, job.dialect)
        if ask(known, job.runner):
            refuse_text(job, job.target, texts, setting="order_by")
        return
    statement = orders.drop_preceding(
        *(rows.sql, job.target.sql, keys, order, job.dialect), texts=texts, null_keys=null_keys
    )
    dropped = send(statement, job.runner)
    if dropped > 0:
        log.info(
            "%s: %d staged rows come before what the table has of their key by %s, and change "
            "nothing",
            *(job.load.target, dropped, ", ".join(order)),
        )


def _is_of_texts(job: Job, table: Table, columns: Sequence[str]) -> bool:
    return any(orders.is_text(table.type_of(name), job.dialect) for name in columns)


def refuse_text(job: Job, table: Table, columns: Sequence[str], *, setting: str) -> None:
    """Fail if a column is ordered that holds texts.

    Raises:
        RunError: the message names the cast.
    """
    for name in columns:
        type_ = table.type_of(name)
        if orders.is_text(type_, job.dialect):
            raise RunError(unordered_text(job.load.target, setting, name, type_, job.dialect))


def unordered_text(target: Relation, setting: str, column: str, type_: str, dialect: str) -> str:
    """Return the message that a column of texts is no order."""
    cast = _CAST.format(column=column, number=get_engine(dialect).values.whole)
    choice = "" if setting in _CAST_ONLY else "; or set text_order to number"
    return (
        f"{target}: {setting} is an order, and {column} is {type_}: {cast}{choice}. Nothing was "
        "written."
    )


def not_finite(job: Job, table: Table, columns: Sequence[str], *, setting: str) -> list[Test]:
    """Return the tests for NaN and infinite values in columns that are ordered."""
    found = [(name, orders.not_finite(name, table.type_of(name), job.dialect)) for name in columns]
    return [
        Test(
            condition=Statement(sql=condition),
            problem=(
                f"have NaN or an infinite value in {setting} ({name}), and nothing comes after "
                "it: leave them out of the query, or give them a value there"
            ),
        )
        for name, condition in found
        if condition is not None
    ]


def _with_numbers(job: Job, table: Table, texts: Sequence[str], setting: str) -> Table:
    if not texts:
        return table
    tests = [
        Test(
            condition=Statement(sql=orders.no_number(name, job.dialect)),
            problem=(
                f"have in {setting} ({name}) no whole number of up to 38 digits, and text_order "
                f"is {TextOrder.NUMBER}: leave them out of the query, or cast the column there"
            ),
        )
        for name in texts
    ]
    found = counted(job, table, [test.condition for test in tests], OnEmpty.WRITE)
    refuse(job, found, tests)
    for name in texts:
        query = orders.as_number(name, f"{name}{_AS_NUMBER}", table.sql, job.dialect)
        table = job.stage_query(query)
    return table
