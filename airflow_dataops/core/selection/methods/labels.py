"""Methods that find by what is written on a node: tag, group, access, package, version, kind."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from airflow_dataops.core.model import NodeKind, TestSpec
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from airflow_dataops.core.model import Node
    from airflow_dataops.core.selection.scope import Scope
    from airflow_dataops.core.selection.spec import Criterion

_GROUPABLE = (NodeKind.MODEL, NodeKind.SEED, NodeKind.SNAPSHOT, NodeKind.TEST)
# dbt's other resource types: valid to ask for, though a project here has none of them.
_OTHER_TYPES = ("analysis", "function", "metric", "saved_query", "semantic_model")
_TEST_TYPES = ("generic", "singular", "unit", "data")
_VERSIONS = ("latest", "prerelease", "old", "none")


def by_tag(scope: Scope, criterion: Criterion) -> Iterator[str]:
    """`tag:daily`."""
    tags = {tag for node in scope.nodes for tag in node.tags}
    meant = {tag for tag in tags if fnmatchcase(tag, criterion.pattern)}
    return (node.id for node in scope.nodes if not meant.isdisjoint(node.tags))


def known_tags(scope: Scope, criterion: Criterion) -> Iterator[str]:
    """Yield tags."""
    return (tag for node in scope.nodes for tag in node.tags)


def by_group(scope: Scope, criterion: Criterion) -> Iterator[str]:
    """`group:finance`."""
    for id_, group in _groups(scope):
        if fnmatchcase(group, criterion.pattern):
            yield id_


def known_groups(scope: Scope, criterion: Criterion) -> Iterator[str]:
    """Yield groups."""
    return (group for _, group in _groups(scope))


def _groups(scope: Scope) -> Iterator[tuple[str, str]]:
    for node in scope.of_kind(*_GROUPABLE):
        group = node.config.get("group", node.group)
        if group:
            yield node.id, group


def by_access(scope: Scope, criterion: Criterion) -> Iterator[str]:
    """`access:public`, of models."""
    for node in scope.of_kind(NodeKind.MODEL):
        if node.access == criterion.pattern:
            yield node.id


def known_access(scope: Scope, criterion: Criterion) -> Iterable[str]:
    """Return the levels of access."""
    return ("private", "protected", "public")


def by_package(scope: Scope, criterion: Criterion) -> Iterator[str]:
    """`package:dbt_utils`; `package:this` is the project itself."""
    pattern = scope.project.name if criterion.pattern == "this" else criterion.pattern
    return (node.id for node in scope.nodes if fnmatchcase(node.package, pattern))


def known_packages(scope: Scope, criterion: Criterion) -> Iterator[str]:
    """Yield packages."""
    return (node.package for node in scope.nodes)


def by_resource_type(scope: Scope, criterion: Criterion) -> Iterator[str]:
    """`resource_type:snapshot`."""
    wanted = _one_of(criterion, (*NodeKind, *_OTHER_TYPES))
    return (node.id for node in scope.nodes if node.kind == wanted)


def by_test_type(scope: Scope, criterion: Criterion) -> Iterator[str]:
    """`test_type:generic`, `singular`, `unit`, or `data` for the first two."""
    # `schema` is what dbt called generic tests once, and still takes.
    wanted = _one_of(criterion, _TEST_TYPES, {"schema": "generic"})
    for node in scope.of_kind(NodeKind.TEST, NodeKind.UNIT_TEST):
        if wanted in _types_of_test(node):
            yield node.id


def _types_of_test(node: Node) -> tuple[str, ...]:
    if not isinstance(node.spec, TestSpec):
        return ("unit",)
    return ("generic" if node.spec.generic else "singular", "data")


def by_version(scope: Scope, criterion: Criterion) -> Iterator[str]:
    """`version:latest`, `prerelease`, `old`, or `none` for models without versions."""
    wanted = _one_of(criterion, _VERSIONS)
    models = scope.of_kind(NodeKind.MODEL)
    latest = {
        (node.package, node.name): node.version
        for node in models
        if node.latest_version and node.version is not None
    }
    for node in models:
        if _age(node, latest.get((node.package, node.name))) == wanted:
            yield node.id


def _age(node: Node, latest: str | None) -> str | None:
    if node.version is None:
        return "none"
    if node.latest_version:
        return "latest"
    if latest is None:
        return None
    return "old" if _is_before(node.version, latest) else "prerelease"


def _is_before(version: str, other: str) -> bool:
    """Compare as numbers where both are, else as text, as dbt does."""
    try:
        return float(version) < float(other)
    except ValueError:
        return version < other


def _one_of(
    criterion: Criterion, accepted: tuple[str, ...], aliases: dict[str, str] | None = None
) -> str:
    wanted = (aliases or {}).get(criterion.pattern, criterion.pattern)
    if wanted in accepted:
        return wanted
    raise ConfigError(
        f"selector {criterion.text!r}: {criterion.method.value} is one of {', '.join(accepted)}."
    )
