"""Messages as Arrow columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa

from airflow_dataops.errors import ConfigError, RunError
from airflow_dataops.hooks.file_formats import read_types
from airflow_dataops.hooks.json_lines import LineRefusedError, ObjectDecoder, repeated_name
from airflow_dataops.hooks.value_rules import Rule

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_METADATA: dict[str, tuple[pa.DataType, Callable[[Any], Any]]] = {
    "kafka_partition": (pa.int32(), lambda message: message.partition()),
    "kafka_offset": (pa.int64(), lambda message: message.offset()),
    "kafka_timestamp": (
        pa.timestamp("us", "UTC"),
        # Milliseconds since 1970; the type is 0 where the broker has none.
        lambda m: m.timestamp()[1] * 1000 if m.timestamp()[0] else None,
    ),
    "kafka_key": (pa.string(), lambda message: _text(message.key())),
}


class _Envelope(msgspec.Struct):
    """https://debezium.io/documentation/reference/stable/connectors/postgresql.html"""

    before: msgspec.Raw = msgspec.Raw(b"null")
    after: msgspec.Raw = msgspec.Raw(b"null")
    op: str | None = None
    ddl: str | None = None
    payload: msgspec.Raw = msgspec.Raw(b"null")


class Decoder:
    """Makes columns of messages.

    Args:
        topic: for messages of errors.
        values: `json`, `debezium` or `text`; see `KafkaTopic`.
        columns: types by field, of JSON objects.
        unknown: what fields are that `columns` does not name: `refuse` or `ignore`.
        metadata: columns of the message itself.
        zone: see `value_rules.Rule`.

    Raises:
        ConfigError: a column or a type is none.
    """

    def __init__(
        self,
        topic: str,
        values: str,
        columns: Mapping[str, str],
        unknown: str,
        metadata: Sequence[str],
        zone: str | None = None,
    ) -> None:
        others = sorted(set(metadata) - set(_METADATA))
        if others:
            raise ConfigError(
                f"metadata {', '.join(map(repr, others))}: choose among {', '.join(_METADATA)}."
            )
        if bool(columns) is not (values == "json"):
            raise ConfigError(
                "columns tells the fields of JSON objects and their types: name them for "
                "values='json', and for no other."
            )
        self._topic = topic
        self._metadata = tuple(metadata)
        rules = {name: Rule(type_, zone=zone) for name, type_ in read_types(columns).items()}
        self._objects = ObjectDecoder(rules, ignore=unknown == "ignore")
        self._decode = {"json": self._json, "debezium": self._debezium, "text": self._texts}[values]
        names = {"debezium": ("before", "after", "op", "ddl"), "text": ("value",)}.get(values, ())
        valued = [*self._objects.schema, *(pa.field(name, pa.string()) for name in names)]
        kept = [pa.field(name, _METADATA[name][0]) for name in metadata]
        self.schema = pa.schema([*valued, *kept])

    def __call__(self, messages: Sequence[Any]) -> pa.RecordBatch:
        """Return a row for each message.

        Raises:
            RunError: a value is not what it should be; the error names its message.
        """
        kept = [
            pa.array([self._kept(name, message) for message in messages], _METADATA[name][0])
            for name in self._metadata
        ]
        return pa.record_batch([*self._decode(messages), *kept], schema=self.schema)

    def _json(self, messages: Sequence[Any]) -> list[pa.Array]:
        for message in messages:
            if message.value() is None:
                raise self._wrong(
                    message,
                    "it has no value, which deletes its key; take values='debezium' or 'text'",
                )
        try:
            batch = self._objects([message.value() for message in messages])
        except LineRefusedError as error:
            column = f"column {error.column!r}: " if error.column else ""
            raise self._wrong(messages[error.index], f"{column}{error.why}") from error
        return list(batch.columns)

    def _debezium(self, messages: Sequence[Any]) -> list[pa.Array]:
        rows = [self._parts(message) for message in messages]
        return [pa.array(part, pa.string()) for part in zip(*rows, strict=True)]

    def _parts(self, message: Any) -> tuple[str | None, ...]:
        found = self._envelope(message)
        try:
            return _raw(found.before), _raw(found.after), found.op, found.ddl
        except UnicodeError as error:
            raise self._wrong(message, f"it is not UTF-8: {error}") from error

    def _envelope(self, message: Any) -> _Envelope:
        value = message.value()
        if value is None:  # a tombstone, which ApplyChanges skips
            return _Envelope()
        try:
            repeated = repeated_name(value)
            if repeated is not None:
                raise self._wrong(message, f"it names {repeated!r} twice")
            found = msgspec.json.decode(value, type=_Envelope)
            if _raw(found.payload) is None:
                return found
            return msgspec.json.decode(found.payload, type=_Envelope | None) or _Envelope()
        except (msgspec.MsgspecError, ValueError) as error:
            raise self._wrong(message, f"it is no envelope of Debezium: {error}") from error

    def _texts(self, messages: Sequence[Any]) -> list[pa.Array]:
        return [pa.array([self._text(message) for message in messages], pa.string())]

    def _kept(self, name: str, message: Any) -> Any:
        try:
            return _METADATA[name][1](message)
        except UnicodeError as error:
            raise self._wrong(message, f"{name} is not UTF-8: {error}") from error

    def _text(self, message: Any) -> str | None:
        try:
            return _text(message.value())
        except UnicodeError as error:
            raise self._wrong(message, f"its value is not UTF-8: {error}") from error

    def _wrong(self, message: Any, why: str) -> RunError:
        return RunError(
            f"the topic {self._topic}, partition {message.partition()}, message "
            f"{message.offset()}: {why}. Nothing was written."
        )


def _raw(part: msgspec.Raw) -> str | None:
    text = bytes(part).decode()
    return None if text == "null" else text


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode()
