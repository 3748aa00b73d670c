"""The tags of Airflow's objects: DAG, task, owner, tier, and what a task was asked to add."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_dataops.adapters.metrics.current import Pairs

_TIER = "tier:"
_DEFAULT_OWNER = "airflow"


def task_tags(dag_id: str, task_id: str, task: Any, dag: Any) -> Pairs:
    """Return the tags of a task.

    `owner` is left out where nobody set one. `tier` comes from a DAG's tag such as `tier:gold`;
    `metric_tags` of the package's operators beat it.

    Args:
        task: an operator, serialized or not; None where Airflow gives none.
        dag: its DAG, serialized or not; None where Airflow gives none.
    """
    found = {"dag": dag_id, "task": task_id}
    found |= tier_tag(getattr(dag, "tags", ()))
    owner = getattr(task, "owner", None)
    if owner and owner != _DEFAULT_OWNER:
        found["owner"] = owner
    own = getattr(task, "metric_tags", None)
    if isinstance(own, list):
        found |= {key: value for key, _, value in (str(tag).partition(":") for tag in own)}
    return tuple(found.items())


def run_tags(dag_id: str, run_type: object, dag: Any) -> Pairs:
    """Return the tags of a DAG run."""
    kind = str(getattr(run_type, "value", run_type))
    found = {"dag": dag_id, "run_type": kind} | tier_tag(getattr(dag, "tags", ()))
    return tuple(found.items())


def tier_tag(dag_tags: Iterable[object] | None) -> dict[str, str]:
    """Return the tier that a DAG's tags name, the first one in the alphabet."""
    tiers = sorted(str(tag) for tag in dag_tags or () if str(tag).startswith(_TIER))
    return {"tier": tiers[0].removeprefix(_TIER)} if tiers else {}
