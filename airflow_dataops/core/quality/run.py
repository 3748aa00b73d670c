"""Make all checks of a table: one scan, then what no scan can tell."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from airflow_dataops.core.engines.error_codes import ErrorKind, Fate
from airflow_dataops.core.engines.errors import kind_of
from airflow_dataops.core.engines.statements import Statement, ask
from airflow_dataops.core.health.config import TableHealth
from airflow_dataops.core.health.judging import verdict
from airflow_dataops.core.health.verdict import Status
from airflow_dataops.core.masking import mask_error
from airflow_dataops.core.quality.check import Scene
from airflow_dataops.core.quality.policy import QualityPolicy
from airflow_dataops.core.quality.report import QualityReport
from airflow_dataops.core.quality.samples import sample_of
from airflow_dataops.core.sql import quality
from airflow_dataops.core.sql.tables import read_table
from airflow_dataops.errors import DataOpsError, RetryableError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from airflow_dataops.core.health.verdict import Verdict
    from airflow_dataops.core.model import Relation
    from airflow_dataops.core.ports import SqlRunner
    from airflow_dataops.core.quality.check import Check
    from airflow_dataops.core.quality.policy import Outcome

_HOPELESS = (ErrorKind.LOST, ErrorKind.BUSY, ErrorKind.CANCELLED)
"""What no smaller question would have been spared."""

log = logging.getLogger(__name__)


def check_table(
    relation: Relation,
    checks: Sequence[Check],
    runner: SqlRunner,
    *,
    now: datetime,
    policy: QualityPolicy | None = None,
    subject: str | None = None,
    past: Mapping[str, Sequence[tuple[datetime, float]]] | None = None,
) -> QualityReport:
    """Make checks of a table. A check that cannot be made is an ERROR; the others are made.

    Args:
        now: the time to compare with, aware.
        subject: the name for people and the ledger; by default the relation's.
        past: what checks measured before, oldest first, by title.
    """
    policy, subject = policy or QualityPolicy(), subject or str(relation)
    try:
        table = read_table(runner, relation)
    except Exception as error:  # noqa: BLE001 - each driver has a tree of its own
        return not_made(subject, checks, error)
    if table is None:
        return not_made(subject, checks, DataOpsError(f"There is no table {relation}."))
    scene = Scene(table=table, dialect=runner.dialect, subject=subject, now=now, past=past or {})
    rows, answers = _answers(checks, scene, runner)
    found = tuple(
        answer_error(subject, check, answer)
        if isinstance(answer, Exception)
        else _judged(check, answer, rows or 0, scene, policy)
        for check, answer in zip(checks, answers, strict=True)
    )
    return QualityReport(
        subject=subject,
        rows=rows,
        checks=tuple(
            _with_sample(each, check, scene, runner, policy)
            for each, check in zip(found, checks, strict=True)
        ),
    )


def not_made(subject: str, checks: Sequence[Check], error: Exception) -> QualityReport:
    """Return the report of checks none of which could be made."""
    found = tuple(answer_error(subject, check, error) for check in checks)
    return QualityReport(subject=subject, rows=None, checks=found)


def answer_error(subject: str, check: Check, error: Exception) -> Verdict:
    """Return the verdict on a check that could not be made; its details say if it may later."""
    kind = kind_of(error)
    final = isinstance(error, DataOpsError) and not isinstance(error, RetryableError)
    if kind is not None:
        final = kind.fate is Fate.FINAL
    message = " ".join(mask_error(error, 500).split())
    return verdict(
        TableHealth(table_id=subject),
        check.title,
        Status.ERROR,
        message,
        details={"retryable": not final},
    )


def _answers(
    checks: Sequence[Check], scene: Scene, runner: SqlRunner
) -> tuple[int | None, list[Any]]:
    """Return the number of rows, if it can be told, and each check's value or error."""
    answers: list[Any] = [None] * len(checks)
    asked: list[tuple[int, Statement]] = []
    alone: list[tuple[int, Statement | None]] = []
    for number, check in enumerate(checks):
        try:
            if (aggregate := check.aggregate(scene)) is not None:
                asked.append((number, aggregate))
            else:
                alone.append((number, check.query(scene)))
        except DataOpsError as error:
            answers[number] = error
    rows = _scan(asked, answers, scene, runner)
    if rows is None and asked:
        rows = _scan((), answers, scene, runner)
    for number, query in alone:
        try:
            if rows is None:
                raise RetryableError("The rows of the table could not be counted.")
            if query is None:
                answers[number] = checks[number].call(scene, runner)
            else:
                found = ask(query, runner)
                answers[number] = found[0][0] if found else None
        except Exception as error:  # noqa: BLE001 - a check may be anybody's code
            answers[number] = error
    return rows, answers


def _scan(
    asked: Sequence[tuple[int, Statement]], answers: list[Any], scene: Scene, runner: SqlRunner
) -> int | None:
    """Ask all aggregates in one scan; when it fails, each half by itself, down to the culprit."""
    shared = list(dict.fromkeys((each.sql, each.parameters) for _, each in asked))
    statements = [Statement(sql=sql, parameters=values) for sql, values in shared]
    try:
        [(rows, *values)] = ask(quality.scan(scene.table.sql, statements), runner)
    except Exception as error:  # noqa: BLE001 - each driver has a tree of its own
        if len(asked) > 1 and kind_of(error) not in _HOPELESS:
            middle = len(asked) // 2
            halves = (asked[:middle], asked[middle:])
            counts = [_scan(half, answers, scene, runner) for half in halves]
            return next((each for each in counts if each is not None), None)
        for number, _ in asked:
            answers[number] = error
        return None
    by_statement = dict(zip(shared, values, strict=True))
    for number, each in asked:
        answers[number] = by_statement[each.sql, each.parameters]
    return int(rows)


def _judged(check: Check, value: Any, rows: int, scene: Scene, policy: QualityPolicy) -> Verdict:
    if check.of_rows and rows == 0:
        return _decided(check, policy.empty, "The table has no rows", scene)
    if value is None:
        return _decided(check, policy.null, "The value is NULL", scene)
    if not _is_finite(value):
        return _decided(check, policy.not_finite, f"The value is {value}", scene)
    return check.judge(value, rows, scene)


def _decided(check: Check, outcome: Outcome, what: str, scene: Scene) -> Verdict:
    message = f"{what}, which the policy takes as {outcome}."
    return verdict(scene.health, check.title, Status[outcome.name], message)


def _is_finite(value: Any) -> bool:
    try:
        return math.isfinite(value)
    except (TypeError, ValueError, OverflowError):
        return True  # no number, or a long one: the check says so


def _with_sample(
    found: Verdict, check: Check, scene: Scene, runner: SqlRunner, policy: QualityPolicy
) -> Verdict:
    if found.status not in (Status.WARN, Status.FAIL) or not policy.sample_rows:
        return found
    if not found.details.get("wrong"):
        return found
    try:
        sample = sample_of(check, scene, runner, policy)
    except Exception as error:  # noqa: BLE001 - the verdict stands without it
        log.warning("%s: no wrong rows can be shown: %s", check.title, mask_error(error, 500))
        return found
    return found if sample is None else replace(found, details={**found.details, "sample": sample})
