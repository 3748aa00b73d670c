"""Which loads of one table may touch the same rows."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from airflow_dataops.core.loads.specs import LoadPartition

if TYPE_CHECKING:
    from airflow_dataops.core.loads.specs import Verb

_encode = msgspec.json.Encoder(order="sorted").encode


def lease_of(verb: Verb) -> str:
    """Return what a load holds of its table: a partition by values, or all of it.

    Partitions by values of the same columns are the only ones that are known to be apart. The
    text is a JSON object of the values as texts, by column; empty for the whole table.
    """
    if not isinstance(verb, LoadPartition) or verb.within is not None or not verb.values:
        return ""
    values = {column.casefold(): _text(value) for column, value in verb.values.items()}
    return _encode(values).decode()


def may_overlap(one: str, other: str) -> bool:
    """Tell whether two leases of a table may be for the same rows.

    Texts that `lease_of` did not write are an author's own, who says that they are apart.
    """
    if "" in (one, other) or one == other:
        return True
    first, second = _values(one), _values(other)
    return first is not None and second is not None and first.keys() != second.keys()


def _values(lease: str) -> dict[str, str | None] | None:
    try:
        return msgspec.json.decode(lease, type=dict[str, str | None])
    except msgspec.MsgspecError:
        return None


def _text(value: object) -> str | None:
    """Return one text for a value, however it was written: a day may be a date or a text."""
    if value is None:
        return None
    text = str(value).strip()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return moment.isoformat()
