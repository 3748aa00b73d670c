"""Finding nodes by name, qualified or not, as dbt does.

A name is the last part of a node's `fqn` (before the version, for a versioned model); a
qualified name is the beginning of it, with or without the package. Dots inside of a part count
as separators. From the first part with a wildcard on, the pattern covers the whole rest.
"""

from __future__ import annotations

import fnmatch
import re
from bisect import bisect_left
from collections import defaultdict
from typing import TYPE_CHECKING

from airflow_dataops.core.globs import has_wildcard
from airflow_dataops.core.model import NodeKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from airflow_dataops.core.model import Node


class NameIndex:
    """Names of nodes. One plain name takes the time of a binary search."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        self._leaves: defaultdict[str, list[str]] = defaultdict(list)
        self._versioned: defaultdict[str, list[str]] = defaultdict(list)
        self._dotted: list[tuple[str, str]] = []
        for node in nodes:
            if node.kind is not NodeKind.SOURCE:
                self._add(node)
        self._dotted.sort()

    def _add(self, node: Node) -> None:
        fqn = node.fqn or (node.package, node.name)
        if node.kind is NodeKind.MODEL and node.version is not None and len(fqn) > 1:
            self._leaves[fqn[-2]].append(node.id)
            self._versioned["_".join(fqn[-2:])].append(node.id)
        else:
            self._leaves[fqn[-1]].append(node.id)
        # The trailing dot makes `a.b` a prefix of `a.b.c` and not of `a.bc`.
        self._dotted.append((".".join(fqn) + ".", node.id))
        self._dotted.append((".".join(fqn[1:]) + ".", node.id))

    def find(self, pattern: str) -> Iterator[str]:
        """Yield the ids of the nodes that a name or pattern means, some of them twice."""
        yield from self._leaves.get(pattern, ())
        # dbt lets `orders.v2` and `orders_v2` both mean version 2, whatever is written before.
        yield from self._versioned.get("_".join(pattern.split(".")[-2:]), ())
        yield from self._matching(pattern) if has_wildcard(pattern) else self._below(pattern)

    def _below(self, name: str) -> Iterator[str]:
        prefix = f"{name}."
        for index in range(bisect_left(self._dotted, (prefix, "")), len(self._dotted)):
            dotted, node_id = self._dotted[index]
            if not dotted.startswith(prefix):
                return
            yield node_id

    def _matching(self, pattern: str) -> Iterator[str]:
        matches = _dotted_pattern(pattern).match
        dots = pattern.count(".") + 1
        yield from (id_ for text, id_ in self._dotted if matches(text) and text.count(".") >= dots)
        if "." not in pattern:
            leaf = re.compile(fnmatch.translate(pattern)).match
            yield from (id_ for name, ids in self._leaves.items() if leaf(name) for id_ in ids)

    def known(self) -> Iterator[str]:
        """Yield what would have matched: names, and qualified names."""
        yield from self._leaves
        yield from self._versioned
        yield from (dotted.removesuffix(".") for dotted, _ in self._dotted)


def _dotted_pattern(pattern: str) -> re.Pattern[str]:
    parts = pattern.split(".")
    first = next(index for index, part in enumerate(parts) if has_wildcard(part))
    plain = "".join(f"{part}." for part in parts[:first])
    return re.compile(re.escape(plain) + fnmatch.translate(".".join(parts[first:]) + "."))
