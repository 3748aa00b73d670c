"""Names and tags that every sink takes, and which tags there may be at all.

The allowed characters are what is safe in all five wire formats: in a StatsD datagram `:`, `|`,
`@` and newlines end a field, in DogStatsD `,` and `|` do, CloudWatch takes ASCII only.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING

from airflow_dataops.core.model import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable

Tags = tuple[tuple[str, str], ...]
"""Sorted pairs of key and value."""

LONGEST_NAME = 200
LONGEST_KEY = 64
LONGEST_VALUE = 128
"""Datadog cuts `key:value` at 200 characters."""

NEVER = frozenset(
    {"run_id", "map_index", "try_number", "ti_id", "task_instance_id", "logical_date", "pid"}
)
"""Keys that would make a series of each run; they never become tags."""

_NAME = re.compile(r"[^A-Za-z0-9_.\-]+")
_VALUE = re.compile(r"[^A-Za-z0-9_.\-/+=@:% ]+")


class TagPolicy(Struct, frozen=True):
    """Which tags are sent.

    Attributes:
        allow: only these keys; None for all.
        deny: never these keys.
        constant: pairs that every measurement has, such as `env`; a measurement's own win.
    """

    allow: frozenset[str] | None = None
    deny: frozenset[str] = frozenset()
    constant: Tags = ()

    def apply(self, tags: Iterable[tuple[str, str]]) -> Tags:
        """Return the tags that may be sent, clean and sorted."""
        found = {key: value for key, value in self.constant if key not in self.deny}
        for key, value in tags:
            clean = clean_key(key)
            if self._takes(clean) and value != "":
                found[clean] = clean_value(value)
        return tuple(sorted(found.items()))

    def _takes(self, key: str) -> bool:
        if key in NEVER or key in self.deny:
            return False
        return self.allow is None or key in self.allow


@lru_cache(maxsize=4096)
def clean_name(name: str) -> str:
    """Return a metric's name with letters, digits, `_`, `.`, `-` only, at most 200 of them."""
    return _clean(name, _NAME, LONGEST_NAME).strip(".") or "unnamed"


@lru_cache(maxsize=4096)
def clean_key(key: str) -> str:
    """Return a tag's key with letters, digits, `_`, `.`, `-` only, at most 64 of them."""
    return _clean(key, _NAME, LONGEST_KEY) or "unnamed"


@lru_cache(maxsize=4096)
def clean_value(value: str) -> str:
    """Return a tag's value without what could end a field, at most 128 characters long."""
    return _clean(value, _VALUE, LONGEST_VALUE).strip() or "_"


def _clean(text: str, refused: re.Pattern[str], longest: int) -> str:
    """Replace what is refused by `_`; cut what is too long so that it stays distinct."""
    short = text[: 4 * longest]
    if not short.isascii():
        short = unicodedata.normalize("NFKD", short)
        short = "".join(c for c in short if not unicodedata.combining(c))
    clean = refused.sub("_", short)
    if len(clean) > longest or len(text) > 4 * longest:
        digest = blake2b(text.encode("utf-8", "replace"), digest_size=4).hexdigest()
        clean = f"{clean[: longest - 9]}_{digest}"
    return clean
