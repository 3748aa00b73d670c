"""The tasks of a pipeline's file: a tree of groups, with tasks as leaves."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.decoding import find_mistakes
from airflow_dataops.core.pipelines.calls import OF_FACTORY, Call
from airflow_dataops.core.pipelines.edges import Edge, Scope, check_edges
from airflow_dataops.core.pipelines.fields import (
    GROUP_FIELDS,
    PATH,
    TASK_FIELDS,
    Field,
    import_path,
    task_name,
)
from airflow_dataops.core.pipelines.located import Map, Seq
from airflow_dataops.core.pipelines.marks import ASSET, CALLABLE
from airflow_dataops.core.pipelines.model import Group, Task
from airflow_dataops.core.pipelines.names import FACTORIES, GROUPS, OPERATORS
from airflow_dataops.core.pipelines.references import References
from airflow_dataops.core.pipelines.report import near, shown
from airflow_dataops.core.pipelines.secrets import check_secret
from airflow_dataops.core.sla.spec import SlaSpec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_dataops.core.pipelines.edges import Names
    from airflow_dataops.core.pipelines.files import Files
    from airflow_dataops.core.pipelines.report import Path, Report

GROUP_KEYS = ("tasks", "depends_on", "sla", *GROUP_FIELDS)
TASK_KEYS = (
    *("operator", "depends_on", "arguments", "expand", "partial", "expand_kwargs"),
    *("setup", "teardown", "on_failure_fail_dagrun", "sla"),
)
"""Keys of a task that are no arguments of its operator."""
_DEEPEST = 20
_ASSETS = ("inlets", "outlets")


class TaskReader:
    """Reads the tasks of one pipeline."""

    def __init__(self, report: Report, files: Files, source: str) -> None:
        self._report = report
        self._files = files
        self._source = source
        self._scope = Scope()
        self._edges: list[Edge] = []
        self._defaults: dict[Names, frozenset[str]] = {}
        self._of_groups: list[tuple[Map, Path]] = []
        self.groups: list[Group] = []
        self.tasks: list[Task] = []
        self.calls: list[Call] = []

    def read(self, inside: Map, path: Path, defaults: Iterable[str]) -> None:
        """Read what is under `tasks`; `defaults` are the names of the default arguments."""
        self._defaults[()] = frozenset(defaults)
        found: list[tuple[Names, Map, Path, str]] = []
        self._enter(inside, path, (), "", "", found)
        for names, value, at, group in found:
            if "tasks" in value:
                self._group(names, value, at, group)
            else:
                self._task(names, value, at, group)
        check_edges(self._scope, self._edges, self._report)

    def default_args(self, document: Map) -> list[tuple[Map, Path]]:
        """Return the default arguments of the DAG and of its groups, with their paths."""
        own = document.get("default_args")
        found: list[tuple[Map, Path]] = [(own, ("default_args",))] if isinstance(own, Map) else []
        return found + self._of_groups

    def _enter(
        self,
        inside: Map,
        path: Path,
        names: Names,
        group: str,
        prefix: str,
        found: list[tuple[Names, Map, Path, str]],
    ) -> None:
        """Enter the names of all tasks and groups, before anything refers to one."""
        tasks = inside.get("tasks")
        if not isinstance(tasks, Map) or not tasks:
            told = f"Expected tasks by name, got {tasks!r}."
            self._report.value("wrong-value", told, inside, "tasks", path)
            return
        for key, value in tasks.items():
            at = (*path, "tasks", key)
            try:
                task_name(key)
            except ValueError as error:
                self._report.key("bad-name", f"This names no task. {error}", tasks, key, at[:-1])
                continue
            if not isinstance(value, Map):
                told = f"Expected the settings of a task, such as `operator: bash`, got {value!r}."
                self._report.value("wrong-value", told, tasks, key, at[:-1])
                continue
            id_, is_group = f"{prefix}{key}", "tasks" in value
            if not self._scope.add((*names, key), id_, is_group=is_group):
                told = f"There is another task or group with the id {id_!r}."
                self._report.key("duplicate-task", told, tasks, key, at[:-1])
                continue
            found.append(((*names, key), value, at, group))
            if is_group and len(names) < _DEEPEST:
                below = prefix if value.get("prefix") is False else f"{id_}."
                self._enter(value, at, (*names, key), id_, below, found)

    def _group(self, names: Names, value: Map, path: Path, group: str) -> None:
        for key in value:
            if key not in GROUP_KEYS:
                self._report.unknown_key(value, key, GROUP_KEYS, path)
        id_ = self._scope.ids[names]
        check_fields(value, GROUP_FIELDS, path, self._report)
        settings = {key: value[key] for key in GROUP_FIELDS if key in value}
        own = map(str, value["default_args"]) if "default_args" in settings else ()
        self._defaults[names] = self._defaults[names[:-1]].union(own)
        if isinstance(settings.get("default_args"), Map):
            self._of_groups.append((settings["default_args"], (*path, "default_args")))
            settings["default_args"] = self.arguments(
                settings["default_args"], (*path, "default_args"), names
            )[0]
        self.groups.append(
            Group(
                id=id_,
                name=names[-1],
                group=group,
                settings=settings,
                upstream=self._upstream(value, path, names),
                slas=read_slas(value, path, self._report),
                at=value.at,
                path=shown(path),
            )
        )

    def _task(self, names: Names, value: Map, path: Path, group: str) -> None:
        operator = self._operator(value, path)
        id_ = self._scope.ids[names]
        given = self._given(value, path)
        arguments, referring = self.arguments(given, path, names)
        if operator == GROUPS["dbt_task_group"] and isinstance(given.get("manifest"), str):
            arguments["manifest"] = self._manifest(given, path)
        self._call(operator, value, path, names)
        expand = self._mapped(value, "expand", path, names)
        upstream = self._upstream(value, path, names)
        for key in ("setup", "on_failure_fail_dagrun"):
            if key in value and not isinstance(value[key], bool):
                told = f"Expected true or false, got {value[key]!r}."
                self._report.value("wrong-value", told, value, key, path)
        self.tasks.append(
            Task(
                id=id_,
                name=names[-1],
                group=group,
                operator=operator,
                arguments=arguments,
                referring=referring,
                expand=expand,
                expand_kwargs=self._mapped(value, "expand_kwargs", path, names),
                upstream=upstream,
                setup=value.get("setup") is True,
                teardown=self._teardown(value, path, names),
                on_failure_fail_dagrun=value.get("on_failure_fail_dagrun") is True,
                slas=read_slas(value, path, self._report),
                at=value.at,
                path=shown(path),
            )
        )
        if operator in FACTORIES and any(key in value for key in ("expand", "setup", "teardown")):
            self._report.value(
                "wrong-value",
                "What makes a group of tasks cannot be mapped, nor be a setup or teardown.",
                value,
                "operator",
                path,
            )

    def _call(self, operator: str, value: Map, path: Path, names: Names) -> None:
        if not operator:
            return
        beside = Map(value.at)
        for key, part in value.items():
            if key not in TASK_KEYS and key not in OF_FACTORY:
                beside.put(key, part, value.keys_at[key], value.values_at[key])
        blocks = [(beside, path)]
        blocks += [
            (value[block], (*path, block))
            for block in ("arguments", "partial", "expand")
            if isinstance(value.get(block), Map)
        ]
        self.calls.append(
            Call(
                operator=operator,
                task=value,
                path=path,
                blocks=tuple(blocks),
                defaults=self._defaults[names[:-1]],
                is_open="expand_kwargs" in value,
            )
        )

    def _operator(self, value: Map, path: Path) -> str:
        if "operator" not in value:
            misspelt = get_close_matches("operator", [str(key) for key in value], 1)
            if misspelt and misspelt[0] in value:
                self._report.unknown_key(value, misspelt[0], ("operator",), path)
                return ""
            told = "A task needs an `operator`: a short name such as bash, or an import path."
            self._report.add("missing-key", told, value.at, path)
            return ""
        given = value["operator"]
        if isinstance(given, str):
            if given in OPERATORS:
                return OPERATORS[given]
            if PATH.fullmatch(given):
                return given
        told = f"There is no operator {given!r}{near(str(given), OPERATORS.keys())}"
        self._report.value("unknown-operator", told, value, "operator", path)
        return ""

    def _manifest(self, given: Map, path: Path) -> str:
        """Return where a manifest of dbt is: beside the file, or at its URI."""
        manifest: str = given["manifest"]
        if "://" in manifest and not manifest.startswith("file:"):
            return manifest
        try:
            return self._files.path(manifest, self._source)
        except ValueError as error:
            self._report.value("bad-file", str(error), given, "manifest", path)
            return manifest

    def _given(self, value: Map, path: Path) -> Map:
        """Return the arguments of a task: beside its own keys, and under `arguments`, `partial`."""
        found = Map(value.at)
        for key, part in value.items():
            if key not in TASK_KEYS:
                found.put(key, part, value.keys_at[key], value.values_at[key])
        for block in ("arguments", "partial"):
            inner = value.get(block)
            if inner is None:
                continue
            if not isinstance(inner, Map):
                told = f"Expected arguments by name, got {inner!r}."
                self._report.value("wrong-value", told, value, block, path)
                continue
            for key in inner:
                if key in found:
                    told = f"The argument {key!r} is there twice."
                    self._report.key("duplicate-key", told, inner, key, (*path, block))
                found.put(key, inner[key], inner.keys_at[key], inner.values_at[key])
        for key in OF_FACTORY:
            if key in found:
                told = f"{key!r} is told by the place in the file; leave it out."
                self._report.key("unknown-key", told, found, key, path)
                found.pop(key)
        return found

    def arguments(self, given: Map, path: Path, names: Names) -> tuple[dict[str, Any], Names]:
        """Return arguments in one form, and the names of those that refer to objects."""
        found, referring = {}, []
        for key, value in given.items():
            if not isinstance(key, str):
                self._report.key("wrong-value", f"{key!r} names no argument.", given, key, path)
                continue
            if isinstance(value, Map | Seq):
                references = self._references(names)
                value = references.of(value, (*path, key))
                if key in _ASSETS:
                    value = _as_assets(value)
                    references.found = True
                if references.found:
                    referring.append(key)
            else:
                self._plain(given, key, value, path)
            found[key] = value
        return found, tuple(referring)

    def _plain(self, given: Map, key: str, value: Any, path: Path) -> None:
        if key in TASK_FIELDS and value is not None:
            _check(given, key, TASK_FIELDS[key], path, self._report)
        if key.endswith(CALLABLE) and value is not None:
            _check(given, key, Field(import_path, {}), path, self._report)
        check_secret(given, key, path, self._report)

    def _mapped(self, value: Map, key: str, path: Path, names: Names) -> Any:
        if key not in value:
            return None
        given = value[key]
        is_list = key == "expand_kwargs" and isinstance(given, Seq) and given
        if not (isinstance(given, Map) and given) and not is_list:
            told = "Expected arguments by name, each a list or {$output: task}"
            self._report.value("wrong-value", f"{told}, got {given!r}.", value, key, path)
            return None
        for argument, part in given.items() if key == "expand" else ():
            if not isinstance(part, Map | Seq):
                told = f"Expected a list, a mapping or {{$output: task}}, got {part!r}."
                self._report.value("wrong-value", told, given, argument, (*path, key))
        return self._references(names).of(given, (*path, key))

    def _references(self, names: Names) -> References:
        def task_of(value: Map, name: str, path: Path) -> str | None:
            id_ = self._scope.find(name, names[:-1])
            if id_ is None or id_ in self._scope.groups:
                told = f"There is no task {name!r}{self._scope.nearest(name, names[:-1])}"
                self._report.value("unknown-task", told, value, "$output", path)
                return None
            after = self._scope.ids[names]
            self._edges.append(Edge(id_, after, value.at, (*path, "$output")))
            return id_

        return References(self._report, task_of, lambda name: self._files.text(name, self._source))

    def _upstream(self, value: Map, path: Path, names: Names) -> Names:
        return tuple(self._named(value, "depends_on", path, names))

    def _named(self, value: Map, key: str, path: Path, names: Names) -> list[str]:
        """Return the ids of what `depends_on` or `teardown` names."""
        if value.get(key) is None:
            return []
        given = value[key]
        items = given if isinstance(given, Seq) else [given]
        found: list[str] = []
        for place, item in enumerate(items):
            at = given.values_at[place] if isinstance(given, Seq) else value.values_at[key]
            where = (*path, key, place) if isinstance(given, Seq) else (*path, key)
            id_ = self._scope.find(item, names[:-1]) if isinstance(item, str) else None
            if id_ is None:
                told = f"There is no task or group {item!r}"
                told += self._scope.nearest(str(item), names[:-1])
                self._report.add("unknown-dependency", told, at, where)
            elif id_ in found:
                told = f"{item!r} is there twice."
                self._report.add("duplicate-dependency", told, at, where)
            else:
                found.append(id_)
                self._edges.append(Edge(id_, self._scope.ids[names], at, where))
        return found

    def _teardown(self, value: Map, path: Path, names: Names) -> Names | None:
        given = value.get("teardown")
        if given is None or given is False:
            return None
        return () if given is True else tuple(self._named(value, "teardown", path, names))


def _as_assets(value: Any) -> Any:
    """Return a list in which the names and URIs of assets are references."""
    if not isinstance(value, list):
        return value
    return [
        {ASSET: {"uri" if "://" in each else "name": each}} if isinstance(each, str) else each
        for each in value
    ]


def check_fields(value: Map, fields: Mapping[str, Field], path: Path, report: Report) -> None:
    """Check the values of the keys that are there; null stands for a key that is not."""
    for key, field in fields.items():
        if value.get(key) is not None:
            _check(value, key, field, path, report)


def _check(value: Map, key: str, field: Field, path: Path, report: Report) -> None:
    try:
        field.check(value[key])
    except ValueError as error:
        report.value("wrong-value", str(error), value, key, path)


def read_slas(value: Map, path: Path, report: Report) -> tuple[dict[str, Any], ...]:
    """Return what is under `sla`, each as `set_sla` takes it."""
    given = value.get("sla")
    if given is None:
        return ()
    found = []
    for place, each in enumerate(given if isinstance(given, Seq) else [given]):
        where = (*path, "sla", place) if isinstance(given, Seq) else (*path, "sla")
        at = given.values_at[place] if isinstance(given, Seq) else value.values_at["sla"]
        for mistake in find_mistakes(each, SlaSpec):
            key = mistake.path.removeprefix("$.").partition("[")[0]
            if isinstance(each, Map) and key in each:
                report.value("bad-sla", mistake.message, each, key, where)
            else:
                told = mistake.message if mistake.path == "$" else f"{key}: {mistake.message}"
                report.add("bad-sla", told, at, where)
        if isinstance(each, Map):
            found.append(dict(each))
    return tuple(found)
