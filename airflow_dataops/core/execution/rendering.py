"""A node as one run has it: with the values of the run, where its tables are, and what a full
refresh runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from airflow_dataops.core.execution.values import filled, with_values
from airflow_dataops.core.model import (
    Hook,
    ModelSpec,
    SeedSpec,
    SnapshotSpec,
    SourceSpec,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_dataops.core.execution.requests import RunRequest
    from airflow_dataops.core.model import Code, Node

_HOOKED = (ModelSpec, SeedSpec, SnapshotSpec)


def rendered(node: Node, code: Code, request: RunRequest, dialect: str) -> tuple[Node, Code]:
    """Return a node and its code for one run.

    Args:
        node: of the run's environment already, but for its SQL; see `Relocation.node`.

    Raises:
        ConfigError: a var has no value or one that does not fit, or SQL cannot be moved.
    """
    if "filter" in code.slots:
        node, code = _with_filter(node, code, request, dialect)
    if request.relations is not None:
        node = replace(node, spec=_moved_spec(node.spec, _mover(node.id, request, dialect)))
    return node, rendered_code(node.id, code, request, dialect)


def rendered_code(where: str, code: Code, request: RunRequest, dialect: str) -> Code:
    """Return the code of a node, or of a hook around a run, for one run; as `rendered`."""
    if request.full_refresh and code.refreshed is not None:
        code = code.refreshed
    if code.slots:
        code = with_values(code, request.values, dialect, where)
    if request.relations is None:
        return code
    move = _mover(where, request, dialect)
    texts = {
        name: move(text)
        for name in ("sql", "incremental_sql")
        if (text := getattr(code, name)) is not None
    }
    return replace(code, **texts)


def _with_filter(node: Node, code: Code, request: RunRequest, dialect: str) -> tuple[Node, Code]:
    spec, slots = node.spec, dict(code.slots)
    of_filter = slots.pop("filter")
    if isinstance(spec, SourceSpec) and spec.freshness and spec.freshness.filter:
        text = filled(spec.freshness.filter, of_filter, request.values, dialect, node.id)
        spec = replace(spec, freshness=replace(spec.freshness, filter=text))
    return replace(node, spec=spec), replace(code, slots=slots)


def _mover(where: str, request: RunRequest, dialect: str) -> Callable[[str], str]:
    # It reads SQL, which only runs in another environment need.
    from airflow_dataops.core.sql.relocated import relocated

    relocation = request.relations
    assert relocation is not None  # noqa: S101 - for the type checker
    return lambda sql: relocated(sql, relocation, dialect, where)


def _moved_spec(spec: Any, move: Callable[[str], str]) -> Any:
    changed: dict[str, Any] = {}
    if isinstance(spec, _HOOKED):
        changed = {
            "pre_hooks": tuple(_moved_hook(hook, move) for hook in spec.pre_hooks),
            "post_hooks": tuple(_moved_hook(hook, move) for hook in spec.post_hooks),
        }
    if isinstance(spec, ModelSpec) and spec.incremental and spec.incremental.predicates:
        predicates = tuple(map(move, spec.incremental.predicates))
        changed["incremental"] = replace(spec.incremental, predicates=predicates)
    if isinstance(spec, SourceSpec) and spec.freshness:
        asked = ("filter", "loaded_at_field", "loaded_at_query")
        texts = {name: text for name in asked if (text := getattr(spec.freshness, name))}
        moved = {name: move(text) for name, text in texts.items()}
        changed["freshness"] = replace(spec.freshness, **moved)
    return replace(spec, **changed) if changed else spec


def _moved_hook(hook: Hook, move: Callable[[str], str]) -> Hook:
    return replace(hook, sql=move(hook.sql))
