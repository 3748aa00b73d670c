"""Patterns of paths, matched in a time that no pattern can blow up.

Compiled to one regular expression, as the standard library and fsspec do it, forty `**/` or
`*a*a*a` take longer than a day to tell that they do not match.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ANY_FOLDERS = "**"
_WILDCARD = re.compile(r"[*?\[\]]")


def has_wildcard(text: str) -> bool:
    """Tell whether a part of a path is a pattern."""
    return _WILDCARD.search(text) is not None


def matches(path: Sequence[str], pattern: Sequence[str]) -> bool:
    """Match part by part; `**` stands for any number of folders, none included.

    However many `**` there are, each part of the pattern looks once at each part of the path.
    """
    # How many parts of the path the pattern up to here may have taken.
    taken = {0}
    for part in pattern:
        if part == ANY_FOLDERS:
            taken = set(range(min(taken), len(path) + 1))
        else:
            taken = {at + 1 for at in taken if at < len(path) and fnmatchcase(path[at], part)}
        if not taken:
            return False
    return len(path) in taken


def coarser(pattern: Sequence[str]) -> list[str]:
    """Return a pattern that matches the same paths and more, and is cheap for any matcher.

    Each part keeps what it begins with, so that a storage lists no more than it has to.
    """
    found: list[str] = []
    for part in pattern:
        if part == ANY_FOLDERS:
            return [*found, ANY_FOLDERS]
        found.append(f"{_WILDCARD.split(part)[0]}*" if has_wildcard(part) else part)
    return found
