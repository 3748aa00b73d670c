"""Models: how they are built, what plain SQL cannot do for them, which code they have."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_dataops.core.model import (
    BatchSize,
    Code,
    Hook,
    Incremental,
    Microbatch,
    ModelSpec,
    SchemaChange,
)
from tests.unit.manifests.built import complaint, entry, macro, manifest, model, only, read, reasons

ONE_RENDERING = (
    "the manifest has one rendering of this incremental model only: "
    "make it with `airflow-dataops compile`"
)
ASKING = "select 1 {% if is_incremental() %} where false {% endif %}"


def incremental(**fields: Any) -> dict[str, Any]:
    """Return `nodes` of one incremental model; keys of `config` go there."""
    config = {"materialized": "incremental"} | fields.pop("config", {})
    return {"model.shop.m": entry("model.shop.m", config=config, **fields)}


@pytest.mark.parametrize("materialized", ["view", "table", "incremental", "ephemeral"])
def test_the_usual_materializations_need_nothing_else(materialized: str) -> None:
    assert reasons(model(materialized=materialized)) == ()


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"materialized": "materialized_view"}, "the materialization `materialized_view`"),
        ({"materialized": "external"}, "the materialization `external`"),
        ({"sql_header": "set x = '{{ y }}';"}, "sql_header with Jinja in it"),
        ({"indexes": [{"columns": ["lower(id)"]}]}, "indexes beyond columns, unique and type"),
        (
            {"indexes": [{"columns": ["id"], "type": "x"}]},
            "indexes beyond columns, unique and type",
        ),
        ({"partitioned_by": ["day"]}, "partitioned_by"),
        ({"sorted_by": "day"}, "sorted_by"),
        ({"pre-hook": [{"sql": "insert into {{ this }}"}]}, "Jinja in a pre-hook"),
        ({"post_hook": "{% do log('x') %}"}, "Jinja in a post-hook"),
        ({"post-hook": "{# note #} select 1"}, "Jinja in a post-hook"),
    ],
)
def test_says_what_plain_sql_cannot_do(config: dict[str, Any], reason: str) -> None:
    assert reasons(model(**config)) == (reason,)


@pytest.mark.parametrize(
    "config",
    [
        {"contract": {"enforced": False}},
        {"contract": None},
        {"grants": {}},
        {"grants": {"select": ["reader"]}},
        {"persist_docs": {"relation": True, "columns": True}},
        {"indexes": [{"columns": ["id"], "unique": True, "type": "hash"}]},
        {"sql_header": None},
        {"sql_header": "set x = 1;"},
        {"indexes": []},
        {"my_own_key": {"any": "thing"}},
        {"cluster_by": ["x"]},
        {"partition_by": ["a", "b"]},
    ],
)
def test_settings_that_ask_for_nothing_are_no_obstacle(config: dict[str, Any]) -> None:
    """Nor are those of another adapter."""
    assert reasons(model(**config)) == ()


@pytest.mark.parametrize(
    ("adapter", "config", "reason"),
    [
        ("postgres", {"unlogged": True}, "unlogged"),
        ("postgres", {"grants": {"select": ["a, b"]}}, "grants to odd names"),
        ("postgres", {"grants": {"select on x to y; --": ["a"]}}, "grants to odd names"),
        ("snowflake", {"cluster_by": ["{{ x }}"]}, "Jinja in cluster_by"),
        ("snowflake", {"snowflake_warehouse": "a; b"}, "snowflake_warehouse that is no plain name"),
        ("snowflake", {"secure": True}, "secure"),
        ("snowflake", {"sql_header": "set x = 1; set y = 2;"}, "sql_header of several statements"),
        ("bigquery", {"sql_header": "declare x int64;"}, "sql_header on BigQuery"),
        ("bigquery", {"grants": {"roles/viewer": ["user:a"]}}, "grants on BigQuery"),
        ("bigquery", {"labels": {"team": 5}}, "labels that are no texts"),
        ("bigquery", {"hours_to_expiration": "5"}, "hours_to_expiration that is no number"),
        (
            "bigquery",
            {"partition_by": {"field": "id", "data_type": "int64"}},
            "partition_by beyond one field, its data_type, granularity and range",
        ),
        ("bigquery", {"labels_from_meta": True}, "labels_from_meta"),
        (
            "bigquery",
            {"partition_by": {"field": "id", "data_type": "int64", "range": {"start": 0}}},
            "partition_by beyond one field, its data_type, granularity and range",
        ),
    ],
)
def test_settings_of_the_adapter_count(adapter: str, config: dict[str, Any], reason: str) -> None:
    assert reasons(model(**config), metadata={"adapter_type": adapter}) == (reason,)


@pytest.mark.parametrize(
    ("adapter", "strategy", "reason"),
    [
        ("snowflake", "insert_overwrite", ()),
        ("bigquery", "insert_overwrite", ()),
        ("duckdb", "insert_overwrite", ("the incremental strategy `insert_overwrite`",)),
        ("bigquery", "append", ("the incremental strategy `append`",)),
    ],
)
def test_strategies_are_those_of_the_adapter(
    adapter: str, strategy: str, reason: tuple[str, ...]
) -> None:
    nodes = incremental(config={"incremental_strategy": strategy})
    assert reasons(nodes, metadata={"adapter_type": adapter}) == reason


def test_all_reasons_are_told() -> None:
    found = reasons(model(sql_header="{{ x }}", **{"post-hook": "{{ this }}"}))
    assert found == ("sql_header with Jinja in it", "Jinja in a post-hook")


def test_a_python_model_is_that_and_nothing_else() -> None:
    nodes = {"model.shop.m": entry("model.shop.m", language="python", compiled_code=None)}
    assert reasons(nodes) == ("a Python model",)


@pytest.mark.parametrize("code", [None, "", "  \n"])
def test_a_manifest_without_compiled_code_is_still_a_project(code: str | None) -> None:
    nodes = {
        id_: entry(id_, compiled_code=code) for id_ in ("model.shop.m", "test.shop.t")
    } | model("e", materialized="ephemeral")
    nodes["model.shop.e"]["compiled_code"] = code
    project = read(nodes).project
    found = {id_: node.spec.unsupported for id_, node in project.nodes.items()}  # type: ignore[union-attr]
    missing = ("no compiled code in the manifest",)
    assert found == {"model.shop.m": missing, "test.shop.t": missing, "model.shop.e": ()}


def test_reads_hooks_in_all_their_forms() -> None:
    config = {
        "pre-hook": "select 1",
        "pre_hook": ['{"sql": "select 2", "transaction": false}', "  ", {"sql": ""}],
        "post-hook": [{"sql": "select 3", "transaction": True, "index": 1}, '"quoted"', "[1]"],
    }
    spec = only(model(**config)).spec
    assert isinstance(spec, ModelSpec)
    assert spec.pre_hooks == (Hook(sql="select 1"), Hook(sql="select 2", transaction=False))
    assert spec.post_hooks == (Hook(sql="select 3"), Hook(sql='"quoted"'), Hook(sql="[1]"))


@pytest.mark.parametrize("hook", [5, {"transaction": False}, {"sql": 5}, ["x"]])
def test_a_hook_that_is_no_sql_is_a_problem(hook: Any) -> None:
    assert "config.pre-hook holds" in complaint(manifest(model(**{"pre-hook": [hook]})))


def test_reads_what_an_incremental_model_configures() -> None:
    config = {
        "incremental_strategy": "merge",
        "unique_key": ["id", "`day`"],
        "on_schema_change": "sync_all_columns",
        "merge_update_columns": ["a"],
        "incremental_predicates": ["DBT_INTERNAL_DEST.day > 5"],
    }
    spec = only(incremental(config=config)).spec
    assert isinstance(spec, ModelSpec)
    assert spec.incremental == Incremental(
        strategy="merge",
        unique_key=("id", "`day`"),
        on_schema_change=SchemaChange.SYNC_ALL_COLUMNS,
        merge_update_columns=("a",),
        predicates=("DBT_INTERNAL_DEST.day > 5",),
    )
    assert spec.unsupported == ()


def test_the_default_strategy_is_none_and_predicates_has_two_names() -> None:
    config = {"incremental_strategy": "default", "predicates": ["a"], "incremental_predicates": []}
    spec = only(incremental(config=config)).spec
    assert isinstance(spec, ModelSpec)
    assert spec.incremental == Incremental(predicates=("a",))


def test_an_unknown_schema_change_is_ignore_as_in_dbt_and_warned_of() -> None:
    project = read(incremental(config={"on_schema_change": "explode"})).project
    spec = project.nodes["model.shop.m"].spec
    assert isinstance(spec, ModelSpec)
    assert spec.incremental == Incremental()
    assert 'model.shop.m: on_schema_change is "explode"' in project.warnings[0]


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"incremental_strategy": "insert_overwrite"}, "the incremental strategy `insert_overwr"),
        ({"incremental_strategy": "mine"}, "the incremental strategy `mine`"),
        ({"unique_key": "a || b"}, "an SQL expression as unique_key"),
        ({"unique_key": "a, b"}, "an SQL expression as unique_key"),
        ({"unique_key": ["a", "lower(b)"]}, "an SQL expression as unique_key"),
        ({"unique_key": "t.a"}, "an SQL expression as unique_key"),
        ({"unique_key": "1a"}, "an SQL expression as unique_key"),
        ({"merge_update_columns": ["a b"]}, "an SQL expression among the columns to merge"),
        (
            {"merge_update_columns": ["a"], "merge_exclude_columns": ["b"]},
            "both merge_update_columns and merge_exclude_columns",
        ),
        ({"incremental_predicates": ["{{ x }} > 1"]}, "Jinja in incremental_predicates"),
        ({"merge_clauses": {"when_matched": []}}, "merge_clauses"),
        ({"merge_update_condition": "x"}, "merge_update_condition"),
        ({"merge_insert_condition": "x"}, "merge_insert_condition"),
        ({"merge_on_using_columns": ["x"]}, "merge_on_using_columns"),
        ({"merge_update_set_expressions": {"a": "b"}}, "merge_update_set_expressions"),
        ({"merge_returning_columns": ["x"]}, "merge_returning_columns"),
    ],
)
def test_says_what_our_increments_cannot_do(config: dict[str, Any], reason: str) -> None:
    (found,) = reasons(incremental(config=config))
    assert found.startswith(reason)


@pytest.mark.parametrize("key", ["id", "_id", "Größe", "a$1", '"a b"', '"a""b"', "`a-b`", " id "])
def test_names_of_columns_plain_or_quoted_are_keys(key: str) -> None:
    assert reasons(incremental(config={"unique_key": key})) == ()


@pytest.mark.parametrize(
    "config",
    [
        {"unique_key": 5},
        {"unique_key": [5]},
        {"incremental_strategy": ["x"]},
        {"full_refresh": "yes"},
        {"materialized": 5},
        {"persist_docs": "yes"},
        {"tags": 5},
    ],
)
def test_a_setting_of_a_wrong_type_is_a_problem(config: dict[str, Any]) -> None:
    (name,) = config
    assert f"config.{name} is " in complaint(manifest(incremental(config=config)))


def test_code_that_never_asks_serves_both_builds() -> None:
    nodes = incremental(compiled_code="select 1")
    assert read(nodes).code["model.shop.m"] == Code(sql="select 1", incremental_sql="select 1")
    assert reasons(nodes) == ()


@pytest.mark.parametrize(
    "raw_code",
    [ASKING, "{% if not should_full_refresh() %} x {% endif %}", "{{ flags.FULL_REFRESH }}"],
)
def test_code_that_asks_needs_both_renderings(raw_code: str) -> None:
    nodes = incremental(raw_code=raw_code)
    assert ONE_RENDERING in reasons(nodes)
    assert read(nodes).code["model.shop.m"].incremental_sql is None


def test_both_renderings_of_our_own_manifest_are_used() -> None:
    nodes = incremental(raw_code=ASKING, compiled_code="first", compiled_code_incremental="later")
    ours = {"dataops": {"version": 2}}
    assert reasons(nodes, metadata=ours) == ()
    code = read(nodes, metadata=ours).code["model.shop.m"]
    assert code == Code(sql="first", incremental_sql="later")


def test_our_own_manifest_without_the_second_rendering_has_one_only() -> None:
    """It has no raw code and no macros, from which to tell whether one serves for both."""
    nodes = incremental(raw_code=None)
    assert reasons(nodes) == ()
    assert reasons(nodes, metadata={"dataops": {"version": 2}}) == (ONE_RENDERING,)


def test_a_macro_may_ask_for_the_model() -> None:
    calling = incremental(depends_on={"macros": ["macro.shop.outer"]})
    asking = macro("macro.shop.outer", "", "macro.shop.inner") | macro(
        "macro.shop.inner", "{% if context['is_incremental']() %}"
    )
    silent = macro("macro.shop.outer", "", "macro.shop.inner") | macro("macro.shop.inner", "x")
    circular = macro("macro.shop.outer", "", "macro.shop.outer")
    assert reasons(calling, macros=asking) == (ONE_RENDERING,)
    assert reasons(calling, macros=silent) == ()
    assert reasons(calling, macros=circular) == ()


def test_a_macro_that_is_is_incremental_counts_whatever_it_says() -> None:
    calling = incremental(depends_on={"macros": ["macro.dbt.is_incremental"]})
    assert reasons(calling, macros=macro("macro.dbt.is_incremental", "")) == (ONE_RENDERING,)


def test_a_macro_that_the_manifest_lacks_may_ask() -> None:
    calling = incremental(depends_on={"macros": ["macro.dbt_utils.star"]})
    assert reasons(calling) == (ONE_RENDERING,)


def test_the_projects_own_macro_in_a_materialization_needs_dbt() -> None:
    """dbt takes the root project's macro of the same name before its own."""
    macros = (
        macro("macro.dbt.materialization_table_default", "", "macro.dbt.create_table_as")
        | macro("macro.dbt.materialization_view_default", "", "macro.dbt.run_hooks")
        | macro("macro.dbt.create_table_as")
        | macro("macro.shop.duckdb__create_table_as")
        | macro("macro.crm.run_hooks")
        | macro("macro.shop.is_incremental")
        | macro("macro.shop.helper")
    )
    said = ("the project's own `duckdb__create_table_as` in place of dbt's",)
    assert reasons(model(), macros=macros) == said
    assert reasons(model(materialized="view"), macros=macros) == ()


def test_the_projects_own_materialization_of_a_known_name_needs_dbt() -> None:
    macros = macro("macro.shop.materialization_view_duckdb")
    said = ("the project's own `materialization_view_duckdb` in place of dbt's",)
    assert reasons(model(materialized="view"), macros=macros) == said
    assert reasons(model(materialized="table"), macros=macros) == ()


def test_a_packages_macro_that_dispatch_finds_first_needs_dbt() -> None:
    """`dispatch` in dbt_project.yml: dbt's manifest does not tell it, ours does."""
    macros = macro("macro.dbt.materialization_table_default", "", "macro.dbt.create_table_as")
    macros |= macro("macro.dbt.create_table_as") | macro("macro.shim.duckdb__create_table_as")
    said = ("a package's `shim.duckdb__create_table_as` in place of dbt's",)
    searched = {"dataops": {"version": 2, "dispatch": ["shim"]}}
    other = {"dataops": {"version": 2}}
    assert reasons(model(), macros=macros, metadata=searched) == said
    assert reasons(model(), macros=macros, metadata=other) == ()
    assert reasons(model(), macros=macros) == said


def test_a_packages_materialization_of_a_known_name_needs_dbt() -> None:
    macros = macro("macro.dbt.materialization_table_default")
    macros |= macro("macro.kit.materialization_table_duckdb")
    macros |= macro("macro.dbt_duckdb.materialization_table_duckdb")
    ours = {"dataops": {"version": 2}}
    said = ("a package's `kit.materialization_table_duckdb` in place of dbt's",)
    assert reasons(model(), macros=macros, metadata=ours) == said
    assert reasons(model(materialized="view"), macros=macros, metadata=ours) == ()


def test_the_projects_own_strategy_macro_needs_dbt() -> None:
    macros = macro("macro.shop.get_incremental_merge_sql")
    (said,) = reasons(incremental(config={"incremental_strategy": "merge"}), macros=macros)
    assert "`get_incremental_merge_sql`" in said


BATCHED = {
    "incremental_strategy": "microbatch",
    "event_time": "at",
    "batch_size": "day",
    "begin": "2026-01-01",
    "lookback": 3,
}
BY_DAY = {"partition_by": {"field": "at", "granularity": "day"}}
NOT_FITTING = "a microbatch model without fitting event_time, batch_size, begin or lookback"


def test_reads_how_a_microbatch_model_is_cut() -> None:
    spec = only(incremental(config=BATCHED, dataops_batched=True)).spec
    assert isinstance(spec, ModelSpec)
    assert spec.unsupported == ()
    assert spec.tied == ("a microbatch model",)
    assert spec.incremental is not None
    assert spec.incremental.microbatch == Microbatch(
        event_time="at", batch_size=BatchSize.DAY, begin="2026-01-01", lookback=3
    )


@pytest.mark.parametrize(
    ("adapter", "config", "reason"),
    [
        ("duckdb", {"begin": None}, NOT_FITTING),
        ("duckdb", {"begin": "soon"}, NOT_FITTING),
        ("duckdb", {"batch_size": "week"}, NOT_FITTING),
        ("duckdb", {"lookback": -1}, NOT_FITTING),
        ("duckdb", {"event_time": "at; drop table p; --"}, NOT_FITTING),
        ("duckdb", {"unique_key": "id"}, "a microbatch model with unique_key"),
        ("postgres", {}, "a microbatch model without unique_key"),
        ("bigquery", {}, "a microbatch model whose partitions are not its batches"),
        ("bigquery", BY_DAY | {"batch_size": "hour"}, "a microbatch model whose partitions are"),
    ],
)
def test_microbatch_models_that_only_dbt_builds(
    adapter: str, config: dict[str, Any], reason: str
) -> None:
    nodes = incremental(config=BATCHED | config, dataops_batched=True)
    (found,) = reasons(nodes, metadata={"adapter_type": adapter})
    assert found.startswith(reason)


def test_a_microbatch_model_of_dbts_own_manifest_has_no_places_for_its_batches() -> None:
    (found,) = reasons(incremental(config=BATCHED))
    assert "no places for the times of its batches" in found
