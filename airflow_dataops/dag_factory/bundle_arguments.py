"""What a bundle is told in JSON: checked where it is written, then what `load_dags` takes.

What is wrong for all manifests keeps the bundle from being made. What is wrong for one project is
the error of its manifest alone.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta
from msgspec.structs import fields

from airflow_dataops.core.arguments import did_you_mean, refuse_unknown
from airflow_dataops.core.decoding import find_mistakes
from airflow_dataops.core.manifests.schedule import is_zone
from airflow_dataops.core.manifests.task_settings import duration_of
from airflow_dataops.dag_factory.arguments import LoadDagsArguments, ProjectArguments, names_of
from airflow_dataops.dag_factory.timetables import in_zone
from airflow_dataops.errors import ConfigError
from airflow_dataops.planning.dbt_config import DbtConfig
from airflow_dataops.planning.sources import as_source

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

_DATES = ("start_date", "end_date")


def _place(value: Any) -> None:
    if isinstance(value, str):
        where = as_source(value)
        if not value.strip() or (isinstance(where, Path) and not where.is_absolute()):
            raise ValueError(
                f"{value!r} is a relative path; name an absolute one, or a URI, since the "
                "processes of Airflow do not share a working folder."
            )


def _date(value: Any) -> None:
    if isinstance(value, str):
        try:
            datetime.fromisoformat(value)
        except ValueError:
            raise ValueError(f"{value!r} is no date in ISO form, such as '2026-01-31'.") from None


def _zone(value: Any) -> None:
    if isinstance(value, str) and not is_zone(value):
        raise ValueError(f"{value!r} is no time zone, such as 'Europe/Berlin'.")


def _schedule(value: Any) -> None:
    if isinstance(value, str):
        try:
            in_zone(value)
        except ConfigError as error:
            raise ValueError(str(error)) from None


def _duration(value: Any) -> None:
    if value is not None:
        try:
            duration_of("", value)
        except (ConfigError, OverflowError):
            raise ValueError(f"{value!r} is no duration, such as '2h' or seconds.") from None


Text = Annotated[str, Meta(min_length=1)]
Place = Annotated[str | None, Meta(extra={"check": _place})]
Date = Annotated[str | None, Meta(extra={"check": _date})]
Names = str | tuple[str, ...] | None
Flag = bool
Count = Annotated[int, Meta(ge=0)]
Arguments = dict[str, Any]

_TYPES: dict[str, Any] = {
    **dict.fromkeys(("select", "exclude", "start_on", "template_searchpath"), Names),
    **dict.fromkeys(("state", "defer_state", "slas"), Place),
    **dict.fromkeys(_DATES, Date),
    **dict.fromkeys(("on_warning_callback", "on_failure_callback", "on_success_callback"), Names),
    **dict.fromkeys(("defer", "favor_state", "catchup", "fail_fast", "auto_register"), Flag),
    **dict.fromkeys(("render_template_as_native_obj", "disable_bundle_versioning"), Flag),
    **dict.fromkeys(("is_paused_upon_creation", "rerun_with_latest_version"), Flag | None),
    **dict.fromkeys(("max_active_tasks", "max_active_runs"), Count),
    "max_consecutive_failed_dag_runs": Count,
    **dict.fromkeys(("engine", "group_by", "freshness", "run_hooks", "granularity"), Text),
    **dict.fromkeys(("assets", "start_when", "tests", "on_empty"), Text),
    **dict.fromkeys(("conn_id", "dag_display_name"), Text),
    **dict.fromkeys(("split_by", "unassigned", "cycles", "rest", "circles"), Text | None),
    **dict.fromkeys(("dag_id", "description", "doc_md", "environment"), Text | None),
    **dict.fromkeys(("operator_args", "default_args"), Arguments),
    **dict.fromkeys(("group_args", "tag_args"), dict[str, Arguments]),
    **dict.fromkeys(("vars", "params", "access_control"), Arguments | None),
    "schedule": Annotated[Text | None, Meta(extra={"check": _schedule})],
    "selectors": dict[Text, Any] | None,
    "jinja_environment_kwargs": Arguments | None,
    "relations": dict[str, dict[str, str]] | None,
    "owner_links": dict[str, str],
    "tags": tuple[str, ...],
    "threads": Annotated[int, Meta(ge=1)] | None,
    "timezone": Annotated[str | None, Meta(extra={"check": _zone})],
    "dagrun_timeout": Annotated[str | int | float | None, Meta(extra={"check": _duration})],
    "dbt": dict[str, Any] | None,
    "per_project": dict[str, Any] | None,
}
"""How JSON writes each argument; those of later releases of Airflow are left to it."""
_ONLY_PYTHON = frozenset(
    {"template_undefined", "user_defined_macros", "user_defined_filters", "deadline"}
)


def check_arguments(bundle: str, given: Mapping[str, Any]) -> None:
    """Check what holds for all manifests. Raises `ConfigError`, with all that is wrong."""
    known = names_of(LoadDagsArguments) | {"per_project", "environment"}
    _check(f"bundle {bundle}: arguments", given, known)


def refresh_seconds(bundle: str, given: Any) -> int:
    """Return whole seconds between two looks, of a number or text. Raises `ConfigError`."""
    try:
        found = duration_of("", given).total_seconds()
    except (ConfigError, OverflowError):
        found = 0
    if found < 1 or found != int(found):
        raise ConfigError(
            f"bundle {bundle}: refresh_interval={given!r}: write whole seconds from 1 on, or text "
            "such as '5m'."
        )
    return int(found)


def arguments_for(bundle: str, given: Mapping[str, Any], project: str) -> dict[str, Any]:
    """Return what `load_dags` takes for the manifest of a project.

    Raises:
        ConfigError: the project's own arguments are wrong.
    """
    arguments = dict(given)
    per_project = arguments.pop("per_project", None) or {}
    # A manifest that does not tell its project's name at once may be of any.
    own = {name: each for name, each in per_project.items() if project in (name, "")}
    for name, each in own.items():
        where = f"bundle {bundle}: per_project[{name!r}]"
        if not isinstance(each, dict):
            raise ConfigError(f"{where} is {each!r}; write a mapping of arguments.")
        _check(where, each, names_of(ProjectArguments))
    if own:
        arguments["per_project"] = {name: _converted(each, given) for name, each in own.items()}
    return _converted(arguments, given)


def unknown_projects(bundle: str, given: Mapping[str, Any], known: Collection[str]) -> str | None:
    """Tell of arguments for projects of which there is no manifest; None where there are none.

    Args:
        known: the names of the projects; an empty one might be any.
    """
    there = sorted(known)
    if not all(there):
        return None
    missing = sorted((given.get("per_project") or {}).keys() - set(there))
    if not missing:
        return None
    told = ", ".join(f"{name!r}{did_you_mean(name, there)}" for name in missing)
    return f"bundle {bundle}: no manifest is of a project {told}. There are {', '.join(there)}."


def _check(where: str, given: Mapping[str, Any], known: frozenset[str]) -> None:
    refuse_unknown(where, given, known)
    wrong = [each for name, value in given.items() for each in _mistakes(name, value)]
    if wrong:
        raise ConfigError(f"{where}: {' '.join(wrong)}")


def _mistakes(name: str, value: Any) -> Iterator[str]:
    if name in _ONLY_PYTHON:
        yield f"{name}: JSON cannot say it; a DAG file with load_dags can."
        return
    for mistake in find_mistakes(value, _TYPES.get(name, Any)):
        yield f"{name}{mistake.path.removeprefix('$')}: {mistake.message}"
    if name == "dbt" and isinstance(value, dict):
        yield from _mistakes_of_dbt(value)


def _mistakes_of_dbt(value: dict[str, Any]) -> Iterator[str]:
    kinds = {field.name: field for field in fields(DbtConfig)}
    for name in value.keys() - kinds.keys():
        yield f"dbt.{name}: There is no such setting{did_you_mean(name, kinds)}"
    for name, field in kinds.items():
        kind = Place if name in ("project_dir", "profiles_dir", "executable") else field.type
        if name not in value:
            if field.required:
                yield f"dbt.{name}: It is missing."
            continue
        for mistake in (*find_mistakes(value[name], field.type), *find_mistakes(value[name], kind)):
            yield f"dbt.{name}{mistake.path.removeprefix('$')}: {mistake.message}"
            break


def _converted(arguments: Mapping[str, Any], whole: Mapping[str, Any]) -> dict[str, Any]:
    """Turn what JSON can say into what `load_dags` takes."""
    found = dict(arguments)
    zone = found.get("timezone") or whole.get("timezone")
    found |= _dates(found, zone)
    if isinstance(found.get("default_args"), dict):
        found["default_args"] = found["default_args"] | _dates(found["default_args"], zone)
    if (timeout := found.get("dagrun_timeout")) is not None:
        found["dagrun_timeout"] = _timedelta(timeout)
    if isinstance(found.get("dbt"), dict):
        found["dbt"] = DbtConfig(**found["dbt"])
    return found


def _dates(arguments: Mapping[str, Any], zone: str | None) -> dict[str, datetime]:
    """Return the dates among arguments; without a zone of their own they are of the DAG's."""
    found = {}
    for name in _DATES:
        if isinstance(text := arguments.get(name), str):
            try:
                time_ = datetime.fromisoformat(text)
            except ValueError:
                raise ConfigError(f"{name}: {text!r} is no date in ISO form.") from None
            is_local = time_.tzinfo is None and not zone
            found[name] = time_.replace(tzinfo=UTC) if is_local else time_
    return found


def _timedelta(value: Any) -> timedelta:
    return duration_of("dagrun_timeout", value)
