"""What authors write under `meta` for the orchestrator, checked and normalised.

The keys are those of the integration guide: `schedule`, `sla_hours`, `sla_minutes`,
`freshness_hours`, `freshness_minutes`, `critical`, `owner`, `airflow`; besides them `sla`, one
SLA or a list, `domain`, `event_time`; and the configuration `partition_by`. They may be written
under `orchestration` as well, where they win. Other keys belong to somebody else and are left
alone; what is nearly one of ours is told of.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from airflow_dataops.core.decoding import Mistake, find_mistakes
from airflow_dataops.core.manifests.schedule import ACCEPTED, normalise
from airflow_dataops.core.manifests.show import show
from airflow_dataops.core.manifests.task_settings import mistakes_in
from airflow_dataops.core.model import Orchestration, PartitionBy, Range
from airflow_dataops.core.sla.misses import SubjectKind
from airflow_dataops.core.sla.spec import About, Defaults, SlaSpec, sla_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Complain = Callable[[str], None]
    Misspelt = Callable[[str, str], None]

_KEYS = (
    *("schedule", "sla", "sla_hours", "sla_minutes", "freshness_hours", "freshness_minutes"),
    *("critical", "owner", "airflow", "domain", "event_time", "orchestration"),
)
_NEAR = 0.88
"""How alike two keys are that probably mean the same; 1 is equal."""
_LONGEST_HOURS = 10 * 365 * 24
_MINUTES = {"hours": 60, "minutes": 1}
_NOTHING = Orchestration()
_CALLED = ("airflow_dataops.raise_alert", "airflow_dataops.callbacks.alerts.raise_alert")
"""What an SLA in metadata may have called: a manifest is data, and data does not choose code."""
_NOT_CALLED = (
    f"a manifest may name {_CALLED[0]!r} alone, without kwargs; other functions belong into "
    "set_sla or the SLA file."
)


def read_orchestration(
    meta: Mapping[str, Any],
    complain: Complain,
    *,
    partition_by: object = None,
    owner: str | None = None,
    misspelt: Misspelt | None = None,
) -> Orchestration:
    """Read the orchestration metadata of one node.

    Args:
        meta: the node's metadata; null counts as not written.
        complain: is called with a sentence for each value that is not accepted; such a
            value is then treated as not written.
        partition_by: the configuration of that name.
        owner: who owns the node unless `meta` says otherwise.
        misspelt: is called with each key that is nearly one of ours, and that one.
    """
    if not meta and partition_by is None and owner is None:
        return _NOTHING
    if misspelt is not None:
        _find_misspelt(meta, misspelt)
    meta, complain = _with_inner(meta, complain)
    _check_event_time(meta.get("event_time"), complain)
    return Orchestration(
        schedule=_schedule(meta.get("schedule"), complain),
        sla_minutes=_minutes("sla", meta, complain),
        freshness_minutes=_minutes("freshness", meta, complain),
        critical=_critical(meta.get("critical"), complain),
        slas=_slas(meta.get("sla"), complain),
        owner=_owner(meta.get("owner"), complain) or owner,
        domain=_domain(meta.get("domain"), complain),
        airflow=_airflow(meta.get("airflow"), complain),
        partition_by=_partition_by(partition_by, complain),
    )


def _with_inner(meta: Mapping[str, Any], complain: Complain) -> tuple[Mapping[str, Any], Complain]:
    """Put what is under `orchestration` over the rest; complaints then say where it is."""
    inner = meta.get("orchestration")
    if inner is None:
        return meta, complain
    if not isinstance(inner, dict):
        complain(f"meta.orchestration is {show(inner)}; write a mapping, such as {{sla_hours: 2}}.")
        return meta, complain
    outer = {key: value for key, value in meta.items() if not _is_beaten(key, inner)}

    def complain_there(sentence: str) -> None:
        key = re.match(r"meta\.(\w+)", sentence)
        there = key is not None and key[1] in inner
        complain(sentence.replace("meta.", "meta.orchestration.", 1) if there else sentence)

    return outer | inner, complain_there


def _find_misspelt(meta: Mapping[str, Any], misspelt: Misspelt) -> None:
    inner = meta.get("orchestration")
    for key in meta:
        if meant := _near(key):
            misspelt(f"meta.{key}", meant)
    for key in inner if isinstance(inner, dict) else ():
        if meant := _near(key):
            misspelt(f"meta.orchestration.{key}", meant)


@lru_cache(maxsize=1024)
def _near(key: object) -> str | None:
    """Return the key of ours that another one is nearly; None for ours, and for what is far."""
    if key in _KEYS or not isinstance(key, str):
        return None
    plain = key.strip().lower().replace("-", "_")
    return next(iter(get_close_matches(plain, _KEYS, 1, _NEAR)), None)


def _is_beaten(key: str, inner: Mapping[str, Any]) -> bool:
    """Tell whether a setting is also there, in whatever unit."""
    stem = key.removesuffix("_hours").removesuffix("_minutes")
    return any(f"{stem}_{unit}" in inner for unit in _MINUTES) if stem != key else key in inner


def _slas(value: object, complain: Complain) -> tuple[dict[str, Any], ...]:
    """Check SLAs as `set_sla` does; return them as plain data."""
    if value is None:
        return ()
    listed = value if isinstance(value, list) else [value]
    if not all(isinstance(each, dict) for each in listed):
        complain(
            f'meta.sla is {show(value)}; write a mapping such as {{by: "07:00"}}, or a list of '
            "them. If the key is another tool's, hide it by `orchestration: {sla: null}`."
        )
        return ()
    mistakes = [
        (number, mistake)
        for number, each in enumerate(listed)
        for mistake in _mistakes(msgspec.json.encode(each))
    ]
    for number, mistake in mistakes:
        at = f"[{number}]" if isinstance(value, list) else ""
        complain(f"meta.sla{at}{mistake.path.removeprefix('$')}: {mistake.message}")
    return () if mistakes else tuple(listed)


@lru_cache(maxsize=256)
def _mistakes(encoded: bytes) -> tuple[Mistake, ...]:
    """Return what is wrong with an SLA; the nodes of a folder often share one."""
    asked = msgspec.json.decode(encoded)
    if found := tuple(find_mistakes(asked, SlaSpec)):
        return found
    spec = msgspec.convert(asked, SlaSpec)
    if foreign := [i for i, each in enumerate(spec.on_sla_miss or ()) if each not in _CALLED]:
        return tuple(Mistake(f"$.on_sla_miss[{i}]", _NOT_CALLED) for i in foreign)
    try:
        sla_of(spec, About(kind=SubjectKind.TASK), Defaults())
    except ValueError as error:
        return (Mistake("$", str(error)),)
    return ()


def _schedule(value: object, complain: Complain) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        complain(f"meta.schedule is {show(value)}; write {ACCEPTED}.")
        return None
    try:
        return normalise(value)
    except ValueError as error:
        complain(f"meta.schedule is {show(value)}: {error}; write {ACCEPTED}.")
        return None


def _minutes(what: str, meta: Mapping[str, Any], complain: Complain) -> float | None:
    given = [unit for unit in _MINUTES if meta.get(f"{what}_{unit}") is not None]
    if len(given) > 1:
        complain(
            f"meta has both {what}_hours and {what}_minutes (dbt merges meta from all places "
            "where it is written); keep one of them."
        )
        return None
    for unit in given:
        value = meta[f"{what}_{unit}"]
        longest = _LONGEST_HOURS * 60 // _MINUTES[unit]
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= longest:
            return float(value * _MINUTES[unit])
        complain(
            f"meta.{what}_{unit} is {show(value)}; write a number of {unit} above 0 and at "
            f"most {longest}, such as 2 or 0.5."
        )
    return None


def _critical(value: object, complain: Complain) -> bool:
    if value is None or isinstance(value, bool):
        return bool(value)
    complain(f"meta.critical is {show(value)}; write true or false, without quotes.")
    return False


def _owner(value: object, complain: Complain) -> str | None:
    if value is None:
        return None
    owner = value
    if isinstance(value, dict):
        owner = value.get("email") or value.get("name")
    if isinstance(owner, str) and owner.strip():
        return owner.strip()
    complain(
        f"meta.owner is {show(value)}; write a name or an address as text, or a mapping with "
        "`email` or `name`."
    )
    return None


def _domain(value: object, complain: Complain) -> str | None:
    if value is None or (isinstance(value, str) and value.strip()):
        return None if value is None else str(value).strip()
    complain(f"meta.domain is {show(value)}; write the name of a domain, such as 'finance'.")
    return None


def _check_event_time(value: object, complain: Complain) -> None:
    if value is not None and not (isinstance(value, str) and value.strip()):
        complain(f"meta.event_time is {show(value)}; write the name of a column.")


def _airflow(value: object, complain: Complain) -> dict[str, Any]:
    if value is None:
        return {}
    if isinstance(value, dict):
        if beyond := [name for name, each in value.items() if not _fits(each)]:
            for name in beyond:
                complain(
                    f"meta.airflow.{name} is {show(value[name])}; write no number beyond 64 bits."
                )
            return {}
        mistakes = mistakes_in(value)
        for mistake in mistakes:
            complain(mistake)
        return {} if mistakes else value
    complain(
        f"meta.airflow is {show(value)}; write a mapping of operator arguments, such as "
        "{pool: heavy, retries: 3}."
    )
    return {}


def _fits(value: object) -> bool:
    """Tell whether there is no number in a value that a plan cannot hold."""
    try:
        msgspec.msgpack.encode(value)
    except OverflowError:
        return False
    return True


def _partition_by(value: object, complain: Complain) -> PartitionBy | None:
    """Take a mapping as BigQuery's, a column name, or a list of them (the first counts)."""
    field = value
    if isinstance(value, list):
        field = value[0] if value else None
    settings: dict[str, Any] = {}
    if isinstance(field, dict):
        settings = {k: v for k, v in field.items() if k in _PARTITION_SETTINGS and v is not None}
        field = field.get("field")
    elif field is None:
        return None
    steps = _steps(value.get("range")) if isinstance(value, dict) else None
    texts = (field, *settings.values())
    if all(isinstance(text, str) and text.strip() for text in texts):
        return PartitionBy(field=str(field), range=steps, **settings)
    complain(
        f"partition_by is {show(value)}; write a column's name, or a mapping with `field` and, "
        "if need be, `data_type` and `granularity` as text."
    )
    return None


def _steps(value: object) -> Range | None:
    """Read the range of partitions by whole numbers; what is none is told by `unsupported`."""
    if not isinstance(value, dict):
        return None
    try:
        return msgspec.convert(value, Range)
    except msgspec.ValidationError:
        return None


_PARTITION_SETTINGS = ("data_type", "granularity")
