"""When a pipeline runs, as its file says: text, or a mapping with one of a few keys.

schedule: "30 6 * * 1-5 Europe/Berlin"         cron, a word (daily), a preset (@daily)
schedule: {every: 6h}                          since the run before
schedule: {assets: [orders, {any: [a, b]}]}    after assets are updated: all of a list
schedule: {assets: orders, cron: "0 6 * * *"}  either
schedule: {cron: "0 * * * *", partitions: true}
schedule: {assets: orders, partitions: day}    a run for each partition, of a day here
schedule: {timetable: package.module.Class, ...its arguments}
                                               those without a name in a list, `arguments`
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_dataops.core.manifests.schedule import normalise
from airflow_dataops.core.manifests.task_settings import duration_of
from airflow_dataops.core.pipelines.fields import duration, import_path, text
from airflow_dataops.core.pipelines.located import Map, Seq

if TYPE_CHECKING:
    from airflow_dataops.core.pipelines.report import Path, Report

PERIODS = ("hour", "day", "week", "month", "quarter", "year")
_KEYS = ("every", "assets", "cron", "partitions", "timetable")
_ASSET = ("name", "uri", "group", "extra")
_FORMS = (
    'Expected cron such as "30 6 * * 1-5", daily, @daily, or a mapping with every, assets, cron, '
    "partitions or timetable"
)


def check_schedule(inside: Map, key: str, path: Path, report: Report) -> Any:
    """Return a schedule as it is kept; faults go into the report."""
    value = inside[key]
    if value is None:
        return None
    if isinstance(value, str):
        return _cron(inside, key, path, report)
    if not isinstance(value, Map) or not value:
        report.value("wrong-value", f"{_FORMS}, got {value!r}.", inside, key, path)
        return None
    path = (*path, key)
    if "timetable" in value:
        _check(value, "timetable", import_path, path, report)
        if not isinstance(value.get("arguments", []), list):
            told = "Expected a list: arguments with names are written beside it."
            report.value("wrong-value", told, value, "arguments", path)
        return dict(value)
    for unknown in [each for each in value if each not in _KEYS]:
        report.unknown_key(value, unknown, _KEYS, path)
    found: dict[str, Any] = {}
    if "every" in value:
        for other in [each for each in value if each in _KEYS and each != "every"]:
            report.key("wrong-value", f"every and {other} exclude each other.", value, other, path)
        _check(value, "every", _above_zero, path, report)
        found["every"] = value["every"]
    found |= _of_parts(value, path, report)
    if not found:
        report.value("missing-key", f"{_FORMS}; none is there.", inside, key, path[:-1])
    return found


def _of_parts(value: Map, path: Path, report: Report) -> dict[str, Any]:
    """Return what a schedule of cron, assets and partitions is kept as."""
    found: dict[str, Any] = {}
    if "cron" in value:
        found["cron"] = _cron(value, "cron", path, report)
    if "assets" in value:
        found["assets"] = _assets(value, "assets", path, report, 0)
    if "partitions" in value:
        found["partitions"] = _partitions(value, path, report)
        if not found.keys() & {"cron", "assets"}:
            told = "partitions go with assets or with cron; neither is there."
            report.key("missing-key", told, value, "partitions", path)
    return found


def _cron(inside: Map, key: str, path: Path, report: Report) -> Any:
    given = inside[key]
    if given in ("@continuous", "@once"):
        return given
    try:
        return normalise(given)
    except (ValueError, AttributeError, TypeError) as error:
        told = f"{given!r} is no schedule: {error}. {_FORMS}."
        report.value("bad-schedule", told, inside, key, path)
        return None


def _partitions(value: Map, path: Path, report: Report) -> Any:
    given = value["partitions"]
    takes = PERIODS if "assets" in value else ()
    if given is not True and given not in takes:
        words = ", ".join(("true", *takes))
        report.value("wrong-value", f"Expected {words}, got {given!r}.", value, "partitions", path)
    elif "assets" in value and "cron" in value:
        told = "partitions go with assets or with cron, not with both."
        report.key("wrong-value", told, value, "partitions", path)
    return given


def _assets(inside: Map | Seq, key: Any, path: Path, report: Report, depth: int) -> Any:
    """Return a condition on assets: `{"asset": ...}`, `{"all": [...]}` or `{"any": [...]}`."""
    value = inside[key]
    path = (*path, key)
    if isinstance(value, str) and value.strip():
        return {"asset": {"uri" if "://" in value else "name": value}}
    if isinstance(value, Seq) and value:
        return _several("all", value, path, report, depth)
    if isinstance(value, Map):
        for word in ("all", "any"):
            if isinstance(value.get(word), Seq) and value[word] and len(value) == 1:
                return _several(word, value[word], (*path, word), report, depth)
        if value.keys() & {"name", "uri"}:
            return {"asset": check_asset(value, path, report)}
    told = (
        f"Expected the name or URI of an asset, a list of them, or {{any: [...]}}, got {value!r}."
    )
    report.value("wrong-value", told, inside, key, path[:-1])
    return {"asset": {"name": "?"}}


def _several(word: str, items: Seq, path: Path, report: Report, depth: int) -> Any:
    return {word: [_assets(items, place, path, report, depth + 1) for place in range(len(items))]}


def check_asset(value: Map, path: Path, report: Report) -> dict[str, Any]:
    """Return an asset that is written as a mapping."""
    for unknown in [each for each in value if each not in _ASSET]:
        report.unknown_key(value, unknown, _ASSET, path)
    for key in ("name", "uri", "group"):
        if key in value:
            _check(value, key, text, path, report)
    return {key: value[key] for key in _ASSET if key in value}


def _above_zero(value: Any) -> None:
    """Check a duration after which something runs again: 0 would be the same moment for ever."""
    duration(value)
    if not duration_of("every", value):
        raise ValueError(f"Expected more than 0, got {value!r}.")


def _check(value: Map, key: str, check: Any, path: Path, report: Report) -> None:
    try:
        check(value[key])
    except ValueError as error:
        report.value("wrong-value", str(error), value, key, path)


def schedule_schema() -> dict[str, Any]:
    """Return the JSON Schema of a schedule."""
    asset = {"anyOf": [{"type": "string"}, {"type": "array"}, {"type": "object"}]}
    return {
        "description": "cron, hourly, daily, ..., @once, @continuous; each may end in a time zone",
        "anyOf": [
            {"type": ["string", "null"]},
            {
                "type": "object",
                "properties": {
                    "every": {"type": ["number", "string"]},
                    "cron": {"type": "string"},
                    "assets": asset,
                    "partitions": {"enum": [True, *PERIODS]},
                },
                "additionalProperties": False,
            },
            {
                "type": "object",
                "properties": {"timetable": {"type": "string"}},
                "required": ["timetable"],
            },
        ],
    }
