"""Our engine's side: the nodes that dbt ran, from the compiled manifest."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec.structs import replace

from airflow_dataops.core.execution.build import build
from airflow_dataops.core.execution.freshness import check_freshness
from airflow_dataops.core.execution.rendering import rendered, rendered_code
from airflow_dataops.core.execution.requests import RunRequest
from airflow_dataops.core.execution.run_hooks import make_places, run_hooks
from airflow_dataops.core.execution.tests import run_test
from airflow_dataops.core.model import Code, ModelSpec, NodeKind, RunMoment, SourceSpec
from airflow_dataops.core.sql.sessions import settings
from airflow_dataops.errors import DataOpsError
from airflow_dataops.operators.dbt_checks import selector_of
from tests.oracle.databases import ENGINE_ERRORS
from tests.oracle.dbt_process import failures

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airflow_dataops.core.model import Manifest, Node
    from airflow_dataops.core.ports import SqlRunner
    from tests.oracle.databases import Database
    from tests.oracle.dbt_process import Dbt, Outcomes

_BUILT = {NodeKind.MODEL, NodeKind.SEED, NodeKind.SNAPSHOT, NodeKind.TEST}


class Engine:
    """Builds the nodes of a manifest on a database."""

    def __init__(
        self, manifest: Manifest, database: Database, dbt: Dbt, request: RunRequest | None = None
    ) -> None:
        self.request = request or RunRequest()
        self.options: tuple[str, ...] = ()
        """What dbt is called with where it runs nodes of ours."""
        self._manifest = manifest
        self._database = database
        self._dbt = dbt

    def build(self, ran: set[str], *, full_refresh: bool) -> tuple[Outcomes, dict[str, str]]:
        """Build the nodes of `ran`; return how each ended, and why those failed that did.

        The nodes run in waves: all that can run here, then all that then wait for dbt. What runs
        around a run does, in sessions of its own.
        """
        nodes = self._manifest.project.nodes
        todo = {id_: nodes[id_] for id_ in nodes if id_ in ran and _is_built(nodes[id_])}
        outcomes: Outcomes = {}
        errors: dict[str, str] = {}
        built = [node for node in todo.values() if node.kind is not NodeKind.TEST]
        outcomes |= self._around(RunMoment.START, ran, built, errors)
        while todo:
            with self._session() as runner:
                for node in self._ready(todo, here=True):
                    outcomes[node.id] = self._run(node, runner, errors, full_refresh=full_refresh)
            waiting = list(self._ready(todo, here=False))
            if waiting:
                outcomes |= self._run_by_dbt(waiting, full_refresh=full_refresh)
        outcomes |= self._around(RunMoment.END, ran, built, errors)
        return outcomes, errors

    @contextmanager
    def _session(self) -> Iterator[SqlRunner]:
        """Open a session with what the profile sets for it."""
        with self._database.open() as runner:
            for statement in settings(self._manifest.project.session, runner.dialect):
                runner.execute(statement)
            yield runner

    def _around(
        self, moment: RunMoment, ran: set[str], built: Sequence[Node], errors: dict[str, str]
    ) -> Outcomes:
        """Run the hooks of one moment."""
        hooks = [hook for hook in self._manifest.project.run_hooks if hook.moment is moment]
        hooks = [hook for hook in hooks if hook.id in ran]
        if not hooks:
            return {}
        assert not any(hook.unsupported for hook in hooks)
        with self._session() as runner:
            make_places(built, runner)
            for hook in hooks:
                try:
                    code = rendered_code(
                        hook.id, self._manifest.code[hook.id], self.request, runner.dialect
                    )
                    run_hooks([(hook.id, code.sql or "")], runner)
                except (DataOpsError, *ENGINE_ERRORS) as error:
                    errors[hook.id] = str(error)
        return {h.id: ("error" if h.id in errors else "success", None) for h in hooks}

    def freshness(self) -> dict[str, str]:
        """Return the status of each watched source."""
        with self._session() as runner:
            return {
                node.id: {"fail": "error"}.get(status, status)
                for node in self._manifest.project.nodes.values()
                if isinstance(node.spec, SourceSpec) and node.spec.freshness is not None
                for status in [self._fresh(node, runner)]
            }

    def _fresh(self, node: Node, runner: SqlRunner) -> str:
        code = self._manifest.code.get(node.id, Code())
        node, _ = rendered(node, code, self.request, runner.dialect)
        return str(check_freshness(node, runner, now=datetime.now(UTC)).status)

    def needing_dbt(self) -> set[str]:
        """Return the ids of the nodes that dbt has to run, and of all that depend on them."""
        nodes = self._manifest.project.nodes
        found = {id_ for id_, node in nodes.items() if _needs_dbt(node)}
        more = found
        while more:
            more = {id_ for id_, node in nodes.items() if more & set(node.parents)} - found
            found |= more
        return found

    def relations(self, ids: set[str]) -> set[str]:
        """Return the names of the nodes' tables and views, as a `State` has them."""
        found = (self._manifest.project.nodes[id_].relation for id_ in ids)
        return {f"{each.schema}.{each.identifier}" for each in found if each}

    def _ready(self, todo: dict[str, Node], *, here: bool) -> Iterator[Node]:
        """Give the nodes that may run now, of one kind, and take them out of `todo`.

        A node comes after its parents, and after the tests of its parents as in `dbt build`.
        """
        found = True
        while found:
            found = False
            for node in list(todo.values()):
                if _needs_dbt(node) is not here and not self._waits(node, todo):
                    del todo[node.id]
                    found = True
                    yield node

    def _waits(self, node: Node, todo: dict[str, Node]) -> bool:
        parents, open_ = set(), list(node.parents)
        while open_:
            parent = open_.pop()
            parents.add(parent)
            if _is_ephemeral(self._manifest.project.nodes[parent]):
                open_.extend(self._manifest.project.nodes[parent].parents)
        if parents & todo.keys():
            return True
        tests = (other for other in todo.values() if other.kind is NodeKind.TEST)
        return node.kind is not NodeKind.TEST and any(
            set(test.parents) <= parents for test in tests if test.parents
        )

    def _run(
        self, node: Node, runner: SqlRunner, errors: dict[str, str], *, full_refresh: bool
    ) -> tuple[str, int | None]:
        request = replace(self.request, full_refresh=full_refresh)
        try:
            node, code = rendered(node, self._manifest.code[node.id], request, runner.dialect)
            if node.kind is NodeKind.TEST:
                result = run_test(node, code, runner)
                return str(result.status), failures(result.status, result.failures)
            build(node, code, runner, full_refresh=full_refresh)
        except (DataOpsError, *ENGINE_ERRORS) as error:
            errors[node.id] = str(error)
            return "error", None
        return "success", None

    def _run_by_dbt(self, nodes: list[Node], *, full_refresh: bool) -> Outcomes:
        options = ["--indirect-selection", "empty"]
        options += [arg for node in nodes for arg in ("--select", selector_of(node))]
        refresh = ["--full-refresh"] if full_refresh else []
        given = [each for each in self.options if each not in refresh]
        outcomes = self._dbt.build(*options, *refresh, *given)
        assert outcomes.keys() <= {node.id for node in nodes}
        missing = {node.id for node in nodes} - outcomes.keys()
        assert not missing, f"dbt selected others than {missing}"
        return {node.id: outcomes[node.id] for node in nodes}


def _is_built(node: Node) -> bool:
    return node.kind in _BUILT and not _is_ephemeral(node)


def _is_ephemeral(node: Node) -> bool:
    return isinstance(node.spec, ModelSpec) and node.spec.materialized == "ephemeral"


def _needs_dbt(node: Node) -> bool:
    return bool(getattr(node.spec, "unsupported", ()))
