"""The plan: which tasks there are, what runs each of them, in which order, and why."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from airflow_dataops.core.model import Compilation, NodeKind, Relation, Struct


class Engine(StrEnum):
    """What runs a node."""

    SQL = "sql"
    """The compiled SQL, straight through the connection; no dbt at run time."""
    DBT = "dbt"
    """dbt itself, through Cosmos's operators (extra `dbt`)."""


class EngineChoice(StrEnum):
    """How the plan picks the engines."""

    AUTO = "auto"
    """`sql` where it is faithful, else `dbt`."""
    SQL = "sql"
    """Always `sql`; what it cannot do is an error."""
    DBT = "dbt"
    """Always `dbt`."""


class GroupBy(StrEnum):
    """What the TaskGroups of a DAG stand for."""

    LAYER = "layer"
    """Staging, intermediate, marts."""
    FOLDER = "folder"
    """The folders below `models/`, nested."""
    TAG = "tag"
    """A node's first tag."""
    SCHEMA = "schema"
    """The schema a node is built in."""
    NONE = "none"


class FreshnessMode(StrEnum):
    """What becomes of the freshness rules of sources."""

    GATE = "gate"
    """A task per source; a stale source stops what reads from it."""
    SKIP = "skip"


class RunHooks(StrEnum):
    """What becomes of `on-run-start` and `on-run-end`."""

    RUN = "run"
    """A task before all others, and one after them."""
    SKIP = "skip"


class Granularity(StrEnum):
    """How much one task runs."""

    NODE = "node"
    """One model, seed or snapshot; the tests of one; the freshness of one source."""
    CHAIN = "chain"
    """A run of models without a fork, with their tests."""
    LAYER = "layer"
    """A layer of the project, with its tests."""
    DAG = "dag"
    """All of it."""


class TestsIn(StrEnum):
    """Where the tests of a single node run."""

    APART = "apart"
    """In a task after the node's, which gates what reads from it."""
    WITH_MODEL = "with model"
    """In the node's own task, after it."""


class SplitBy(StrEnum):
    """What the parts stand for when a project is split into several DAGs."""

    SCHEDULE = "schedule"
    """The schedule in a node's metadata."""
    TAG = "tag"
    """A node's first tag."""
    OWNER = "owner"
    LAYER = "layer"
    """Staging, intermediate, marts."""
    FOLDER = "folder"
    """The first folder below `models/`."""
    DOMAIN = "domain"
    """`meta.domain`, else the dbt group."""
    SELECTORS = "selectors"
    """What the caller selected for each part."""
    NONE = "none"


class Unassigned(StrEnum):
    """What becomes of the nodes that no selector of a split takes."""

    PART = "part"
    """They are a part of their own, `rest`."""
    SKIP = "skip"


class Cycles(StrEnum):
    """What becomes of parts that wait for each other in a cycle."""

    REFUSE = "refuse"
    CUT = "cut"
    """What comes later in a cycle is a part of its own: `marts_2`."""


class ScheduleFrom(StrEnum):
    """Who sets the schedules of a split project's DAGs."""

    METADATA = "metadata"
    CALLER = "caller"
    """`schedule=` of the caller, for the parts that nothing else starts."""


class Start(StrEnum):
    """What starts the runs of a DAG."""

    TIME = "time"
    """Its schedule."""
    INPUTS = "inputs"
    """Fresh inputs."""
    TIME_AND_INPUTS = "time and inputs"
    """Its schedule; then what reads the inputs waits until they are fresh."""


class StartWhen(StrEnum):
    """How many inputs must be fresh before they start a run, or before it goes on."""

    ALL = "all"
    ANY = "any"


class AssetsWhen(StrEnum):
    """When a table's asset is emitted."""

    BUILT = "built"
    """Right after it was built; where another DAG of a split project reads it, after its tests."""
    TESTED = "tested"
    """After its tests."""


class TaskKind(StrEnum):
    """What a task does."""

    BUILD = "build"
    TEST = "test"
    FRESHNESS = "freshness"
    FUSED = "fused"
    """Several of these, in its `parts`."""
    READY = "ready"
    """Tells that a table is built and that all tests which gate its readers passed."""
    WAIT = "wait"
    """Waits until the inputs of the DAG are fresh."""
    RUN_START = "on-run-start"
    """Runs the hooks before all other tasks."""
    RUN_END = "on-run-end"
    """Runs the hooks after all other tasks, however these ended."""
    OUTCOME = "outcome"
    """Ends as the run did, where hooks run after tasks that failed."""


class PlanOptions(Struct, frozen=True):
    """What the caller decides about the tasks.

    Attributes:
        available: engines whose extras and settings are there.
        unavailable: by engine that is not, what to do to have it.
    """

    engine: EngineChoice = EngineChoice.AUTO
    available: frozenset[Engine] = frozenset({Engine.SQL})
    unavailable: dict[Engine, str] = {}
    group_by: GroupBy = GroupBy.LAYER
    freshness: FreshnessMode = FreshnessMode.GATE
    run_hooks: RunHooks = RunHooks.RUN
    granularity: Granularity = Granularity.NODE
    tests: TestsIn = TestsIn.APART
    assets: AssetsWhen = AssetsWhen.BUILT
    start_when: StartWhen = StartWhen.ALL


class SplitOptions(Struct, frozen=True):
    """How a project becomes several DAGs.

    Attributes:
        unassigned: what becomes of nodes that no selector takes.
    """

    by: SplitBy = SplitBy.SCHEDULE
    unassigned: Unassigned = Unassigned.PART
    cycles: Cycles = Cycles.CUT
    schedules: ScheduleFrom = ScheduleFrom.METADATA


class ArgumentLayers(Struct, frozen=True):
    """Operator arguments that the caller sets, from the farthest to the nearest.

    A node's own `meta.airflow` beats them all.

    Attributes:
        operator_args: of every task.
        group_args: by group name.
        tag_args: by tag; a later tag beats an earlier one.
    """

    operator_args: Mapping[str, Any] = {}
    group_args: Mapping[str, Mapping[str, Any]] = {}
    tag_args: Mapping[str, Mapping[str, Any]] = {}


class Profile(Struct, frozen=True):
    """What decides the operator arguments of a task; many tasks share one.

    Attributes:
        group: path of groups as the project names them.
        airflow: `meta.airflow`.
        node: one of the nodes that have this profile, for messages.
        path: the file in which its metadata was written.
    """

    group: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    owner: str | None = None
    airflow: dict[str, Any] = {}
    node: str = ""
    path: str = ""


class Part(Struct, frozen=True):
    """What was a task of its own before it was fused with others.

    Attributes:
        id: the id that the task would have.
        upstream: ids of the parts of the same task that must succeed first.
        relation: the table or view it builds, if it builds one whose asset the task emits.
        reason: why this engine.
    """

    id: str
    kind: TaskKind
    nodes: tuple[str, ...]
    upstream: tuple[str, ...] = ()
    relation: Relation | None = None
    reason: str = ""


class Builder(Struct, frozen=True):
    """A task, and the nodes that it builds."""

    task: str
    nodes: tuple[str, ...]


class PlannedTask(Struct, frozen=True):
    """One task, with all that building its operator needs.

    Attributes:
        id: unique in the plan, valid as an Airflow task id, the same from plan to plan.
        nodes: ids of the nodes it runs: one for a build or a freshness check, one or more
            for tests.
        reason: why this engine.
        upstream: ids of the tasks that must succeed first, sorted.
        downstream: ids of the tasks that wait for it, sorted.
        group: path of groups from the outermost; empty for none.
        profile: place of its profile in the plan.
        description: of the node it builds, Markdown.
        relation: the table or view it builds, if it builds one.
        outlets: tables whose assets it emits; None for the one it builds, or its parts build.
        fqns: where dbt finds its nodes, for engine `dbt`.
        node_kind: what its nodes are.
        fingerprint: changes when one of its nodes does, so that a changed model is a new version
            of its DAG; empty where nobody knows.
        parts: what a fused task runs, in an order in which it may run; empty for others.
        around: of the hooks around a run, what is built between them.
    """

    id: str
    kind: TaskKind
    nodes: tuple[str, ...]
    node_kind: NodeKind
    engine: Engine
    reason: str
    upstream: tuple[str, ...] = ()
    downstream: tuple[str, ...] = ()
    group: tuple[str, ...] = ()
    profile: int = 0
    description: str = ""
    relation: Relation | None = None
    outlets: tuple[Relation, ...] | None = None
    fqns: tuple[tuple[str, ...], ...] = ()
    fingerprint: str = ""
    parts: tuple[Part, ...] = ()
    around: tuple[Builder, ...] = ()

    @property
    def node(self) -> str:
        """The first (for builds and freshness: the only) node."""
        return self.nodes[0]


class Input(Struct, frozen=True):
    """A table that a DAG reads and another DAG fills.

    Attributes:
        maker: the part, or the project, that fills it.
        schedule: how often that part runs; None where nobody knows.
    """

    relation: Relation
    maker: str
    schedule: str | None = None


class Plan(Struct, frozen=True):
    """All tasks of one DAG, sorted by id: a project, or a part of one.

    Attributes:
        name: of the project.
        adapter: the dbt adapter type that the project was compiled for; None if unknown.
        part: the part of the project; empty for all of it.
        schedule: the schedule that the project's metadata asks for, None for none.
        start: what starts its runs.
        start_when: how many of its inputs must be fresh.
        inputs: tables of other DAGs, sorted by name.
        slas: what its tasks and tables owe, as `slas_to_json` writes it, without the DAG's id.
        warnings: what a reader should know and need not mend.
        compilation: what the project was compiled with; None where nobody knows.
        is_mixed: whether SQL runs some nodes of the project, and dbt others.
        unselected: ids of the nodes that the selection left out, where references to them lead
            to what an earlier run built (`favor_state`).
    """

    name: str
    tasks: dict[str, PlannedTask]
    profiles: tuple[Profile, ...] = ()
    adapter: str | None = None
    part: str = ""
    schedule: str | None = None
    start: Start = Start.TIME
    start_when: StartWhen = StartWhen.ALL
    inputs: tuple[Input, ...] = ()
    slas: tuple[dict[str, Any], ...] = ()
    warnings: tuple[str, ...] = ()
    compilation: Compilation | None = None
    is_mixed: bool = False
    unselected: tuple[str, ...] = ()
