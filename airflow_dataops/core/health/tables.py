"""Checks many tables of one warehouse: fifty questions in a statement."""

from __future__ import annotations

import importlib
import logging
from collections import defaultdict
from typing import TYPE_CHECKING

from airflow_dataops.core.health.asking import Question, questions
from airflow_dataops.core.health.judging import judge_bounds, verdict
from airflow_dataops.core.health.names import relation_of
from airflow_dataops.core.health.together import ask_together, in_short
from airflow_dataops.core.health.verdict import Status, Verdict
from airflow_dataops.core.sql import probes
from airflow_dataops.core.sql.listing import find_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from airflow_dataops.core.health.config import CustomCheck, TableHealth
    from airflow_dataops.core.ports import SqlRunner
    from airflow_dataops.core.sql.listing import Listed

CHUNK = 50
"""Questions in one statement: Postgres plans a hundred in more than twice the time of fifty."""

log = logging.getLogger(__name__)


def check_tables(
    runner: SqlRunner,
    tables: Sequence[TableHealth],
    *,
    now: datetime,
    progress: Callable[[int], None] = lambda checked: None,
) -> list[Verdict]:
    """Make all checks of tables of one warehouse.

    A table that is not there, or that may not be read, is an ERROR; the others are checked.

    Args:
        now: the time to compare with, aware.
        progress: told how many more checks were made, after each statement.

    Returns:
        The verdicts, table by table in the order given.
    """
    relations = {table.table_id: relation_of(table.table_id) for table in tables}
    found, failed = find_tables(runner, [*relations.values()])
    verdicts: dict[int, list[Verdict]] = defaultdict(list)
    asked: list[tuple[int, Question]] = []
    for number, table in enumerate(tables):
        listed = found.get(relations[table.table_id])
        if listed is None:
            why = failed[relations[table.table_id]]
            message = why if isinstance(why, str) else f"Its schema cannot be read: {why}"
            verdicts[number].append(verdict(table, "table", Status.ERROR, message))
            progress(1)
            continue
        for each in questions(table, listed, now, runner.dialect):
            if isinstance(each, Verdict):
                verdicts[number].append(each)
                progress(1)
            else:
                asked.append((number, each))
    for start in range(0, len(asked), CHUNK):
        part = asked[start : start + CHUNK]
        answers = _ask(runner, [question for _, question in part])
        for (number, _), answer in zip(part, answers, strict=True):
            verdicts[number].append(answer)
        progress(len(part))
    for number, table in enumerate(tables):
        if listed := found.get(relations[table.table_id]):
            for own in table.checks:
                verdicts[number].append(_custom(runner, table, own, listed))
                progress(1)
    return [each for number in range(len(tables)) for each in verdicts[number]]


def _ask(runner: SqlRunner, asked: Sequence[Question]) -> list[Verdict]:
    verdicts = []
    found = ask_together(runner, [question.sql for question in asked])
    for question, answers in zip(asked, found, strict=True):
        if isinstance(answers, Exception):
            log.debug("%s of %s failed", question.check, question.table.table_id, exc_info=answers)
            message = in_short(answers)
            verdicts.append(verdict(question.table, question.check, Status.ERROR, message))
        else:
            verdicts.append(question.judge(answers))
    return verdicts


def _custom(runner: SqlRunner, table: TableHealth, own: CustomCheck, listed: Listed) -> Verdict:
    try:
        if own.python is not None:
            value = _function(own.python)(table.table_id, runner)
        else:
            query = probes.of_author(own.sql or "", listed.relation, runner.dialect)
            rows = runner.fetch(query)
            value = rows[0][0] if rows else None
    except Exception as error:  # noqa: BLE001 - a check may be anybody's code
        return verdict(table, own.name, Status.ERROR, in_short(error))
    return judge_bounds(table, own.name, value, own.min, own.max)


def _function(path: str) -> Callable[[str, SqlRunner], object]:
    module, _, name = path.partition(":")
    found: Callable[[str, SqlRunner], object] = getattr(importlib.import_module(module), name)
    return found
