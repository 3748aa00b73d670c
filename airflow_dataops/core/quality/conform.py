"""A batch against its contract: what is taken of it, or why nothing is. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.engines.types import misfit
from airflow_dataops.core.model import Struct
from airflow_dataops.core.quality.contract import Evolution

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_dataops.core.quality.contract import Contract, ContractColumn
    from airflow_dataops.core.sql.tables import TableColumn


class Conformed(Struct, frozen=True):
    """What is taken of a batch, or of one column of it.

    Attributes:
        kept: columns that are taken, as the batch names them.
        emptied: columns that are NULL instead, by name and agreed type.
        dropped: columns that are left out.
        valueless: rows with a value in one of these columns are left out.
        valued: rows without a value in one of these are left out.
        problems: why the batch is refused; with any, nothing is to be written.
    """

    kept: tuple[str, ...] = ()
    emptied: tuple[tuple[str, str], ...] = ()
    dropped: tuple[str, ...] = ()
    valueless: tuple[str, ...] = ()
    valued: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether the batch is taken as it is."""
        return not (self.emptied or self.dropped or self.valueless or self.valued)


def conform(contract: Contract, columns: Sequence[TableColumn], dialect: str) -> Conformed:
    """Say what is taken of a batch with these columns."""
    there = {column.name.casefold(): column for column in columns}
    parts = [
        _agreed(contract, agreed, there.pop(agreed.name.casefold(), None), dialect)
        for agreed in contract.columns
    ]
    parts += [_unagreed(contract.on_column, column) for column in there.values()]
    return Conformed(
        **{
            field: tuple(each for part in parts for each in getattr(part, field))
            for field in Conformed.__struct_fields__
        }
    )


def _agreed(
    contract: Contract, agreed: ContractColumn, column: TableColumn | None, dialect: str
) -> Conformed:
    null, required = agreed.on_null or contract.on_null, contract.required(agreed)
    needed = required and null is not Evolution.EVOLVE
    if column is None:
        if needed or agreed.type is None:
            return _refused(f"{agreed.name} is missing")
        return Conformed(emptied=((agreed.name, agreed.type),))
    valued = (column.name,) if required and null is Evolution.DISCARD_ROW else ()
    why = None if agreed.type is None else misfit(column.type, agreed.type, dialect)
    on_type = agreed.on_type or contract.on_type
    if why is None or on_type is Evolution.EVOLVE:
        return Conformed(kept=(column.name,), valued=valued)
    if on_type is Evolution.FREEZE:
        return _refused(f"{column.name} is {column.type}, not {agreed.type}: {why}")
    if needed:
        return _refused(
            f"{column.name} is {column.type}, not {agreed.type}: {why}; every row must have it, "
            "so no value can be left out"
        )
    empty = ((column.name, agreed.type or ""),)
    gone = (column.name,) if on_type is Evolution.DISCARD_ROW else ()
    return Conformed(emptied=empty, valueless=gone)


def _unagreed(policy: Evolution, column: TableColumn) -> Conformed:
    if policy is Evolution.FREEZE:
        return _refused(f"{column.name} ({column.type}) is not agreed on")
    if policy is Evolution.EVOLVE:
        return Conformed(kept=(column.name,))
    gone = (column.name,) if policy is Evolution.DISCARD_ROW else ()
    return Conformed(dropped=(column.name,), valueless=gone)


def _refused(problem: str) -> Conformed:
    return Conformed(problems=(problem,))
