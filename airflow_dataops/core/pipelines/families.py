"""Families of DAGs: one definition, and the values of its parameters for each of them.

parameters: {table: , schedule: {default: "@daily"}}
for_each: [{table: users}, {table: orders, schedule: "@hourly"}]     or  for_each: {table: [a, b]}
dag_id: "etl_${{ table }}"
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow_dataops.core.pipelines.layers import Filler, check_parameter
from airflow_dataops.core.pipelines.located import Map, Seq
from airflow_dataops.core.pipelines.report import near

if TYPE_CHECKING:
    from airflow_dataops.core.pipelines.faults import Place
    from airflow_dataops.core.pipelines.report import Path, Report

FAMILY_KEYS = ("parameters", "for_each")
_OF_PARAMETER = ("default", "description")
_MOST = 2_000
"""DAGs of one file."""
_PARAMETERS: Path = ("parameters",)
_FOR_EACH: Path = ("for_each",)


class Member(NamedTuple):
    """One of a family: its document, and the place where its values are."""

    document: Map
    at: Place


def members(document: Map, report: Report) -> list[Member]:
    """Return the documents of a family; of a file that is none, its own."""
    body = Map(document.at)
    for key, value in document.items():
        if key not in FAMILY_KEYS:
            body.put(key, value, document.keys_at[key], document.values_at[key])
    if not document.keys() & set(FAMILY_KEYS):
        return [Member(body, document.at)]
    declared = _declared(document, report)
    found = []
    for values, at, path in _instances(document, report):
        known = declared.keys() if declared is not None else values.keys()
        for name in [name for name in values if name not in known]:
            told = f"There is no parameter {name!r}{near(str(name), known)}"
            report.add("unknown-parameter", told, at, path)
        given = {name: value for name, value in (declared or {}).items() if value is not _NONE}
        given |= values
        missing = [name for name in known if name not in given]
        if missing:
            told = f"There is no value for the parameter {missing[0]!r}."
            report.add("missing-parameter", told, at, path)
            given |= dict.fromkeys(missing, "")
        found.append(Member(Filler(given, report).filled(body, document.at, ()), at))
    return found


_NONE = object()


def _declared(document: Map, report: Report) -> dict[Any, Any] | None:
    """Return the default of each parameter; None where none is declared."""
    declared = document.get("parameters")
    if declared is None:
        return None
    if not isinstance(declared, Map):
        told = f"Expected parameters by name, got {declared!r}."
        report.value("wrong-value", told, document, "parameters", ())
        return {}
    found = {}
    for name, about in declared.items():
        found[name] = _NONE
        if about is None:
            continue
        if not isinstance(about, Map):
            told = f"Expected nothing or {{default: {about}}}."
            report.value("wrong-value", told, declared, name, _PARAMETERS)
            continue
        for key in about:
            if key not in _OF_PARAMETER:
                report.unknown_key(about, key, _OF_PARAMETER, (*_PARAMETERS, name))
        if "default" in about:
            found[name] = about["default"]
            at = about.values_at["default"]
            check_parameter(name, about["default"], at, (*_PARAMETERS, name, "default"), report)
    return found


def _instances(document: Map, report: Report) -> list[tuple[dict[Any, Any], Place, Path]]:
    """Return the values of each member, with their place."""
    if "for_each" not in document:
        return [({}, document.keys_at["parameters"], _PARAMETERS)]
    given, at = document["for_each"], document.values_at["for_each"]
    if isinstance(given, Map) and given and all(isinstance(v, Seq) and v for v in given.values()):
        return _combined(given, at, report)
    if not isinstance(given, Seq) or not given:
        told = f"Expected a list of values by parameter, or lists by parameter, got {given!r}."
        report.value("wrong-value", told, document, "for_each", ())
        return []
    found: list[tuple[dict[Any, Any], Place, Path]] = []
    for place, values in enumerate(given[:_MOST]):
        path = (*_FOR_EACH, place)
        if not isinstance(values, Map):
            told = f"Expected values by parameter, such as {{table: orders}}, got {values!r}."
            report.value("wrong-value", told, given, place, _FOR_EACH)
            continue
        for name, value in values.items():
            check_parameter(name, value, values.values_at[name], (*path, name), report)
        found.append((dict(values), given.values_at[place], path))
    if len(given) > _MOST:
        report.value("too-many", f"A file makes {_MOST} DAGs at most.", given, _MOST, _FOR_EACH)
    return found


def _combined(given: Map, at: Place, report: Report) -> list[tuple[dict[Any, Any], Place, Path]]:
    count = 1
    for name, values in given.items():
        count *= len(values)
        for place, value in enumerate(values):
            check_parameter(name, value, values.values_at[place], (*_FOR_EACH, name, place), report)
    if count > _MOST:
        report.add("too-many", f"A file makes {_MOST} DAGs at most, not {count}.", at, _FOR_EACH)
        return []
    only = next(iter(given.values())) if len(given) == 1 else None
    return [
        (
            dict(zip(given, values, strict=True)),
            at if only is None else only.values_at[place],
            _FOR_EACH if only is None else (*_FOR_EACH, next(iter(given)), place),
        )
        for place, values in enumerate(product(*given.values()))
    ]
