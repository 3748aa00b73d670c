"""Project -> Plan: pure functions over frozen structs."""

from typing import TYPE_CHECKING, Any

from airflow_dataops.core.plan.arguments import argument_layers, arguments_of
from airflow_dataops.core.plan.options import plan_options
from airflow_dataops.core.plan.structs import (
    ArgumentLayers,
    Engine,
    EngineChoice,
    FreshnessMode,
    Granularity,
    GroupBy,
    Part,
    Plan,
    PlannedTask,
    PlanOptions,
    Profile,
    TaskKind,
)

if TYPE_CHECKING:
    from airflow_dataops.core.plan.make import make_plan

__all__ = [
    "ArgumentLayers",
    "Engine",
    "EngineChoice",
    "FreshnessMode",
    "Granularity",
    "GroupBy",
    "Part",
    "Plan",
    "PlanOptions",
    "PlannedTask",
    "Profile",
    "TaskKind",
    "argument_layers",
    "arguments_of",
    "make_plan",
    "plan_options",
]


def __getattr__(name: str) -> Any:
    """Load the planner when it is first asked for: most processes find their plan in a cache."""
    if name != "make_plan":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from airflow_dataops.core.plan.make import make_plan

    return make_plan
