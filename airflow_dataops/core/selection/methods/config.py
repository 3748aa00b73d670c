"""The method that finds by configuration: config.materialized, config.meta.owner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_dataops.core.model import NodeKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_dataops.core.selection.scope import Scope
    from airflow_dataops.core.selection.spec import Criterion

_CONFIGURABLE = (
    NodeKind.MODEL,
    NodeKind.SEED,
    NodeKind.SNAPSHOT,
    NodeKind.TEST,
    NodeKind.SOURCE,
)


def by_config(scope: Scope, criterion: Criterion) -> Iterator[str]:
    """`config.materialized:table`, `config.meta.pii:true`; of a list, any element."""
    for id_, value in _values(scope, criterion):
        if _equals(value, criterion):
            yield id_


def known_config(scope: Scope, criterion: Criterion) -> Iterator[str]:
    """Yield the values that are configured there."""
    for _, value in _values(scope, criterion):
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, bool):
                yield str(each).lower()
            elif isinstance(each, str):
                yield each


def _values(scope: Scope, criterion: Criterion) -> Iterator[tuple[str, Any]]:
    key, *deeper = criterion.arguments
    for node in scope.of_kind(*_CONFIGURABLE):
        value = node.config.get(key)
        for part in deeper:
            if not isinstance(value, dict) or part not in value:
                break
            value = value[part]
        else:
            yield node.id, value


def _equals(value: Any, criterion: Criterion) -> bool:
    wanted = criterion.value
    if isinstance(value, list):
        return any(_same(each, wanted) for each in value)
    if criterion.arguments == ("severity",):
        # dbt writes it in capitals, and users do not.
        return isinstance(value, str) and value.upper() == str(wanted).upper()
    return _same(value, wanted)


def _same(value: Any, wanted: Any) -> bool:
    if isinstance(value, bool):
        return str(value).upper() == str(wanted).upper()
    return bool(value == wanted)
