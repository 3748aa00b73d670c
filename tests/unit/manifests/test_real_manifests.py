"""Manifests that dbt 1.6 (v10), 1.7 (v11) and 1.11 (v12) wrote for one project."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from airflow_dataops.core.manifests import read_manifest
from airflow_dataops.core.model import (
    ExposureSpec,
    FreshnessSpec,
    HardDeletes,
    Hook,
    Incremental,
    Manifest,
    ModelSpec,
    Node,
    NodeKind,
    Orchestration,
    Relation,
    RunMoment,
    SchemaChange,
    SeedSpec,
    Severity,
    SnapshotColumns,
    SnapshotSpec,
    SourceSpec,
    StoreFailures,
    TestSpec,
    UnitTestSpec,
)

FIXTURES = Path(__file__).parents[2] / "fixtures" / "manifests"
VERSIONS = ("v10", "v11", "v12")
ONE_RENDERING = (
    "the manifest has one rendering of this incremental model only: "
    "make it with `airflow-dataops compile`"
)


def load(version: str) -> Manifest:
    data = (FIXTURES / f"{version}.json").read_bytes()
    return read_manifest(data, source=f"{version}.json")


@pytest.fixture(scope="module", params=VERSIONS)
def manifest(request: pytest.FixtureRequest) -> Manifest:
    return load(request.param)


@pytest.fixture(scope="module")
def nodes(manifest: Manifest) -> dict[str, Node]:
    return manifest.project.nodes


def by_prefix(nodes: dict[str, Node], prefix: str) -> Node:
    """Find a generic test, whose id ends in a hash."""
    (node,) = (node for id_, node in nodes.items() if id_.startswith(prefix))
    return node


@pytest.mark.parametrize("version", VERSIONS)
def test_says_what_it_is(version: str) -> None:
    project = load(version).project
    assert (project.name, project.adapter, project.schema_version) == ("shop", "duckdb", version)


def test_counts_the_kinds_of_nodes(nodes: dict[str, Node], manifest: Manifest) -> None:
    newest = manifest.project.schema_version == "v12"
    kinds = Counter(node.kind for node in nodes.values())
    assert kinds == Counter(
        {
            NodeKind.MODEL: 15 if newest else 14,
            NodeKind.SEED: 3,
            NodeKind.SNAPSHOT: 4 if newest else 2,
            NodeKind.TEST: 7,
            NodeKind.SOURCE: 3 if newest else 2,
            NodeKind.EXPOSURE: 1,
            **({NodeKind.UNIT_TEST: 1} if newest else {}),
        }
    )


def test_leaves_out_what_is_disabled(nodes: dict[str, Node]) -> None:
    assert "model.shop.stg_old" not in nodes
    assert "source.shop.web.gone" not in nodes


def test_leaves_out_analyses_and_keeps_hooks_beside_the_nodes(manifest: Manifest) -> None:
    kinds = {id_.split(".")[0] for id_ in manifest.project.nodes}
    assert not kinds & {"analysis", "operation"}
    moments = [hook.moment for hook in manifest.project.run_hooks]
    assert moments == [RunMoment.START, RunMoment.END]


def test_keeps_models_of_one_name_in_two_packages_apart(nodes: dict[str, Node]) -> None:
    ours, theirs = nodes["model.shop.stg_customers"], nodes["model.crm.stg_customers"]
    assert ours.name == theirs.name == "stg_customers"
    assert (ours.package, theirs.package) == ("shop", "crm")
    assert theirs.relation == Relation(identifier="crm_customers", schema="main", database="shop")
    assert theirs.description == "Customers as the CRM knows them."


def test_names_the_files_a_model_is_written_in(nodes: dict[str, Node]) -> None:
    node = nodes["model.shop.fct_orders"]
    assert node.path == "models/marts/fct_orders.sql"
    assert node.declared_in == "models/shop.yml"
    assert node.fqn == ("shop", "marts", "fct_orders")


def test_reads_versions(nodes: dict[str, Node]) -> None:
    first, second = nodes["model.shop.dim_customers.v1"], nodes["model.shop.dim_customers.v2"]
    assert (first.version, first.latest_version) == ("1", False)
    assert (second.version, second.latest_version) == ("2", True)
    assert second.access == "public"
    assert second.relation is not None
    assert second.relation.identifier == "dim_customers_v2"


def test_keeps_ephemeral_models_without_relation_or_code(
    manifest: Manifest, nodes: dict[str, Node]
) -> None:
    node = nodes["model.shop.int_orders"]
    assert isinstance(node.spec, ModelSpec)
    assert node.spec.materialized == "ephemeral"
    assert node.spec.unsupported == ()
    assert node.relation is None
    assert node.parents == ("model.shop.stg_customers", "model.shop.stg_orders")
    assert node.id not in manifest.code


def test_code_of_a_child_holds_its_ephemeral_parents(manifest: Manifest) -> None:
    sql = manifest.code["model.shop.fct_orders"].sql
    assert sql is not None
    assert "__dbt__cte__int_orders" in sql


def test_python_models_have_no_sql(manifest: Manifest, nodes: dict[str, Node]) -> None:
    spec = nodes["model.shop.py_scores"].spec
    assert isinstance(spec, ModelSpec)
    assert (spec.language, spec.unsupported) == ("python", ("a Python model",))
    assert "model.shop.py_scores" not in manifest.code


def test_reads_an_incremental_model(nodes: dict[str, Node]) -> None:
    spec = nodes["model.shop.fct_orders"].spec
    assert isinstance(spec, ModelSpec)
    assert spec.incremental == Incremental(
        strategy="delete+insert",
        unique_key=("order_id",),
        on_schema_change=SchemaChange.APPEND_NEW_COLUMNS,
        predicates=("ordered_at > date '2020-01-01'",),
    )
    assert spec.unsupported == (ONE_RENDERING,)


def test_an_incremental_model_may_ask_through_macros(
    manifest: Manifest, nodes: dict[str, Node]
) -> None:
    spec = nodes["model.shop.fct_events"].spec
    assert isinstance(spec, ModelSpec)
    assert spec.unsupported == (ONE_RENDERING,)
    assert manifest.code["model.shop.fct_events"].incremental_sql is None


def test_one_rendering_serves_a_model_that_never_asks(
    manifest: Manifest, nodes: dict[str, Node]
) -> None:
    spec = nodes["model.shop.fct_payments"].spec
    assert isinstance(spec, ModelSpec)
    assert spec.unsupported == ()
    assert spec.full_refresh is False
    assert spec.incremental == Incremental(
        strategy="merge",
        unique_key=("order_id", '"customer_id"'),
        merge_exclude_columns=("ordered_at",),
    )
    code = manifest.code["model.shop.fct_payments"]
    assert code.sql
    assert code.sql == code.incremental_sql


def test_reads_hooks(nodes: dict[str, Node]) -> None:
    spec = nodes["model.shop.dim_customers.v2"].spec
    assert isinstance(spec, ModelSpec)
    assert spec.pre_hooks == (Hook(sql="create schema if not exists audit"),)
    assert spec.post_hooks == (Hook(sql="analyze", transaction=False), Hook(sql="select 1"))
    assert spec.unsupported == ()


def test_says_what_sql_cannot_do(nodes: dict[str, Node]) -> None:
    found = {
        name: nodes[f"model.shop.{name}"].spec.unsupported  # type: ignore[union-attr]
        for name in ("custom", "hooked")
    }
    assert found == {
        "custom": ("the materialization `nothing`",),
        "hooked": ("Jinja in a post-hook",),
    }


def test_reads_contracts(nodes: dict[str, Node]) -> None:
    spec = nodes["model.shop.contracted"].spec
    assert isinstance(spec, ModelSpec)
    assert spec.unsupported == ()
    assert spec.contract is not None
    assert [(column.name, column.type) for column in spec.contract.columns] == [("id", "integer")]


def test_reads_seeds(nodes: dict[str, Node]) -> None:
    orders, contacts = nodes["seed.shop.raw_orders"], nodes["seed.crm.raw_contacts"]
    assert orders.spec == SeedSpec(
        file="seeds/raw_orders.csv",
        column_types={"order_id": "integer", "Amount": "decimal(10, 2)"},
    )
    assert contacts.spec == SeedSpec(
        file="dbt_packages/crm/seeds/raw_contacts.csv", delimiter=";", quote_columns=True
    )


def test_reads_snapshots_in_blocks(nodes: dict[str, Node]) -> None:
    customers = nodes["snapshot.shop.customers_history"]
    assert customers.spec == SnapshotSpec(
        strategy="check",
        unique_key=("customer_id",),
        check_cols=("name",),
        hard_deletes=HardDeletes.INVALIDATE,
    )
    assert str(customers.relation) == "shop.history.customers_history"
    assert nodes["snapshot.shop.orders_history"].spec == SnapshotSpec(
        strategy="timestamp",
        unique_key=("order_id || '-' || customer_id",),
        updated_at="ordered_at",
        unsupported=("an SQL expression as unique_key",),
    )


def test_reads_snapshots_in_yaml() -> None:
    nodes = load("v12").project.nodes
    payments = nodes["snapshot.shop.payments_history"]
    assert payments.spec == SnapshotSpec(
        strategy="timestamp",
        unique_key=("order_id", "customer_id"),
        updated_at="ordered_at",
        hard_deletes=HardDeletes.NEW_RECORD,
        columns=SnapshotColumns(valid_from="from_ts", valid_to="to_ts"),
        valid_to_current="cast('9999-12-31' as timestamp)",
    )
    assert payments.path == "snapshots_1_9/new_style.yml"
    assert nodes["snapshot.shop.everything_history"].spec == SnapshotSpec(
        strategy="check", unique_key=("customer_id",), check_cols=("all",)
    )


def test_reads_generic_tests(nodes: dict[str, Node]) -> None:
    node = by_prefix(nodes, "test.shop.not_null_stg_customers_customer_id")
    assert node.spec == TestSpec(
        severity=Severity.WARN,
        warn_if="> 1",
        error_if="> 10",
        limit=20,
        generic="not_null",
        attached="model.shop.stg_customers",
        column="customer_id",
    )
    assert node.parents == ("model.shop.stg_customers",)


def test_where_is_part_of_a_tests_code(manifest: Manifest, nodes: dict[str, Node]) -> None:
    node = by_prefix(nodes, "test.shop.not_null_stg_customers_customer_id")
    sql = manifest.code[node.id].sql
    assert sql is not None
    assert "where name <> ''" in sql


def test_reads_where_failures_are_stored(manifest: Manifest, nodes: dict[str, Node]) -> None:
    node = by_prefix(nodes, "test.shop.accepted_values_stg_customers")
    assert isinstance(node.spec, TestSpec)
    assert node.spec.store_failures is StoreFailures.TABLE
    assert node.spec.fail_calc == "sum(n_records)"
    assert node.relation is not None
    assert node.relation.schema == "main_dbt_test__audit"
    links = by_prefix(nodes, "test.shop.relationships_stg_orders")
    assert isinstance(links.spec, TestSpec)
    # dbt 1.6 does not know `store_failures_as`.
    old = manifest.project.schema_version == "v10"
    assert links.spec.store_failures is (StoreFailures.NO if old else StoreFailures.VIEW)
    assert links.tags == ("links",)
    assert links.parents == ("model.shop.stg_customers", "model.shop.stg_orders")


def test_names_generic_tests_of_packages(nodes: dict[str, Node]) -> None:
    node = by_prefix(nodes, "test.shop.crm_source_at_least_one")
    assert isinstance(node.spec, TestSpec)
    assert node.spec.generic == "crm.at_least_one"
    assert node.parents == ("source.shop.web.events",)


def test_reads_singular_tests(nodes: dict[str, Node]) -> None:
    node = nodes["test.shop.no_negative_amounts"]
    assert node.spec == TestSpec(severity=Severity.WARN)
    assert node.path == "tests/no_negative_amounts.sql"
    assert node.tags == ("money",)


def test_reads_sources(nodes: dict[str, Node]) -> None:
    events, slow = nodes["source.shop.web.events"], nodes["source.shop.web.slow"]
    assert events.spec == SourceSpec(
        source="web",
        freshness=FreshnessSpec(
            warn_after_minutes=360,
            error_after_minutes=1440,
            loaded_at_field="loaded_at",
            filter="id > 0",
        ),
    )
    assert events.relation == Relation(identifier="raw events", schema="landing", database="shop")
    assert events.orchestration.owner == "web@example.com"
    assert slow.spec == SourceSpec(source="web")


def test_reads_a_query_for_freshness() -> None:
    assert load("v12").project.nodes["source.shop.queue.jobs"].spec == SourceSpec(
        source="queue",
        freshness=FreshnessSpec(
            error_after_minutes=30, loaded_at_query="select max(at) from queue.jobs"
        ),
    )


def test_reads_exposures(nodes: dict[str, Node]) -> None:
    node = nodes["exposure.shop.board"]
    assert node.spec == ExposureSpec(type="dashboard", url="https://example.com/board")
    assert node.parents == ("model.shop.fct_orders", "source.shop.web.events")
    assert node.orchestration.owner == "grace@example.com"
    assert node.description == "What the board reads."


def test_reads_unit_tests() -> None:
    node = load("v12").project.nodes["unit_test.shop.dim_customers.joins_the_origin_v2"]
    assert node.spec == UnitTestSpec(model="model.shop.dim_customers.v2")
    assert node.parents == ("model.shop.dim_customers.v2",)


def test_reads_orchestration_metadata(nodes: dict[str, Node]) -> None:
    node = nodes["model.shop.fct_orders"]
    assert node.tags == ("daily", "critical")
    assert node.orchestration == Orchestration(
        schedule="@daily",
        sla_minutes=120,
        freshness_minutes=90,
        owner="marts@example.com",
        airflow={"pool": "big"},
    )
    assert nodes["model.shop.fct_payments"].orchestration.critical is True
    assert nodes["model.shop.stg_customers"].orchestration.owner == "ada@example.com"


def test_every_node_has_a_fingerprint_of_its_own(nodes: dict[str, Node]) -> None:
    marks = [node.fingerprint for node in nodes.values()]
    assert all(len(mark) == 16 for mark in marks)
    assert len(set(marks)) == len(marks)
