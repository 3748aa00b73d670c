"""The parts of a dbt manifest that we read, as dbt writes them.

Source: https://schemas.getdbt.com/dbt/manifest/v10.json, v11.json and v12.json. The three
differ, in what is read here, only by sections that came later (`unit_tests` with v12,
`functions` with dbt 1.11). One struct stands for all kinds of nodes; what a kind does not
have stays at its default. Fields that are not named here are skipped while decoding.
"""

from __future__ import annotations

from typing import Any

import msgspec

from airflow_dataops.core.model import Code, Slot


class Wire(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Base of the structs of this module; unknown fields are skipped."""


class Dataops(Wire, frozen=True):
    """Our mark in `metadata`: the manifest was written by `airflow-dataops compile`.

    Attributes:
        dispatch: packages that `dispatch` in dbt_project.yml has searched before dbt's own.
        target: the name of the target it was compiled for.
        vars: what `--vars` gave to the compilation, without the vars of the run.
        runtime_vars: the vars that each run sets for itself.
        given: values that nodes used, by `var:name` or `env_var:name`; see `Given`.
        session: what the profile sets for sessions; see `SessionSql` of `core/engines`.
        left_out: names of what it sets besides, which is not carried.
        warn_error, fail_fast: dbt's flags of these names.
    """

    version: int
    dispatch: list[str] = []
    target: str | None = None
    vars: dict[str, Any] = {}
    runtime_vars: list[str] = []
    given: dict[str, list[str]] = {}
    session: dict[str, Any] = {}
    left_out: list[str] = []
    warn_error: bool = False
    fail_fast: bool = False


class Metadata(Wire, frozen=True):
    """`metadata`: what the file is and who wrote it."""

    dbt_schema_version: str = ""
    dbt_version: str | None = None
    project_name: str | None = None
    project_id: str | None = None
    adapter_type: str | None = None
    dataops: Dataops | None = None


class DependsOn(Wire, frozen=True):
    """`depends_on`: unique ids of nodes and macros."""

    nodes: list[str] | None = None
    macros: list[str] | None = None


class Macro(Wire, frozen=True):
    """A macro: its code and what it calls."""

    name: str
    package_name: str = ""
    macro_sql: str = ""
    depends_on: DependsOn = DependsOn()


class Passage(Wire, frozen=True):
    """Something that lineage passes through: a function, metric, semantic model or saved query."""

    depends_on: DependsOn = DependsOn()


class TestMetadata(Wire, frozen=True):
    """Which generic test a test is made from."""

    __test__ = False

    name: str
    namespace: str | None = None
    kwargs: msgspec.Raw = msgspec.Raw()


class Period(Wire, frozen=True):
    """`warn_after`, `error_after`: a count of minutes, hours or days."""

    count: float | None = None
    period: str | None = None


class Freshness(Wire, frozen=True):
    """`freshness` of a source."""

    warn_after: Period | None = None
    error_after: Period | None = None
    filter: str | None = None


class Owner(Wire, frozen=True):
    """`owner` of an exposure."""

    name: str | None = None
    email: str | list[str] | None = None


class Constraint(Wire, frozen=True):
    """A constraint of a column, or of a model."""

    type: str
    name: str | None = None
    expression: str | None = None
    columns: list[str] | None = None
    to: str | None = None
    to_columns: list[str] | None = None


class Column(Wire, frozen=True):
    """A column as written in YAML."""

    name: str | None = None
    description: str | None = None
    data_type: str | None = None
    quote: bool | None = None
    constraints: list[Constraint] | None = None
    policy_tags: list[str] | None = None


class Node(Wire, frozen=True):
    """An entry of `nodes`, `sources`, `exposures` or `unit_tests`.

    Attributes:
        compiled_code: of an incremental model in our own manifests, for the first build.
        compiled_code_incremental: ours; the code with `is_incremental()` true.
        dataops_csv: ours; the text of a seed's file.
        dataops_column_types: ours; SQL type by column, inferred from a seed's file.
        dataops_touched: ours; what was touched while it was rendered, see `touched`.
        dataops_slots: ours; where values of the run go into its texts, see `Code`.
        dataops_refreshed: ours; its code on a full refresh, where that is another one.
        dataops_batched: ours; of a microbatch model, whether its code has places for the times of
            a batch.
        dataops_columns: ours; the columns of a contract in their order.
        columns: by name, as written in YAML; undecoded, for few nodes need them.
        constraints: of a model, those over several columns; undecoded as well.
        unrendered_config: what YAML configures, before its Jinja was rendered.
        source_meta: `meta` of the group a source was declared in; part of `meta` since dbt 1.8.
        checksum: a mapping with `checksum`; of a unit test the hash itself.
        model: of a unit test, the name of the model.
    """

    name: str
    resource_type: str = ""
    package_name: str = ""
    original_file_path: str = ""
    patch_path: str | None = None
    root_path: str | None = None
    fqn: list[str] = []
    database: str | None = None
    schema: str | None = None
    alias: str | None = None
    identifier: str | None = None
    relation_name: str | None = None
    description: str | None = None
    tags: str | list[str] | None = None
    meta: dict[str, Any] | None = None
    source_meta: dict[str, Any] | None = None
    config: dict[str, Any] | None = None
    depends_on: DependsOn = DependsOn()
    language: str | None = None
    raw_code: str | None = None
    compiled_code: str | None = None
    compiled_code_incremental: str | None = None
    checksum: Any = None
    group: str | None = None
    access: str | None = None
    version: str | int | float | None = None
    latest_version: str | int | float | None = None
    column_name: str | None = None
    attached_node: str | None = None
    test_metadata: TestMetadata | None = None
    source_name: str = ""
    freshness: Freshness | None = None
    loaded_at_field: str | None = None
    loaded_at_query: str | None = None
    type: str = ""
    url: str | None = None
    owner: Owner | None = None
    model: str | None = None
    dataops_csv: str | None = None
    dataops_column_types: dict[str, str] | None = None
    dataops_touched: list[str] = []
    dataops_slots: dict[str, tuple[Slot, ...]] = {}
    dataops_refreshed: Code | None = None
    dataops_columns: list[str] = []
    dataops_batched: bool = False
    unrendered_config: msgspec.Raw = msgspec.Raw()
    columns: msgspec.Raw = msgspec.Raw()
    constraints: msgspec.Raw = msgspec.Raw()


class File(Wire, frozen=True):
    """A whole manifest."""

    metadata: Metadata = Metadata()
    nodes: dict[str, Node] = {}
    sources: dict[str, Node] = {}
    exposures: dict[str, Node] = {}
    unit_tests: dict[str, Node] = {}
    macros: dict[str, Macro] = {}
    functions: dict[str, Passage] = {}
    metrics: dict[str, Passage] = {}
    semantic_models: dict[str, Passage] = {}
    saved_queries: dict[str, Passage] = {}
    selectors: dict[str, Any] = {}
