"""What is told: an alert, as raised, and the message that a receiver gets of it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.alerts.context import context_of
from airflow_dataops.core.model import Struct
from airflow_dataops.core.sla.misses import VIOLATED, Escalation, Tier

if TYPE_CHECKING:
    from airflow_dataops.core.sla.misses import SlaMiss


class Action(StrEnum):
    """What a message is for."""

    TRIGGER = "trigger"
    UPDATE = "update"
    """An incident that was told has got worse, or has more to it."""
    RESOLVE = "resolve"


class Alert(Struct, frozen=True):
    """One thing that went wrong. It is told once, however often it is raised.

    Attributes:
        key: names it; one with the key of an open alert is not told again, unless its tier is
            higher.
        title: one line.
        cause: alerts with one cause may be told together; the key where there is none.
        kind: `sla_miss`, `sla_warning`, `task_failure`, `check` or a name of one's own.
        facts: what a reader wants to know, in order: value by label.
        links: address by label.
        context: plain data for templates and programs.
        escalate: who else is told when it is not solved, whatever its routes say.
    """

    key: str
    title: str
    at: datetime
    cause: str = ""
    kind: str = "custom"
    tier: Tier = Tier.IMPORTANT
    owner: str | None = None
    tags: tuple[str, ...] = ()
    subject: str = ""
    dag_id: str | None = None
    run_id: str | None = None
    facts: dict[str, str] = {}
    links: dict[str, str] = {}
    context: dict[str, Any] = {}
    escalate: tuple[Escalation, ...] = ()


class Message(Struct, frozen=True):
    """What a receiver is asked to send.

    Attributes:
        key: names this message; a receiver that can, drops a second one with the same key.
        incident: names what the message is about; trigger, updates and resolve share it.
        step: 0, or the number of the escalation step.
        count: how many alerts it tells of.
        raised: of an update, its severity where that is above all that its receiver was told; of
            a resolve, all severities that were raised so.
    """

    key: str
    incident: str
    action: Action
    title: str
    text: str
    at: datetime
    tier: Tier = Tier.IMPORTANT
    owner: str | None = None
    subject: str = ""
    step: int = 0
    count: int = 1
    facts: dict[str, str] = {}
    links: dict[str, str] = {}
    raised: tuple[Tier, ...] = ()


def alert_of(miss: SlaMiss) -> Alert:
    """Say what a missed SLA means to whoever gets the alert."""
    return Alert(
        key=miss.key,
        title=_title(miss),
        at=miss.detected_at,
        cause=miss.grouping,
        kind="sla_warning" if miss.warning else "sla_miss",
        tier=miss.tier,
        owner=miss.owner,
        tags=miss.tags,
        subject=str(miss.subject),
        dag_id=miss.subject.dag_id,
        run_id=miss.subject.run_id,
        facts=_facts(miss),
        links=miss.links,
        context=context_of(miss),
        escalate=() if miss.warning else miss.escalate,
    )


def _title(miss: SlaMiss) -> str:
    if miss.state == VIOLATED:
        return f"{miss.subject}: {miss.sla} is violated. {miss.reason}".strip()
    late = "will probably be late" if miss.warning else "is late"
    return f"{miss.subject} {late}: {miss.sla}, due {_clock(miss.due)}"


def _facts(miss: SlaMiss) -> dict[str, str]:
    since = f" since {_clock(miss.since)}" if miss.since else ""
    seconds = [past.seconds for past in miss.history if past.seconds is not None]
    usual = f"{sorted(seconds)[len(seconds) // 2] / 60:.0f} min" if seconds else None
    facts = {
        "Due": _clock(miss.due),
        "State": f"{miss.state}{since}" if miss.state else None,
        "Waits for": miss.upstream,
        "Why": miss.reason,
        "Run": miss.subject.run_id,
        "Owner": miss.owner,
        "Tier": miss.tier,
        "Usually takes": usual,
    }
    return {label: str(value) for label, value in facts.items() if value}


def _clock(time: datetime) -> str:
    """Write a time in the zone that it was given in."""
    return f"{time:%Y-%m-%d %H:%M} {time.tzname() or ''}".strip()
