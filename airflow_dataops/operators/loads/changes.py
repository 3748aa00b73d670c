"""Apply change events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_dataops.core.loads.specs import ApplyChanges, Envelope, NullKeys, OnEmpty
from airflow_dataops.operators.loads.base import LoadOperator, chosen

if TYPE_CHECKING:
    from collections.abc import Sequence

_DEFAULTS = ApplyChanges(keys=("key",), sequence="sequence")


class ApplyChangesOperator(LoadOperator):
    """Applies insert, update and delete events (CDC) in the order of their sequence.

    An event that is older than what the target has of its key changes nothing, even after a
    deletion.

    Args:
        keys: columns that name a row.
        sequence: column of the events that orders those of a key, such as an LSN.
        op: column with the kind of change.
        deletes: values of `op` that delete.
        upserts: values of `op` that write the row.
        ignores: values of `op` whose events are skipped; any other value fails the load.
        envelope: `plain` events with the row's columns, or `debezium` ones.
        soft_delete: boolean column of the target that is set instead of deleting.
        sequence_column: column of the target that keeps the sequence of a row's last event.
        null_keys: `refuse` rows whose key holds NULL, or `match` them: NULL equals NULL.
        on_empty: what a source without events does: `keep` (by default) or `fail`.
        **arguments: those of `LoadOperator`.
    """

    def __init__(
        self,
        *,
        keys: Sequence[str],
        sequence: str,
        op: str = _DEFAULTS.op,
        deletes: Sequence[str] = _DEFAULTS.deletes,
        upserts: Sequence[str] = _DEFAULTS.upserts,
        ignores: Sequence[str] = (),
        envelope: Envelope | str = Envelope.PLAIN,
        soft_delete: str | None = None,
        sequence_column: str = _DEFAULTS.sequence_column,
        null_keys: NullKeys | str = NullKeys.REFUSE,
        on_empty: OnEmpty | str = OnEmpty.KEEP,
        **arguments: Any,
    ) -> None:
        super().__init__(**arguments)
        self.keys = keys
        self.sequence = sequence
        self.op = op
        self.deletes = deletes
        self.upserts = upserts
        self.ignores = ignores
        self.envelope = envelope
        self.soft_delete = soft_delete
        self.sequence_column = sequence_column
        self.null_keys = null_keys
        self.on_empty = on_empty

    def _verb(self) -> ApplyChanges:
        return ApplyChanges(
            keys=tuple(self.keys),
            sequence=self.sequence,
            op=self.op,
            deletes=tuple(self.deletes),
            upserts=tuple(self.upserts),
            ignores=tuple(self.ignores),
            envelope=chosen(Envelope, self.envelope, "envelope"),
            soft_delete=self.soft_delete,
            sequence_column=self.sequence_column,
            null_keys=chosen(NullKeys, self.null_keys, "null_keys"),
            on_empty=chosen(OnEmpty, self.on_empty, "on_empty"),
        )
