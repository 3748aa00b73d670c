"""Alerts by severity, what each message told, and receivers that ask for patience."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from alembic import op
from sqlalchemy import Column, Integer, String, Text, column, select, table, update

from airflow_dataops.adapters.ledger.columns import Json, Utc

revision = "0004"
down_revision = "0003"

_ID = String(250)
_RANKS = {"critical": 0, "important": 1, "nice_to_have": 2}
_alerts = table(
    "dataops_alerts",
    *(column("key"), column("route"), column("incident"), column("at", Utc)),
    *(column("alert", Json), column("rank"), column("number")),
    *(column("kind"), column("subject"), column("dag_id"), column("run_id")),
)
_outbox = table(
    "dataops_outbox",
    *(column("incident"), column("rank"), column("seen"), column("state"), column("count")),
)


def upgrade() -> None:
    """Add columns, an index and a table, and fill the columns."""
    for name, kind in (("rank", Integer), ("number", Integer)):
        op.add_column("dataops_alerts", Column(name, kind))
    for name, text in (("kind", String(50)), ("subject", String(500))):
        op.add_column("dataops_alerts", Column(name, text))
    for name in ("dag_id", "run_id"):
        op.add_column("dataops_alerts", Column(name, _ID))
    op.add_column("dataops_outbox", Column("rank", Integer))
    op.add_column("dataops_outbox", Column("seen", Integer))
    _fill()
    for name, columns in (("dataops_alerts", ("rank", "number")), ("dataops_outbox", ("rank",))):
        with op.batch_alter_table(name) as batch:
            for each in columns:
                batch.alter_column(each, existing_type=Integer(), nullable=False)
    _indexes()
    op.create_table(
        "dataops_receivers",
        Column("receiver", String(500), primary_key=True),
        Column("message", String(32), nullable=False),
        Column("failures", Integer, nullable=False),
        Column("error", Text),
    )


def downgrade() -> None:
    """Drop them. What is about to be told as an update is not told."""
    op.drop_table("dataops_receivers")
    op.drop_index("dataops_outbox_lane", "dataops_outbox")
    op.drop_index("dataops_alerts_of_dag", "dataops_alerts")
    for name in ("rank", "seen"):
        op.drop_column("dataops_outbox", name)
    for name in ("rank", "number", "kind", "subject", "dag_id", "run_id"):
        op.drop_column("dataops_alerts", name)


def _indexes() -> None:
    lane, of_dag = ("receiver", "state", "rank", "next_at"), ("dag_id", "solved_at")
    op.create_index("dataops_outbox_lane", "dataops_outbox", lane)
    op.create_index("dataops_alerts_of_dag", "dataops_alerts", of_dag)


def _fill() -> None:
    """Number the alerts of each incident as they came; what was sent told so many of them."""
    connection = op.get_bind()
    c = _alerts.c
    worst: dict[str, int] = {}
    numbers: dict[str, int] = defaultdict(int)
    query = select(c.key, c.route, c.incident, c.alert).order_by(c.at, c.key)
    for row in connection.execute(query).all():
        alert: dict[str, Any] = row.alert
        rank = _RANKS.get(str(alert.get("tier", "important")), 1)
        worst[row.incident] = min(rank, worst.get(row.incident, rank))
        numbers[row.incident] += 1
        connection.execute(
            update(_alerts)
            .where(c.key == row.key, c.route == row.route)
            .values(
                rank=rank,
                number=numbers[row.incident],
                kind=_cut(alert.get("kind", "custom"), 50),
                subject=_cut(alert.get("subject"), 500),
                dag_id=_cut(alert.get("dag_id"), 250),
                run_id=_cut((alert.get("context") or {}).get("run_id"), 250),
            )
        )
    connection.execute(update(_outbox).values(rank=1))
    for incident, rank in worst.items():
        connection.execute(update(_outbox).where(_outbox.c.incident == incident).values(rank=rank))
    sent = _outbox.c.state == "sent"
    connection.execute(update(_outbox).where(sent).values(seen=_outbox.c.count))


def _cut(text: Any, most: int) -> str | None:
    return str(text)[:most] if text else None
