"""The Airflow asset that stands for a table."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from airflow.sdk import Asset

if TYPE_CHECKING:
    from airflow_dataops.core.model import Relation


def asset_of(relation: Relation, conn_id: str) -> Asset:
    """Name a table's asset by where the table is.

    The same table is the same asset whatever fills or reads it: another project, another
    tool, a hand-written DAG. The uri is `dataops://<conn_id>/<database>/<schema>/<table>`,
    each part percent-encoded, missing ones left out; the name is the same without the scheme.
    """
    parts = (conn_id, relation.database, relation.schema, relation.identifier)
    name = "/".join(quote(part, safe="") for part in parts if part)
    return Asset(name=name, uri=f"dataops://{name}")
