"""What criteria are looked up in: a project with the indexes that make it quick."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from airflow_dataops.core.selection.graph import Graph
from airflow_dataops.core.selection.names import NameIndex
from airflow_dataops.core.selection.yaml_selectors import selectors_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_dataops.core.model import Node, NodeKind, Project
    from airflow_dataops.core.selection.inputs import SelectionInputs, Selectors


class Scope:
    """A project, indexed on first use, and what the methods need besides."""

    def __init__(self, project: Project, inputs: SelectionInputs) -> None:
        self.project = project
        self.inputs = inputs

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes."""
        return tuple(self.project.nodes.values())

    def of_kind(self, *kinds: NodeKind) -> tuple[Node, ...]:
        """Return the nodes of some kinds."""
        return tuple(node for node in self.nodes if node.kind in kinds)

    @cached_property
    def graph(self) -> Graph:
        """The lineage."""
        return Graph(self.project.nodes)

    @cached_property
    def names(self) -> NameIndex:
        """What dbt finds by name: all but sources."""
        return NameIndex(self.nodes)

    @cached_property
    def selectors(self) -> Selectors:
        """The named selectors: the given ones, else the project's own."""
        given = self.inputs.selectors
        return selectors_of(self.project) if given is None else given

    @cached_property
    def files(self) -> frozenset[str]:
        """The project's own files that nodes come from; packages' files are not among them."""
        own = [node for node in self.nodes if node.package == self.project.name]
        return frozenset(
            path for node in own or self.nodes for path in (node.path, node.declared_in) if path
        )

    @cached_property
    def folders(self) -> frozenset[str]:
        """The folders above these files; the project's own folder is the empty text."""
        return frozenset(folder for file in self.files for folder in folders_above(file))


def folders_above(path: str) -> Iterator[str]:
    """Yield the folders that a path is in, the nearest first; the last is the empty text."""
    while path:
        path = path.rpartition("/")[0]
        yield path
