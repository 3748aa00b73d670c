"""Incidents for people: what is open, who was told, what comes next."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from airflow_dataops.adapters.ledger.tables import alerts, incidents, outbox
from airflow_dataops.core.model import Struct
from airflow_dataops.core.sla.misses import Tier
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from sqlalchemy import Connection


class Incident(Struct, frozen=True, omit_defaults=False):
    """One incident.

    Attributes:
        state: `open`, `acknowledged` or `solved`.
        tier: of the worst of its alerts that are open; of all when it is solved.
        title: of that alert.
        alerts: how many it has, `open_alerts` of them not solved.
        told: receivers that have taken a message.
        waiting: receivers with a message that they have not taken yet.
        errors: what receivers said that did not take one.
        escalates_at: when the next step is due, if there is one.
    """

    id: str
    state: str
    tier: Tier
    title: str
    opened_at: datetime
    alerts: int
    open_alerts: int
    told: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    escalates_at: datetime | None = None


def list_incidents(connection: Connection, *, solved: bool, most: int = 100) -> list[Incident]:
    """Return the incidents that are open, the worst first, then the newest.

    Args:
        solved: whether to return those that are solved, too.
        most: so many at most, the newest.
    """
    query = select(incidents).order_by(incidents.c.opened_at.desc()).limit(most)
    if not solved:
        query = query.where(incidents.c.solved_at.is_(None))
    found = [_incident(connection, row) for row in connection.execute(query).all()]
    return sorted(found, key=lambda each: (each.state == "solved", each.tier.rank))


def find_incident(connection: Connection, given: str) -> str:
    """Return the id that begins with what was given.

    Raises:
        ConfigError: there is none, or there are several.
    """
    pattern = given.strip().lower()
    if not pattern.isalnum():
        raise ConfigError(f"{given!r} is no incident; `airflow-dataops alerts list` names them.")
    query = select(incidents.c.id).where(incidents.c.id.startswith(pattern)).limit(2)
    found = list(connection.execute(query).scalars())
    if not found:
        raise ConfigError(
            f"There is no incident {given!r}; `airflow-dataops alerts list --all` names them."
        )
    if len(found) > 1:
        raise ConfigError(f"Several incidents begin with {given!r}; write more of it.")
    return str(found[0])


def _incident(connection: Connection, row: Any) -> Incident:
    mine, open_ = alerts.c.incident == row.id, alerts.c.solved_at.is_(None)
    total, still = (
        connection.execute(select(func.count()).where(*which)).scalar_one()
        for which in ((mine,), (mine, open_))
    )
    query = select(alerts.c.alert, alerts.c.rank).where(mine, *([open_] if still else []))
    worst = connection.execute(query.order_by(alerts.c.rank, alerts.c.number).limit(1)).first()
    names = ("receiver", "state", "step", "next_at", "error")
    query = select(*(outbox.c[name] for name in names)).where(outbox.c.incident == row.id)
    messages = connection.execute(query.order_by(outbox.c.receiver)).all()
    waiting = [each for each in messages if each.state == "waiting"]
    state = "acknowledged" if row.acknowledged_at else "open"
    return Incident(
        id=row.id,
        state="solved" if row.solved_at else state,
        tier=list(Tier)[worst.rank] if worst else Tier.IMPORTANT,
        title=str(worst.alert.get("title", "")) if worst else str(row.cause),
        opened_at=row.opened_at,
        alerts=total,
        open_alerts=still,
        told=_unique(each.receiver for each in messages if each.state == "sent"),
        waiting=_unique(each.receiver for each in waiting if not each.step),
        errors=_unique(f"{each.receiver}: {each.error}" for each in waiting if each.error),
        escalates_at=min((each.next_at for each in waiting if each.step), default=None),
    )


def _unique(names: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
