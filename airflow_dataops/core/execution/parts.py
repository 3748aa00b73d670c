"""Runs one part of a fused task, as a task of its own would."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from airflow_dataops.core.execution.building import check_database, ensure_schema
from airflow_dataops.core.execution.failing import explaining, place_of
from airflow_dataops.core.execution.fused import Verdict
from airflow_dataops.core.execution.rendering import rendered
from airflow_dataops.core.execution.results import FreshnessResult, Status, TestResult
from airflow_dataops.core.model import Mode, NodeKind, StoreFailures, TestSpec
from airflow_dataops.core.plan import TaskKind
from airflow_dataops.errors import ConfigError, RunError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence, Set

    from airflow_dataops.core.execution.requests import RunRequest
    from airflow_dataops.core.execution.turns import Turn
    from airflow_dataops.core.model import Code, Node, Struct
    from airflow_dataops.core.ports import SqlRunner

_BUILT = frozenset({NodeKind.MODEL, NodeKind.SEED, NodeKind.SNAPSHOT})
_FAILED = (Status.FAIL, Status.ERROR)
_KINDS = {
    Mode.ALL: frozenset({TaskKind.BUILD, TaskKind.TEST, TaskKind.FRESHNESS}),
    Mode.BUILD: frozenset({TaskKind.BUILD, TaskKind.FRESHNESS}),
    Mode.TEST: frozenset({TaskKind.TEST}),
}


def takes_part(kind: TaskKind, node: str, request: RunRequest, selected: Set[str] | None) -> bool:
    """Tell whether a run is for a node.

    Args:
        selected: ids of the nodes that the run was narrowed to; None for all.
    """
    return (selected is None or node in selected) and kind in _KINDS[request.mode]


def idle(nodes: Iterable[str]) -> list[dict[str, Any]]:
    """Return the results of nodes that a run is not for."""
    return [{"node": node, "status": "not selected"} for node in nodes]


def make_schemas(nodes: Iterable[tuple[Node, Code]], runner: SqlRunner) -> None:
    """Make the schemas that nodes are built in, for callers that must take turns in it.

    Two sessions that make the same schema at once disturb each other on most engines.

    Raises:
        ConfigError: the session does not know a node's database.
    """
    for node, _ in nodes:
        stores = isinstance(node.spec, TestSpec) and node.spec.store_failures != StoreFailures.NO
        if node.relation is not None and (stores or node.kind in _BUILT):
            check_database(node, node.relation, runner)
            ensure_schema(node.relation, runner)


def run_part(
    kind: TaskKind,
    nodes: Sequence[tuple[Node, Code]],
    runner: SqlRunner,
    request: RunRequest,
    turn: Turn | None = None,
) -> Verdict:
    """Run the nodes of a part in an open session. All tests of a part run; then it fails.

    On a dry run nothing is run, and the results carry the SQL.

    Args:
        turn: who runs them, and how long they wait for others that build the same.

    Raises what building or testing the node raises.
    """
    if request.dry_run:
        return Verdict([_shown(kind, node, code, runner, request) for node, code in nodes])
    results: list[Struct] = []
    failures = []
    for node, code in nodes:
        result = run_node(kind, node, code, runner, request, turn)
        results.append(result)
        if isinstance(result, TestResult | FreshnessResult) and result.status in _FAILED:
            failures.append(f"{node.id}: {result.message}")
    return Verdict([_plain(result) for result in results], "; ".join(failures) or None)


def run_node(
    kind: TaskKind,
    node: Node,
    code: Code,
    runner: SqlRunner,
    request: RunRequest,
    turn: Turn | None = None,
) -> Struct:
    """Build, test or check a node in an open session; tell of errors by its name and file.

    A test that cannot be run, and could not if it were tried again, has the status `error`: it
    does not keep others from running.

    Raises:
        RunError: running it again would end the same.
        ConfigError: the node, its code or the connection cannot be used.
        RetryableError: running it again may end otherwise.
    """
    try:
        node, code = rendered(node, code, request, runner.dialect)
        with explaining(runner, place_of(node, code)), _knowing_the_database(kind, node, runner):
            return _run(kind, node, code, runner, request, turn)
    except (RunError, ConfigError) as error:
        if kind is not TaskKind.TEST:
            raise
        return TestResult(node=node.id, status=Status.ERROR, failures=0, message=str(error))


def _run(
    kind: TaskKind,
    node: Node,
    code: Code,
    runner: SqlRunner,
    request: RunRequest,
    turn: Turn | None,
) -> Struct:
    # A task does one or two of these.
    if kind is TaskKind.BUILD:
        from airflow_dataops.core.execution.build import build

        return build(
            node,
            code,
            runner,
            full_refresh=request.full_refresh,
            days=request.days,
            interval=request.times(),
            turn=turn,
        )
    if kind is TaskKind.FRESHNESS:
        from airflow_dataops.core.execution.freshness import check_freshness

        return check_freshness(node, runner, now=datetime.now(UTC))
    from airflow_dataops.core.execution.tests import run_test

    return run_test(node, code, runner, turn=turn)


@contextmanager
def _knowing_the_database(kind: TaskKind, node: Node, runner: SqlRunner) -> Iterator[None]:
    """Say of what fails that the session does not know the database, where that is why.

    Builds ask before they begin. What only reads asks when it fails, for it changes nothing.
    """
    try:
        yield
    except Exception as error:
        if kind is TaskKind.BUILD or node.relation is None:
            raise
        try:
            check_database(node, node.relation, runner)
        except ConfigError as unknown:
            raise unknown from error
        except Exception:  # noqa: BLE001 - a session that broke cannot be asked
            raise error from None
        raise


def _shown(
    kind: TaskKind, node: Node, code: Code, runner: SqlRunner, request: RunRequest
) -> dict[str, Any]:
    from airflow_dataops.core.execution.dry_run import show

    sql = show(lambda dry: _run_dry(kind, node, code, dry, request), runner)
    return {"node": node.id, "status": "dry run", "sql": sql}


def _run_dry(
    kind: TaskKind, node: Node, code: Code, runner: SqlRunner, request: RunRequest
) -> None:
    if kind is TaskKind.TEST:  # what stops the showing of a statement is no error of the test
        from airflow_dataops.core.execution.tests import run_test

        run_test(*rendered(node, code, request, runner.dialect), runner)
        return
    run_node(kind, node, code, runner, request)


def _plain(result: Struct) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(result)
    return plain
