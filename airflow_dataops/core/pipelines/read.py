"""A file of pipelines, with what it builds upon -> pipelines, or all that is wrong with it."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.pipelines.calls import check_call, check_defaults
from airflow_dataops.core.pipelines.families import FAMILY_KEYS, Member, members
from airflow_dataops.core.pipelines.faults import Fault, PipelineError
from airflow_dataops.core.pipelines.fields import DAG_FIELDS, moment, text, valid_dag_id
from airflow_dataops.core.pipelines.layers import over, without_empty
from airflow_dataops.core.pipelines.located import Map
from airflow_dataops.core.pipelines.model import Pipeline
from airflow_dataops.core.pipelines.origins import with_origins
from airflow_dataops.core.pipelines.report import Report
from airflow_dataops.core.pipelines.schedules import check_schedule
from airflow_dataops.core.pipelines.tasks import TaskReader, check_fields, read_slas

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from airflow_dataops.core.pipelines.calls import Signatures
    from airflow_dataops.core.pipelines.files import Files

DAG_KEYS = ("schedule", "sla", *DAG_FIELDS)
BODY_KEYS = ("tasks", *DAG_KEYS)
FILE_KEYS = ("extends", "environments", *FAMILY_KEYS, *BODY_KEYS)
DEFAULTS_KEYS = tuple(key for key in (*DAG_KEYS, "environments") if key != "dag_id")
_MOST_EXTENDED = 5
_OWNER = ("owner",)


def read_pipelines(
    document: Map,
    source: str,
    files: Files,
    *,
    name: str = "",
    defaults: Sequence[Map] = (),
    environment: str | None = None,
    signatures: Signatures | None = None,
) -> tuple[list[Pipeline], list[Fault]]:
    """Return the pipelines of a file, and what is wrong with it.

    Args:
        document: the file's content.
        source: its path.
        name: what it is called where that is another place; its DAG is called like it by default.
        defaults: those of the folders around it, the outermost first.
        environment: whose overrides hold; None for none.
        signatures: tells what operators take; None to leave that to Airflow.

    Returns:
        Of a file with faults, what can be read of the pipelines.
    """
    report = Report(source)
    layers = [*defaults]
    for each in defaults:
        _check_keys(each, DEFAULTS_KEYS, report)
    chain = _extended(document, source, files, report)
    for each in chain:
        _check_keys(each, FILE_KEYS, report)
    whole = _joined([*layers, *chain], environment, report)
    found = []
    for member in members(whole, report):
        made = _pipeline(member, source, name or source, files, report, signatures)
        if "for_each" in whole and "dag_id" not in whole:
            told = "Say how each DAG of the family is called, as in dag_id: etl_${{ table }}."
            report.key("missing-key", told, whole, "for_each", ())
        found.append(made)
    _check_ids(found, report)
    return found, with_origins(report.faults, [*layers, *chain])


def environments_of(document: Map, defaults: Iterable[Map] = ()) -> list[str]:
    """Return the names of the environments that a file or its folders have settings for."""
    found: dict[str, None] = {}
    for each in (*defaults, document):
        if isinstance(declared := each.get("environments"), Map):
            found.update(dict.fromkeys(map(str, declared)))
    return list(found)


def _check_keys(document: Map, known: Sequence[str], report: Report) -> None:
    for key in document:
        if key not in known:
            report.unknown_key(document, key, known, ())
    environments = document.get("environments")
    if environments is None:
        return
    if not isinstance(environments, Map):
        told = f"Expected settings by environment, got {environments!r}."
        report.value("wrong-value", told, document, "environments", ())
        return
    for name, settings in environments.items():
        path = ("environments", name)
        if settings is not None and not isinstance(settings, Map):
            told = f"Expected settings, got {settings!r}."
            report.value("wrong-value", told, environments, name, ("environments",))
        takes = [key for key in known if key in BODY_KEYS]
        for key in settings or ():
            if key not in takes:
                report.unknown_key(settings, key, takes, path)


def _extended(document: Map, source: str, files: Files, report: Report) -> list[Map]:
    """Return the documents that a file extends, the farthest first, and itself."""
    chain, name, seen = [document], source, {source}
    while "extends" in (top := chain[0]):
        try:
            text(top["extends"])
            name, found = files.document(top["extends"], name)
            if name in seen or len(chain) > _MOST_EXTENDED:
                raise ValueError("Files extend each other in a circle, or too many of them.")
        except ValueError as error:
            report.value("bad-file", str(error), top, "extends", ())
            break
        except PipelineError as error:
            report.faults.extend(error.faults)
            break
        seen.add(name)
        chain.insert(0, found)
    return chain


def _joined(layers: Sequence[Map], environment: str | None, report: Report) -> Map:
    whole = Map(layers[-1].at)
    for each in layers:
        whole = over(whole, each)
    for each in layers:
        declared = each.get("environments")
        top = declared.get(environment) if isinstance(declared, Map) else None
        if isinstance(top, Map):
            whole = over(whole, top)
    if isinstance(whole.get("tasks"), Map):
        tasks = without_empty(whole["tasks"])
        whole.put("tasks", tasks, whole.keys_at["tasks"], whole.values_at["tasks"])
    return whole


def _pipeline(
    member: Member,
    source: str,
    name: str,
    files: Files,
    report: Report,
    signatures: Signatures | None,
) -> Pipeline:
    document, at = member
    check_fields(document, DAG_FIELDS, (), report)
    _check_dates(document, report)
    reader = TaskReader(report, files, source)
    settings = {
        key: document[key]
        for key in DAG_FIELDS
        if document.get(key) is not None and key not in ("dag_id", "timezone", "default_args")
    }
    if isinstance(document.get("default_args"), Map):
        settings["default_args"] = reader.arguments(
            document["default_args"], ("default_args",), ()
        )[0]
    if "tasks" in document:
        defaults = [*map(str, document.get("default_args") or ()), *_OWNER[: "owner" in document]]
        reader.read(document, (), defaults)
        if signatures is not None:
            for call in reader.calls:
                check_call(call, signatures, report)
            for value, path in reader.default_args(document):
                check_defaults(_own(value, source), value, path, reader.calls, signatures, report)
    else:
        report.add("missing-key", "A pipeline needs `tasks`.", document.at, ())
    schedule = None
    if "schedule" in document:
        schedule = check_schedule(document, "schedule", (), report)
    return Pipeline(
        dag_id=_dag_id(document, name, report),
        settings=settings,
        schedule=schedule,
        timezone=document.get("timezone"),
        own_defaults=tuple(_own(document.get("default_args"), source)),
        groups=tuple(reader.groups),
        tasks=tuple(reader.tasks),
        slas=read_slas(document, (), report),
        at=at,
    )


def _own(default_args: Any, source: str) -> list[str]:
    """Return the names of the default arguments that a file itself has, not those of its folder."""
    if not isinstance(default_args, Map):
        return []
    return [str(key) for key in default_args if default_args.keys_at[key].file == source]


def _dag_id(document: Map, name: str, report: Report) -> str:
    if document.get("dag_id") is not None:
        return str(document["dag_id"])
    stem = PurePath(name).name.partition(".")[0]
    try:
        valid_dag_id(stem)
    except ValueError as error:
        told = f"The file's name makes no dag_id; write one. {error}"
        report.add("missing-key", told, document.at, ("dag_id",))
    return stem


def _check_dates(document: Map, report: Report) -> None:
    try:
        start, end = (moment(document[key]) for key in ("start_date", "end_date"))
    except (KeyError, ValueError):
        return
    if start.replace(tzinfo=None) > end.replace(tzinfo=None):
        told = "The end is before the start."
        report.value("wrong-value", told, document, "end_date", ())


def _check_ids(pipelines: list[Pipeline], report: Report) -> None:
    seen: dict[str, Any] = {}
    for each in pipelines:
        if each.dag_id in seen:
            told = f"Another DAG of this file has the id {each.dag_id!r}."
            report.add("duplicate-dag", told, each.at, ("dag_id",))
        seen[each.dag_id] = each
