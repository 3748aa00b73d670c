"""What authors write for the orchestrator, and what they are told when it is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_dataops.core.model import Orchestration, PartitionBy
from tests.unit.manifests.built import complaint, entry, manifest, model, only, read, refused


def written(meta: dict[str, Any], **config: Any) -> Orchestration:
    """Read metadata from `config.meta`."""
    return only(model(meta=meta, **config)).orchestration


@pytest.mark.parametrize(
    ("meta", "read"),
    [
        ({}, Orchestration()),
        ({"schedule": None, "sla_hours": None, "owner": None, "critical": None}, Orchestration()),
        ({"schedule": "daily"}, Orchestration(schedule="@daily")),
        ({"schedule": "0 6  * * 1-5"}, Orchestration(schedule="0 6 * * 1-5")),
        ({"sla_hours": 2}, Orchestration(sla_minutes=120)),
        ({"sla_hours": 0.5}, Orchestration(sla_minutes=30)),
        ({"sla_minutes": 45}, Orchestration(sla_minutes=45)),
        ({"freshness_hours": 1}, Orchestration(freshness_minutes=60)),
        ({"freshness_minutes": 0.25}, Orchestration(freshness_minutes=0.25)),
        ({"critical": True}, Orchestration(critical=True)),
        ({"owner": " ada@example.com "}, Orchestration(owner="ada@example.com")),
        ({"owner": {"name": "Ada"}}, Orchestration(owner="Ada")),
        (
            {"owner": {"name": "Ada", "email": "ada@example.com"}},
            Orchestration(owner="ada@example.com"),
        ),
        (
            {"airflow": {"pool": "big", "retries": 3}},
            Orchestration(airflow={"pool": "big", "retries": 3}),
        ),
        ({"colour": "blue", "slack": {"channel": 5}}, Orchestration()),
        ({"sla": "gold", "orchestration": {"sla": None}}, Orchestration()),
        ({"domain": " finance "}, Orchestration(domain="finance")),
        ({"orchestration": {"domain": "finance"}}, Orchestration(domain="finance")),
        ({"sla": {"by": "07:00"}}, Orchestration(slas=({"by": "07:00"},))),
        (
            {"sla": [{"by": "07:00", "days": "workdays"}, {"within": "1h"}]},
            Orchestration(slas=({"by": "07:00", "days": "workdays"}, {"within": "1h"})),
        ),
        (
            {"sla_hours": 2, "owner": "ada", "orchestration": {"sla_minutes": 5, "critical": True}},
            Orchestration(sla_minutes=5, critical=True, owner="ada"),
        ),
    ],
)
def test_reads_metadata(meta: dict[str, Any], read: Orchestration) -> None:
    assert written(meta) == read


HOURS = "write a number of hours above 0 and at most 87600, such as 2 or 0.5."
SCHEDULES = "write hourly, daily, weekly, monthly, quarterly or yearly, an Airflow preset"


@pytest.mark.parametrize(
    ("meta", "said"),
    [
        ({"sla_hours": "soon"}, f'meta.sla_hours is "soon"; {HOURS}'),
        ({"sla_hours": "2"}, f'meta.sla_hours is "2"; {HOURS}'),
        ({"sla": {"by": "7 am"}}, "meta.sla.by: '7 am' is no time of a day"),
        ({"sla": [{"by": "07:00"}, {"with": "1h"}]}, "meta.sla[1].with: There is no such setting"),
        ({"sla": {"max_age": "1h"}}, "meta.sla: The SLA of a task takes by, within"),
        ({"sla": {"by": "07:00", "calendar": "bank"}}, "There is no calendar 'bank'"),
        ({"orchestration": {"sla_hours": 0}}, f"meta.orchestration.sla_hours is 0; {HOURS}"),
        ({"orchestration": {"sla": {"by": 7}}}, "meta.orchestration.sla.by: Expected `str"),
        ({"sla_hours": 0, "orchestration": {"owner": "a"}}, "meta.sla_hours is 0"),
        ({"orchestration": "daily"}, 'meta.orchestration is "daily"; write a mapping'),
        ({"sla_hours": 0}, f"meta.sla_hours is 0; {HOURS}"),
        ({"sla_hours": -1}, "meta.sla_hours is -1"),
        ({"sla_hours": True}, "meta.sla_hours is true"),
        ({"sla_hours": 1e300}, "meta.sla_hours is 1e300"),
        ({"sla_hours": [1]}, "meta.sla_hours is [1]"),
        ({"freshness_minutes": "1h"}, "write a number of minutes above 0 and at most 5256000"),
        ({"sla_hours": 1, "sla_minutes": 60}, "meta has both sla_hours and sla_minutes"),
        ({"freshness_hours": 1, "freshness_minutes": 5}, "both freshness_hours and freshness_m"),
        ({"schedule": "sometimes"}, f'meta.schedule is "sometimes": unknown; {SCHEDULES}'),
        ({"schedule": 5}, f"meta.schedule is 5; {SCHEDULES}"),
        ({"schedule": ""}, 'meta.schedule is "": unknown'),
        ({"schedule": "60 * * * *"}, "'60' is no minute (0 to 59)"),
        ({"schedule": "* * * * * *"}, "it has 6 fields"),
        ({"critical": "true"}, 'meta.critical is "true"; write true or false, without quotes.'),
        ({"critical": 1}, "meta.critical is 1; write true or false"),
        ({"owner": ""}, 'meta.owner is ""; write a name or an address as text, or a mapping'),
        ({"owner": ["a", "b"]}, 'meta.owner is ["a","b"]'),
        ({"owner": {"team": "x"}}, 'meta.owner is {"team":"x"}'),
        *(({"sla": value}, "meta.sla is ") for value in ("gold", "07:00", 5, True, ["x"], [[]])),
        *(({"domain": value}, "meta.domain is ") for value in (5, "", " ", True, ["x"], {"a": 1})),
        ({"orchestration": {"domain": 5}}, "meta.orchestration.domain is 5; write the name"),
        *(({"event_time": value}, "meta.event_time is ") for value in (5, "", True, ["at"], {})),
        ({"airflow": "big"}, 'meta.airflow is "big"; write a mapping of operator arguments'),
        ({"airflow": "x" * 200}, "x" * 59 + "...;"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_accepted(meta: dict[str, Any], said: str) -> None:
    assert said in complaint(manifest(model(meta=meta)))


@pytest.mark.parametrize(
    ("meta", "said"),
    [
        (
            {"shedule": "daily"},
            "meta.shedule of model.shop.m has no effect; do you mean 'schedule'?",
        ),
        ({"Airflow": {"pool": "x"}}, "meta.Airflow of model.shop.m has no effect"),
        ({"sla-hours": 2}, "do you mean 'sla_hours'?"),
        ({"orchestration": {"ownr": "x"}}, "meta.orchestration.ownr of model.shop.m"),
        ({"team": "x", "slack": 1, "tier": 2, "freshness": "1h", "pool": "x"}, None),
    ],
)
def test_a_key_that_is_nearly_one_of_ours_is_a_warning(
    meta: dict[str, Any], said: str | None
) -> None:
    warnings = read(model(meta=meta)).project.warnings
    assert [said in each for each in warnings] == ([True] if said else []), warnings


def test_a_problem_names_the_node_and_the_file_it_was_written_in() -> None:
    id_ = "model.shop.m"
    wrong = entry(id_, meta={"sla_hours": "soon"}, original_file_path="models/m.sql")
    (problem,) = refused(manifest({id_: wrong}))
    assert (problem.node, problem.path) == (id_, "models/m.sql")
    (problem,) = refused(manifest({id_: wrong | {"patch_path": "shop://models\\schema.yml"}}))
    assert (problem.node, problem.path) == (id_, "models/schema.yml")
    assert str(problem).startswith("model.shop.m, models/schema.yml: meta.sla_hours")


def test_all_problems_come_at_once() -> None:
    nodes = model("a", meta={"sla_hours": "soon", "critical": "yes"}) | model(
        "b", meta={"schedule": "never"}
    )
    sources = {
        "source.shop.s.t": entry("source.shop.s.t", meta={"freshness_hours": "x"}, source_name="s")
    }
    problems = refused(manifest(nodes, sources=sources))
    assert [problem.node for problem in problems] == [
        "model.shop.a",
        "model.shop.a",
        "model.shop.b",
        "source.shop.s.t",
    ]


def test_meta_under_config_wins_key_by_key() -> None:
    nodes = {
        "model.shop.m": entry(
            "model.shop.m",
            meta={"owner": "old", "sla_hours": 1},
            config={"meta": {"owner": "new"}},
        )
    }
    node = only(nodes)
    assert node.meta == {"owner": "new", "sla_hours": 1}
    assert node.orchestration == Orchestration(owner="new", sla_minutes=60)


def test_meta_that_is_no_mapping_is_a_problem() -> None:
    assert 'config.meta is "x"; write a mapping.' in complaint(manifest(model(meta="x")))


def test_meta_wins_over_the_owner_of_an_exposure() -> None:
    exposure = {"name": "e", "owner": {"name": "Grace", "email": ["", "g@example.com"]}}
    id_ = "exposure.shop.e"
    assert only({}, exposures={id_: exposure}).orchestration.owner == "g@example.com"
    mine = exposure | {"meta": {"owner": "Ada"}}
    assert only({}, exposures={id_: mine}).orchestration.owner == "Ada"
    nameless = exposure | {"owner": {"name": "Grace", "email": None}}
    assert only({}, exposures={id_: nameless}).orchestration.owner == "Grace"


@pytest.mark.parametrize(
    ("partition_by", "read"),
    [
        (
            {"field": "day", "data_type": "timestamp", "granularity": "hour"},
            PartitionBy(field="day", data_type="timestamp", granularity="hour"),
        ),
        ({"field": "day"}, PartitionBy(field="day")),
        ({"field": "day", "data_type": None, "copy_partitions": False}, PartitionBy(field="day")),
        ("day", PartitionBy(field="day")),
        (["day"], PartitionBy(field="day")),
        (["day", "country"], PartitionBy(field="day")),
        ([], None),
        (None, None),
    ],
)
def test_reads_partitions(partition_by: Any, read: PartitionBy | None) -> None:
    assert written({}, partition_by=partition_by).partition_by == read


@pytest.mark.parametrize(
    "partition_by", [5, "", {"column": "day"}, [5], {"field": "a", "data_type": 5}]
)
def test_wrong_partitions_are_a_problem(partition_by: Any) -> None:
    said = complaint(manifest(model(partition_by=partition_by)))
    assert "write a column's name, or a mapping with `field`" in said


def test_tags_are_unique_and_keep_their_order() -> None:
    tagged = entry("model.shop.m", tags=["b", "a", "b"], config={"tags": ["c", "a"]})
    assert only({"model.shop.m": tagged}).tags == ("b", "a", "c")
    tagged = entry("model.shop.m", tags="daily", config={"tags": "daily"})
    assert only({"model.shop.m": tagged}).tags == ("daily",)
    tagged = entry("model.shop.m", tags=None)
    assert only({"model.shop.m": tagged}).tags == ()
