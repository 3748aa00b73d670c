"""What there is to know of an engine."""

from __future__ import annotations

from airflow_dataops.core.engines.error_codes import ErrorCodes
from airflow_dataops.core.engines.loads import LoadSql
from airflow_dataops.core.engines.models import ModelSql
from airflow_dataops.core.model import Struct


class Engine(Struct, frozen=True):
    """A warehouse that SQL is written for.

    Attributes:
        name: the sqlglot name of its SQL.
        models: how what dbt builds is built.
        loads: how tables are loaded.
        errors: what its errors mean.
    """

    name: str
    models: ModelSql
    loads: LoadSql
    errors: ErrorCodes
