"""Messages of a Kafka topic, each loaded once."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from airflow_dataops.errors import ConfigError, MissingExtraError
from airflow_dataops.hooks.arrow_source import ArrowSource
from airflow_dataops.hooks.choices import chosen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    import pyarrow as pa

    from airflow_dataops.core.sql.watermarks import Since
    from airflow_dataops.hooks.bulk.batches import Batches
    from airflow_dataops.hooks.kafka_values import Decoder


class Values(StrEnum):
    """What the values of messages are."""

    JSON = "json"
    """Objects, whose fields become columns."""
    DEBEZIUM = "debezium"
    """Debezium's envelopes, with or without their schema: `before`, `after`, `op`, `ddl`."""
    TEXT = "text"
    """Texts, in the column `value`."""


class Start(StrEnum):
    """Where a topic begins of which the target has nothing yet."""

    EARLIEST = "earliest"
    LATEST = "latest"
    COMMITTED = "committed"
    """Where the connection's group is, else as `earliest`."""


class Unknown(StrEnum):
    """What becomes of JSON fields that `columns` does not name."""

    REFUSE = "refuse"
    IGNORE = "ignore"


@dataclass
class KafkaTopic(ArrowSource):
    """What a topic has from where the target's rows end to where the topic ends now.

    The offsets are kept in the target's table of watermarks, and committed with the rows.
    Kafka is told of them afterwards; if the task dies between the two, its retry goes on from
    the target's. So each message is loaded once, by whichever verb.

    Args:
        conn_id: an Airflow connection of type `kafka`, with `group.id` in its extra.
        topic: the topic. Jinja is rendered.
        columns: fields of JSON objects with their types, such as `{"id": "bigint"}`; the types
            of docs/loads/transfer.md. Fields that an object lacks are NULL.
        values: what the values are: `json`, `debezium` or `text`.
        unknown_fields: `refuse` or `ignore` fields that `columns` does not name.
        metadata: columns besides, among `kafka_partition`, `kafka_offset`, `kafka_timestamp` and
            `kafka_key`. The offset orders the messages of a key.
        max_messages: the most that one load takes; the next one goes on from there.
        start: where to begin when the target has nothing of the topic yet: `earliest`,
            `latest` or `committed`. Partitions that are new since begin at their beginning.
        time_zone: of timestamps without an offset in columns that have a zone, and the zone to
            which those with an offset are converted in columns that have none, such as `UTC`.
            Without it both are errors.
        patience: seconds to wait for brokers that say nothing.
        positions: the offset to begin with by partition, negative for its beginning; a load
            sets it.
    """

    conn_id: str
    topic: str
    columns: Mapping[str, str] = field(default_factory=dict)
    values: Values | str = Values.JSON
    unknown_fields: Unknown | str = Unknown.REFUSE
    metadata: Sequence[str] = ("kafka_partition", "kafka_offset", "kafka_timestamp")
    max_messages: int = 1_000_000
    start: Start | str = Start.EARLIEST
    patience: float = 30.0
    time_zone: str | None = None
    positions: Mapping[str, int] | None = None
    _reached: dict[str, int] = field(default_factory=dict, init=False, repr=False, compare=False)

    template_fields: ClassVar[Sequence[str]] = ("conn_id", "topic")

    @property
    def log(self) -> str:
        """See `Log.log`."""
        return f"kafka {self.conn_id} {self.topic}"

    @property
    def origin(self) -> str:
        """See `Named.origin`."""
        return self.log

    def since(self, since: Since) -> KafkaTopic:
        """See `Source.since`: the offsets tell what is new."""
        del since
        return self

    def resume(self, positions: Mapping[str, int]) -> KafkaTopic:
        """See `Log.resume`."""
        return replace(self, positions=dict(positions))

    def reached(self) -> Mapping[str, int]:
        """See `Log.reached`: the next offset of each partition."""
        return self._reached

    def acknowledge(self, positions: Mapping[str, int]) -> None:
        """See `Log.acknowledge`."""
        from airflow_dataops.hooks.kafka_reading import commit

        known = {number: at for number, at in positions.items() if at >= 0}
        commit(self.conn_id, self.topic, known)

    @contextmanager
    def _rows(self) -> Iterator[Batches]:
        if self.positions is None:
            raise ConfigError(
                f"the topic {self.topic} can be loaded only straight into its target, which keeps "
                "how far it was read: give it to a load operator, not to one that stages."
            )
        decode = self._decoder()
        from airflow_dataops.hooks import kafka_reading
        from airflow_dataops.hooks.bulk.batches import Batches

        start = chosen(Start, self.start, "start")
        with kafka_reading.open_consumer(self.conn_id) as consumer:
            ranges = kafka_reading.plan(consumer, self.topic, self.positions, start, self.patience)
            self._reached = {str(number): part.start for number, part in ranges.items()}
            messages = kafka_reading.read(
                consumer, self.topic, ranges, self.max_messages, self.patience
            )
            yield Batches(decode.schema, self._decoded(messages, decode))

    @contextmanager
    def _no_rows(self) -> Iterator[Batches]:
        decode = self._decoder()
        from airflow_dataops.hooks.bulk.batches import Batches

        yield Batches(decode.schema, ())

    def _decoded(self, messages: Iterator[list[Any]], decode: Decoder) -> Iterator[pa.RecordBatch]:
        for some in messages:
            yield decode(some)
            for message in some:
                self._reached[str(message.partition())] = message.offset() + 1

    def _decoder(self) -> Decoder:
        try:
            from airflow_dataops.hooks import kafka_reading
        except ImportError as error:
            raise MissingExtraError("A Kafka topic as a source", "kafka") from error
        del kafka_reading
        from airflow_dataops.hooks.kafka_values import Decoder

        values = chosen(Values, self.values, "values")
        unknown = chosen(Unknown, self.unknown_fields, "unknown_fields")
        return Decoder(self.topic, values, self.columns, unknown, self.metadata, self.time_zone)
