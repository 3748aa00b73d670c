"""Two manifests of a bundle that make a DAG of one id: to Airflow they were one DAG."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_dataops.dag_factory.bundle_files import dag_ids_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


def doubles(
    projects: Mapping[str, str], arguments: dict[str, Any], contents: Mapping[str, Path]
) -> Iterator[tuple[str, str]]:
    """Yield each manifest that has a dag id of an earlier one, with what is wrong.

    The ids of a project's DAGs come from its plan, so that only those are planned here whose
    names give reason to.

    Args:
        projects: the project's name by path of the manifest in the folder.
        arguments: what `load_dags` takes, as JSON.
        contents: the file with the content, by path of the manifest.
    """
    bases = {name: _base(project, arguments) for name, project in projects.items()}
    taken: dict[str, str] = {}
    for name in sorted(_suspects(bases)):
        ids = dag_ids_of(contents[name], name, arguments, projects[name])
        if double := next((id_ for id_ in ids if id_ in taken), None):
            yield (
                name,
                f"the dag id {double!r} is taken by {taken[double]}; give this project another "
                "name in dbt_project.yml, or keep it in the folder of another bundle",
            )
        else:
            taken.update(dict.fromkeys(ids, name))


def _base(project: str, arguments: dict[str, Any]) -> str:
    """Return the dag id of a project that stays whole; empty where only its plan tells."""
    own = (arguments.get("per_project") or {}).get(project)
    own = own if isinstance(own, dict) else {}
    return str(own.get("dag_id") or arguments.get("dag_id") or project)


def _suspects(bases: dict[str, str]) -> set[str]:
    """Return the manifests that may share a dag id: `shop__a` may be a part of `shop`."""
    by_base: dict[str, list[str]] = {}
    for name, base in bases.items():
        by_base.setdefault(base, []).append(name)
    if "" in by_base:
        return set(bases)
    found: set[str] = set()
    for base, names in by_base.items():
        whole = [base[:at] for at in range(1, len(base)) if base.startswith("__", at)]
        others = [name for start in whole for name in by_base.get(start, ())]
        if others or len(names) > 1:
            found.update(names, others)
    return found
