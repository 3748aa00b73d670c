"""Run many nodes in one task."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any, Unpack

from airflow.sdk.exceptions import AirflowException, AirflowFailException

from airflow_dataops.core.plan import TaskKind
from airflow_dataops.errors import printable
from airflow_dataops.operators.attempts import turn_of
from airflow_dataops.operators.node import NodeOperator
from airflow_dataops.operators.progress import Progress
from airflow_dataops.operators.told import log_script, told
from airflow_dataops.operators.warned import tell_warned

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from airflow.sdk import Context

    from airflow_dataops.adapters.manifest_store import StoredManifest
    from airflow_dataops.core.execution.fused import Outcome, Sessions, Verdict
    from airflow_dataops.core.execution.requests import RunRequest
    from airflow_dataops.core.execution.turns import Turn
    from airflow_dataops.core.plan import Part
    from airflow_dataops.hooks.sql_runner import WarehouseSession
    from airflow_dataops.operators.node import NodeArguments

_LONGEST_SCRIPT = 100_000
_THREADS = 4


class FusedOperator(NodeOperator):
    """Runs many models with their tests: in the order of their dependencies, several at once.

    Inside, all goes as between tasks: a test that fails stops what is downstream of it, all
    else goes on; then the task fails, with a summary. What a try of the task finished, its
    retries skip, even after the process was killed; a task that is cleared does all again.

    Args:
        parts: what to run, in an order in which it may run.
        threads: so many sessions with the warehouse at most; None for 4, or 1 on DuckDB.

    Returns:
        `{"nodes": [...]}`: for each node that was run what its own operator would return, for
        others `{"node", "status": skipped | error, "message"}`. When the task fails, the same
        is in the XCom of key `results`.
    """

    ui_color = "#cfe3d8"
    task_kind = TaskKind.FUSED

    def __init__(
        self,
        *,
        parts: Sequence[Part],
        threads: int | None = None,
        **arguments: Unpack[NodeArguments],
    ) -> None:
        super().__init__(**arguments)
        self.parts = tuple(parts)
        self.threads = threads
        self._sessions: Sessions[WarehouseSession] | None = None

    def on_kill(self) -> None:
        """Stop the statements that are running, and start no others."""
        if self._sessions is not None:
            self._sessions.stop()

    def execute(self, context: Context) -> Any:
        """Run the parts."""
        from airflow_dataops.core.execution.fused import State

        request = self._request(context)
        progress = Progress(context)
        selected = self._selected(request, context)
        with told(self.conn_id):
            outcomes = self._run_parts(request, selected, progress, turn_of(context))
        nodes = [shown for part in self.parts for shown in _shown(part, outcomes[part.id])]
        tell_warned(self.on_warning_callback, context, nodes)
        results = {"nodes": [{k: v for k, v in node.items() if k != "sql"} for node in nodes]}
        failed = {id_: o for id_, o in outcomes.items() if o.state is not State.DONE}
        if failed:
            context["ti"].xcom_push(key="results", value=results)
            again = any(outcome.state is State.BROKEN for outcome in failed.values())
            stopped = self._sessions is not None and self._sessions.is_stopped
            error = AirflowException if again or stopped else AirflowFailException
            raise error(_summary(failed, len(self.parts)))
        self._tell_assets(context, outcomes)
        if not request.assets:
            self.outlets = []
        progress.forget()
        return results

    def _run_parts(
        self,
        request: RunRequest,
        selected: frozenset[str] | None,
        progress: Progress,
        turn: Turn,
    ) -> dict[str, Outcome]:
        from airflow_dataops.core.engines import get_engine
        from airflow_dataops.core.execution.fused import Sessions, State, run_parts
        from airflow_dataops.hooks.sql_runner import connect, find_hook
        from airflow_dataops.hooks.tags import current_tag

        hook, connector = find_hook(self.conn_id)
        tag, settings = current_tag(), self._open().session()
        threads = self.threads or (_THREADS if get_engine(connector.engine).concurrent else 1)
        self._sessions = Sessions(
            open_=lambda: connect(hook, connector, tag, settings),
            close=lambda session: session.close(),
            interrupt=lambda session: session.interrupt(),
        )
        finished = progress.finished()
        if finished:
            self.log.info("%d of %d parts are done already", len(finished), len(self.parts))
        unasked = self._unasked(request, selected)
        if unasked:
            self.log.info("Not selected in this run: %s", ", ".join(unasked))

        def settled(part: Part, outcome: Outcome) -> None:
            if outcome.state is State.DONE and not request.dry_run:
                progress.record(part.id, outcome.results)
            if not request.dry_run:
                self._tell(outcome.results)
            self._log(part, outcome)
            log_script(f"SQL of {part.id}", ran.pop(part.id, ()))

        ran: dict[str, Sequence[str]] = {}
        scripts: list[str] = []
        try:
            return run_parts(
                self.parts,
                self._preparer(self._open(), request, selected, scripts, ran, turn),
                self._sessions,
                threads=threads,
                finished=unasked | finished,
                settled=settled,
            )
        finally:
            self.sql = "\n\n".join(scripts)[:_LONGEST_SCRIPT]

    def _unasked(
        self, request: RunRequest, selected: frozenset[str] | None
    ) -> dict[str, list[dict[str, Any]]]:
        """Return the results of the parts that the run is not for, by id."""
        from airflow_dataops.core.execution.parts import idle, takes_part

        return {
            part.id: idle(part.nodes)
            for part in self.parts
            if not any(takes_part(part.kind, id_, request, selected) for id_ in part.nodes)
        }

    def _preparer(
        self,
        manifest: StoredManifest,
        request: RunRequest,
        selected: frozenset[str] | None,
        scripts: list[str],
        ran: dict[str, Sequence[str]],
        turn: Turn,
    ) -> Callable[[Part], Callable[[WarehouseSession], Verdict]]:
        """Return what makes the work of a part: looked up here, run in another thread."""
        from airflow_dataops.core.execution.days import ignores_days
        from airflow_dataops.core.execution.explained import Place
        from airflow_dataops.core.execution.failing import explaining
        from airflow_dataops.core.execution.parts import idle, make_schemas, run_part, takes_part
        from airflow_dataops.core.execution.recording import RecordingRunner

        in_turn = Lock()

        def prepare(part: Part) -> Callable[[WarehouseSession], Verdict]:
            ids = [id_ for id_ in part.nodes if takes_part(part.kind, id_, request, selected)]
            others = idle(id_ for id_ in part.nodes if id_ not in ids)
            found = [self._found(manifest, id_) for id_ in ids]
            for node in [each.node for each in found] if request.days else []:
                if ignores_days(node):
                    self.log.warning(
                        "%s has no event_time: begin and end mean nothing to it", node.id
                    )

            def work(session: WarehouseSession) -> Verdict:
                recording = RecordingRunner(session)
                shown: list[str] = []
                try:
                    nodes = [each.at(recording) for each in found]
                    if not request.dry_run:
                        with in_turn, explaining(recording, Place(name=part.id)):
                            make_schemas(nodes, recording)
                    verdict = run_part(part.kind, nodes, recording, request, turn)
                    shown = [result["sql"] for result in verdict.results if "sql" in result]
                finally:
                    script = shown or [recording.script()]
                    scripts.append("\n".join([f"-- {printable(part.id)}", *script]))
                    ran[part.id] = () if shown else recording.statements
                return verdict._replace(results=verdict.results + others)

            return work

        return prepare

    def _log(self, part: Part, outcome: Outcome) -> None:
        for shown in _shown(part, outcome):
            what = shown.get("action") or shown.get("status")
            rows = "" if shown.get("rows") is None else f", {shown['rows']} rows"
            if "sql" in shown:
                self.log.info("Dry run of %s:\n%s", shown["node"], shown["sql"])
                continue
            self.log.info("%s %s%s %s", what, shown["node"], rows, shown.get("message") or "")

    def _tell_assets(self, context: Context, outcomes: Mapping[str, Outcome]) -> None:
        """Put into each asset's event what became of its table; leave out untouched ones."""
        built = [part for part in self.parts if part.relation is not None]
        # The assets of the parts come first among the outlets, in the order of the parts.
        own, others = self.outlets[: len(built)], self.outlets[len(built) :]
        touched = []
        for part, asset in zip(built, own, strict=False):
            (result,) = outcomes[part.id].results
            if "action" in result:
                touched.append(asset)
                extra = {"action": result["action"], "rows": result.get("rows")}
                context["outlet_events"][asset].extra = extra
        self.outlets = [*touched, *others] if touched or not built else []


def _shown(part: Part, outcome: Outcome) -> list[dict[str, Any]]:
    """Return the results of a part, with a line for each node that has none."""
    from airflow_dataops.core.execution.fused import State

    told = {result["node"] for result in outcome.results}
    status = "skipped" if outcome.state is State.SKIPPED else "error"
    return outcome.results + [
        {"node": id_, "status": status, "message": outcome.message}
        for id_ in part.nodes
        if id_ not in told
    ]


def _summary(failed: Mapping[str, Outcome], parts: int) -> str:
    from airflow_dataops.core.execution.fused import State

    skipped = sum(outcome.state is State.SKIPPED for outcome in failed.values())
    lines = "".join(
        f"\n  - {id_}: {outcome.message}"
        for id_, outcome in failed.items()
        if outcome.state is not State.SKIPPED
    )
    return f"{len(failed) - skipped} of {parts} parts failed, {skipped} did not run:{lines}"
