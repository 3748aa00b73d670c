"""The tasks around all others: what runs `on-run-start` and `on-run-end`, once for each run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from airflow_dataops.core.engines import is_engine
from airflow_dataops.core.manifests.fingerprint import combined
from airflow_dataops.core.model import NodeKind, RunMoment
from airflow_dataops.core.plan.engines import Chosen
from airflow_dataops.core.plan.structs import (
    Builder,
    Engine,
    EngineChoice,
    PlannedTask,
    RunHooks,
    TaskKind,
)
from airflow_dataops.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from airflow_dataops.core.model import Project, RunHook
    from airflow_dataops.core.plan.structs import PlanOptions

START = "hooks.on_run_start"
END = "hooks.on_run_end"
OUTCOME = "hooks.outcome"
"""No node is called like these; see `names`."""

_GIVEN = frozenset({"schemas", "database_schemas"})
"""What a hook can be told of a run that was no run of dbt."""

_SKIP = "load the manifest with run_hooks='skip'"


class Around:
    """The hooks of a project, each side with its engine.

    Attributes:
        problems: of hooks that nothing can run.
    """

    def __init__(self, project: Project, options: PlanOptions) -> None:
        self.problems: list[Problem] = []
        self._sides: dict[RunMoment, tuple[Chosen, list[RunHook]]] = {}
        hooks = project.run_hooks if options.run_hooks is RunHooks.RUN else ()
        for moment in RunMoment:
            mine = [hook for hook in hooks if hook.moment is moment]
            if not mine:
                continue
            if unknown := list(_asking_too_much(mine)):
                self.problems.extend(unknown)
                continue
            chosen = _choose(mine, options, project.adapter)
            if isinstance(chosen, Problem):
                self.problems.append(chosen)
            else:
                self._sides[moment] = (chosen, mine)

    def __bool__(self) -> bool:
        return bool(self._sides)

    def put(self, tasks: Mapping[str, PlannedTask], profile: int) -> dict[str, PlannedTask]:
        """Return tasks with the hooks before and after them.

        The hooks at the end run whatever became of the other tasks. So what ends last would
        always be green, and another task ends as the run did.

        Args:
            tasks: of a DAG, fused or not, in any order.
            profile: place of the profile of the tasks that are added.
        """
        if not tasks:
            return {}
        builders = tuple(_builders(tasks))
        waited = {id_ for task in tasks.values() for id_ in task.upstream}
        last = tuple(sorted(tasks.keys() - waited))
        result = dict(tasks)
        if RunMoment.START in self._sides:
            result = {
                id_: task if task.upstream else replace(task, upstream=(START,))
                for id_, task in tasks.items()
            }
            result[START] = self._task(START, RunMoment.START, profile, (), builders)
        if RunMoment.END in self._sides:
            result[END] = self._task(END, RunMoment.END, profile, last, builders)
            result[OUTCOME] = PlannedTask(
                id=OUTCOME,
                kind=TaskKind.OUTCOME,
                nodes=(),
                node_kind=NodeKind.OPERATION,
                engine=Engine.SQL,
                reason="ends as the run did",
                upstream=tuple(sorted((*last, END))),
                profile=profile,
                outlets=(),
                description="Does nothing. Red where a task of the run, or a hook, failed.",
            )
        return result

    def _task(
        self,
        id_: str,
        moment: RunMoment,
        profile: int,
        upstream: tuple[str, ...],
        around: tuple[Builder, ...],
    ) -> PlannedTask:
        chosen, hooks = self._sides[moment]
        return PlannedTask(
            id=id_,
            kind=TaskKind(moment),
            nodes=tuple(hook.id for hook in hooks),
            node_kind=NodeKind.OPERATION,
            engine=chosen.engine,
            reason=chosen.reason,
            upstream=upstream,
            profile=profile,
            outlets=(),
            description=f"Runs `{moment}` of the dbt project, once.",
            fingerprint=combined([hook.fingerprint for hook in hooks]),
            around=around,
        )


def _builders(tasks: Mapping[str, PlannedTask]) -> list[Builder]:
    found = []
    for id_, task in sorted(tasks.items()):
        parts = [part for part in task.parts or (task,) if part.kind is TaskKind.BUILD]
        if nodes := tuple(node for part in parts for node in part.nodes):
            found.append(Builder(task=id_, nodes=nodes))
    return found


def _asking_too_much(hooks: Iterable[RunHook]) -> Iterator[Problem]:
    """Yield a problem for each hook that nobody can tell what it asks for."""
    for hook in hooks:
        if unknown := [name for name in hook.reads if name not in _GIVEN]:
            yield Problem(
                f"it reads {', '.join(unknown)}, which dbt has of its own run only, and here each "
                f"node is a task of its own; mend the hook, or {_SKIP}",
                node=hook.id,
            )


def _choose(
    hooks: Sequence[RunHook], options: PlanOptions, adapter: str | None
) -> Chosen | Problem:
    """Choose one engine for all hooks of a moment: they run in order."""
    if options.engine is EngineChoice.DBT:
        chosen = Chosen(Engine.DBT, "asked for by engine='dbt'")
    else:
        reasons = dict.fromkeys(reason for hook in hooks for reason in hook.unsupported)
        if adapter is not None and not is_engine(adapter):
            reasons[f"engine sql has no hooks for {adapter}"] = None
        if not reasons:
            return Chosen(Engine.SQL, "SQL of the hooks")
        chosen = Chosen(Engine.DBT, ", ".join(reasons))
    first = next((hook for hook in hooks if hook.unsupported), hooks[0])
    if options.engine is EngineChoice.SQL:
        return Problem(
            f"engine='sql' cannot run {chosen.reason}; use engine='auto', or {_SKIP}",
            node=first.id,
        )
    if Engine.DBT in options.available:
        return chosen
    remedy = options.unavailable.get(Engine.DBT, "it is not available here")
    return Problem(
        f"needs dbt to run it ({chosen.reason}), but {remedy}; or {_SKIP}", node=first.id
    )


def told_of_parts(project: Project, options: PlanOptions) -> tuple[str, ...]:
    """Say what hooks around a run do where a project is several DAGs."""
    if not project.run_hooks or options.run_hooks is RunHooks.SKIP:
        return ()
    return (
        f"{len(project.run_hooks)} on-run-start and on-run-end hooks run around each of the DAGs "
        "that the project is split into, as around a `dbt build` of each of them",
    )
