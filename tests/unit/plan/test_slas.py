"""What metadata asks for in time, as SLAs of a plan."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from airflow_dataops.core.model import (
    ExposureSpec,
    Node,
    NodeKind,
    Orchestration,
    Project,
)
from airflow_dataops.core.plan import make_plan
from airflow_dataops.core.plan.structs import Granularity, Plan, PlanOptions
from airflow_dataops.core.sla.declared import slas_from_json
from airflow_dataops.core.sla.misses import SubjectKind, Tier
from airflow_dataops.core.sla.policies import AfterRunStart, ByTime, MaxAge, Sla
from tests.unit.plan.projects import model, seed, source

HOUR = Orchestration(sla_minutes=60)


def plan_of(*nodes: Node, **options: Any) -> Plan:
    found = {node.id: node for node in nodes}
    return make_plan(Project(name="shop", nodes=found), PlanOptions(**options))


def slas(*nodes: Node, **options: Any) -> list[Sla]:
    return list(slas_from_json(list(plan_of(*nodes, **options).slas)))


def exposure(name: str, *parents: str, **fields: Any) -> Node:
    return Node(
        id=f"exposure.shop.{name}",
        kind=NodeKind.EXPOSURE,
        name=name,
        package="shop",
        parents=parents,
        spec=ExposureSpec(),
        **fields,
    )


def test_a_models_hours_are_those_of_the_task_that_builds_it() -> None:
    wish = Orchestration(sla_minutes=120, critical=True, owner="ann@shop.example")
    [sla] = slas(model("orders", orchestration=wish, tags=("finance",)), model("other"))
    assert (sla.kind, sla.task_id, sla.due) == (
        SubjectKind.TASK,
        "orders",
        AfterRunStart(minutes=120),
    )
    assert (sla.tier, sla.owner, sla.tags) == (Tier.CRITICAL, "ann@shop.example", ("finance",))
    assert sla.name == "2 h after the run's start"


def test_freshness_is_the_age_of_its_tables_asset() -> None:
    wish = Orchestration(freshness_minutes=60)
    [sla] = slas(model("orders", orchestration=wish))
    assert (sla.kind, sla.subject, sla.due) == (
        SubjectKind.ASSET,
        "wh/main/orders",
        MaxAge(minutes=60),
    )
    assert sla.task_id is None


def test_what_is_asked_for_in_full_takes_owner_and_tier_from_the_rest() -> None:
    asked: dict[str, Any] = {"by": "07:00", "timezone": "Europe/Berlin", "days": "workdays"}
    wish = Orchestration(slas=(asked, {"within": "30m", "tier": "nice_to_have"}), critical=True)
    first, second = slas(seed("plain"), model("orders", orchestration=wish))
    assert isinstance(first.due, ByTime)
    assert (first.tier, second.tier) == (Tier.CRITICAL, Tier.NICE_TO_HAVE)


def test_models_of_one_task_share_its_slas_unless_they_differ() -> None:
    nodes = [
        model("a", orchestration=HOUR),
        model("b", "model.shop.a", orchestration=HOUR),
        model("c", "model.shop.b", orchestration=Orchestration(sla_minutes=60, critical=True)),
    ]
    found = slas(*nodes, granularity=Granularity.DAG)
    assert {sla.task_id for sla in found} == {"dag"}
    assert sorted((sla.name, sla.tier) for sla in found) == [
        ("1 h after the run's start", Tier.IMPORTANT),
        ("1 h after the run's start (model.shop.c)", Tier.CRITICAL),
    ]


def test_many_models_of_one_sla_are_one_entry() -> None:
    plan = plan_of(*[model(f"m{n}", orchestration=HOUR) for n in range(50)])
    assert len(plan.slas) == 1


def test_an_exposures_hours_are_those_of_what_it_reads() -> None:
    found = slas(
        model("a"),
        model("b"),
        exposure("board", "model.shop.a", "model.shop.b", orchestration=HOUR),
    )
    assert {(sla.task_id, sla.name) for sla in found} == {
        ("a", "1 h after the run's start for board"),
        ("b", "1 h after the run's start for board"),
    }


def test_a_source_owes_its_check_and_its_age_is_not_seen() -> None:
    wish = Orchestration(sla_minutes=30, freshness_minutes=60)
    raw = replace(source("raw", fresh=True), orchestration=wish)
    plan = plan_of(raw, model("a"))
    assert [sla.task_id for sla in slas_from_json(list(plan.slas))] == ["source.raw.raw.freshness"]
    assert any("raw" in warning and "sla-tracker" in warning for warning in plan.warnings)


def test_a_node_that_is_not_selected_owes_nothing() -> None:
    a, b = model("a", orchestration=HOUR), model("b", orchestration=HOUR)
    project = Project(name="shop", nodes={a.id: a, b.id: b})
    plan = make_plan(project, PlanOptions(), {"model.shop.a"})
    assert [sla.task_id for sla in slas_from_json(list(plan.slas))] == ["a"]


@pytest.mark.parametrize("granularity", list(Granularity))
def test_every_granularity_has_a_task_for_it(granularity: Granularity) -> None:
    plan = plan_of(
        model("a", orchestration=HOUR), model("b", "model.shop.a"), granularity=granularity
    )
    [sla] = slas_from_json(list(plan.slas))
    assert sla.task_id in plan.tasks
