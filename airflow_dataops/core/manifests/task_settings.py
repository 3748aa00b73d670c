"""What `meta.airflow` may set: arguments of Airflow's operators that are plain data.

A manifest may come from somebody who may not write DAG files. Other arguments of operators name a
command (`dbt_executable_path`), a user (`run_as_user`), a container (`executor_config`) or are
templates (`map_index_template`, `env`): those are for the author of the DAG file.

The types are those that Airflow's `BaseOperator` accepts, so that it refuses nothing later.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta, Struct

from airflow_dataops.core.arguments import did_you_mean
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

RESERVED = frozenset(
    {"task_id", "dag", "task_group", "conn_id", "manifest", "node", "nodes", "fingerprint"}
    | {"parts", "threads"}
)
"""Arguments that the plan itself sets."""

DURATIONS = frozenset({"retry_delay", "max_retry_delay", "execution_timeout"})
_LONGEST = timedelta(days=3650)
_UNITS = {"": "seconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def duration_of(name: str, value: Any) -> timedelta:
    """Return a duration as YAML has it: seconds, or text such as `30m`.

    Raises:
        ConfigError: it is none; the text names the argument.
    """
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)\s*([smhd]?)", str(value))
    if isinstance(value, bool) or not match:
        raise ConfigError(
            f"{name}: expected seconds or a duration such as '30m' "
            f"(units s, m, h, d), got {value!r}"
        )
    return timedelta(**{_UNITS[match[2]]: float(match[1])})


def _duration(value: Any) -> None:
    try:
        too_long = duration_of("", value) > _LONGEST
    except (ConfigError, OverflowError):
        raise ValueError(
            f"Expected seconds or a duration such as '30m' (units s, m, h, d), got {value!r}."
        ) from None
    if too_long:
        # Added to a date it would overflow, in the scheduler.
        raise ValueError(f"Expected at most {_LONGEST.days}d, got {value!r}.")


def _retries(value: Any) -> None:
    if isinstance(value, str) and not re.fullmatch(r"[0-9]{1,9}", value):
        raise ValueError(f"Expected a whole number from 0 on, got {value!r}.")


def _one_of(words: Sequence[str]) -> Callable[[Any], None]:
    def check(value: Any) -> None:
        if value not in words:
            hint = did_you_mean(value, words)
            raise ValueError(f"Expected one of {', '.join(words)}, got {value!r}{hint}.")

    return check


TRIGGER_RULES = (
    "all_success",
    "all_failed",
    "all_done",
    "all_done_min_one_success",
    "all_done_setup_success",
    "one_success",
    "one_failed",
    "one_done",
    "none_failed",
    "none_skipped",
    "always",
    "none_failed_min_one_success",
    "all_skipped",
)
WEIGHT_RULES = ("downstream", "upstream", "absolute")

# The widths of the columns of Airflow's database, which would refuse more when a run begins.
_LARGEST = 2**31 - 1
Text = Annotated[str, Meta(min_length=1, max_length=256, pattern="^[^\\0]+$")]
LongText = Annotated[str, Meta(min_length=1, max_length=1000, pattern="^[^\\0]+$")]
Count = Annotated[int, Meta(ge=1, le=_LARGEST)]
Duration = Annotated[str | int | float, Meta(extra={"check": _duration})]


RUN_PARAMS = frozenset(
    ("full_refresh", "select", "exclude", "mode", "begin", "end", "assets", "vars", "dry_run")
)
"""Params of the trigger form; `dag_factory.params` declares them, and a test compares the two."""


def _params(given: dict[str, Any]) -> None:
    if taken := sorted(RUN_PARAMS & given.keys()):
        raise ValueError(
            f"{taken[0]!r} is a param of the trigger form, which says what a run does; a task that "
            "has one of its own would be green without doing its work."
        )


class TaskSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`meta.airflow`. The defaults are for show: what is not written is not set."""

    pool: Text | None = None
    pool_slots: Count = 1
    queue: Text = "default"
    executor: LongText | None = None
    priority_weight: int = 1
    weight_rule: Annotated[str, Meta(extra={"check": _one_of(WEIGHT_RULES)})] = "downstream"
    owner: Text = "airflow"
    retries: (
        Annotated[
            Annotated[int, Meta(ge=0, le=_LARGEST - 1)] | str, Meta(extra={"check": _retries})
        ]
        | None
    ) = None
    retry_delay: Duration = 300
    max_retry_delay: Duration | None = None
    retry_exponential_backoff: bool | float = 0.0
    execution_timeout: Duration | None = None
    trigger_rule: Annotated[str, Meta(extra={"check": _one_of(TRIGGER_RULES)})] = "all_success"
    depends_on_past: bool = False
    wait_for_downstream: bool = False
    ignore_first_depends_on_past: bool = False
    wait_for_past_depends_before_skipping: bool = False
    max_active_tis_per_dag: Count | None = None
    max_active_tis_per_dagrun: Count | None = None
    do_xcom_push: bool = True
    task_display_name: LongText | None = None
    doc: str | None = None
    doc_md: str | None = None
    doc_json: str | None = None
    doc_yaml: str | None = None
    doc_rst: str | None = None
    params: Annotated[dict[str, Any], Meta(extra={"check": _params})] | None = None
    metric_tags: dict[str, str] | None = None


NAMES = frozenset(TaskSettings.__struct_fields__)


def mistakes_in(settings: dict[str, Any]) -> list[str]:
    """Return what is wrong with a `meta.airflow`, a sentence each, all at once."""
    # Only where a plan is made: a warm parse does without.
    from airflow_dataops.core.decoding import find_mistakes

    found = [_of_name(name) for name in settings if name not in NAMES]
    known = {name: value for name, value in settings.items() if name in NAMES}
    return found + [
        f"meta.airflow{mistake.path.removeprefix('$')}: {mistake.message}"
        for mistake in find_mistakes(known, TaskSettings)
    ]


def _of_name(name: object) -> str:
    if name in RESERVED:
        return f"meta.airflow: {name!r} is set by the plan; leave it out."
    hint = did_you_mean(str(name), NAMES)
    listed = "" if hint else f"; it may set {', '.join(sorted(NAMES))}"
    return (
        f"meta.airflow: {name!r} is not for a manifest to set{hint or listed}. The DAG file sets "
        "others by operator_args, group_args or tag_args."
    )
