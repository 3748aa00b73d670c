"""What waits in the outbox of the release before is sent after the upgrade."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Integer, Text, column, insert, table

from airflow_dataops.adapters.ledger import migrate
from airflow_dataops.adapters.ledger.columns import Json, Utc
from airflow_dataops.adapters.ledger.database import Database
from airflow_dataops.core.sla.misses import Tier
from tests.databases import KINDS, empty_database
from tests.fakes.alert_house import NOW, OPS, House, alert

if TYPE_CHECKING:
    from pathlib import Path

TYPES: dict[str, Any] = {"at": Utc, "alert": Json, "step": Integer, "attempts": Integer}


def old(connection: Any, name: str, **row: Any) -> None:
    """Insert a row as the release before did."""
    kinds = {
        each: TYPES.get(each, Utc if each.endswith("_at") else Integer if each == "count" else Text)
        for each in row
    }
    of = table(name, *(column(each, kind) for each, kind in kinds.items()))
    connection.execute(insert(of).values(**row))


@pytest.mark.parametrize("kind", KINDS)
def test_an_outbox_of_the_revision_before_goes_on(kind: str, tmp_path: Path) -> None:
    with empty_database(kind, tmp_path) as url:
        database = Database(url)
        migrate.upgrade(database, "0003")
        later = NOW + timedelta(minutes=30)
        with database.write() as connection:
            for id_, key in (("i1", "k1"), ("i2", None)):
                old(
                    connection,
                    "dataops_incidents",
                    id=id_,
                    open_key=key,
                    cause="c",
                    opened_at=NOW,
                    closes_at=later,
                )
            for key, incident, tier in (
                ("a", "i1", "important"),
                ("b", "i1", "critical"),
                ("c", "i2", "nice_to_have"),
            ):
                plain = {
                    "key": key,
                    "title": f"{key} is late",
                    "at": NOW.isoformat(),
                    "tier": tier,
                    "subject": key,
                    "dag_id": "shop",
                    "context": {"run_id": "r"},
                }
                old(
                    connection,
                    "dataops_alerts",
                    key=key,
                    route="r",
                    incident=incident,
                    at=NOW,
                    alert=plain,
                )
            for key, incident, state, count in (
                ("m1", "i1", "sent", 2),
                ("m2", "i2", "waiting", None),
            ):
                old(
                    connection,
                    "dataops_outbox",
                    key=key,
                    incident=incident,
                    receiver=OPS,
                    action="trigger",
                    step=0,
                    state=state,
                    created_at=NOW,
                    next_at=NOW,
                    attempts=0,
                    count=count,
                )
        database.close()
        house = House(url)
        assert house.send() == 1
        assert house.titles() == ["c is late"]
        house.service.alert(alert("d", tier=Tier.CRITICAL))
        house.service.resolve("a")
        house.service.resolve("b")
        house.send()
        assert set(house.titles()[1:]) == {
            "d is late",
            "Solved: b is late (and 1 more with the same cause)",
        }
        with house.store.database.read() as connection:
            found = connection.exec_driver_sql(
                "SELECT key, rank, number, dag_id, run_id FROM dataops_alerts ORDER BY key"
            ).all()
        assert [tuple(row) for row in found][:3] == [
            ("a", 1, 1, "shop", "r"),
            ("b", 0, 2, "shop", "r"),
            ("c", 2, 1, "shop", "r"),
        ]
        house.store.close()
