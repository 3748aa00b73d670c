"""What a write to the target does besides: to rows of other tables, or in place of the write.

A row that is deleted and inserted again is the same row to its readers, but not to the foreign
keys that follow its deletion, nor to triggers.
"""

from __future__ import annotations

import logging
from enum import StrEnum
from typing import TYPE_CHECKING

from airflow_dataops.core.engines.statements import ask
from airflow_dataops.core.model import Struct
from airflow_dataops.errors import RunError

if TYPE_CHECKING:
    from airflow_dataops.core.engines.base import Engine
    from airflow_dataops.core.model import Relation
    from airflow_dataops.core.ports import SqlRunner

log = logging.getLogger(__name__)

_ACTIONS = {"c": "cascade", "n": "set null", "d": "set default"}
"""What a foreign key does to the rows that refer; others refuse the write, and say so."""


class Kind(StrEnum):
    """What stands by."""

    KEY = "foreign key"
    RULE = "rule"
    TRIGGER = "trigger"
    HEIR = "inheriting table"


class Bystander(Struct, frozen=True):
    """A foreign key to the target, a rule or a trigger of it, or a table that inherits from it.

    Attributes:
        table: of a foreign key, the one that refers.
        on_delete: of a foreign key, its action as the catalog names it; of a trigger, `before`
            or `after` where it is called when rows are deleted.
        on_update: of a foreign key, its action.
        columns: of a foreign key, those that it refers to.
        own: whether a foreign key is the target's own.
    """

    kind: Kind
    name: str
    table: str
    on_delete: str
    on_update: str
    columns: tuple[str, ...]
    own: bool

    @property
    def follows_deletion(self) -> bool:
        """Whether it changes rows when others are deleted."""
        return self.kind is Kind.KEY and self.on_delete in _ACTIONS

    @property
    def shown(self) -> str:
        """What it is, for people."""
        if self.kind is not Kind.KEY:
            return f"the {self.kind} {self.name}"
        on = [
            f"on {event} {_ACTIONS[action]}"
            for event, action in (("delete", self.on_delete), ("update", self.on_update))
            if action in _ACTIONS
        ]
        return f"the foreign key {self.name} of {self.table} ({', '.join(on)})"


def read_bystanders(target: Relation, runner: SqlRunner, engine: Engine) -> tuple[Bystander, ...]:
    """Look up what stands by a table.

    Raises:
        RunError: a rule does other things than what is written.
    """
    if engine.loads.bystanders is None:
        return ()
    found = tuple(
        Bystander(Kind(kind), name, table, on_delete, on_update, tuple(columns), own)
        for kind, name, table, on_delete, on_update, columns, own in ask(
            engine.loads.bystanders(target), runner
        )
    )
    rules = [one.name for one in found if one.kind is Kind.RULE]
    if rules:
        raise RunError(
            f"{target} has the rules {', '.join(rules)}, which do other things than what is "
            "written: a load cannot tell whether its rows are there. Drop or disable them, or "
            "load a table without rules. Nothing was written."
        )
    triggers = [one.name for one in found if one.kind is Kind.TRIGGER]
    if triggers:
        log.info("%s has triggers, which may change rows: %s", target, ", ".join(triggers))
    return found
