"""A missed SLA: what is late, since when, whom it waits for."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Annotated

from msgspec import Meta

from airflow_dataops.core.model import Struct

VIOLATED = "violated"
"""The state of what is not late, but otherwise than it should be."""


class SubjectKind(StrEnum):
    """What an SLA is about."""

    TASK = "task"
    TASK_GROUP = "task_group"
    DAG = "dag"
    ASSET = "asset"
    TABLE = "table"


class Tier(StrEnum):
    """How much a miss matters."""

    CRITICAL = "critical"
    IMPORTANT = "important"
    NICE_TO_HAVE = "nice_to_have"

    @property
    def rank(self) -> int:
        """0 for what matters most."""
        return list(Tier).index(self)


def _check_receiver(name: str) -> None:
    if not _RECEIVER.match(name):
        raise ValueError(
            f"{name!r} is no receiver; write {', '.join(f'{kind}:' for kind in RECEIVERS)} or "
            "import: and a connection or name."
        )
    if len(name) > _LONGEST:
        raise ValueError(f"{name[:40]!r}... has {len(name)} characters; {_LONGEST} are kept.")


_LONGEST = 500
RECEIVERS = {
    "slack": "slack.SlackReceiver",
    "pagerduty": "pagerduty.PagerDutyReceiver",
    "email": "email.EmailReceiver",
    "apprise": "apprise.AppriseReceiver",
}
"""The kinds of receivers, and the class of each in `hooks/receivers`."""
_RECEIVER = re.compile(rf"^({'|'.join([*RECEIVERS, 'import'])}):.+$")
Receiver = Annotated[str, Meta(extra={"check": _check_receiver})]
"""`slack:conn_id#channel`, `pagerduty:conn_id`, `email:conn_id/to@example.com`, ..."""


class Escalation(Struct, frozen=True, forbid_unknown_fields=True):
    """Who else is told when it is not solved so long after the first message."""

    after_minutes: Annotated[float, Meta(gt=0)]
    receivers: Annotated[tuple[Receiver, ...], Meta(min_length=1)]


class Subject(Struct, frozen=True):
    """What is late. Of a table or an asset, `name` says which; of the rest, the ids do.

    Attributes:
        map_index: -1 for a task that is not mapped.
        clear_number: how often the run was cleared; clearing arms its SLAs anew.
    """

    kind: SubjectKind
    name: str = ""
    dag_id: str | None = None
    run_id: str | None = None
    task_id: str | None = None
    map_index: int = -1
    clear_number: int = 0

    def __str__(self) -> str:
        if self.name:
            return self.name
        mapped = f"[{self.map_index}]" if self.map_index >= 0 else ""
        task = f".{self.task_id}{mapped}" if self.task_id else ""
        return f"{self.dag_id or ''}{task}"


class Past(Struct, frozen=True):
    """How it went before, for a reader: one earlier run of the same subject."""

    run_id: str
    ended_at: datetime | None = None
    seconds: float | None = None
    state: str | None = None


class SlaMiss(Struct, frozen=True, dict=True):
    """One SLA, missed once.

    Attributes:
        sla: the SLA's name, unique for its subject.
        due: when it should have been done.
        detected_at: when the miss was seen.
        state: the subject's state at that time (`running`, `failed`, `never_started`, ...).
        since: since when it is in this state.
        upstream: what blocks it: the id of the first task, asset or table it waits for.
        cause: misses with the same cause are told together. By default the upstream in its
            run, or else the subject itself.
        warning: whether it is only predicted to be late.
        history: its latest runs, newest first.
        links: address by label (`Run`, `Log`, `Runbook`).
        escalate: who else is told when it is not solved, besides whom the alerts file names.
    """

    sla: str
    subject: Subject
    due: datetime
    detected_at: datetime
    tier: Tier = Tier.IMPORTANT
    state: str | None = None
    since: datetime | None = None
    upstream: str | None = None
    cause: str | None = None
    owner: str | None = None
    tags: tuple[str, ...] = ()
    warning: bool = False
    reason: str = ""
    history: tuple[Past, ...] = ()
    links: dict[str, str] = {}
    escalate: tuple[Escalation, ...] = ()

    @cached_property
    def key(self) -> str:
        """Name this miss alike in every process: the same for all who detect it.

        Of a table or an asset the due time tells one miss from the next; of the rest the run
        and how often it was cleared.
        """
        at = self.subject
        parts: list[object] = [at.kind, at.name, at.dag_id, at.run_id, at.task_id, at.map_index]
        parts += [at.clear_number, self.sla, self.tier, "warning" if self.warning else "miss"]
        if at.run_id is None:
            parts.append(self.due.timestamp())
        return hashed(*parts)

    @property
    def grouping(self) -> str:
        """Return the cause under which misses are told together."""
        at = self.subject
        own = f"{at.kind}:{at}:{at.run_id or ''}"
        upstream = f"{at.dag_id or ''}:{at.run_id or ''}:{self.upstream}" if self.upstream else ""
        return self.cause or upstream or own


def hashed(*parts: object) -> str:
    """Return 32 hex digits that stand for the parts, whatever characters are in them."""
    text = "\x1f".join("" if part is None else str(part) for part in parts)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
