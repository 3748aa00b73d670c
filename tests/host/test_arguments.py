"""What callers write is taken in every form that it may have, and refused by name when wrong."""

from __future__ import annotations

import inspect
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from airflow.sdk import DAG, BaseOperator, TaskGroup

import airflow_dataops
from airflow_dataops import (
    AppendOperator,
    ApplyChanges,
    ApplyChangesOperator,
    ConnectionQuery,
    DbtBuildOperator,
    DbtTestOperator,
    FreshnessOperator,
    Gate,
    History,
    HistoryOperator,
    Increment,
    IncrementOperator,
    LoadPartition,
    LoadPartitionOperator,
    Merge,
    MergeOperator,
    ReplaceOperator,
    TransferOperator,
    Within,
    dbt_dag,
    dbt_task_group,
    load_dags,
    load_task_group,
    set_sla,
    sla_monitor_dag,
)
from airflow_dataops.dag_factory.arguments import DagArguments
from airflow_dataops.errors import ArgumentError, ConfigError
from airflow_dataops.operators.arguments import TaskArguments, accepted
from airflow_dataops.operators.fused import FusedOperator
from airflow_dataops.operators.loads.audit import AuditSweepOperator
from airflow_dataops.operators.loads.base import LoadArguments, LoadOperator
from airflow_dataops.operators.loads.source import RowsArguments
from airflow_dataops.operators.loads.stage import GateOperator, StageOperator, SweepOperator
from airflow_dataops.operators.node import NodeArguments, NodeOperator
from airflow_dataops.operators.quality import QualityOperator
from airflow_dataops.operators.quality_branch import QualityBranchOperator
from airflow_dataops.operators.sla_monitor import SlaMonitorOperator
from airflow_dataops.task_groups.arguments import GroupArguments

if TYPE_CHECKING:
    from collections.abc import Callable

PLACE = {"task_id": "load", "target": "shop.orders", "conn_id": "warehouse"}
ROWS = {**PLACE, "source": "select 1 as id"}
VERBS: dict[type[LoadOperator], dict[str, Any]] = {
    AppendOperator: {},
    ApplyChangesOperator: {"keys": "id", "sequence": "lsn"},
    HistoryOperator: {"keys": "id", "effective_at": "at"},
    IncrementOperator: {"cursor": "at", "keys": "id"},
    LoadPartitionOperator: {"partition": {"day": "{{ ds }}"}},
    MergeOperator: {"keys": "id"},
    ReplaceOperator: {},
    TransferOperator: {},
}
OPERATORS = [
    *VERBS,
    StageOperator,
    GateOperator,
    AuditSweepOperator,
    QualityBranchOperator,
    QualityOperator,
    SweepOperator,
    DbtBuildOperator,
    DbtTestOperator,
    FreshnessOperator,
    FusedOperator,
    SlaMonitorOperator,
]


def load(kind: type[LoadOperator], **more: Any) -> Any:
    return kind(**(ROWS | VERBS[kind] | more))


@pytest.mark.parametrize("kind", VERBS)
def test_a_text_as_source_is_sql_on_the_same_connection(kind: type[LoadOperator]) -> None:
    operator = load(kind)
    assert (operator.sql, operator.source) == ("select 1 as id", None)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (AppendOperator, "keys"),
        (AppendOperator, "order_by"),
        (ApplyChangesOperator, "keys"),
        (ApplyChangesOperator, "deletes"),
        (ApplyChangesOperator, "upserts"),
        (ApplyChangesOperator, "ignores"),
        (HistoryOperator, "keys"),
        (HistoryOperator, "compare_columns"),
        (IncrementOperator, "keys"),
        (IncrementOperator, "order_by"),
        (IncrementOperator, "per"),
        (MergeOperator, "keys"),
        (MergeOperator, "order_by"),
        (MergeOperator, "update_columns"),
    ],
)
class TestOneNameOrSeveral:
    def test_one(self, kind: type[LoadOperator], name: str) -> None:
        assert getattr(load(kind, **{name: "id"}), name) == ("id",)

    @pytest.mark.parametrize("given", [["id", "day"], ("id", "day")])
    def test_several(self, kind: type[LoadOperator], name: str, given: Any) -> None:
        operator = load(kind, **{name: given})
        assert getattr(operator, name) == ("id", "day")
        assert getattr(operator._verb(), name) == ("id", "day")

    @pytest.mark.parametrize("given", [5, {"id"}, ["id", 5], "", [" "], b"id"])
    def test_what_is_no_name_is_refused_by_the_arguments_name(
        self, kind: type[LoadOperator], name: str, given: Any
    ) -> None:
        """A set has no order; the same DAG would differ from one process to the next."""
        if given == "" and name in ("deletes", "upserts", "ignores"):
            assert getattr(load(kind, **{name: given}), name) == ("",)  # a kind of change
            return
        with pytest.raises(ConfigError, match=rf"^{name}="):
            load(kind, **{name: given})


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda given: Merge(keys=given), "keys"),
        (lambda given: Merge(keys="id", order_by=given), "order_by"),
        (lambda given: Merge(keys="id", update_columns=given), "update_columns"),
        (lambda given: History(keys=given, effective_at="at"), "keys"),
        (lambda given: Increment(cursor="at", per=given), "per"),
        (lambda given: ApplyChanges(keys=given, sequence="n"), "keys"),
        (lambda given: ApplyChanges(keys="id", sequence="n", ignores=given), "ignores"),
    ],
)
def test_verbs_take_one_name_or_several(make: Callable[[Any], Any], name: str) -> None:
    assert getattr(make("id"), name) == ("id",)
    assert getattr(make(["id", "day"]), name) == ("id", "day")
    with pytest.raises(ConfigError, match=rf"^{name}=5"):
        make(5)


@pytest.mark.parametrize("kind", [DbtBuildOperator, DbtTestOperator, FreshnessOperator])
def test_nodes_are_one_or_several(kind: type[NodeOperator]) -> None:
    operator = kind(task_id="t", manifest="m.json", conn_id="w", nodes="model.shop.orders")
    assert operator.nodes == ("model.shop.orders",)


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (MergeOperator, {"keys": []}),
        (MergeOperator, {"keys": ["id", "id"]}),
        (MergeOperator, {"target": None}),
        (MergeOperator, {"conn_id": 5}),
        (MergeOperator, {"delete_flag": True}),
        (MergeOperator, {"compare": "change"}),
        (MergeOperator, {"null_keys": "mach"}),
        (MergeOperator, {"on_empty": "kep"}),
        (MergeOperator, {"drift": "ad"}),
        (MergeOperator, {"create": "yes"}),
        (MergeOperator, {"deferrable": "no"}),
        (MergeOperator, {"lease": "1h"}),
        (MergeOperator, {"lease": 0}),
        (MergeOperator, {"lease": float("nan")}),
        (MergeOperator, {"wait": -1}),
        (MergeOperator, {"poll_interval": True}),
        (MergeOperator, {"control_schema": "a.b.c"}),
        (MergeOperator, {"parameters": "2026-01-31"}),
        (MergeOperator, {"source": 5}),
        (IncrementOperator, {"lag": "1h"}),
        (IncrementOperator, {"lag": -1}),
        (IncrementOperator, {"cursor": ["at"]}),
        (IncrementOperator, {"order_by": "at", "keys": ()}),
        (HistoryOperator, {"missing": "closed"}),
        (HistoryOperator, {"columns": {"valid_from": "since"}}),
        (ApplyChangesOperator, {"envelope": "debezum"}),
        (LoadPartitionOperator, {"partition": "day"}),
        (LoadPartitionOperator, {"time_column": "at", "start": "monday", "end": "2026-01-02"}),
        (LoadPartitionOperator, {"outside": "dropp"}),
        (TransferOperator, {"verb": "replace"}),
    ],
)
def test_wrong_values_fail_at_parse_with_the_arguments_name(
    kind: type[LoadOperator], wrong: dict[str, Any]
) -> None:
    name = "start" if "start" in wrong else next(iter(wrong))
    with pytest.raises(ConfigError, match=name):
        load(kind, **wrong)


def test_wrong_choices_list_the_right_ones_and_the_nearest() -> None:
    with pytest.raises(ConfigError) as caught:
        load(MergeOperator, compare="change")
    assert str(caught.value) == (
        "compare='change': choose one of 'always', 'changed'. Did you mean 'changed'?"
    )


@pytest.mark.parametrize(
    "make",
    [
        lambda: Merge(keys="id", compare="change"),  # type: ignore[arg-type]
        lambda: Merge(keys=[]),
        lambda: Increment(cursor="at", lag="1h"),  # type: ignore[arg-type]
        lambda: LoadPartition(values="day"),  # type: ignore[arg-type]
        lambda: Within(column=1, start=1, end=2),  # type: ignore[arg-type]
        lambda: Gate(name="g", condition="true", at_most=-1),
        lambda: Gate(name="g", condition="true", severity="loud"),
    ],
)
def test_wrong_settings_of_verbs_fail_where_they_are_written(make: Callable[[], Any]) -> None:
    with pytest.raises(ConfigError, match=r"^(compare|keys|lag|values|column|at_most|severity)="):
        make()


def test_rows_come_from_one_place() -> None:
    with pytest.raises(ConfigError, match="not by none of them"):
        MergeOperator(**PLACE, keys="id")
    with pytest.raises(ConfigError, match="not by sql and source"):
        MergeOperator(**ROWS, sql="select 2", keys="id")


def test_a_partition_is_named_at_parse() -> None:
    with pytest.raises(ConfigError, match="name a partition, or time_column, start and end"):
        LoadPartitionOperator(**ROWS)
    with pytest.raises(ConfigError, match="name a partition, or time_column, start and end"):
        LoadPartitionOperator(**ROWS, time_column="at", start="2026-01-01")


def test_durations_are_timedeltas_or_seconds() -> None:
    given = load(MergeOperator, lease=90, wait=0.5, poll_interval=timedelta(minutes=1))
    assert (given.lease, given.wait) == (timedelta(seconds=90), timedelta(seconds=0.5))
    assert given.poll_interval == 60
    monitor = sla_monitor_dag(poll_seconds=timedelta(seconds=5), run_for=60).get_task("watch")
    assert (monitor.poll_seconds, monitor.run_for) == (5.0, timedelta(minutes=1))


@pytest.mark.parametrize("kind", OPERATORS, ids=lambda kind: kind.__name__)
def test_a_misspelt_argument_names_the_nearest(kind: type[BaseOperator]) -> None:
    """All of them at once, and before Airflow says that the right ones are missing."""
    with pytest.raises(ArgumentError) as caught:
        kind(task_id="t", retires=3, con_id="w")
    assert str(caught.value) == (
        f"{kind.__name__} 't' has no argument 'con_id', did you mean 'conn_id'?; "
        "'retires', did you mean 'retries'?."
    )


def test_somebody_elses_subclass_may_take_more() -> None:
    class Told(MergeOperator):
        def __init__(self, **arguments: Any) -> None:
            self.why = arguments.pop("why")
            super().__init__(**arguments)

    assert Told(**ROWS, keys="id", why="because").why == "because"


def test_arguments_come_from_default_args_as_in_airflow() -> None:
    with DAG("d", default_args={"conn_id": "warehouse", "keys": "id", "drift": "add"}):
        operator = MergeOperator(task_id="m", target="t", source="select 1")  # type: ignore[call-arg]
    assert (operator.conn_id, operator.keys, operator.drift) == ("warehouse", ("id",), "add")


def test_operators_can_still_be_mapped() -> None:
    with DAG("d") as dag:
        MergeOperator.partial(task_id="m", conn_id="w", target="t").expand(keys=["id", ["a", "b"]])
    mapped = dag.get_task("m")
    operator = mapped.unmap({"keys": ["a", "b"], "source": "select 1"})
    assert operator.keys == ("a", "b")


FACTORIES: dict[str, Callable[..., Any]] = {
    "dbt_dag": lambda **more: dbt_dag(manifest="m.json", conn_id="w", **more),
    "load_dags": lambda **more: load_dags("manifests", {}, conn_id="w", **more),
    "sla_monitor_dag": lambda **more: sla_monitor_dag("watch", **more),
}


@pytest.mark.parametrize("name", FACTORIES)
def test_factories_name_the_nearest_argument(name: str) -> None:
    with pytest.raises(ArgumentError, match="'schedul', did you mean 'schedule'"):
        FACTORIES[name](schedul="@daily")


def test_group_factories_name_the_nearest_argument() -> None:
    with DAG("d"):
        with pytest.raises(ArgumentError, match="'granularty', did you mean 'granularity'"):
            dbt_task_group(group_id="g", manifest="m", conn_id="w", granularty="node")  # type: ignore[call-arg]
        with pytest.raises(ArgumentError, match="'tooltipp', did you mean 'tooltip'"):
            load_task_group(  # type: ignore[call-arg]
                "g", target="t", conn_id="w", verb=Merge(keys="id"), table="u", tooltipp="x"
            )
    with DAG("e"), pytest.raises(ArgumentError, match="'drfit', did you mean 'drift'"):
        load_task_group(
            "g",
            target="t",
            conn_id="w",
            verb=Merge(keys="id"),
            table="u",
            load_args={"drfit": "add"},  # type: ignore[typeddict-unknown-key]
        )


def test_arguments_of_one_project_are_checked_too() -> None:
    with pytest.raises(ArgumentError, match=r"per_project\['shop'\] has no argument 'threds'"):
        load_dags("manifests", {}, conn_id="w", per_project={"shop": {"threds": 2}})  # type: ignore[typeddict-unknown-key]


def test_one_task_one_gate_are_enough_for_a_group() -> None:
    with DAG("d") as dag:
        load_task_group(
            "g",
            target="t",
            conn_id="w",
            verb=Merge(keys="id"),
            source="select 1 as id",
            gates=Gate(name="named", condition="id is not null"),
            notify=lambda: BaseOperator(task_id="notify"),
        )
    assert dag.get_task("g.notify").upstream_task_ids == {"g.publish"}
    assert [gate.name for gate in dag.get_task("g.check").gates] == ["named"]


@pytest.mark.parametrize("kind", OPERATORS, ids=lambda kind: kind.__name__)
def test_help_shows_every_argument(kind: type[BaseOperator]) -> None:
    shown = inspect.signature(kind).parameters
    assert "arguments" not in shown
    assert {"task_id", "retries", "pool", "conn_id"} <= shown.keys()


@pytest.mark.parametrize(
    ("factory", "names"),
    [
        (dbt_dag, {"select", "schedule", "slas", "catchup"}),
        (load_dags, {"select", "schedule", "split_by", "dag_id"}),
        (dbt_task_group, {"select", "tooltip"}),
        (load_task_group, {"gates", "tooltip"}),
        (set_sla, {"by", "within", "tier"}),
        (sla_monitor_dag, {"run_for", "tags"}),
    ],
)
def test_help_of_factories_shows_every_argument(
    factory: Callable[..., Any], names: set[str]
) -> None:
    shown = inspect.signature(factory).parameters
    assert names <= shown.keys()
    assert all(parameter.kind is not parameter.VAR_KEYWORD for parameter in shown.values())


def test_what_is_typed_is_what_airflow_takes() -> None:
    """Also of a later Airflow: then the lists have to grow."""
    assert set(TaskArguments.__annotations__) == set(accepted(BaseOperator))
    of_dag = {field.name for field in attrs.fields(DAG) if field.init}
    assert set(DagArguments.__annotations__) == of_dag - {"dag_id", "task_group"}
    of_group = {field.alias for field in attrs.fields(TaskGroup) if field.init}
    assert set(GroupArguments.__annotations__) == of_group - {"group_id", "dag", "used_group_ids"}


@pytest.mark.parametrize(
    ("typed", "kind"),
    [
        (LoadArguments, LoadOperator),
        (NodeArguments, NodeOperator),
        (RowsArguments, StageOperator),
    ],
)
def test_what_is_typed_is_what_operators_take(typed: type, kind: type) -> None:
    own = {"target", "conn_id", "contract"} if kind is StageOperator else set()
    assert set(typed.__annotations__) == set(accepted(kind)) - own


def test_every_public_operator_is_here() -> None:
    public = {name for name in airflow_dataops.__all__ if name.endswith("Operator")}
    assert public <= {kind.__name__ for kind in OPERATORS}


def test_a_transfer_takes_the_names_of_airflows_generic_transfer() -> None:
    query = "select * from orders where day = %s"
    ours = TransferOperator(
        task_id="t", source=ConnectionQuery("app", query, ["x"]), target="raw.o", conn_id="w"
    )
    theirs = TransferOperator(
        task_id="t",
        sql=query,
        parameters=["x"],
        source_conn_id="app",
        destination_conn_id="w",
        destination_table="raw.o",
    )
    for name in ours.template_fields:
        assert getattr(theirs, name) == getattr(ours, name), name


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"conn_id": "v", "sql": "s"}, "conn_id= and destination_conn_id= are the same"),
        ({"target": "t", "sql": "s"}, "target= and destination_table= are the same"),
        ({"source": "select 1", "sql": "s"}, "source= and source_conn_id= are the same"),
        ({}, "source_conn_id= is where sql= is run"),
    ],
)
def test_an_argument_under_two_names_is_refused(arguments: dict[str, Any], told: str) -> None:
    named = {"destination_conn_id": "w", "destination_table": "raw.o", "source_conn_id": "app"}
    with pytest.raises(ConfigError, match=told):
        TransferOperator(task_id="t", **named, **arguments)
