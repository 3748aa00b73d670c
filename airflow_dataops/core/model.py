"""The structs that every room shares: a project is a graph of nodes.

A reader in `core/manifests` makes a `Project` from bytes; `core/plan` turns it into a plan;
`core/execution` runs single nodes. Nothing here knows where a project came from. Code (SQL
texts, seed files) is kept apart from the nodes: building DAGs does not need it, running does.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec


class Struct(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of all structs: immutable, keyword only, defaults left out when written."""


class NodeKind(StrEnum):
    """What a node is; the values are dbt's resource types."""

    MODEL = "model"
    SEED = "seed"
    SNAPSHOT = "snapshot"
    TEST = "test"
    UNIT_TEST = "unit_test"
    SOURCE = "source"
    EXPOSURE = "exposure"
    OPERATION = "operation"
    """A hook around the run: no node of the graph, and in no selection."""


class Relation(Struct, frozen=True):
    """The name of a table or view. Parts are plain text, never quoted."""

    identifier: str
    schema: str | None = None
    database: str | None = None

    def __str__(self) -> str:
        return ".".join(filter(None, (self.database, self.schema, self.identifier)))


class Hook(Struct, frozen=True):
    """SQL that runs before or after a node is built.

    `transaction` is false for dbt's `before_begin` and `after_commit`.
    """

    sql: str
    transaction: bool = True


class Range(Struct, frozen=True):
    """Whole numbers in steps: from `start` on, up to but without `end`."""

    start: int
    end: int
    interval: int


class PartitionBy(Struct, frozen=True):
    """How a table is partitioned, in BigQuery's terms; `range` is for whole numbers."""

    field: str
    data_type: str = "date"
    granularity: str = "day"
    range: Range | None = None


class ColumnSpec(Struct, frozen=True):
    """A column as its author describes it.

    Attributes:
        name: as written, without quotes.
    """

    name: str
    description: str = ""


class Orchestration(Struct, frozen=True):
    """What a node's author asks of the orchestrator, from `meta`.

    Attributes:
        schedule: an Airflow preset (`@daily`) or a cron expression of five fields.
        sla_minutes: minutes after the start of the run by which the node must be built.
        freshness_minutes: greatest age of the node's data, minutes.
        critical: whether a miss is urgent.
        slas: more SLAs, each as plain data in the form of `core.sla.spec.SlaSpec`.
        owner: who is asked when it breaks.
        domain: what part of the business it belongs to.
        airflow: operator arguments of this node (`meta.airflow`).
        partition_by: how the table is partitioned.
    """

    schedule: str | None = None
    sla_minutes: float | None = None
    freshness_minutes: float | None = None
    critical: bool = False
    slas: tuple[dict[str, Any], ...] = ()
    owner: str | None = None
    domain: str | None = None
    airflow: dict[str, Any] = {}
    partition_by: PartitionBy | None = None


class SchemaChange(StrEnum):
    """dbt's `on_schema_change`."""

    IGNORE = "ignore"
    FAIL = "fail"
    APPEND_NEW_COLUMNS = "append_new_columns"
    SYNC_ALL_COLUMNS = "sync_all_columns"


class BatchSize(StrEnum):
    """The time that a batch of a microbatch model spans; the values are dbt's."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"
    YEAR = "year"


class Microbatch(Struct, frozen=True):
    """How dbt's strategy `microbatch` cuts a model into batches.

    Attributes:
        event_time: the column with the time of a row.
        begin: the first time of all, as a date or time of ISO 8601.
        lookback: how many batches before the last are built again by each run.
    """

    event_time: str
    batch_size: BatchSize
    begin: str
    lookback: int = 1


class Incremental(Struct, frozen=True):
    """How an incremental model adds to its table.

    Attributes:
        strategy: `append`, `delete+insert`, `merge` or another name that only dbt knows;
            None for the adapter's default.
        unique_key: column names as the author wrote them.
        predicates: SQL conditions that limit what is touched, joined by AND. They may name
            the target `DBT_INTERNAL_DEST` and the new rows `DBT_INTERNAL_SOURCE`.
        microbatch: set where the strategy is `microbatch`.
    """

    strategy: str | None = None
    unique_key: tuple[str, ...] = ()
    on_schema_change: SchemaChange = SchemaChange.IGNORE
    merge_update_columns: tuple[str, ...] = ()
    merge_exclude_columns: tuple[str, ...] = ()
    predicates: tuple[str, ...] = ()
    microbatch: Microbatch | None = None


class Constraint(Struct, frozen=True):
    """A constraint of a column or a table.

    Attributes:
        type: dbt's name for it: `not_null`, `check`, `unique`, `primary_key`, `foreign_key`,
            `custom`.
        name: of a table's constraint; empty for the engine's.
        expression: SQL; of a `check` the condition.
        columns: of a table's constraint.
        to, to_columns: what a foreign key refers to, as SQL names.
    """

    type: str
    name: str = ""
    expression: str = ""
    columns: tuple[str, ...] = ()
    to: str = ""
    to_columns: tuple[str, ...] = ()


class ContractedColumn(Struct, frozen=True):
    """A column that a contract promises.

    Attributes:
        name: as written, without quotes.
        type: the SQL type as written.
        quoted: whether the name is written in quotes.
    """

    name: str
    type: str
    quoted: bool = False
    constraints: tuple[Constraint, ...] = ()


class ModelContract(Struct, frozen=True):
    """What a model's table has: its columns in their order, and constraints over several."""

    columns: tuple[ContractedColumn, ...]
    constraints: tuple[Constraint, ...] = ()


class ModelSpec(Struct, frozen=True, tag="model"):
    """How a model is built.

    Attributes:
        materialized: `view`, `table`, `incremental`, `ephemeral` or a custom name.
        language: `sql` or `python`.
        incremental: set when `materialized` is `incremental`.
        full_refresh: the model's own setting, which beats the run's; None when unset.
        described: the columns whose descriptions the warehouse is told.
        contract: the columns that its query must have; None where none is enforced.
        unsupported: what plain SQL cannot say faithfully, as reasons for a reader
            (`a custom materialization`, `grants`, ...). Not empty: dbt must run it.
        tied: likewise, what ties its SQL to the environment that it was compiled for.
    """

    materialized: str = "view"
    language: str = "sql"
    incremental: Incremental | None = None
    full_refresh: bool | None = None
    pre_hooks: tuple[Hook, ...] = ()
    post_hooks: tuple[Hook, ...] = ()
    described: tuple[ColumnSpec, ...] = ()
    contract: ModelContract | None = None
    unsupported: tuple[str, ...] = ()
    tied: tuple[str, ...] = ()


class SeedSpec(Struct, frozen=True, tag="seed"):
    """How a CSV file becomes a table.

    Attributes:
        file: path of the CSV, relative to the dbt project.
        column_types: SQL type by column name, as configured.
        quote_columns: dbt's setting; None when unset.
    """

    file: str
    delimiter: str = ","
    column_types: dict[str, str] = {}
    quote_columns: bool | None = None
    full_refresh: bool | None = None
    pre_hooks: tuple[Hook, ...] = ()
    post_hooks: tuple[Hook, ...] = ()
    described: tuple[ColumnSpec, ...] = ()
    unsupported: tuple[str, ...] = ()


class HardDeletes(StrEnum):
    """dbt's `hard_deletes` of a snapshot."""

    IGNORE = "ignore"
    INVALIDATE = "invalidate"
    NEW_RECORD = "new_record"


class SnapshotColumns(Struct, frozen=True):
    """Names of the columns that a snapshot adds (`snapshot_meta_column_names`)."""

    valid_from: str = "dbt_valid_from"
    valid_to: str = "dbt_valid_to"
    scd_id: str = "dbt_scd_id"
    updated_at: str = "dbt_updated_at"
    is_deleted: str = "dbt_is_deleted"


class SnapshotSpec(Struct, frozen=True, tag="snapshot"):
    """How a type 2 history is kept.

    Attributes:
        strategy: `timestamp`, `check` or a custom name.
        updated_at: column (or SQL expression) with the row's time of change.
        check_cols: columns to compare; `("all",)` for every column.
        valid_to_current: SQL expression for `valid_to` of current rows; None for NULL.
    """

    strategy: str
    unique_key: tuple[str, ...]
    updated_at: str | None = None
    check_cols: tuple[str, ...] = ()
    hard_deletes: HardDeletes = HardDeletes.IGNORE
    columns: SnapshotColumns = SnapshotColumns()
    valid_to_current: str | None = None
    pre_hooks: tuple[Hook, ...] = ()
    post_hooks: tuple[Hook, ...] = ()
    described: tuple[ColumnSpec, ...] = ()
    unsupported: tuple[str, ...] = ()
    tied: tuple[str, ...] = ()


class Severity(StrEnum):
    """What a failing test does: stop what is downstream, or only speak."""

    ERROR = "error"
    WARN = "warn"


class StoreFailures(StrEnum):
    """Where the failing rows of a test are kept."""

    NO = "no"
    TABLE = "table"
    VIEW = "view"


class TestSpec(Struct, frozen=True, tag="test"):
    """A query that returns the rows which are wrong.

    Attributes:
        warn_if, error_if: SQL comparisons put after `fail_calc`, such as `> 10`.
        fail_calc: SQL aggregate that counts the failures.
        limit: greatest number of failing rows to read.
        generic: name of the generic test (`unique`, `dbt_utils.at_least_one`); None for a
            singular one.
        attached: unique id of the node the test was written under, if any.
        column: the column it was written under, if any.
        warnings_fail: whether a warning is a failure (dbt's `warn_error`).
    """

    __test__ = False  # not a test class, whatever pytest thinks of its name

    severity: Severity = Severity.ERROR
    warn_if: str = "!= 0"
    error_if: str = "!= 0"
    fail_calc: str = "count(*)"
    limit: int | None = None
    store_failures: StoreFailures = StoreFailures.NO
    generic: str | None = None
    attached: str | None = None
    column: str | None = None
    warnings_fail: bool = False
    unsupported: tuple[str, ...] = ()
    tied: tuple[str, ...] = ()


class UnitTestSpec(Struct, frozen=True, tag="unit_test"):
    """A test of a model's logic on fixed rows. Only dbt can run it."""

    model: str


class FreshnessSpec(Struct, frozen=True):
    """How old a source may be: limits in minutes, None where there is none.

    Attributes:
        loaded_at_field: column or SQL expression with the time a row was loaded.
        loaded_at_query: query that returns that time, instead of the field.
        filter: SQL condition on the rows to look at.
    """

    warn_after_minutes: float | None = None
    error_after_minutes: float | None = None
    loaded_at_field: str | None = None
    loaded_at_query: str | None = None
    filter: str | None = None


class SourceSpec(Struct, frozen=True, tag="source"):
    """A table that somebody else fills. `source` is the group it was declared in."""

    source: str
    freshness: FreshnessSpec | None = None


class ExposureSpec(Struct, frozen=True, tag="exposure"):
    """Something outside the warehouse that reads from it (a dashboard, an application)."""

    # Written under another name: `type` is where the tag of a spec is kept.
    type: str = msgspec.field(name="exposure_type", default="")
    url: str | None = None


Spec = ModelSpec | SeedSpec | SnapshotSpec | TestSpec | UnitTestSpec | SourceSpec | ExposureSpec


class Node(Struct, frozen=True):
    """One thing in a project.

    Attributes:
        id: unique in the project, and the same in every compilation (`model.shop.fct_orders`).
        path: the file it was written in, relative to its package.
        declared_in: the file that holds its properties, if another one.
        parents: ids of the nodes it reads from, as written: ephemeral models and sources
            included. Sorted, without repeats, without nodes that are not in the project.
        config: the node's configuration as dbt resolved it; for selectors such as
            `config.materialized:view`.
        fingerprint: changes when the node's own code or configuration changes.
    """

    id: str
    kind: NodeKind
    name: str
    package: str
    spec: Spec
    path: str = ""
    declared_in: str | None = None
    fqn: tuple[str, ...] = ()
    relation: Relation | None = None
    parents: tuple[str, ...] = ()
    description: str = ""
    tags: tuple[str, ...] = ()
    meta: dict[str, Any] = {}
    config: dict[str, Any] = {}
    orchestration: Orchestration = Orchestration()
    group: str | None = None
    access: str | None = None
    version: str | None = None
    latest_version: bool | None = None
    fingerprint: str = ""


class RunValue(Struct, frozen=True):
    """A value that each run has for itself, and that compiled code only prints.

    Attributes:
        source: `var`, `invocation_id`, or the time that the steps begin with: `run_started_at`,
            `now`, `utcnow`, `today`.
        name: of a var.
        default: of a var, what the project or the code says where a run does not; None for
            nothing.
        steps: what is done with a time, such as `("strftime", "%Y")`; see `execution.values`.
    """

    source: str
    name: str = ""
    default: str | int | float | bool | None = None
    steps: tuple[tuple[Any, ...], ...] = ()


class Place(StrEnum):
    """What surrounds a value in SQL, and so how it is written there."""

    TEXT = "text"
    """Within the quotes of a string literal."""
    NAME = "name"
    """Within the quotes of a name."""
    WORD = "word"
    """Part of a name without quotes, or of a number."""
    BARE = "bare"
    """By itself: a number, or a name without quotes."""
    COMMENT = "comment"


class Slot(Struct, frozen=True):
    """Where a value of the run goes into a text, in place of `length` characters from `at` on."""

    at: int
    length: int
    place: Place
    value: RunValue


class Code(Struct, frozen=True):
    """What runs: compiled SQL, or a seed's file.

    Attributes:
        sql: the compiled code; of an incremental model, for the first build.
        incremental_sql: the compiled code with `is_incremental()` true. None where nobody
            rendered it.
        csv: the text of a seed's file, where the manifest carries it.
        slots: by text (`sql`, `incremental_sql`, `filter` of a source's freshness), where values
            of the run go into it, in their order.
        refreshed: the code that a full refresh runs, where it is another one.
    """

    sql: str | None = None
    incremental_sql: str | None = None
    csv: str | None = None
    slots: dict[str, tuple[Slot, ...]] = {}
    refreshed: Code | None = None


class Compilation(Struct, frozen=True):
    """What a project was compiled with, as `airflow-dataops compile` tells it.

    Attributes:
        target: the name of dbt's target.
        variables: what dbt's `--vars` gave, without the vars of the run.
        runtime_vars: names of the vars that each run sets for itself.
        given: values that nodes used, as JSON, by `var:name`; of environment variables, by
            `env_var:name`, digests.
    """

    target: str | None = None
    variables: dict[str, Any] = {}
    runtime_vars: tuple[str, ...] = ()
    given: dict[str, tuple[str, ...]] = {}


class Invocation(Struct, frozen=True):
    """What dbt was called with, as its own `run_results.json` tells it.

    Attributes:
        is_same: whether that call wrote the manifest beside it.
        target: None for the profile's default, whatever that was.
        variables: all that `--vars` gave.
    """

    is_same: bool = False
    target: str | None = None
    variables: dict[str, Any] = {}


class RunMoment(StrEnum):
    """When a hook around the run runs; the values are dbt's."""

    START = "on-run-start"
    END = "on-run-end"


class Mode(StrEnum):
    """What a run does with the nodes it is for."""

    ALL = "build and test"
    BUILD = "build"
    """No data tests."""
    TEST = "test"
    """Data tests alone; nothing is built, no source's age is checked."""


class RunHook(Struct, frozen=True):
    """SQL that runs once before or after all nodes of a run, of the project or a package.

    Attributes:
        id: unique, and the id under which its SQL is found (`operation.shop.shop-on-run-end-0`).
        reads: which values of the run it is given by dbt: `results`, `schemas`,
            `database_schemas`; with ` in <macro>` behind it where a macro reads one by itself.
        unsupported: why plain SQL cannot run it, as reasons for a reader.
        tied: likewise, what ties its SQL to the environment that it was compiled for.
    """

    id: str
    moment: RunMoment
    reads: tuple[str, ...] = ()
    unsupported: tuple[str, ...] = ()
    tied: tuple[str, ...] = ()
    fingerprint: str = ""


class Project(Struct, frozen=True):
    """A graph of nodes: what was read from one manifest, without the code.

    Attributes:
        name: the project's name; the default `dag_id`.
        adapter: the dbt adapter type it was compiled for (`duckdb`, `snowflake`); None if unknown.
        schema_version: what was found, such as `v12`.
        selectors: the named selectors of the project, as dbt writes them: definition by name.
        warnings: what a reader should know and need not mend.
        sql_warnings: those of them that hold only where engine `sql` runs some of the nodes.
        session: what the sessions of a run are given; see `SessionSql` of `core/engines`.
        run_hooks: what runs around a run, in the order in which it runs.
        compilation: what it was compiled with; None where nobody knows.
    """

    name: str
    nodes: dict[str, Node]
    compilation: Compilation | None = None
    selectors: dict[str, Any] = {}
    adapter: str | None = None
    schema_version: str = ""
    warnings: tuple[str, ...] = ()
    sql_warnings: tuple[str, ...] = ()
    run_hooks: tuple[RunHook, ...] = ()
    session: dict[str, Any] = {}


class NodeState(Struct, frozen=True):
    """What is compared to tell whether a node changed: a hash for each part of it.

    A part is None where this kind of node has no such part. The parts are those of dbt's
    `state:modified.*`; `rest` is what only counts for `state:modified` as a whole.

    Attributes:
        relation: the configured database, schema and alias, not the resulting names.
        contract: empty where none is enforced.
        macros: ids of the macros that the node calls itself.
    """

    fqn: str | None = None
    body: str | None = None
    configs: str | None = None
    relation: str | None = None
    description: str | None = None
    columns: str | None = None
    contract: str | None = None
    rest: str | None = None
    macros: tuple[str, ...] = ()


class MacroState(Struct, frozen=True):
    """A macro's hash, and the ids of the macros that it calls."""

    body: str
    macros: tuple[str, ...] = ()


class ProjectState(Struct, frozen=True):
    """What is compared to tell which nodes of a project changed, by id.

    It is read apart from the project, for only `state:` selectors look at it.

    Attributes:
        project: the project's name; empty where nobody knows.
    """

    nodes: dict[str, NodeState]
    macros: dict[str, MacroState] = {}
    project: str = ""


class Manifest(Struct, frozen=True):
    """A project together with its code, by node id."""

    project: Project
    code: dict[str, Code]
