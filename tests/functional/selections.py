"""Expressions on which dbt and we must agree."""

from __future__ import annotations

import random
from itertools import islice, pairwise
from typing import TYPE_CHECKING

from airflow_dataops.core.model import NodeKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from airflow_dataops.core.model import Project

# One list of arguments of `dbt ls` a line; all of them match something in tests/projects/harbour.
HARBOUR = """
--select stg_ships
--select harbour
--select harbour.staging
--select staging
--select staging.stg_ships
--select marts.core
--select harbour.marts.core.fct_calls
--select tide_tools
--select tide_tools.staging
--select shared_calendar
--select tide_tools.shared_calendar
--select dim_ships
--select dim_ships.v2
--select dim_ships_v2
--select core.dim_ships.v10
--select nowhere.dim_ships.v1
--select dim_*
--select *_ships
--select tariff.valpha
--select tariff_vbeta
--select berth.fees
--select marts.billing.berth
--select harbour.marts.billing.berth.fees
--select *fees
--select b*
--select *.staging.*
--select harbour.*.stg_*
--select harbour.s?aging.stg_[bc]*
--select ?tg_ships
--select *
--select harbour.*
--select fqn:*
--select fqn:harbour.ops
--select fqn:*.v1
--select ops_alerts
--select rates
--select ships_history
--select berths_history
--select calls_keep_ships
--select assert_world
--select unique_*
--select relationships_*
--select not_null_stg_ships_ship_id
--select register_feed
--select +stg_ships
--select stg_ships+
--select +fct_calls
--select fct_calls+
--select 1+fct_calls
--select 2+fct_calls
--select 0+fct_calls
--select stg_ships+1
--select stg_ships+2
--select 1+dim_berths+1
--select +fct_invoices+
--select @stg_berths
--select @tide_tools
--select @source:register.crews
--select @+stg_crews
--select +exposure:*
--select +exposure:harbour_dashboard
--select source:register+
--select source:quay.calls+3
--select +tag:finance
--select 2+tag:finance+1
--select path:models/staging+1
--select +assert_calls_have_ships
--select +calls_keep_ships
--select 1+unique_fct_calls_call_id
--select tag:daily
--select tag:daily+
--select tag:raw-ish
--select tag:team:crew
--select tag:p*
--select tag:*l*
--select tag:[df]*
--select tag:hourly
--select tag:external
--select tag:reference
--select tag:vendor
--select tag:slow
--select tag:checked
--select tag:unit
--select tag:board
--select source:register
--select source:register.ships
--select source:*
--select source:*.ships
--select source:qu*.?erths
--select source:harbour.quay.calls
--select source:tide_tools.tides.levels
--select source:tide_tools.*.*
--select resource_type:model
--select resource_type:seed
--select resource_type:snapshot
--select resource_type:test
--select resource_type:unit_test
--select resource_type:source
--select resource_type:exposure
--select path:models
--select path:models/staging
--select path:models/staging/
--select models/staging
--select models/marts/core/fct_calls.sql
--select models/marts/*/fct_*.sql
--select path:models/**/dim_ships_v?.sql
--select path:**/_core.yml
--select path:models/marts/core/_core.yml
--select path:models/*
--select path:*
--select path:models/staging/_sources.yml
--select path:seeds
--select path:seeds/rates.csv
--select path:seeds/_seeds.yml
--select path:snapshots
--select path:tests
--select path:tests/assert_*.sql
--select path:./models/ops
--select path:models/marts/[bc]*
--select file:fct_calls.sql
--select file:fct_calls
--select file:dim_*
--select fct_calls.sql
--select ops_alerts.py
--select rates.csv
--select file:*.csv
--select file:_tides.yml
--select file:berth.fees
--select package:harbour
--select package:this
--select package:tide_tools
--select package:tide*
--select package:*
--select config.materialized:view
--select config.materialized:incremental
--select config.materialized:ephemeral
--select config.materialized:seed
--select config.enabled:true
--select config.enabled:True
--select config.schema:billing
--select config.tags:finance
--select config.unique_key:ship_id
--select config.unique_key:berth_id
--select config.cluster_by:arrived_at
--select config.meta.layer:staging
--select config.meta.pii:true
--select config.meta.pii:false
--select config.meta.audience:finance
--select config.meta.owner:ann
--select config.meta.owner:registrar
--select config.meta.contacts.second:bob
--select config.batching.size:day
--select config.grants.select:reader
--select config.persist_docs.columns:true
--select config.contract.enforced:true
--select config.severity:warn
--select config.severity:ERROR
--select config.strategy:timestamp
--select config.check_cols:all
--select config.quote_columns:true
--select config.group:billing
--select config.access:public
--select config.docs.show:true
--select config.on_schema_change:ignore
--select config.freshness.warn_after.period:day
--select config.loaded_at_field:updated_at
--select test_type:generic
--select test_type:singular
--select test_type:data
--select test_type:unit
--select test_type:schema
--select test_name:unique
--select test_name:relationships
--select test_name:row_count_above
--select test_name:not*
--select test_name:ships_are_trimmed
--select test_name:*
--select exposure:harbour_dashboard
--select exposure:harbour.register_feed
--select exposure:tide_tools.*
--select exposure:*
--select group:billing
--select group:port*
--select +group:billing
--select group:*
--select access:public
--select access:private
--select access:protected
--select version:latest
--select version:old
--select version:prerelease
--select version:none
--select unit_test:*
--select unit_test:calls_keep_ships
--select unit_test:harbour.versions_*
--select unit_test:*ships*
--select stg_ships stg_berths
--select stg_ships --select stg_berths
--select tag:daily,config.materialized:view
--select tag:daily,path:models/marts,access:public
--select +fct_calls,source:*
--select stg_ships+,fct_invoices+ rates
--select tag:finance tag:pii,resource_type:model
--select +fct_calls,+fct_invoices
--exclude tag:daily
--exclude resource_type:test resource_type:unit_test
--select tag:daily --exclude group:billing
--select +fct_invoices --exclude +fct_calls
--select fct_calls stg_ships --exclude assert_calls_have_ships
--select models/staging --exclude source:* test_type:data
--select stg_ships+ --exclude tag:checked,config.severity:warn
--select @stg_berths --exclude package:tide_tools
--select fct_calls --indirect-selection cautious
--select fct_calls --indirect-selection buildable
--select fct_calls --indirect-selection empty
--select fct_calls stg_ships --indirect-selection cautious
--select fct_calls stg_ships --indirect-selection buildable
--select stg_ships stg_crews stg_calls --indirect-selection cautious
--select +fct_calls --indirect-selection cautious
--select dim_berths --indirect-selection cautious
--select dim_berths stg_berths --indirect-selection cautious
--select dim_berths --indirect-selection buildable
--select dim_ships+1 --indirect-selection buildable
--select source:quay.calls --indirect-selection cautious
--select source:quay.calls --indirect-selection buildable
--select source:quay --indirect-selection cautious
--select tag:daily --exclude stg_ships --indirect-selection cautious
--select tag:daily --exclude stg_ships --indirect-selection buildable
--select tag:daily --exclude stg_ships --indirect-selection empty
--select +fct_calls,tag:daily dim_ships.v2 --indirect-selection cautious
--select test_type:unit --indirect-selection cautious
--exclude fct_calls --indirect-selection cautious

--selector cli_style
--selector key_value
--selector full
--selector at_sign
--selector united
--selector intersected
--selector inherited
--selector inherited_less
--selector cautious
--selector buildable
--selector no_tests
--selector cautious_union
--selector yaml_types
--selector depth_zero
--selector key_value --indirect-selection cautious
--selector key_value --indirect-selection empty
--selector no_tests --indirect-selection buildable
"""

# What matches nothing, in part or as a whole.
HARBOUR_EMPTY = """
--select stg_shipz
--select tag:nightly
--select tag:DAILY
--select harbour.staging.register.ships
--select path:models/staging/stg_tides.sql
--select path:models/nowhere/*
--select path:packages/tide_tools
--select file:stg_ships.SQL
--select source:register.ships.more.less
--select source:harbour
--select exposure:a.b.c
--select metric:revenue
--select semantic_model:orders
--select saved_query:weekly
--select config.meta.nothing:here
--select config.meta.layer.deeper:here
--select config.unheard_of:true
--select access:secret
--select group:nobody
--select test_name:harbour.row_count_above
--select package:that
--select version:newest
--select test_type:quick
--select resource_type:modle
--select resource_type:metric
--select tags:daily
--select berth
--select dim_ships.*
--select core
--select @stg_ships+
--select stg_ships tag:nightly
--select tag:daily,tag:nightly
--select stg_ships --exclude tag:nightly
--select stg_ships --exclude stg_ships
--select state:modified
--select result:error
--select source_status:fresher
--selector unknown
--select retired
--select stg_ships+,rates+,assert_world
"""

STATES = """
--select state:new
--select state:old
--select state:modified
--select state:unmodified
--select state:modified.body
--select state:modified.configs
--select state:modified.relation
--select state:modified.persisted_descriptions
--select state:modified.macros
--select state:modified.contract
--select state:modified+
--select +state:new
--select 1+state:modified+1
--select @state:modified.body
--select state:modified,resource_type:model
--select state:modified,resource_type:test
--select state:modified,resource_type:source
--select state:modified,resource_type:exposure
--select state:modified,resource_type:unit_test
--select state:modified,resource_type:seed
--select state:modified+,tag:finance
--select state:modified --exclude state:new
--select state:modified --exclude state:modified.macros
--select state:modified.body+ state:new
--select state:unmodified,resource_type:source
--select state:old,package:tide_tools
--select state:modified --indirect-selection cautious
--select state:modified --indirect-selection empty
--select result:error
--select result:error+
--select result:fail result:warn
--select 1+result:fail
--select result:success,tag:daily
--select result:error+,state:modified+
--select source_status:fresher
--select source_status:fresher+
--select source_status:fresher+1 --exclude tag:external
"""

# What selects nothing, or is wrong.
STATES_EMPTY = """
--select state:changed
--select state:modified.everything
--select result:skipped --exclude result:error+
--select result:eror
--select source_status:older
--select stg_ships state:modified,tag:nightly
"""


def lines(text: str) -> list[str]:
    """Return the lines that say something."""
    return [line for line in text.splitlines() if line]


def typical(project: Project) -> Iterator[str]:
    """Yield expressions about what a project has: each of these matches something."""
    names = _some(node.name for node in project.nodes.values() if node.kind is NodeKind.MODEL)
    for name in names:
        yield from (f"--select {shape.format(name)}" for shape in ("{}", "+{}", "{}+", "@{}"))
        yield from (f"--select 1+{name}+1 --indirect-selection {mode}" for mode in _MODES)
    for one, other in pairwise(names):
        yield f"--select {one}+ --exclude {other}+"
        yield f"--select {one} {other} --indirect-selection cautious"
    for method, values in _vocabulary(project).items():
        for value in values:
            yield f"--select {method}:{value}"
            yield f"--exclude {method}:{value}"
        yield f"--select +{method}:{values[0]}+1"
        yield f"--select {method}:{values[0][:3]}*"


def drawn(project: Project, count: int, seed: int) -> Iterator[str]:
    """Yield random combinations of criteria, graph operators, set operators and modes."""
    dice = random.Random(seed)
    values = [f"{key}:{each}" for key, found in _vocabulary(project).items() for each in found]
    values += [node.name for node in project.nodes.values() if node.kind is not NodeKind.SOURCE]

    def criterion() -> str:
        before, after = dice.choice(_WALKS)
        return f"{before}{dice.choice(values)}{after}"

    def union() -> str:
        parts = (criterion() for _ in range(dice.choice((1, 1, 2, 3))))
        return " ".join(f"{part},{criterion()}" if dice.random() < 0.3 else part for part in parts)

    for _ in range(count):
        line = f"--select {union()} --indirect-selection {dice.choice(('eager', *_MODES))}"
        yield f"{line} --exclude {union()}" if dice.random() < 0.4 else line


_MODES = ("cautious", "buildable", "empty")
_WALKS = (
    *[("", "")] * 6,
    ("+", ""),
    ("", "+"),
    ("+", "+"),
    ("1+", ""),
    ("", "+1"),
    ("2+", "+2"),
    ("@", ""),
)


def _vocabulary(project: Project) -> dict[str, list[str]]:
    nodes = list(project.nodes.values())
    found = {
        "tag": _some(tag for node in nodes for tag in node.tags),
        "path": _some(path for node in nodes for path in (node.path, node.path.rsplit("/", 1)[0])),
        "file": _some(node.path.rsplit("/", 1)[-1] for node in nodes),
        "fqn": _some(".".join(node.fqn[:-1]) for node in nodes if node.kind is not NodeKind.SOURCE),
        "source": _some(node.id.split(".")[2] for node in nodes if node.kind is NodeKind.SOURCE),
        "test_name": _some(
            node.spec.generic.rpartition(".")[2]
            for node in nodes
            if getattr(node.spec, "generic", None)
        ),
        "group": _some(node.group for node in nodes if node.group and node.kind is NodeKind.MODEL),
        "package": _some(node.package for node in nodes),
    }
    return {method: values for method, values in found.items() if values}


def _some(values: Iterable[str]) -> list[str]:
    return list(islice(dict.fromkeys(value for value in values if " " not in value), 3))
