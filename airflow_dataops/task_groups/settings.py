"""What a task's own settings are on an operator: attributes that can be set on a copy.

Airflow's constructor turns some arguments into others before it keeps them. Here is the same, for
values of the very types that it takes; whatever is not listed, or is of another type, is left to
the constructor. `cloning.py` holds each setting once against what the constructor makes of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk.bases.operator import db_safe_priority
from airflow.sdk.definitions.param import Param, ParamsDict

from airflow_dataops.operators.session import tags_as_text
from airflow_dataops.planning.callbacks import CALLBACKS, with_callbacks
from airflow_dataops.task_groups.containers import containers_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from airflow_dataops.task_groups.containers import Containers

    Attribute = Callable[[Any], Any]

DEFAULT_POOL = "default_pool"
_OF_TASKS = frozenset({"doc_md", "outlets"})
"""Arguments that each task has its own of, whoever set them."""


class Unsettable(Exception):  # noqa: N818 - it is a turn, no error
    """A value that only Airflow's constructor can judge."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Arguments of operators, sorted by what they need.

    Attributes:
        arguments: all of them, as Airflow's constructor takes them.
        attributes: what those become that can be set on a copy.
        kept: the same as given, as Airflow remembers the arguments of an operator.
        names: the names of those.
        rest: those that need the constructor; empty for none.
        containers: those attributes that two operators must not share.
        alike: equal where the rest is: then operators may share a prototype.
    """

    arguments: dict[str, Any]
    attributes: dict[str, Any]
    kept: dict[str, Any]
    names: frozenset[str]
    rest: dict[str, Any]
    containers: Containers
    alike: tuple[object, ...]


def settings_of(arguments: Mapping[str, Any], dag_params: Collection[str], where: str) -> Settings:
    """Sort arguments.

    Args:
        dag_params: the names of the DAG's params: a task's own of such a name change places.
        where: whose arguments they are, for messages.

    Raises:
        ConfigError: a callback's import path leads nowhere.
    """
    arguments = {name: value for name, value in arguments.items() if name not in _OF_TASKS}
    given = with_callbacks(arguments, where)
    attributes: dict[str, Any] = {}
    kept: dict[str, Any] = {}
    rest: dict[str, Any] = {}
    for name, value in given.items():
        try:
            attribute, set_ = _SETTABLE[name]
            if name == "params" and any(each in dag_params for each in value or ()):
                raise Unsettable
            attributes[attribute] = set_(value)
        except (KeyError, Unsettable):
            rest[name] = arguments[name]
        else:
            if name != "params":
                kept[name] = arguments[name]
            elif attributes[attribute] or dag_params:
                # Airflow forgets params where neither a task nor its DAG has any.
                kept[name] = attributes[attribute]
    return Settings(
        arguments=arguments,
        attributes=attributes,
        kept=kept,
        names=frozenset(kept),
        rest=rest,
        containers=containers_of(attributes),
        alike=_alike(rest),
    )


def _exactly(*types: type) -> Attribute:
    """Take values of these types as they are; a subclass may be anything."""

    def set_(value: Any) -> Any:
        if type(value) not in types:
            raise Unsettable
        return value

    return set_


def _retries(value: Any) -> int:
    if value is None:
        return 0
    if type(value) is str and value.isdecimal() and value.isascii():
        return int(value)
    if type(value) is not int:
        raise Unsettable
    return value


def _pool(value: Any) -> str:
    return DEFAULT_POOL if value is None else _text(value)


def _pool_slots(value: Any) -> int:
    if type(value) is not int or value < 1:
        raise Unsettable
    return value


def _priority(value: Any) -> int:
    return db_safe_priority(_whole(value))


def _delay(value: Any) -> timedelta:
    if type(value) in (int, float):
        try:
            return timedelta(seconds=value)
        except (OverflowError, ValueError):
            raise Unsettable from None
    found: timedelta = _duration(value)
    return found


def _functions(value: Any) -> list[Any]:
    """Return callbacks as the list in which Airflow keeps them."""
    if value is None:
        return []
    if type(value) in (list, tuple):
        return list(value)
    if not callable(value) or hasattr(value, "__len__"):
        raise Unsettable
    return [value]


def _params(value: Any) -> ParamsDict:
    if value is None:
        return ParamsDict()
    if type(value) is not dict or any(isinstance(each, Param) for each in value.values()):
        raise Unsettable
    return ParamsDict({name: Param(each, source="task") for name, each in value.items()})


def _metric_tags(value: Any) -> list[str] | None:
    if value is not None and type(value) is not dict:
        raise Unsettable
    return tags_as_text(value)


_text = _exactly(str)
_whole = _exactly(int)
_duration = _exactly(timedelta)
_yes_or_no = _exactly(bool)
_text_or_none = _exactly(str, type(None))
_whole_or_none = _exactly(int, type(None))

_AS_GIVEN: dict[str, Attribute] = {
    "owner": _text,
    "queue": _text,
    "weight_rule": _text,
    "pool": _pool,
    "pool_slots": _pool_slots,
    "priority_weight": _priority,
    "retries": _retries,
    "retry_delay": _delay,
    "max_retry_delay": _delay,
    "retry_exponential_backoff": _exactly(bool, int, float),
    "execution_timeout": _exactly(timedelta, type(None)),
    "ignore_first_depends_on_past": _yes_or_no,
    "wait_for_past_depends_before_skipping": _yes_or_no,
    "do_xcom_push": _yes_or_no,
    "max_active_tis_per_dag": _whole_or_none,
    "max_active_tis_per_dagrun": _whole_or_none,
    "executor": _text_or_none,
    "run_as_user": _text_or_none,
    "map_index_template": _text_or_none,
    "doc": _text_or_none,
    "doc_json": _text_or_none,
    "doc_yaml": _text_or_none,
    "doc_rst": _text_or_none,
    "params": _params,
    "metric_tags": _metric_tags,
} | dict.fromkeys(CALLBACKS, _functions)

_SETTABLE: dict[str, tuple[str, Attribute]] = {
    name: (name, set_) for name, set_ in _AS_GIVEN.items()
} | {"task_display_name": ("_task_display_name", _text_or_none)}
"""By argument: the attribute, and what makes its value.

Not here: `trigger_rule`, `depends_on_past` and `wait_for_downstream`, which Airflow looks at
together or with the DAG, and which have few values; dates, which it fits into the DAG's.
"""


def _alike(rest: Mapping[str, Any]) -> tuple[object, ...]:
    """Return what is equal for arguments whose operators may share a prototype.

    Objects are told by identity: they may compare as they like.
    """
    return tuple(
        (name, type(value), value if type(value) in _SIMPLE else id(value))
        for name, value in sorted(rest.items())
    )


_SIMPLE = frozenset({str, int, bool, type(None)})
