"""Move rows from one connection, or from files, to a table on another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack, get_args

from msgspec.structs import replace

from airflow_dataops.core.arguments import instance
from airflow_dataops.core.loads.specs import LoadPartition, Replace, Verb
from airflow_dataops.operators.loads.base import LoadOperator
from airflow_dataops.operators.loads.partition import bound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_dataops.operators.loads.base import LoadArguments


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
        **arguments: those of `LoadOperator`.
    """

    template_fields: Sequence[str] = (*LoadOperator.template_fields, "values", "bounds")

    def __init__(self, *, verb: Verb | None = None, **arguments: Unpack[LoadArguments]) -> None:
        super().__init__(**arguments)
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
