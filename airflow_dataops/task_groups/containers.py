"""What two operators must not share: values that can be changed in place."""

from __future__ import annotations

import copy
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow.sdk.definitions.param import ParamsDict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Containers = list[tuple[str, Callable[[], Any]]]

INIT_KWARGS = "_BaseOperator__init_kwargs"
"""Where Airflow remembers what an operator was built of."""
EDGES = ("upstream_task_ids", "downstream_task_ids")
_OWN = {INIT_KWARGS, *EDGES}
"""What each operator gets of its own anyway."""
_PLAIN = frozenset({list, dict, set})
_MUTABLE = (list, dict, set, ParamsDict)


def containers_of(attributes: Mapping[str, Any]) -> Containers:
    """Name the attributes that can be changed in place, each with what makes a copy."""
    return [
        (name, _copier(value))
        for name, value in attributes.items()
        if isinstance(value, _MUTABLE) and name not in _OWN
    ]


def _copier(value: Any) -> Callable[[], Any]:
    if type(value) is ParamsDict and not value:
        return ParamsDict
    return value.copy if type(value) in _PLAIN else partial(copy.copy, value)
