"""Move rows from one connection, or from files, to a table on another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack, cast, get_args

from msgspec.structs import replace

from airflow_dataops.core.arguments import instance
from airflow_dataops.core.loads.specs import LoadPartition, Replace, Verb
from airflow_dataops.errors import ConfigError
from airflow_dataops.hooks.connection_query import ConnectionQuery
from airflow_dataops.operators.loads.base import LoadOperator, LoadSettings
from airflow_dataops.operators.loads.partition import bound
from airflow_dataops.operators.loads.source import RowsArguments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_dataops.operators.loads.base import LoadArguments


class TransferArguments(LoadSettings, RowsArguments, total=False):
    """What `TransferOperator` takes besides its verb; target and conn_id under either name."""

    target: str
    conn_id: str


class TransferOperator(LoadOperator):
    """Moves rows into a table of another warehouse, in Arrow batches by its bulk path.

    All operators of this family take a `source`; this one takes the verb as a value:

        TransferOperator(
            source=ConnectionQuery("app_db", "select * from orders where day = '{{ ds }}'"),
            target="raw.orders",
            conn_id="warehouse",
            verb=LoadPartition(values={"day": "{{ ds }}"}),
        )

    Args:
        verb: what to do with the rows; by default they replace the table's. Jinja in the
            values of a partition is rendered.
        source_conn_id: the connection that `sql` is a query on, for a `ConnectionQuery`.
        destination_conn_id: `conn_id`, as Airflow's `GenericTransfer` calls it.
        destination_table: `target`, as it calls that.
        **arguments: those of `LoadOperator`.
    """

    template_fields: Sequence[str] = (*LoadOperator.template_fields, "values", "bounds")

    def __init__(
        self,
        *,
        verb: Verb | None = None,
        source_conn_id: str | None = None,
        destination_conn_id: str | None = None,
        destination_table: str | None = None,
        **arguments: Unpack[TransferArguments],
    ) -> None:
        given: dict[str, Any] = dict(arguments)
        _take(given, "conn_id", destination_conn_id, "destination_conn_id")
        _take(given, "target", destination_table, "destination_table")
        if source_conn_id is not None:
            _take(given, "source", _query(source_conn_id, given), "source_conn_id")
        super().__init__(**cast("LoadArguments", given))
        self.verb: Verb = instance(get_args(Verb), verb or Replace(), "verb")
        self.values = dict(verb.values) if isinstance(verb, LoadPartition) else {}
        within = verb.within if isinstance(verb, LoadPartition) else None
        self.bounds = [within.start, within.end] if within else []

    def _verb(self) -> Verb:
        verb = self.verb
        if not isinstance(verb, LoadPartition):
            return verb
        within = verb.within
        if within is not None:
            start, end = self.bounds
            within = replace(within, start=bound(start, "start"), end=bound(end, "end"))
        return replace(verb, values=dict(self.values), within=within)


def _take(given: dict[str, Any], name: str, value: Any, alias: str) -> None:
    """Put what is given under another name where it belongs. Raises `ConfigError` for both."""
    if value is None:
        return
    if given.get(name) is not None:
        raise ConfigError(f"{name}= and {alias}= are the same; give one of them.")
    given[name] = value


def _query(conn_id: str, given: dict[str, Any]) -> ConnectionQuery:
    """Return the rows of `sql` on another connection, taking it out of the arguments."""
    if given.get("sql") is None:
        raise ConfigError("source_conn_id= is where sql= is run; write the query there.")
    return ConnectionQuery(conn_id, given.pop("sql"), given.pop("parameters", ()))
