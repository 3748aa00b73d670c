"""Apply change events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from airflow_dataops.core.arguments import choice, names, optional_text, text, values
from airflow_dataops.core.loads.choices import SameSequence, TextOrder
from airflow_dataops.core.loads.specs import ApplyChanges, Envelope, NullKeys, OnEmpty
from airflow_dataops.operators.loads.base import LoadOperator

if TYPE_CHECKING:
    from airflow_dataops.core.arguments import Names
    from airflow_dataops.operators.loads.base import LoadArguments

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
        same_sequence: an event that differs from one of its key and sequence that was loaded is
            `refuse`d, or the `first` one stays, or the `last` one is taken.
        text_order: a sequence of texts is `refuse`d, or taken for whole numbers (`number`).
        null_keys: `refuse` rows whose key holds NULL, or `match` them: NULL equals NULL.
        on_empty: what a source without events does: `keep` (by default) or `fail`.
        **arguments: those of `LoadOperator`.
    """

    def __init__(
        self,
        *,
        keys: Names,
        sequence: str,
        op: str = _DEFAULTS.op,
        deletes: Names = _DEFAULTS.deletes,
        upserts: Names = _DEFAULTS.upserts,
        ignores: Names = (),
        envelope: Envelope | str = Envelope.PLAIN,
        soft_delete: str | None = None,
        sequence_column: str = _DEFAULTS.sequence_column,
        same_sequence: SameSequence | str = SameSequence.REFUSE,
        text_order: TextOrder | str = TextOrder.REFUSE,
        null_keys: NullKeys | str = NullKeys.REFUSE,
        on_empty: OnEmpty | str = OnEmpty.KEEP,
        **arguments: Unpack[LoadArguments],
    ) -> None:
        super().__init__(**arguments)
        self.keys = names(keys, "keys", least=1)
        self.sequence = text(sequence, "sequence")
        self.op = text(op, "op")
        self.deletes = values(deletes, "deletes")
        self.upserts = values(upserts, "upserts")
        self.ignores = values(ignores, "ignores")
        self.envelope = choice(Envelope, envelope, "envelope")
        self.soft_delete = optional_text(soft_delete, "soft_delete")
        self.sequence_column = text(sequence_column, "sequence_column")
        self.same_sequence = choice(SameSequence, same_sequence, "same_sequence")
        self.text_order = choice(TextOrder, text_order, "text_order")
        self.null_keys = choice(NullKeys, null_keys, "null_keys")
        self.on_empty = choice(OnEmpty, on_empty, "on_empty")

    def _verb(self) -> ApplyChanges:
        return ApplyChanges(
            keys=self.keys,
            sequence=self.sequence,
            op=self.op,
            deletes=self.deletes,
            upserts=self.upserts,
            ignores=self.ignores,
            envelope=self.envelope,
            soft_delete=self.soft_delete,
            sequence_column=self.sequence_column,
            same_sequence=self.same_sequence,
            text_order=self.text_order,
            null_keys=self.null_keys,
            on_empty=self.on_empty,
        )
