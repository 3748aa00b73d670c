"""Project -> Plan: pure functions over frozen structs."""

from typing import TYPE_CHECKING, Any

from airflow_dataops.core.plan.arguments import argument_layers, arguments_of
from airflow_dataops.core.plan.options import plan_options, split_options
from airflow_dataops.core.plan.structs import (
    ArgumentLayers,
    AssetsWhen,
    Cycles,
    Engine,
    EngineChoice,
    FreshnessMode,
    Granularity,
    GroupBy,
    Input,
    Part,
    Plan,
    PlannedTask,
    PlanOptions,
    Profile,
    RunHooks,
    ScheduleFrom,
    SplitBy,
    SplitOptions,
    Start,
    StartWhen,
    TaskKind,
    TestsIn,
    Unassigned,
)

if TYPE_CHECKING:
    from airflow_dataops.core.plan.make import make_plan
    from airflow_dataops.core.plan.split import split_plan

__all__ = [
    "ArgumentLayers",
    "AssetsWhen",
    "Cycles",
    "Engine",
    "EngineChoice",
    "FreshnessMode",
    "Granularity",
    "GroupBy",
    "Input",
    "Part",
    "Plan",
    "PlanOptions",
    "PlannedTask",
    "Profile",
    "RunHooks",
    "ScheduleFrom",
    "SplitBy",
    "SplitOptions",
    "Start",
    "StartWhen",
    "TaskKind",
    "TestsIn",
    "Unassigned",
    "argument_layers",
    "arguments_of",
    "make_plan",
    "plan_options",
    "split_options",
    "split_plan",
]


def __getattr__(name: str) -> Any:
    """Load the planner when it is first asked for: most processes find their plan in a cache."""
    if name == "make_plan":
        from airflow_dataops.core.plan.make import make_plan

        return make_plan
    if name == "split_plan":
        from airflow_dataops.core.plan.split import split_plan

        return split_plan
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
