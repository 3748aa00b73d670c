"""A whole dbt manifest to a `Manifest`."""

from __future__ import annotations

from collections import Counter
from hashlib import md5
from itertools import chain
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.engines.session_settings import carried
from airflow_dataops.core.manifests.dbt import outside
from airflow_dataops.core.manifests.dbt.context import Context
from airflow_dataops.core.manifests.dbt.macros import Macros
from airflow_dataops.core.manifests.dbt.nodes import read_node
from airflow_dataops.core.manifests.dbt.run_hooks import read_run_hooks
from airflow_dataops.core.manifests.dbt.touching import touched_by_node
from airflow_dataops.core.manifests.dbt.version import (
    RENDERED,
    schema_version,
    unrecorded_warning,
    version_warning,
)
from airflow_dataops.core.manifests.graph import cycles, parents_within
from airflow_dataops.core.manifests.report import Report
from airflow_dataops.core.model import Compilation, Manifest, NodeKind, Project
from airflow_dataops.errors import ManifestError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_dataops.core.manifests.dbt import wire
    from airflow_dataops.core.model import Code, Node

_IN_NODES = {
    kind.value: kind for kind in (NodeKind.MODEL, NodeKind.SEED, NodeKind.SNAPSHOT, NodeKind.TEST)
}
_NAMED = 3


def read_dbt(file: wire.File, source: str) -> Manifest:
    """Read a dbt manifest of schema v10, v11, v12 or newer.

    Args:
        file: what was decoded.
        source: the file's name, for messages.

    Raises:
        ManifestError: with all that is wrong.
    """
    report = Report()
    if warning := version_warning(file.metadata):
        report.warnings.append(warning)
    name = _project_name(file, source)
    entries = dict(_entries(file))
    context = _context(file, name, report, entries)
    nodes, code = _nodes(file, entries, context)
    report.problems.extend(cycles({id_: node.parents for id_, node in nodes.items()}))
    if report.problems:
        raise ManifestError(source, report.problems)
    run_hooks, of_hooks = read_run_hooks(file, name, context.macros)
    of_sql = tuple(_not_run_by_sql(file))
    report.warnings.extend((*_misspelt(report), *_not_run(file), *of_sql))
    project = Project(
        name=name,
        nodes=nodes,
        selectors=file.selectors,
        adapter=file.metadata.adapter_type,
        schema_version=schema_version(file.metadata),
        warnings=tuple(report.warnings),
        sql_warnings=of_sql,
        run_hooks=run_hooks,
        compilation=_compilation(file.metadata),
        session=_session(file.metadata),
    )
    return Manifest(project=project, code=code | of_hooks)


def _compilation(metadata: wire.Metadata) -> Compilation | None:
    ours = metadata.dataops
    if ours is None or ours.version < RENDERED:
        return None
    return Compilation(
        target=ours.target,
        variables=ours.vars,
        runtime_vars=tuple(ours.runtime_vars),
        given={name: tuple(values) for name, values in ours.given.items()},
    )


def _entries(file: wire.File) -> Iterator[tuple[str, tuple[NodeKind, wire.Node]]]:
    """Yield what becomes a node, by id, with its kind; disabled ones and other kinds do not."""
    kinds = chain(
        ((id_, _IN_NODES.get(node.resource_type), node) for id_, node in file.nodes.items()),
        ((id_, NodeKind.SOURCE, node) for id_, node in file.sources.items()),
        ((id_, NodeKind.EXPOSURE, node) for id_, node in file.exposures.items()),
        ((id_, NodeKind.UNIT_TEST, node) for id_, node in file.unit_tests.items()),
    )
    for id_, kind, node in kinds:
        if kind is not None and (node.config or {}).get("enabled") is not False:
            yield id_, (kind, node)


def _context(
    file: wire.File,
    root: str,
    report: Report,
    entries: dict[str, tuple[NodeKind, wire.Node]],
) -> Context:
    adapter = file.metadata.adapter_type
    ours = file.metadata.dataops
    dispatched = ours.dispatch if ours else None
    macros = Macros(file.macros, root=root, adapter=adapter, dispatched=dispatched)
    return Context(
        root=root,
        adapter=adapter,
        macros=macros,
        touched=touched_by_node(file, entries, macros),
        report=report,
        ours=ours is not None,
        warn_error=ours is not None and ours.warn_error,
        plugin_readers=_plugin_readers(file, entries) if adapter == "duckdb" else frozenset(),
    )


def _plugin_readers(
    file: wire.File, entries: dict[str, tuple[NodeKind, wire.Node]]
) -> frozenset[str]:
    """Return the nodes whose SQL names a source that a plugin loads, itself or in a CTE."""
    sources = {id_ for id_, node in file.sources.items() if outside.has_plugin(node)}
    if not sources:
        return frozenset()
    ephemeral = {
        id_: node.depends_on.nodes or []
        for id_, (_, node) in entries.items()
        if (node.config or {}).get("materialized") == "ephemeral"
    }
    return frozenset(
        id_
        for id_, (_, node) in entries.items()
        if parents_within(node.depends_on.nodes or (), sources, ephemeral)
    )


def _nodes(
    file: wire.File, entries: dict[str, tuple[NodeKind, wire.Node]], context: Context
) -> tuple[dict[str, Node], dict[str, Code]]:
    sections = (file.functions, file.metrics, file.semantic_models, file.saved_queries)
    through = {
        id_: passage.depends_on.nodes or []
        for section in sections
        for id_, passage in section.items()
    }
    nodes: dict[str, Node] = {}
    codes: dict[str, Code] = {}
    for id_, (kind, source) in entries.items():
        parents = parents_within(source.depends_on.nodes or (), entries, through)
        nodes[id_], code = read_node(id_, kind, source, parents, context)
        if code is not None:
            codes[id_] = code
    return nodes, codes


def _project_name(file: wire.File, source: str) -> str:
    """Return the root project's name.

    Early releases of dbt 1.6 wrote only its hash (`project_id`, MD5); without even that, it
    is the package that most nodes are of.
    """
    metadata = file.metadata
    if metadata.project_name:
        return metadata.project_name
    packages = Counter(
        node.package_name for section in (file.nodes, file.sources) for node in section.values()
    )
    for package in (*packages, *(macro.package_name for macro in file.macros.values())):
        if md5(package.encode(), usedforsecurity=False).hexdigest() == metadata.project_id:
            return package
    most = packages.most_common(1)
    return (most[0][0] if most else "") or PurePath(source).stem


def _misspelt(report: Report) -> Iterator[str]:
    for (key, meant), nodes in sorted(report.misspelt.items()):
        yield f"{key} of {_some(nodes)} has no effect; do you mean {meant!r}?"


def _not_run(file: wire.File) -> Iterator[str]:
    """Warn of what dbt does and running single nodes does not."""
    if file.metadata.dataops and file.metadata.dataops.fail_fast:
        yield (
            "the project asks for fail_fast, which is not heeded: what does not depend on a task "
            "that fails goes on; pass fail_fast=True to the DAG, which Airflow then ends"
        )
    if file.functions:
        yield (
            f"the project defines functions ({_some(list(file.functions))}); they are not "
            "created here, so let dbt create them before the first run"
        )


def _not_run_by_sql(file: wire.File) -> Iterator[str]:
    """Warn of what concerns the nodes that engine `sql` runs, and not those that dbt runs."""
    if warning := unrecorded_warning(file.metadata):
        yield warning
    if file.metadata.dataops and (names := file.metadata.dataops.left_out):
        yield (
            f"the dbt profile sets {', '.join(names)}, which the sessions of engine sql are not "
            "given; set it in the Airflow connection if need be"
        )


def _session(metadata: wire.Metadata) -> dict[str, Any]:
    return carried(metadata.adapter_type, metadata.dataops.session) if metadata.dataops else {}


def _some(ids: list[str]) -> str:
    more = len(ids) - _NAMED
    return ", ".join(ids[:_NAMED]) + (f" and {more} more" if more > 0 else "")
