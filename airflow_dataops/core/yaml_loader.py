"""Loaders of YAML: bounded; one reads times of the day as text, and wants each key but once."""

from __future__ import annotations

import re
from typing import Any

import yaml

_MOST_NODES = 200_000
"""Values that a document may have once its aliases are written out."""
_DEEPEST = 200
_INT, _FLOAT = "tag:yaml.org,2002:int", "tag:yaml.org,2002:float"


class Bounded(yaml.SafeLoader):
    """PyYAML's safe loader for documents of a bounded size.

    A document whose aliases multiply beyond all bounds is refused, and so is one that is in
    itself, or nested deeper than Python goes.
    """

    def fetch_flow_collection_start(self, TokenClass: Any) -> None:  # noqa: N803
        """Go a level deeper; PyYAML looks at all levels above for each token."""
        if self.flow_level >= _DEEPEST:
            raise yaml.YAMLError("it is nested too deep")
        super().fetch_flow_collection_start(TokenClass)

    def get_single_node(self) -> Any:
        """Return the document, checked."""
        try:
            node = super().get_single_node()
            if node is not None:
                _size(node, {})
        except RecursionError:
            raise yaml.YAMLError("it is nested too deep") from None
        return node


class Loader(Bounded):
    """The same without YAML 1.1's numbers to the base of 60 (`17:30`)."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """Return a mapping; one with a key twice is refused."""
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} is there twice", key.start_mark
                )
            seen.add(key.value)
        found: dict[Any, Any] = super().construct_mapping(node, deep)
        return found


def _size(node: Any, known: dict[int, int]) -> int:
    """Return how many values a node has, aliases written out. Raises `YAMLError`."""
    if id(node) not in known:
        # Should the node be in itself, that is beyond all bounds.
        known[id(node)] = _MOST_NODES + 1
        inner = node.value if not isinstance(node, yaml.ScalarNode) else ()
        parts = [part for each in inner for part in (each if isinstance(each, tuple) else (each,))]
        known[id(node)] = 1 + sum(_size(part, known) for part in parts)
    if known[id(node)] > _MOST_NODES:
        raise yaml.YAMLError(
            f"{node.start_mark}: its aliases (*) stand for more than {_MOST_NODES} values, or for "
            "themselves"
        )
    return known[id(node)]


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in (_INT, _FLOAT)]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
# As in YAML 1.2's core schema.
Loader.add_implicit_resolver(_INT, re.compile(r"[-+]?[0-9]+$"), list("-+0123456789"))
Loader.add_implicit_resolver(
    _FLOAT,
    re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$"),
    list("-+.0123456789"),
)
