"""What a table's producer and its readers have agreed on."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.arguments import several
from airflow_dataops.core.loads.settings import OneOf, OneOfOrNone, Settings, Several, default
from airflow_dataops.core.quality.checks import (
    AcceptedRange,
    AcceptedValues,
    DuplicateRate,
    MaxAge,
    NullRate,
    Value,
)
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_dataops.core.quality.check import Check


class Evolution(StrEnum):
    """What becomes of rows that differ from the contract."""

    EVOLVE = "evolve"
    """They are let through as they are."""
    FREEZE = "freeze"
    """The batch is refused; nothing is written."""
    DISCARD_ROW = "discard_row"
    """Rows with a value that differs are left out."""
    DISCARD_VALUE = "discard_value"
    """The values are left out: a column that is not agreed on, or NULL in its place."""


class ContractColumn(Settings, frozen=True, kw_only=True):
    """A column that was agreed on.

    Attributes:
        type: the engine's own spelling; None: any.
        required: no row may be without a value.
        on_type: what becomes of values of another type, that the agreed one cannot hold; by
            default the contract's.
        on_null: what becomes of rows without a value where one is required, likewise.
        accepted, min, max: the values that it may have.
    """

    name: str
    type: str | None = None
    required: bool = False
    on_type: OneOfOrNone[Evolution] = default(None)
    on_null: OneOfOrNone[Evolution] = default(None)
    accepted: tuple[Value, ...] | list[Value] | None = None
    min: Value | None = None
    max: Value | None = None

    def __post_init__(self) -> None:
        """Check the settings."""
        super().__post_init__()
        if self.on_null is Evolution.DISCARD_VALUE:
            raise ConfigError(f"on_null of {self.name}: there is no value to discard.")


class Contract(Settings, frozen=True, kw_only=True):
    """What was agreed on. Columns are told by their names, in any order and case.

    Attributes:
        name: of the table or the contract, for people.
        primary_key: columns that hold a value in each row, and no two rows the same.
        on_column: what becomes of columns that are not agreed on.
        on_type, on_null: see `ContractColumn`.
        fresh_by, max_age_hours: a column with a time, and how old its newest may be.
    """

    name: str
    columns: tuple[ContractColumn, ...] | list[ContractColumn]
    primary_key: Several = default(())
    on_column: OneOf[Evolution] = default(Evolution.FREEZE)
    on_type: OneOf[Evolution] = default(Evolution.FREEZE)
    on_null: OneOf[Evolution] = default(Evolution.FREEZE)
    fresh_by: str | None = None
    max_age_hours: float | int | None = None

    def __post_init__(self) -> None:
        """Check the settings."""
        super().__post_init__()
        several(ContractColumn, self.columns, "columns")
        names = [each.name.casefold() for each in self.columns]
        if twice := [name for name in names if names.count(name) > 1]:
            raise ConfigError(f"columns of {self.name}: {twice[0]!r} comes twice.")
        if unknown := [k for k in self.primary_key if k.casefold() not in names]:
            raise ConfigError(f"primary_key of {self.name}: {unknown[0]!r} is none of its columns.")
        if self.on_null is Evolution.DISCARD_VALUE:
            raise ConfigError(f"on_null of {self.name}: there is no value to discard.")
        if (self.fresh_by is None) != (self.max_age_hours is None):
            raise ConfigError(f"{self.name}: set both fresh_by and max_age_hours, or neither.")

    def required(self, column: ContractColumn) -> bool:
        """Tell whether no row may be without a value: of the key, too."""
        keys = {key.casefold() for key in self.primary_key}
        return column.required or column.name.casefold() in keys

    def checks(self) -> tuple[Check, ...]:
        """Return what a scan of the rows can tell, as checks: keys, values, age."""
        found: list[Check] = []
        for each in self.columns:
            null = each.on_null or self.on_null
            if self.required(each) and null is Evolution.FREEZE:
                found.append(NullRate(column=each.name, fail_above=0))
            if each.accepted:
                found.append(AcceptedValues(column=each.name, values=_listed(each.accepted)))
            if each.min is not None or each.max is not None:
                found.append(AcceptedRange(column=each.name, min=each.min, max=each.max))
        if self.primary_key:
            found.append(DuplicateRate(columns=self.primary_key, fail_above=0))
        if self.fresh_by is not None and self.max_age_hours is not None:
            found.append(MaxAge(column=self.fresh_by, hours=self.max_age_hours))
        return tuple(found)


def _listed(values: Sequence[Any]) -> list[Any]:
    return list(values)
