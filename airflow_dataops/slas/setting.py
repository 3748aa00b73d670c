"""SLAs of hand-written DAGs: `set_sla(task, by="07:00")`."""

from __future__ import annotations

from datetime import date, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, Unpack

import msgspec
from airflow.sdk import get_parsing_context

from airflow_dataops.core.arguments import spelled_out
from airflow_dataops.core.decoding import MistakesError, convert
from airflow_dataops.core.sla.due import zone_of
from airflow_dataops.core.sla.spec import Defaults, SlaSpec, sla_of
from airflow_dataops.errors import ConfigError
from airflow_dataops.slas.callbacks import callback_data
from airflow_dataops.slas.dag_slas import put_slas
from airflow_dataops.slas.subjects import find_subject

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from airflow.sdk import DAG

    from airflow_dataops.core.sla.misses import Escalation
    from airflow_dataops.slas.subjects import Found

T = TypeVar("T")


class SlaArguments(TypedDict, total=False):
    """What `set_sla` takes; exactly one of the first five says when it is due.

    Durations are timedeltas or text such as `30m` (units `s`, `m`, `h`, `d`).

    Attributes:
        by: a time of the day: the first one after the run's data is complete.
        within: so long after the task itself began, with all its tries; of a DAG, its run.
        after_interval: so long after the end of the run's data interval.
        after_run_start: so long after the run began.
        max_age: of an asset: it is never older.
        timezone: IANA name, for `by`; that of the DAG by default.
        days: on which it is due `by`: `workdays`, `weekend`, `mon` to `sun`; all by default.
        holidays: days on which it is not due `by`.
        name: unique for its subject; made of the due time by default (`by 07:00 UTC`).
        tier: `critical`, `important` (the default) or `nice_to_have`.
        owner: who is told; the task's own by default.
        tags: for the routes of the alerts file.
        warn_at: percentile of the earlier durations by which a warning is given when it will
            probably be late; the tier's by default, 0 for never.
        run_types: Airflow's names of the runs that owe it; neither manual runs nor backfills by
            default.
        escalate: who else is told when it is not solved, `Escalation`s or mappings of
            `after_minutes` and `receivers`.
        on_sla_miss: what is called once for each miss with a `SlaMissContext`: top-level
            functions, notifiers' classes, dotted paths, an `AlertNotifier`, `CallbackRef`s, or
            `functools.partial` of any of them for keyword arguments. One or a list.
    """

    by: str | time | None
    within: str | timedelta | None
    after_interval: str | timedelta | None
    after_run_start: str | timedelta | None
    max_age: str | timedelta | None
    timezone: str | None
    days: str | Sequence[str] | None
    holidays: Iterable[date | str] | None
    name: str | None
    tier: str
    owner: str | None
    tags: str | Sequence[str]
    warn_at: float | None
    run_types: str | Sequence[str] | None
    escalate: Sequence[Escalation | Mapping[str, Any]] | None
    on_sla_miss: Any


@spelled_out(SlaArguments)
def set_sla(subject: T, *, dag: DAG | None = None, **asked: Unpack[SlaArguments]) -> T:
    """Set an SLA on a task, mapped task, task group, DAG or asset, or on each of a list.

    A subject may have several SLAs; each has its name.

    Args:
        subject: an operator (mapped or not), what a `@task` function returns, a `TaskGroup`, a
            `DAG` or an `Asset`; or a list of such.
        dag: which DAG carries the SLA of an asset; the one around the call by default.
        **asked: see `SlaArguments`.

    Returns:
        The subject.

    Raises:
        ConfigError: an argument is wrong, or the subject is in no DAG; tells all mistakes.
    """
    if get_parsing_context().dag_id is not None:
        # A worker: it runs one task of what may be half a DAG, and looks at no SLA.
        return subject
    plain = {name: _plain(name, value) for name, value in asked.items() if value is not None}
    for each in subject if isinstance(subject, list | tuple) else [subject]:
        _set(find_subject(each, dag), plain)
    return subject


def set_declared(subject: Any, dag: DAG, declared: Mapping[str, Any]) -> None:
    """Set an SLA that is plain data already, as a file holds it; else as `set_sla`."""
    if get_parsing_context().dag_id is None:
        _set(find_subject(subject, dag), dict(declared))


def _set(found: Found, plain: dict[str, Any]) -> None:
    about, dag = found
    where = f"set_sla({'.'.join(filter(None, (about.dag_id, about.task_id or about.subject)))})"
    try:
        spec = _spec(msgspec.json.encode(plain))
        sla = sla_of(spec, about, Defaults(timezone=_zone(dag)))
        put_slas(dag, [sla])
    except MistakesError as error:
        raise MistakesError(where, error.mistakes) from None
    except (ValueError, ConfigError) as error:
        raise ConfigError(f"{where}: {error}") from None


@lru_cache(maxsize=256)
def _spec(encoded: bytes) -> SlaSpec:
    return convert(msgspec.json.decode(encoded), SlaSpec, source="set_sla")


def _zone(dag: DAG) -> str:
    """Return a DAG's time zone where it is one by name, else UTC."""
    name = str(getattr(dag.timezone, "name", "UTC"))
    try:
        zone_of(name)
    except ConfigError:
        return "UTC"
    return name


def _plain(name: str, value: Any) -> Any:
    """Return an argument as plain data."""
    if name == "on_sla_miss":
        given = value if isinstance(value, list | tuple) else [value]
        return [callback_data(callback) for callback in given]
    if name in ("tags", "run_types") and isinstance(value, str):
        return [value]
    if isinstance(value, timedelta):
        return f"{value.total_seconds():f}s"
    if name == "holidays":
        value = list(value)
    try:
        return msgspec.to_builtins(value)
    except TypeError as error:
        raise ConfigError(f"set_sla: {name} is {value!r}: {error}") from None
