"""Hooks around a run: `on-run-start` and `on-run-end` of the project and of its packages.

dbt keeps each as a node of type `operation`. Source: `RunTask.safe_run_hooks` of dbt-core 1.11 and
https://docs.getdbt.com/reference/project-configs/on-run-start-on-run-end
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from airflow_dataops.core.manifests.dbt.hooks import has_jinja, read_hook
from airflow_dataops.core.manifests.dbt.touched import Kind, reasons, ties
from airflow_dataops.core.manifests.fingerprint import digest
from airflow_dataops.core.model import Code, RunHook, RunMoment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from airflow_dataops.core.manifests.dbt import wire
    from airflow_dataops.core.manifests.dbt.macros import Macros

OUTCOMES = ("results", "schemas", "database_schemas")
"""What dbt gives to hooks at the end of a run and to nothing else."""

_OLDER = "a hook around the run of a manifest that was compiled before these ran: compile it again"
_UNRENDERED = "Jinja in a hook around the run, which the manifest has no compiled code of"
_MAPPED = "values of the run in a hook that is a mapping"
_WORD = re.compile(r"\b(?:" + "|".join(OUTCOMES) + r")\b")


def read_run_hooks(
    file: wire.File, root: str, macros: Macros
) -> tuple[tuple[RunHook, ...], dict[str, Code]]:
    """Read the hooks around a run, in the order in which dbt runs them, and their SQL.

    Those of the project come first, then those of packages, by name: so it is in dbt, whatever
    the name of what puts them in order (`BiggestName` in `dbt/task/run.py`).
    """
    operations = [
        (id_, node) for id_, node in file.nodes.items() if node.resource_type == "operation"
    ]
    operations.sort(key=lambda each: _place(root, *each))
    hooks, codes = [], {}
    for id_, node in operations:
        moment = next((m for m in RunMoment if m in (node.tags or ())), None)
        if moment is None:
            continue
        hook, code = _read(id_, node, moment, macros, ours=file.metadata.dataops is not None)
        hooks.append(hook)
        if code is not None:
            codes[id_] = code
    return tuple(hooks), codes


def _place(root: str, id_: str, node: wire.Node) -> tuple[bool, str, int]:
    index = id_.rpartition("-")[2]
    return node.package_name != root, node.package_name, int(index) if index.isdecimal() else 0


def _read(
    id_: str, node: wire.Node, moment: RunMoment, macros: Macros, *, ours: bool
) -> tuple[RunHook, Code | None]:
    told, sql, unsupported = _rendered(node, macros, ours=ours)
    parsed = None if sql is None else read_hook(sql)
    outcomes = f"{Kind.OUTCOME}:"
    code = None if parsed is None else Code(sql=parsed.sql)
    if code is not None and (node.dataops_slots or node.dataops_refreshed):
        if code.sql == node.compiled_code:
            code = Code(sql=code.sql, slots=node.dataops_slots, refreshed=node.dataops_refreshed)
        else:
            unsupported = (*unsupported, _MAPPED)
    hook = RunHook(
        id=id_,
        moment=moment,
        reads=tuple(sorted(t.removeprefix(outcomes) for t in told if t.startswith(outcomes))),
        unsupported=(*reasons(told), *unsupported),
        tied=tuple(ties(told)),
        fingerprint=digest((node.raw_code, node.compiled_code)),
    )
    return hook, code


def _rendered(
    node: wire.Node, macros: Macros, *, ours: bool
) -> tuple[set[str], str | None, tuple[str, ...]]:
    """Return what a hook touches, its SQL, and what else keeps that from running."""
    raw, called = node.raw_code or "", node.depends_on.macros or []
    if ours and not raw:
        return set(), None, (_OLDER,)
    if not has_jinja(raw):
        return set(), raw, ()
    if ours:
        return set(node.dataops_touched), node.compiled_code or "", ()
    told = macros.touched(raw, called) | set(read_outcomes(raw, macros.behind(called)))
    missing = () if node.compiled_code else (_UNRENDERED,)
    return told, node.compiled_code, missing


def read_outcomes(raw_code: str, macros: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield the values of the run that a hook's code asks for, as `touched` has it.

    Args:
        macros: id and code of each macro that it calls, and of those that these call.
    """
    for name in _free_names(raw_code):
        yield f"{Kind.OUTCOME}:{name}"
    for id_, code in macros:
        for name in _free_names(code):
            yield f"{Kind.OUTCOME}:{name} in {id_.removeprefix('macro.')}"


def _free_names(code: str) -> set[str]:
    """Return which of the values a template takes from around it, and does not set itself."""
    if not _WORD.search(code):
        return set()
    from jinja2 import Environment, TemplateSyntaxError, meta

    environment = Environment(extensions=["jinja2.ext.do"])  # noqa: S701 - nothing is rendered
    try:
        return meta.find_undeclared_variables(environment.parse(code)) & set(OUTCOMES)
    except TemplateSyntaxError:  # a tag of dbt's own
        return set(_WORD.findall(code))
