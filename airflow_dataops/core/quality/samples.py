"""Some wrong rows, for people: as texts, with what nobody may see left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_dataops.core.engines.statements import ask
from airflow_dataops.core.masking import MASK, mask
from airflow_dataops.core.masking.values import names_secret

if TYPE_CHECKING:
    from airflow_dataops.core.ports import SqlRunner
    from airflow_dataops.core.quality.check import Check, Scene
    from airflow_dataops.core.quality.policy import QualityPolicy

_LONGEST = 200


def sample_of(
    check: Check, scene: Scene, runner: SqlRunner, policy: QualityPolicy
) -> list[dict[str, Any]] | None:
    """Return some wrong rows, each as column -> value; None where a check has no such rows."""
    query = check.sample(scene, policy.sample_rows)
    if query is None:
        return None
    masked = {name.casefold() for name in policy.masked}
    columns = [
        (name, "*" in masked or name.casefold() in masked or names_secret(name))
        for name in scene.table.names
    ]
    return [
        {
            name: _shown(value, is_masked=is_masked)
            for (name, is_masked), value in zip(columns, row, strict=True)
        }
        for row in ask(query, runner)
    ]


def _shown(value: Any, *, is_masked: bool) -> Any:
    if value is None:
        return None
    if is_masked:
        return MASK
    if isinstance(value, bool | int):
        return value
    text = mask(str(value))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
