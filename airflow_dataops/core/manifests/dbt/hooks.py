"""Hooks of a node, as `pre-hook` and `post-hook` configure them.

A hook is a mapping `{sql, transaction, index}`, such a mapping as JSON text, or plain SQL.
dbt leaves their Jinja for the run. Source: https://docs.getdbt.com/reference/resource-configs/pre-hook-post-hook
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from airflow_dataops.core.manifests.show import show
from airflow_dataops.core.model import Hook

if TYPE_CHECKING:
    from airflow_dataops.core.manifests.dbt.settings import Settings

_JINJA = re.compile(r"\{\{|\{%|\{#")


class Hooks(NamedTuple):
    """The hooks before and after a node is built."""

    pre: tuple[Hook, ...]
    post: tuple[Hook, ...]

    def unsupported(self) -> list[str]:
        """Return why plain SQL cannot run them."""
        if not self.pre and not self.post:
            return []
        named = {"a pre-hook": self.pre, "a post-hook": self.post}
        return [
            f"Jinja in {name}"
            for name, hooks in named.items()
            if any(has_jinja(hook.sql) for hook in hooks)
        ]


def has_jinja(text: str) -> bool:
    """Say whether a text holds Jinja that only dbt can render."""
    return _JINJA.search(text) is not None


def read_hooks(settings: Settings) -> Hooks:
    """Read a node's hooks in the order in which dbt runs them."""
    return Hooks(_hooks("pre", settings), _hooks("post", settings))


def _hooks(when: str, settings: Settings) -> tuple[Hook, ...]:
    hooks = []
    for name in (f"{when}-hook", f"{when}_hook"):
        if not settings.given(name):
            continue
        value = settings.raw(name)
        for item in value if isinstance(value, list) else [value]:
            hook = read_hook(item)
            if hook is None:
                settings.complain(
                    f"config.{name} holds {show(item)}; write SQL as text, or a mapping with "
                    "`sql` and, if need be, `transaction`."
                )
            elif hook.sql.strip():
                hooks.append(hook)
    return tuple(hooks)


def read_hook(item: object) -> Hook | None:
    """Read one hook: SQL as text, or a mapping, as JSON or not. None if it is neither."""
    if isinstance(item, str):
        try:
            parsed = msgspec.json.decode(item)
        except msgspec.DecodeError:
            parsed = None
        if not isinstance(parsed, dict):
            return Hook(sql=item)
        item = parsed
    if not isinstance(item, dict):
        return None
    sql, transaction = item.get("sql"), item.get("transaction", True)
    if isinstance(sql, str) and isinstance(transaction, bool):
        return Hook(sql=sql, transaction=transaction)
    return None
