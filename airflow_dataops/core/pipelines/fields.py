"""The keys of a pipeline's file: what each takes, and how a JSON Schema says so."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow_dataops.core.arguments import did_you_mean
from airflow_dataops.core.manifests.schedule import is_zone
from airflow_dataops.core.manifests.task_settings import TRIGGER_RULES, WEIGHT_RULES, duration_of
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")
"""An import path: a module and a name in it."""
_DAG_ID = re.compile(r"[\w.-]{1,250}")
_NAME = re.compile(r"[\w-]{1,200}")
_LARGEST = 2**31 - 1
_LONGEST_DAYS = 3650
_YEARS = range(1900, 2201)


class Field(NamedTuple):
    """A key.

    Attributes:
        check: raises ValueError with what was expected.
        schema: the JSON Schema of its values.
        about: a line for editors.
    """

    check: Callable[[Any], object]
    schema: dict[str, Any]
    about: str = ""


def _got(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def text(value: Any) -> None:
    """Check that a value is a text."""
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise ValueError(f"Expected a text, got {_got(value)}.")


def flag(value: Any) -> None:
    """Check that a value is a boolean."""
    if not isinstance(value, bool):
        raise ValueError(f"Expected true or false, got {_got(value)}.")


def number_from(least: int) -> Callable[[Any], None]:
    """Return a check of whole numbers."""

    def check(value: Any) -> None:
        if type(value) is not int or not least <= value <= _LARGEST:
            raise ValueError(f"Expected a whole number from {least} on, got {_got(value)}.")

    return check


def duration(value: Any) -> None:
    """Check that a value is seconds or a duration such as `30m`."""
    try:
        found = duration_of("", value)
    except ConfigError:
        found = None
    except OverflowError:
        raise ValueError(f"Expected at most {_LONGEST_DAYS}d, got {_got(value)}.") from None
    if found is None:
        raise ValueError(
            f"Expected seconds or a duration such as 30m (units s, m, h, d), got {_got(value)}."
        )
    if found.days > _LONGEST_DAYS:
        raise ValueError(f"Expected at most {_LONGEST_DAYS}d, got {_got(value)}.")


def moment(value: Any) -> datetime:
    """Return a date or a time as ISO 8601 writes them. Raises ValueError."""
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError as error:
        raise ValueError(f"{_got(value)} is no date: {error}.") from None
    if found is None or found.year not in _YEARS:
        raise ValueError(f"Expected a date such as 2026-01-31, got {_got(value)}.")
    return found


def zone(value: Any) -> None:
    """Check that a value is a name of a time zone."""
    if not isinstance(value, str) or not is_zone(value):
        raise ValueError(f"Expected a time zone such as Europe/Berlin, got {_got(value)}.")


def one_of(words: Sequence[str]) -> Callable[[Any], None]:
    """Return a check of words."""

    def check(value: Any) -> None:
        if value not in words:
            hint = did_you_mean(str(value), words)
            raise ValueError(f"Expected one of {', '.join(words)}, got {_got(value)}{hint or '.'}")

    return check


def list_of(check: Callable[[Any], object]) -> Callable[[Any], None]:
    """Return a check of lists, each of whose items is checked."""

    def check_all(value: Any) -> None:
        if not isinstance(value, list):
            raise ValueError(f"Expected a list, got {_got(value)}.")
        for item in value:
            check(item)

    return check_all


def mapping(value: Any) -> None:
    """Check that a value is a mapping with texts as keys."""
    if not isinstance(value, dict):
        raise ValueError(f"Expected a mapping, got {_got(value)}.")
    if odd := [key for key in value if not isinstance(key, str)]:
        raise ValueError(f"Expected names as keys, got {_got(odd[0])}.")


def import_path(value: Any) -> None:
    """Check that a value is an import path."""
    if not isinstance(value, str) or not PATH.fullmatch(value):
        raise ValueError(
            f"Expected an import path such as my_package.my_module.name, got {_got(value)}."
        )


def import_paths(value: Any) -> None:
    """Check that a value is an import path, or a list of them."""
    for each in value if isinstance(value, list) and value else [value]:
        import_path(each)


def mapping_of_paths(value: Any) -> None:
    """Check that the values of a mapping are import paths."""
    mapping(value)
    for each in value.values():
        import_path(each)


def valid_dag_id(value: Any) -> None:
    """Check that Airflow takes a value as the id of a DAG."""
    if not isinstance(value, str) or not _DAG_ID.fullmatch(value):
        raise ValueError(
            "Expected letters, digits, dots, dashes and underscores (250 at most), got "
            f"{_got(value)}."
        )


def task_name(value: Any) -> None:
    """Check that Airflow takes a value as the name of a task or group."""
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ValueError(
            f"Expected letters, digits, dashes and underscores (200 at most), got {_got(value)}."
        )


def _whole(value: Any) -> None:
    if type(value) is not int:
        raise ValueError(f"Expected a whole number, got {_got(value)}.")


def _anything(value: Any) -> None:
    pass


_TEXT: dict[str, Any] = {"type": "string", "minLength": 1}
_FLAG = {"type": "boolean"}
_DURATION = {"type": ["number", "string"], "description": "seconds, or text such as 30m, 1.5h, 2d"}
_DATE = {"type": "string", "description": "such as 2026-01-31 or 2026-01-31T06:00:00"}
_MAPPING = {"type": "object"}
_PATH = {"type": "string", "pattern": rf"^{PATH.pattern}$"}
_PATHS = {"anyOf": [_PATH, {"type": "array", "items": _PATH, "minItems": 1}]}
_TEXTS = {"type": "array", "items": _TEXT}


def _count(least: int = 1) -> Field:
    return Field(number_from(least), {"type": "integer", "minimum": least})


def _words(words: Sequence[str]) -> Field:
    return Field(one_of(words), {"enum": [*words]})


_CALLBACKS = {
    f"on_{when}_callback": Field(import_paths, _PATHS, "import path of a function, or several")
    for when in ("success", "failure")
}

DAG_FIELDS: dict[str, Field] = {
    "dag_id": Field(valid_dag_id, {"type": "string"}, "the DAG's id; the file's name by default"),
    "display_name": Field(text, _TEXT, "shown in place of the id"),
    "description": Field(text, _TEXT),
    "doc": Field(text, _TEXT, "Markdown, shown on the DAG's page"),
    "timezone": Field(zone, _TEXT, "of schedules and dates that name none"),
    "start_date": Field(moment, _DATE),
    "end_date": Field(moment, _DATE),
    "catchup": Field(flag, _FLAG),
    "max_active_runs": _count(),
    "max_active_tasks": _count(),
    "max_consecutive_failed_dag_runs": _count(0),
    "dagrun_timeout": Field(duration, _DURATION),
    "owner": Field(text, _TEXT, "of all tasks"),
    "owner_links": Field(mapping, _MAPPING),
    "tags": Field(list_of(text), _TEXTS),
    "default_args": Field(mapping, _MAPPING, "arguments of every task"),
    "params": Field(
        mapping,
        _MAPPING,
        "of the trigger form, by name: a default, or a mapping "
        "with `default`, `type`, `title` and so on",
    ),
    "fail_fast": Field(flag, _FLAG),
    "is_paused_upon_creation": Field(flag, _FLAG),
    "render_template_as_native_obj": Field(flag, _FLAG),
    "access_control": Field(mapping, _MAPPING),
    "allowed_run_types": Field(list_of(text), _TEXTS),
    "user_defined_macros": Field(mapping_of_paths, _MAPPING, "import paths by name"),
    "user_defined_filters": Field(mapping_of_paths, _MAPPING, "import paths by name"),
    **_CALLBACKS,
}
"""Settings of a DAG, but for those that have a form of their own."""

GROUP_FIELDS: dict[str, Field] = {
    "display_name": Field(text, _TEXT),
    "tooltip": Field(text, _TEXT),
    "doc": Field(text, _TEXT),
    "prefix": Field(flag, _FLAG, "whether its name goes before the ids of its tasks"),
    "default_args": Field(mapping, _MAPPING, "arguments of every task in it"),
    "ui_color": Field(text, _TEXT),
    "ui_fgcolor": Field(text, _TEXT),
}
"""Settings of a group of tasks."""

TASK_FIELDS: dict[str, Field] = {
    "pool": Field(text, _TEXT),
    "pool_slots": _count(),
    "queue": Field(text, _TEXT),
    "executor": Field(text, _TEXT),
    "owner": Field(text, _TEXT),
    "priority_weight": Field(_whole, {"type": "integer"}),
    "weight_rule": _words(WEIGHT_RULES),
    "retries": _count(0),
    "retry_delay": Field(duration, _DURATION),
    "max_retry_delay": Field(duration, _DURATION),
    "retry_exponential_backoff": Field(_anything, {"type": ["boolean", "number"]}),
    "execution_timeout": Field(duration, _DURATION),
    "trigger_rule": _words(TRIGGER_RULES),
    "depends_on_past": Field(flag, _FLAG),
    "wait_for_downstream": Field(flag, _FLAG),
    "ignore_first_depends_on_past": Field(flag, _FLAG),
    "max_active_tis_per_dag": _count(),
    "max_active_tis_per_dagrun": _count(),
    "do_xcom_push": Field(flag, _FLAG),
    "task_display_name": Field(text, _TEXT),
    "map_index_template": Field(text, _TEXT),
    "doc": Field(text, _TEXT),
    "doc_md": Field(text, _TEXT),
    "start_date": Field(moment, _DATE),
    "end_date": Field(moment, _DATE),
    "email_on_failure": Field(flag, _FLAG),
    "email_on_retry": Field(flag, _FLAG),
    "params": Field(mapping, _MAPPING),
    "on_execute_callback": Field(import_paths, _PATHS),
    "on_retry_callback": Field(import_paths, _PATHS),
    "on_skipped_callback": Field(import_paths, _PATHS),
    **_CALLBACKS,
}
"""Arguments that every task takes, of which a wrong value is told before Airflow would."""
