"""What there is to know of an engine."""

from __future__ import annotations

from airflow_dataops.core.engines.adapters import Adapter
from airflow_dataops.core.engines.error_codes import ErrorCodes
from airflow_dataops.core.engines.loads import LoadSql
from airflow_dataops.core.engines.lookup import Lookup
from airflow_dataops.core.engines.metering import Metering
from airflow_dataops.core.engines.models import ModelSql
from airflow_dataops.core.engines.naming import Naming
from airflow_dataops.core.engines.sessions import SessionSql
from airflow_dataops.core.engines.values import ScriptSql, ValueSql
from airflow_dataops.core.model import Struct


class Engine(Struct, frozen=True):
    """A warehouse that SQL is written for.

    Attributes:
        name: the sqlglot name of its SQL.
        naming: how tables and columns are named.
        values: how values are written and compared.
        lookup: how tables are looked up.
        models: how what dbt builds is built.
        loads: how tables are loaded.
        errors: what its errors mean.
        session: what its sessions can be given.
        scripts: how it runs a transaction while nobody waits; None where it cannot.
        metering: what it tells of costs; None where nothing.
        adapter: what dbt's adapter does, of an engine of another package; see `adapters`.
        concurrent: whether several sessions of one process work at the same time.
    """

    name: str
    naming: Naming
    values: ValueSql
    lookup: Lookup
    models: ModelSql
    loads: LoadSql
    errors: ErrorCodes
    session: SessionSql = SessionSql()
    scripts: ScriptSql | None = None
    metering: Metering | None = None
    adapter: Adapter = Adapter()
    concurrent: bool = True
