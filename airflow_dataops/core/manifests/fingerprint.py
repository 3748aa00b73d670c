"""A short hash of what a node is, for telling whether it changed."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_dataops.core.model import Code, Node

_encode = msgspec.json.Encoder(order="deterministic").encode
_BYTES = 8


def fingerprint(node: Node, code: Code | None, source: Any) -> str:
    """Return 16 hexadecimal digits that change with the node, its code or its source.

    Args:
        node: all of it counts, except the fingerprint that it may have.
        source: a hash of the file it was written in, or anything JSON; None if unknown.

    The order of keys in mappings does not count.
    """
    if node.fingerprint:
        node = msgspec.structs.replace(node, fingerprint="")
    return digest((node, code, source))


def digest(content: Any) -> str:
    """Return 16 hexadecimal digits that change with anything JSON."""
    return blake2b(_encode(content), digest_size=_BYTES).hexdigest()


def combined(fingerprints: Sequence[str]) -> str:
    """Return one fingerprint for several nodes, in whatever order; a single one as it is."""
    if len(fingerprints) == 1:
        return fingerprints[0]
    return blake2b(" ".join(sorted(fingerprints)).encode(), digest_size=_BYTES).hexdigest()
