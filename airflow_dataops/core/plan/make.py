"""Project -> Plan."""

from __future__ import annotations

from collections import defaultdict
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from airflow_dataops.core.manifests.fingerprint import combined
from airflow_dataops.core.model import ModelSpec, NodeKind, SourceSpec
from airflow_dataops.core.plan import graph, names
from airflow_dataops.core.plan.acyclic import acyclic_groups
from airflow_dataops.core.plan.compiled import other_problems, remedy_of, uncompiled
from airflow_dataops.core.plan.engines import Chosen, choose
from airflow_dataops.core.plan.fusion import Fused, fuse, fused_groups, with_tests
from airflow_dataops.core.plan.groups import group_of
from airflow_dataops.core.plan.profiles import Profiles
from airflow_dataops.core.plan.ready import emit_when_ready, wait_for_inputs
from airflow_dataops.core.plan.run_hooks import Around
from airflow_dataops.core.plan.schedule import schedule_of
from airflow_dataops.core.plan.slas import slas_of_plan, unwatched
from airflow_dataops.core.plan.slices import Slice, external_models, whole_slice
from airflow_dataops.core.plan.structs import (
    Engine,
    EngineChoice,
    FreshnessMode,
    Granularity,
    GroupBy,
    Plan,
    PlannedTask,
    PlanOptions,
    Profile,
    TaskKind,
    TestsIn,
)
from airflow_dataops.core.plan.variables import UNRECORDED
from airflow_dataops.errors import ManifestError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Set

    from airflow_dataops.core.model import Node, Project

_BUILT = frozenset({NodeKind.MODEL, NodeKind.SEED, NodeKind.SNAPSHOT})
_NOT_RUN = frozenset({NodeKind.EXPOSURE, NodeKind.UNIT_TEST})


def make_plan(
    project: Project,
    options: PlanOptions | None = None,
    selected: Set[str] | None = None,
    foreign: Set[str] | None = None,
) -> Plan:
    """Plan the tasks of a project.

    Args:
        project: what a manifest reader returned.
        options: what the caller decides.
        selected: ids of the nodes to plan; None for all. Lineage passes through the others.
        foreign: ids of the nodes that other DAGs fill and whose freshness starts this one;
            None for the models of other projects that are in the manifest without their code.

    Raises:
        ManifestError: with every node that no engine can run, or whose metadata is wrong.
    """
    return Planner(project, options or PlanOptions(), selected, foreign).plan()


class Home(NamedTuple):
    """A node with what tasks take from it.

    Attributes:
        group: path of groups, as ids.
        profile: place of its profile.
    """

    node: Node
    layer: str
    group: tuple[str, ...]
    profile: int


class Planner:
    """The state of one planning: what has been decided so far, and what went wrong."""

    def __init__(
        self,
        project: Project,
        options: PlanOptions,
        selected: Set[str] | None = None,
        foreign: Set[str] | None = None,
    ) -> None:
        selected = project.nodes.keys() if selected is None else selected
        self.project = project
        self.options = options
        self.order = graph.topological(project)
        self.place = {id_: place for place, id_ in enumerate(self.order)}
        self.selected = [project.nodes[id_] for id_ in self.order if id_ in selected]
        self.names = names.task_names(project, self.selected)
        self.problems: list[Problem] = []
        self.tasks: dict[str, PlannedTask] = {}
        self.profiles = Profiles()
        self.gates: dict[str, list[str]] = {}
        """By node: the tasks after which what reads from it may run."""
        self.homes: dict[str, Home] = {}
        self.layers: dict[str, str] = {}
        """By task: the layer it belongs to."""
        self.nearest: dict[str, frozenset[str]] = {}
        """By node with tasks, and by test of several: its nearest parents with tasks."""
        self.external = external_models(project)
        self.uncompiled = uncompiled(node for node in self.selected if node.id not in self.external)
        self.foreign = self.external if foreign is None else foreign
        self.around = Around(project, options)
        self.is_mixed = False

    def plan(self) -> Plan:
        """Plan all of it as one DAG."""
        self.draft()
        return self.whole()

    def whole(self) -> Plan:
        """Plan one DAG out of all tasks that were drafted."""
        return self.finish(whole_slice(self, schedule_of(self.selected)))

    def draft(self) -> None:
        """Plan the tasks, each node for itself."""
        kept = {node.id for node in self.selected if self._passes(node)}
        single, joint = self._tests_by_parents(kept)
        wanted = kept.union(test.id for test in joint)
        nearest = graph.nearest_parents(self.project, self.order, kept, wanted)
        late_gates = self._late_gates(joint, nearest)
        for node in self.selected:
            if node.id in kept:
                upstream = {task for parent in nearest[node.id] for task in self.gates[parent]}
                upstream |= late_gates.get(node.id, set())
                self._add_node(node, upstream, single.get(node.id, []))
        for test in joint:
            upstream = {task for parent in nearest[test.id] for task in self._built(parent)}
            self._add_tests(f"test.{self.names[test.id]}", [test], upstream)
        self.nearest = nearest
        ours = (each for each in self.tasks.values() if each.kind is not TaskKind.FRESHNESS)
        self.is_mixed = {task.engine for task in ours} == set(Engine)
        problems = self.problems + self.around.problems + self.profiles.problems()
        if len(others := other_problems(problems, self.uncompiled)) < len(problems):
            problems = [Problem(remedy_of(self.uncompiled)), *others]
        if problems:
            raise ManifestError(f"project {self.project.name!r}", problems)

    def finish(self, cut: Slice) -> Plan:
        """Plan one DAG out of tasks that were drafted."""
        self.tasks = dict(cut.tasks)
        warnings = self._warnings() + self._fuse()
        self.tasks = emit_when_ready(self.tasks, cut.held)
        if cut.waits(self.options.start_when):
            profile = self.profiles.add(Profile(group=("inputs",)))
            self.tasks = wait_for_inputs(self.tasks, cut.readers, profile)
        if self.around:
            self.tasks = self.around.put(self.tasks, self.profiles.add(Profile(group=("hooks",))))
        return Plan(
            name=self.project.name,
            adapter=self.project.adapter,
            tasks=self._in_order(),
            profiles=self.profiles.all(),
            part=cut.part,
            schedule=cut.starting.schedule,
            start=cut.starting.start,
            start_when=self.options.start_when,
            inputs=cut.inputs,
            slas=slas_of_plan(self.tasks, self.selected, self.project.adapter),
            warnings=self._concerned(cut.tasks.values()) + warnings,
            compilation=self.project.compilation,
            is_mixed=self.is_mixed,
        )

    def built(self) -> list[Node]:
        """Return the nodes that are built, parents first."""
        return [
            node
            for node in self.selected
            if self.names[node.id] in self.tasks and node.kind in _BUILT
        ]

    def _passes(self, node: Node) -> bool:
        """Tell whether a node has tasks, or at least a place, in the graph of tasks."""
        if isinstance(node.spec, ModelSpec):
            return node.spec.materialized != "ephemeral" and node.id not in self.external
        return node.kind in _BUILT or node.kind is NodeKind.SOURCE

    def _tests_by_parents(self, kept: Set[str]) -> tuple[dict[str, list[Node]], list[Node]]:
        """Split the tests: those of one built node, by node; and those of several."""
        single: dict[str, list[Node]] = defaultdict(list)
        joint = []
        for node in self.selected:
            if node.kind is NodeKind.TEST:
                if len(node.parents) == 1 and node.parents[0] in kept:
                    single[node.parents[0]].append(node)
                else:
                    joint.append(node)
        return single, joint

    def _late_gates(
        self, joint: list[Node], nearest: dict[str, frozenset[str]]
    ) -> dict[str, set[str]]:
        """By node: the tests of several models that it must wait for.

        As in `dbt build`, a test gates what descends from all of the nodes it reads.
        """
        gates: dict[str, set[str]] = defaultdict(set)
        if not joint:
            return gates
        kept = [node.id for node in self.selected if self._passes(node)]
        below = graph.Descendants(kept, nearest)
        for test in joint:
            task = f"test.{self.names[test.id]}"
            for id_ in below.first_below_all(nearest[test.id]):
                gates[id_].add(task)
        return gates

    def _add_node(self, node: Node, upstream: set[str], tests: list[Node]) -> None:
        """Add the tasks of one node and its tests; remember what gates its readers."""
        name = self.names[node.id]
        before = upstream
        if node.kind in _BUILT:
            before = self._add(name, TaskKind.BUILD, [node], upstream)
        elif self._has_freshness(node):
            before = self._add(f"{name}.freshness", TaskKind.FRESHNESS, [node], upstream)
        after = self._add_tests(f"{name}.test", tests, before) if tests else before
        self.gates[node.id] = sorted(after)

    def _has_freshness(self, node: Node) -> bool:
        is_ruled = isinstance(node.spec, SourceSpec) and node.spec.freshness is not None
        return is_ruled and self.options.freshness is FreshnessMode.GATE

    def _add_tests(self, id_: str, tests: list[Node], upstream: set[str]) -> set[str]:
        """Add one task for these tests, or one for each engine that they need.

        A test that asks something of Airflow for itself (`meta.airflow`) has a task of its own.
        """
        by_engine: dict[Chosen, list[Node]] = defaultdict(list)
        added: set[str] = set()
        for test in tests:
            chosen = self._choose(test)
            if chosen and test.orchestration.airflow and len(tests) > 1:
                own = f"{id_}.{self.names[test.id]}"
                added |= self._add(own, TaskKind.TEST, [test], upstream, chosen)
            elif chosen:
                by_engine[chosen].append(test)
        for chosen, mine in by_engine.items():
            suffix = f"_{chosen.engine}" if len(by_engine) > 1 else ""
            added |= self._add(id_ + suffix, TaskKind.TEST, mine, upstream, chosen)
        return added or upstream

    def _add(
        self,
        id_: str,
        kind: TaskKind,
        nodes: list[Node],
        upstream: set[str],
        chosen: Chosen | None = None,
    ) -> set[str]:
        first, home = nodes[0], self._home(nodes[0])
        chosen = chosen or self._choose(home.node)
        if chosen is None:
            return upstream
        self.layers[id_] = home.layer
        self.tasks[id_] = PlannedTask(
            id=id_,
            kind=kind,
            nodes=tuple(sorted(node.id for node in nodes)),
            node_kind=first.kind,
            engine=chosen.engine,
            reason=chosen.reason,
            upstream=tuple(sorted(upstream)),
            group=home.group,
            profile=self._profile(first, home),
            description=first.description,
            relation=first.relation if kind is TaskKind.BUILD else None,
            fqns=tuple(node.fqn for node in nodes) if chosen.engine is Engine.DBT else (),
            fingerprint=combined([node.fingerprint for node in nodes]),
        )
        return {id_}

    def _home(self, node: Node) -> Home:
        """Return the node whose group and arguments a task takes: a test's last parent."""
        id_ = node.id
        if node.kind is NodeKind.TEST and node.parents:
            id_ = max(node.parents, key=self.place.__getitem__)
        if id_ not in self.homes:
            self.homes[id_] = self._as_home(self.project.nodes[id_])
        return self.homes[id_]

    def _profile(self, node: Node, home: Home) -> int:
        """Return the place of a task's profile: of a test also what it asks for itself.

        A test of several nodes takes that of the last of them, in whose group it is.
        """
        if node.kind is NodeKind.TEST and node.orchestration.airflow:
            return self.profiles.over(home.profile, node)
        return home.profile

    def _as_home(self, node: Node) -> Home:
        group = group_of(node, self.options.group_by)
        return Home(
            node=node,
            layer=group_of(node, GroupBy.LAYER)[0],
            group=tuple(names.clean(name, dots=False) for name in group),
            profile=self.profiles.place(node, group),
        )

    def _choose(self, node: Node) -> Chosen | None:
        chosen = choose(node, self.options, self.project.adapter)
        if isinstance(chosen, Problem):
            self.problems.append(chosen)
            return None
        return chosen

    def _built(self, node_id: str) -> Iterable[str]:
        """Return the tasks after which a node's table is there, tested or not."""
        name = self.names[node_id]
        ids = (name, f"{name}.freshness")
        return [id_ for id_ in ids if id_ in self.tasks] or self.gates[node_id]

    def _fuse(self) -> tuple[str, ...]:
        """Make the tasks as coarse as was asked for; warn of arguments that get lost by it."""
        if self.options.granularity is Granularity.NODE:
            if self.options.tests is TestsIn.WITH_MODEL:
                groups = with_tests(self.tasks, self._may_join)
                self.tasks = fuse(self.tasks, groups, self._shared_profile)
            return ()
        groups = fused_groups(
            self.tasks, self.options.granularity, self.layers.__getitem__, self._may_join
        )
        self.tasks = fuse(self.tasks, groups, self._shared_profile)
        lost = sum(
            bool(self.profiles.airflow(task.profile))
            for group in groups
            if group.lead is None
            for task in group.members
            if task.kind is not TaskKind.TEST
        )
        if not lost:
            return ()
        return (
            f"meta.airflow of {lost} nodes has no effect with "
            f"granularity={str(self.options.granularity)!r}: their task is not theirs alone; "
            "set operator_args or group_args instead",
        )

    def _may_join(self, first: PlannedTask, then: PlannedTask) -> bool:
        """Tell whether two tasks ask the same of Airflow: a chain has but one pool."""
        return self.profiles.airflow(first.profile) == self.profiles.airflow(then.profile)

    def _shared_profile(self, group: Fused) -> int:
        if group.lead is not None:
            return group.lead.profile
        return self.profiles.shared(
            (task.profile for task in group.members), (group.id.removeprefix("layer."),)
        )

    def _in_order(self) -> dict[str, PlannedTask]:
        """Sort the tasks by id, so that nothing but their content decides the plan."""
        self.tasks = _with_fitting_ids(self.tasks)
        upstream = {id_: task.upstream for id_, task in self.tasks.items()}
        groups = acyclic_groups({id_: self.tasks[id_].group for id_ in _sorted(upstream)}, upstream)
        downstream: dict[str, list[str]] = defaultdict(list)
        for id_ in sorted(upstream):
            for other in upstream[id_]:
                downstream[other].append(id_)
        return {
            id_: replace(task, group=groups[id_], downstream=tuple(downstream[id_]))
            for id_, task in sorted(self.tasks.items())
        }

    def _concerned(self, tasks: Iterable[PlannedTask]) -> tuple[str, ...]:
        """Return the project's warnings that hold for tasks as they were drafted."""
        kinds = (TaskKind.BUILD, TaskKind.TEST)
        if any(task.engine is Engine.SQL and task.kind in kinds for task in tasks):
            return self.project.warnings
        return tuple(w for w in self.project.warnings if w not in self.project.sql_warnings)

    def _warnings(self) -> tuple[str, ...]:
        bare: tuple[str, ...] = ()
        if all(node.kind in _NOT_RUN for node in self.project.nodes.values()):
            bare = (
                "the manifest is empty: it has no models, seeds, snapshots, tests or sources, "
                "so there is nothing to run; was it compiled from the right project?",
            )
        elif not self.tasks and len(self.selected) == len(self.project.nodes):
            bare = (
                "nothing of the manifest runs by itself: its models are ephemeral, of other "
                "projects or disabled, so the DAG has no tasks",
            )
        if self.uncompiled and self.options.engine is not EngineChoice.DBT:
            bare = (remedy_of(self.uncompiled),)
        if self.is_mixed and self.project.compilation is None:
            bare += (UNRECORDED,)
        unit_tests = sum(node.kind is NodeKind.UNIT_TEST for node in self.selected)
        stale = unwatched(self.selected)
        if not unit_tests:
            return bare + stale
        return (
            *bare,
            *stale,
            f"{unit_tests} unit tests are not planned: they test code, not data; "
            "run them in CI with `dbt test --select test_type:unit`",
        )


def _with_fitting_ids(tasks: dict[str, PlannedTask]) -> dict[str, PlannedTask]:
    """Shorten the ids of tasks that Airflow would not take, whatever they were made of."""
    if all(len(id_) <= names.LONGEST_ID for id_ in tasks):
        return tasks
    return {
        names.fitted(id_): replace(
            task, id=names.fitted(id_), upstream=tuple(sorted(map(names.fitted, task.upstream)))
        )
        for id_, task in tasks.items()
    }


def _sorted(upstream: dict[str, tuple[str, ...]]) -> Iterable[str]:
    """Sort tasks topologically, unless they are: so they are drafted."""
    seen: set[str] = set()
    for id_, others in upstream.items():
        if not seen.issuperset(others):
            return TopologicalSorter(upstream).static_order()
        seen.add(id_)
    return upstream
