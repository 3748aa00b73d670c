"""Arguments as users write them -> `PlanOptions`."""

from __future__ import annotations

from typing import TypeVar

from airflow_dataops.core.plan.structs import (
    Engine,
    EngineChoice,
    FreshnessMode,
    Granularity,
    GroupBy,
    PlanOptions,
)
from airflow_dataops.errors import ConfigError

_Choice = TypeVar("_Choice", EngineChoice, GroupBy, FreshnessMode, Granularity)


def plan_options(
    *,
    engine: str = EngineChoice.AUTO,
    group_by: str = GroupBy.LAYER,
    freshness: str = FreshnessMode.GATE,
    granularity: str = Granularity.NODE,
    unavailable: dict[Engine, str] | None = None,
) -> PlanOptions:
    """Check the words and return the options.

    Args:
        unavailable: engines that cannot be used, each with what to do to have it.

    Raises:
        ConfigError: a word is none of those accepted; the text lists them.
    """
    unavailable = unavailable or {}
    return PlanOptions(
        engine=_choice(EngineChoice, "engine", engine),
        available=frozenset(Engine) - unavailable.keys(),
        unavailable=unavailable,
        group_by=_choice(GroupBy, "group_by", group_by),
        freshness=_choice(FreshnessMode, "freshness", freshness),
        granularity=_choice(Granularity, "granularity", granularity),
    )


def _choice(kind: type[_Choice], name: str, value: str) -> _Choice:
    try:
        return kind(value)
    except ValueError:
        accepted = ", ".join(repr(str(member)) for member in kind)
        raise ConfigError(f"{name}: expected one of {accepted}, got {value!r}") from None
