"""Who may do what with a table: dbt's `grants`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

Privileges = dict[str, tuple[str, ...]]
"""Grantees by privilege."""

_PRIVILEGE = re.compile(r"[A-Za-z_][A-Za-z_ ]*")
_GRANTEE = re.compile(r'[^\W\d][\w$]*|"(?:[^"\0]|"")+"')


def configured_grants(value: Mapping[str, Any]) -> Privileges:
    """Return the grants of a node's configuration."""
    return {p: (who,) if isinstance(who, str) else tuple(who) for p, who in value.items()}


def strange_grants(value: Mapping[str, Any]) -> bool:
    """Tell whether grants hold more than plain words and names, which SQL takes as they are."""
    return not all(
        _PRIVILEGE.fullmatch(p) and all(isinstance(g, str) and _GRANTEE.fullmatch(g) for g in who)
        for p, who in configured_grants(value).items()
    )


def beyond(some: Privileges, others: Privileges) -> Privileges:
    """Return the privileges that only the first have, as dbt's `diff_of_two_dicts` compares."""
    known = {p.lower(): {_bare(g) for g in who} for p, who in others.items()}
    found = {
        p: tuple(g for g in who if _bare(g) not in known.get(p.lower(), ()))
        for p, who in some.items()
    }
    return {p: who for p, who in found.items() if who}


def _bare(grantee: str) -> str:
    return grantee.strip('"').replace('""', '"').lower()
