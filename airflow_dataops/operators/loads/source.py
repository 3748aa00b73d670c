"""Where the rows of a load come from, as arguments of an operator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from airflow_dataops.core.loads.sources import Query
from airflow_dataops.core.sql.names import parse_relation
from airflow_dataops.core.sql.relations import select_all
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_dataops.core.loads.sources import Source


class SourceArguments:
    """Part of an operator that reads rows by `sql`, from a `table` or from a `source`."""

    template_fields: Sequence[str] = ("sql", "table", "source", "parameters")
    task_id: str

    def __init__(
        self,
        *,
        sql: str | None = None,
        table: str | None = None,
        source: Source | None = None,
        parameters: Sequence[Any] = (),
        **arguments: Any,
    ) -> None:
        super().__init__(**arguments)
        self.sql = sql
        self.table = table
        self.source = source
        self.parameters = parameters

    def _source(self, dialect: str) -> Source:
        given = [name for name in ("sql", "table", "source") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ConfigError(
                f"task {self.task_id!r}: give the rows by one of sql, table and source, "
                f"not by {' and '.join(given) or 'none of them'}."
            )
        if self.table is not None:
            return Query(sql=select_all(parse_relation(self.table, dialect), dialect))
        if self.sql is not None:
            return Query(sql=self.sql, parameters=tuple(self.parameters))
        return cast("Source", self.source)
