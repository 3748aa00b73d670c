"""Where the rows of a load come from, as arguments of an operator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from airflow.sdk import XComArg

from airflow_dataops.core.arguments import text
from airflow_dataops.core.engines.names import parse_relation
from airflow_dataops.core.engines.relations import select_all
from airflow_dataops.core.loads.sources import Named, Query
from airflow_dataops.errors import ConfigError
from airflow_dataops.operators.arguments import SessionArguments

if TYPE_CHECKING:
    from airflow_dataops.core.loads.sources import Source


class RowsArguments(SessionArguments, total=False):
    """What an operator takes that reads rows; see `LoadOperator`."""

    sql: str | None
    table: str | None
    source: Source | str | None
    parameters: Sequence[Any] | str


class SourceArguments:
    """Part of an operator that reads rows by `sql`, from a `table` or from a `source`."""

    template_fields: Sequence[str] = ("sql", "table", "source", "parameters")
    task_id: str

    def __init__(
        self,
        *,
        sql: str | None = None,
        table: str | None = None,
        source: Source | str | None = None,
        parameters: Sequence[Any] | str = (),
        **arguments: Any,
    ) -> None:
        super().__init__(**arguments)
        given = {"sql": sql, "table": table, "source": source}
        named = [name for name, value in given.items() if value is not None]
        if len(named) != 1:
            raise ConfigError(
                f"task {self.task_id!r}: give the rows by one of sql, table and source, "
                f"not by {' and '.join(named) or 'none of them'}."
            )
        if isinstance(source, str):
            sql, source = source, None
        self.sql = _template(sql, "sql")
        self.table = _template(table, "table")
        self.source = _checked(source)
        self.parameters = _values(parameters)
        self.origin = _origin(sql, table, source, parameters)

    # Airflow knows the arguments of `partial` and `expand` from what its metaclass notes on the
    # constructor of each class of an operator; this one has another metaclass.
    __init__._BaseOperatorMeta__param_names = (  # type: ignore[attr-defined]
        frozenset({"sql", "table", "source", "parameters"})
    )

    def _source(self, dialect: str) -> Source:
        if self.table is not None:
            return Query(sql=select_all(parse_relation(self.table, dialect), dialect))
        # What another task returned as `source` may be a text as well.
        sql = self.source if isinstance(self.source, str) else self.sql
        if sql is not None:
            return Query(sql=sql, parameters=tuple(_values(self.parameters)))
        if self.source is None:
            raise ConfigError(f"task {self.task_id!r}: what was to name its rows is empty.")
        return cast("Source", _checked(self.source))


def _template(value: Any, what: str) -> Any:
    """Check a text that may come from another task."""
    return value if value is None or isinstance(value, XComArg) else text(value, what)


def _checked(source: Any) -> Any:
    if source is None or isinstance(source, XComArg) or callable(getattr(source, "stage", None)):
        return source
    raise ConfigError(
        f"source={source!r}: write a query as text, or ConnectionQuery, Files or another source."
    )


def _values(parameters: Any) -> Any:
    """Refuse a lone text, each letter of which would be a value."""
    if isinstance(parameters, XComArg) or (isinstance(parameters, str) and "{{" in parameters):
        return parameters
    if isinstance(parameters, Sequence) and not isinstance(parameters, str | bytes):
        return parameters
    raise ConfigError(f"parameters={parameters!r}: write a list of values, such as ['2026-01-31'].")


def _origin(sql: Any, table: Any, source: Any, parameters: Any) -> str:
    """Return what the source is called in all runs: its arguments before Jinja renders them."""
    if isinstance(source, Named):
        return source.origin
    if sql is not None:
        return f"{sql} {parameters}"
    return "" if table is None else f"table {table}"
