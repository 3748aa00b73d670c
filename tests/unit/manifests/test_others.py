"""Seeds, snapshots, tests, unit tests, sources and exposures."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_dataops.core.model import (
    Code,
    FreshnessSpec,
    HardDeletes,
    Node,
    SeedSpec,
    Severity,
    SnapshotColumns,
    SnapshotSpec,
    SourceSpec,
    StoreFailures,
    TestSpec,
    UnitTestSpec,
)
from tests.unit.manifests.built import complaint, entry, manifest, only, read, reasons

SOURCE = "source.shop.web.events"


def seed(**fields: Any) -> dict[str, Any]:
    id_ = "seed.shop.raw"
    fields = {"original_file_path": "seeds\\raw.csv", "compiled_code": None} | fields
    return {id_: entry(id_, **fields)}


def snapshot(**config: Any) -> dict[str, Any]:
    usual = {"strategy": "timestamp", "unique_key": "id", "updated_at": "at"}
    return {"snapshot.shop.s": entry("snapshot.shop.s", config=usual | config)}


def data_test(**config: Any) -> dict[str, Any]:
    return {"test.shop.t": entry("test.shop.t", config=config)}


def source(adapter: str = "duckdb", **fields: Any) -> Node:
    written = {
        "name": "events",
        "resource_type": "source",
        "source_name": "web",
        "identifier": "Raw Events",
        "schema": "landing",
        "database": "db",
        "loaded_at_field": "at",
        "original_file_path": "models/web.yml",
    }
    return only({}, sources={SOURCE: written | fields}, metadata={"adapter_type": adapter})


def test_a_seed_of_our_own_manifest_carries_its_file_and_types() -> None:
    """Configured types win over inferred ones, where the name is the file's, capitals and all."""
    nodes = seed(
        config={"column_types": {"id": "bigint", "extra": "text"}},
        dataops_csv="ID,name\n1,Ada\n",
        dataops_column_types={"ID": "integer", "name": "varchar"},
    )
    assert read(nodes).code == {"seed.shop.raw": Code(csv="ID,name\n1,Ada\n")}
    assert only(nodes).spec == SeedSpec(
        file="seeds/raw.csv",
        column_types={"ID": "integer", "id": "bigint", "name": "varchar", "extra": "text"},
    )


def test_a_bare_seed_has_no_code() -> None:
    assert read(seed()).code == {}


@pytest.mark.parametrize(
    ("root_path", "file"),
    [
        ("/home/ci/shop/dbt_packages/crm", "dbt_packages/crm/seeds/raw.csv"),
        ("C:\\ci\\shop\\packages\\crm", "packages/crm/seeds/raw.csv"),
        (None, "dbt_packages/crm/seeds/raw.csv"),
    ],
)
def test_the_file_of_a_packages_seed_lies_under_the_project(
    root_path: str | None, file: str
) -> None:
    spec = only(seed(package_name="crm", root_path=root_path)).spec
    assert isinstance(spec, SeedSpec)
    assert spec.file == file


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"post-hook": "{{ x }}"}, "Jinja in a post-hook"),
        ({"indexes": [{"columns": ["id"]}]}, "indexes of a seed"),
    ],
)
def test_says_what_keeps_a_seed_from_sql(config: dict[str, Any], reason: str) -> None:
    assert reasons(seed(config=config)) == (reason,)


def test_a_type_that_is_no_text_is_a_problem() -> None:
    said = complaint(manifest(seed(config={"column_types": {"id": 5}})))
    assert "config.column_types has 5 for id; write an SQL type as text." in said


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, {}),
        ({"unique_key": ["a", "b"]}, {"unique_key": ("a", "b")}),
        ({"updated_at": "coalesce(a, b)"}, {"updated_at": "coalesce(a, b)"}),
        ({"hard_deletes": "new_record"}, {"hard_deletes": HardDeletes.NEW_RECORD}),
        ({"hard_deletes": "invalidate"}, {"hard_deletes": HardDeletes.INVALIDATE}),
        ({"hard_deletes": "ignore"}, {}),
        ({"invalidate_hard_deletes": True}, {"hard_deletes": HardDeletes.INVALIDATE}),
        ({"invalidate_hard_deletes": False}, {}),
        ({"dbt_valid_to_current": "x"}, {"valid_to_current": "x"}),
        (
            {"snapshot_meta_column_names": {"dbt_scd_id": "key", "dbt_valid_to": None}},
            {"columns": SnapshotColumns(scd_id="key")},
        ),
        (
            {"strategy": "check", "updated_at": None, "check_cols": "all"},
            {"strategy": "check", "updated_at": None, "check_cols": ("all",)},
        ),
        (
            {"strategy": "check", "updated_at": None, "check_cols": ["a", '"b c"']},
            {"strategy": "check", "updated_at": None, "check_cols": ("a", '"b c"')},
        ),
    ],
)
def test_reads_snapshots(config: dict[str, Any], expected: dict[str, Any]) -> None:
    usual = {"strategy": "timestamp", "unique_key": ("id",), "updated_at": "at"}
    assert only(snapshot(**config)).spec == SnapshotSpec(**(usual | expected))


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"strategy": "mine"}, "the snapshot strategy `mine`"),
        ({"unique_key": "a || b"}, "an SQL expression as unique_key"),
        (
            {"strategy": "check", "check_cols": ["lower(a)"]},
            "an SQL expression among check_cols",
        ),
        ({"sql_header": "x"}, "sql_header of a snapshot"),
        ({"pre-hook": "{{ x }}"}, "Jinja in a pre-hook"),
    ],
)
def test_says_what_keeps_a_snapshot_from_sql(config: dict[str, Any], reason: str) -> None:
    assert reasons(snapshot(**config)) == (reason,)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"strategy": None}, "a snapshot needs config.strategy; write timestamp or check."),
        ({"unique_key": None}, "a snapshot needs config.unique_key; write a column's name"),
        ({"updated_at": None}, "a timestamp snapshot needs config.updated_at"),
        ({"strategy": "check"}, "a check snapshot has null for config.check_cols; write all, or"),
        ({"strategy": "check", "check_cols": "a"}, 'has "a" for config.check_cols'),
        ({"strategy": "check", "check_cols": []}, "has [] for config.check_cols"),
        ({"hard_deletes": "keep"}, "write ignore or invalidate or new_record"),
        (
            {"hard_deletes": "ignore", "invalidate_hard_deletes": False},
            "both hard_deletes and invalidate_hard_deletes; keep hard_deletes.",
        ),
        (
            {"snapshot_meta_column_names": {"dbt_scd_id": 5}},
            "config.snapshot_meta_column_names has 5 for dbt_scd_id",
        ),
    ],
)
def test_a_snapshot_that_dbt_would_refuse_is_refused(config: dict[str, Any], said: str) -> None:
    assert said in complaint(manifest(snapshot(**config)))


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, TestSpec()),
        ({"severity": "Warn"}, TestSpec(severity=Severity.WARN)),
        ({"severity": "ERROR"}, TestSpec()),
        ({"warn_if": "> 1", "error_if": "> 2"}, TestSpec(warn_if="> 1", error_if="> 2")),
        ({"fail_calc": "sum(n)", "limit": 5}, TestSpec(fail_calc="sum(n)", limit=5)),
        ({"store_failures": True}, TestSpec(store_failures=StoreFailures.TABLE)),
        ({"store_failures": False}, TestSpec()),
        ({"store_failures_as": "view"}, TestSpec(store_failures=StoreFailures.VIEW)),
        ({"store_failures": True, "store_failures_as": "ephemeral"}, TestSpec()),
        ({"sql_header": "x"}, TestSpec(unsupported=("sql_header",))),
        (
            {"store_failures_as": "cloud"},
            TestSpec(unsupported=("store_failures_as `cloud`",)),
        ),
    ],
)
def test_reads_tests(config: dict[str, Any], expected: TestSpec) -> None:
    assert only(data_test(**config)).spec == expected


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"severity": "fatal"}, 'config.severity is "fatal"; write error or warn.'),
        ({"limit": "5"}, 'config.limit is "5"; write a whole number.'),
        ({"limit": True}, "config.limit is true; write a whole number."),
        ({"store_failures": "yes"}, 'config.store_failures is "yes"; write true or false.'),
        ({"warn_if": 5}, "config.warn_if is 5; write a text."),
    ],
)
def test_a_test_that_is_configured_wrong_is_refused(config: dict[str, Any], said: str) -> None:
    assert said in complaint(manifest(data_test(**config)))


def test_reads_what_a_generic_test_is_of() -> None:
    fields = {
        "test_metadata": {"name": "at_least_one", "namespace": "dbt_utils"},
        "attached_node": "model.shop.m",
        "column_name": "id",
    }
    spec = only({"test.shop.t": entry("test.shop.t", **fields)}).spec
    assert spec == TestSpec(generic="dbt_utils.at_least_one", attached="model.shop.m", column="id")


def test_a_unit_test_names_its_model() -> None:
    written = {"name": "u", "model": "m", "depends_on": {"nodes": ["model.shop.m"]}}
    tests = {"unit_test.shop.m.u": written}
    assert only({}, unit_tests=tests).spec == UnitTestSpec(model="model.shop.m")
    tests = {"unit_test.shop.m.u": written | {"depends_on": {}}}
    assert only({}, unit_tests=tests).spec == UnitTestSpec(model="m")


@pytest.mark.parametrize(
    ("freshness", "expected"),
    [
        (None, None),
        ({}, None),
        ({"warn_after": {}, "error_after": {"count": None, "period": None}}, None),
        ({"warn_after": {"count": 5, "period": "minute"}}, {"warn_after_minutes": 5}),
        ({"error_after": {"count": 2, "period": "hour"}}, {"error_after_minutes": 120}),
        (
            {"warn_after": {"count": 1, "period": "day"}, "filter": "x > 1"},
            {"warn_after_minutes": 1440, "filter": "x > 1"},
        ),
    ],
)
def test_reads_freshness_where_there_is_a_limit(freshness: Any, expected: Any) -> None:
    spec = FreshnessSpec(loaded_at_field="at", **expected) if expected else None
    assert source(freshness=freshness).spec == SourceSpec(source="web", freshness=spec)


def test_a_wrong_period_is_a_problem() -> None:
    sources = {
        SOURCE: {"name": "e", "freshness": {"warn_after": {"count": 5, "period": "week"}}},
    }
    said = complaint(manifest(sources=sources))
    assert 'freshness.warn_after is {"count":5.0,"period":"week"}; write a count and' in said


@pytest.mark.parametrize(
    "fields",
    [
        {"meta": {"external_location": "files/*.csv"}},
        {"config": {"meta": {"external_location": "files/*.csv"}}},
        {"config": {"external_location": "files/*.csv"}},
        {"meta": {"plugin": "gsheet"}},
    ],
)
def test_a_source_in_files_has_no_relation_and_is_not_checked(fields: dict[str, Any]) -> None:
    limit = {"freshness": {"warn_after": {"count": 5, "period": "hour"}}}
    node = source(**fields, **limit)
    assert node.relation is None
    assert node.spec == SourceSpec(source="web")
    assert source("snowflake", **fields, **limit).relation is not None


def test_what_a_plugin_loads_only_dbt_can_read() -> None:
    """Also through an ephemeral model, which is part of its child's SQL."""
    sources = {SOURCE: {"name": "events", "meta": {"plugin": "gsheet"}}}
    through = entry(
        "model.shop.e", config={"materialized": "ephemeral"}, depends_on={"nodes": [SOURCE]}
    )
    nodes = {
        "model.shop.e": through,
        "model.shop.a": entry("model.shop.a", depends_on={"nodes": [SOURCE]}),
        "model.shop.b": entry("model.shop.b", depends_on={"nodes": ["model.shop.e"]}),
        "model.shop.c": entry("model.shop.c", depends_on={"nodes": ["model.shop.b"]}),
    }
    found = read(nodes, sources=sources).project.nodes
    said = ("a source that a dbt-duckdb plugin loads",)
    assert [found[f"model.shop.{name}"].spec.unsupported for name in "abc"] == [said, said, ()]  # type: ignore[union-attr]


def test_source_meta_of_older_releases_is_the_sources_meta() -> None:
    node = source(source_meta={"owner": "Ada", "critical": True}, meta={"owner": "Grace"})
    assert node.orchestration.owner == "Grace"
    assert node.orchestration.critical is True


@pytest.mark.parametrize("section", ["nodes", "sources", "exposures", "unit_tests"])
def test_what_is_disabled_is_left_out(section: str) -> None:
    kind = {"nodes": "model"}.get(section, section.rstrip("s"))
    disabled = {f"{kind}.shop.x": entry(f"{kind}.shop.x", config={"enabled": False})}
    assert read(**{section: disabled}).project.nodes == {}


@pytest.mark.parametrize("kind", ["analysis", "operation", "sql_operation", "rpc", "whatever"])
def test_other_kinds_are_no_nodes(kind: str) -> None:
    id_ = f"{kind}.shop.x"
    assert read({id_: entry(id_)}).project.nodes == {}


def test_warns_of_functions_which_are_not_created() -> None:
    functions = {"function.shop.f": {"depends_on": {"nodes": []}}}
    (warning,) = read(functions=functions).project.warnings
    assert warning.startswith("the project defines functions (function.shop.f)")
