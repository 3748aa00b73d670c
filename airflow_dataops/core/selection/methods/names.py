"""Methods that find by name: fqn, source, exposure, unit_test and their like."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from airflow_dataops.core.model import NodeKind, SourceSpec
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from airflow_dataops.core.model import Node
    from airflow_dataops.core.selection.scope import Scope
    from airflow_dataops.core.selection.spec import Criterion


def by_fqn(scope: Scope, criterion: Criterion) -> Iterator[str]:
    """`fqn:shop.staging`: by name, qualified or not."""
    return scope.names.find(criterion.pattern)


def known_fqns(scope: Scope, criterion: Criterion) -> Iterator[str]:
    """Yield the names of nodes."""
    return scope.names.known()


def by_source(scope: Scope, criterion: Criterion) -> Iterator[str]:
    """`source:[package.]group[.table]`."""
    parts = criterion.pattern.split(".")
    if len(parts) > 3:
        raise ConfigError(
            f"selector {criterion.text!r}: a source is written as source, source.table or "
            "package.source.table."
        )
    package, source, table = {1: ("*", *parts, "*"), 2: ("*", *parts)}.get(len(parts), parts)
    for node, group in _sources(scope):
        if (
            fnmatchcase(node.package, package)
            and fnmatchcase(group, source)
            and fnmatchcase(node.name, table)
        ):
            yield node.id


def known_sources(scope: Scope, criterion: Criterion) -> Iterator[str]:
    """Yield sources, alone and with their tables."""
    for node, group in _sources(scope):
        yield group
        yield f"{group}.{node.name}"


def _sources(scope: Scope) -> Iterator[tuple[Node, str]]:
    for node in scope.nodes:
        if isinstance(node.spec, SourceSpec):
            yield node, node.spec.source


def by_name_of(kind: str) -> Callable[[Scope, Criterion], Iterable[str]]:
    """Make the method `<kind>:[package.]name`."""

    def by_name(scope: Scope, criterion: Criterion) -> Iterator[str]:
        package, dot, name = criterion.pattern.rpartition(".")
        if "." in package:
            raise ConfigError(
                f"selector {criterion.text!r}: a {kind} is written as name or package.name."
            )
        for node in scope.nodes:
            if (
                node.kind == kind
                and fnmatchcase(node.name, name)
                and fnmatchcase(node.package, package if dot else "*")
            ):
                yield node.id

    return by_name


def known_names_of(kind: str) -> Callable[[Scope, Criterion], Iterable[str]]:
    """Make the function that yields the names of one kind of nodes."""
    return lambda scope, criterion: (node.name for node in scope.nodes if node.kind == kind)


def by_test_name(scope: Scope, criterion: Criterion) -> Iterator[str]:
    """`test_name:unique`: generic tests by the test they apply, unit tests by their own name."""
    return (id_ for id_, name in _test_names(scope) if fnmatchcase(name, criterion.pattern))


def known_test_names(scope: Scope, criterion: Criterion) -> Iterator[str]:
    """Yield the names that `test_name` looks at."""
    return (name for _, name in _test_names(scope))


def _test_names(scope: Scope) -> Iterator[tuple[str, str]]:
    for node in scope.of_kind(NodeKind.TEST, NodeKind.UNIT_TEST):
        generic = getattr(node.spec, "generic", None)
        if generic:
            # dbt leaves out the package of the test's macro: `dbt_utils.at_least_one`.
            yield node.id, generic.rpartition(".")[2]
        elif node.kind is NodeKind.UNIT_TEST:
            yield node.id, node.name
