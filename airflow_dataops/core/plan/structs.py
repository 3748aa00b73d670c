"""The plan: which tasks there are, what runs each of them, in which order, and why."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from airflow_dataops.core.model import NodeKind, Relation, Struct


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


class TaskKind(StrEnum):
    """What a task does."""

    BUILD = "build"
    TEST = "test"
    FRESHNESS = "freshness"
    FUSED = "fused"
    """Several of these, in its `parts`."""


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
    granularity: Granularity = Granularity.NODE


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
        relation: the table or view it builds, if it builds one.
        reason: why this engine.
    """

    id: str
    kind: TaskKind
    nodes: tuple[str, ...]
    upstream: tuple[str, ...] = ()
    relation: Relation | None = None
    reason: str = ""


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
        fqns: where dbt finds its nodes, for engine `dbt`.
        node_kind: what its nodes are.
        fingerprint: changes when one of its nodes does, so that a changed model is a new version
            of its DAG; empty where nobody knows.
        parts: what a fused task runs, in an order in which it may run; empty for others.
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
    fqns: tuple[tuple[str, ...], ...] = ()
    fingerprint: str = ""
    parts: tuple[Part, ...] = ()

    @property
    def node(self) -> str:
        """The first (for builds and freshness: the only) node."""
        return self.nodes[0]


class Plan(Struct, frozen=True):
    """All tasks of one project, sorted by id.

    Attributes:
        schedule: the schedule that the project's metadata asks for, None for none.
        warnings: what a reader should know and need not mend.
    """

    name: str
    tasks: dict[str, PlannedTask]
    profiles: tuple[Profile, ...] = ()
    schedule: str | None = None
    warnings: tuple[str, ...] = ()
