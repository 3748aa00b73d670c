"""Reads the partitions of a topic from given offsets to where they end now.

https://docs.confluent.io/platform/current/clients/confluent-kafka-python/html/index.html
"""

from __future__ import annotations

import logging
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow.providers.apache.kafka.hooks.consume import KafkaConsumerHook
from confluent_kafka import OFFSET_INVALID, Consumer, KafkaError, KafkaException, TopicPartition

from airflow_dataops.core.masking import mask
from airflow_dataops.errors import ConfigError, DataOpsError, RetryableError, RunError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

log = logging.getLogger(__name__)

_AT_ONCE = 5000
_POLL_SECONDS = 0.5
_HOPELESS = {
    KafkaError._AUTHENTICATION,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.SASL_AUTHENTICATION_FAILED,
    KafkaError._UNKNOWN_TOPIC,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._UNKNOWN_PARTITION,
    KafkaError.OFFSET_OUT_OF_RANGE,
}


class Range(NamedTuple):
    """Offsets of one partition: from `start`, and before `end`."""

    start: int
    end: int


class _Hook(KafkaConsumerHook):
    """The provider's hook, with a consumer that commits nothing by itself."""

    def _get_client(self, config: dict[str, Any]) -> Consumer:
        _check(config, self.kafka_config_id)
        return Consumer(
            {
                "error_cb": _told,
                **config,
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "error",
            }
        )


@contextmanager
def open_consumer(conn_id: str) -> Iterator[Consumer]:
    """Open a consumer of an Airflow connection; it is closed whatever happens.

    Raises:
        ConfigError: the connection lets the client commit by itself, or names no group.
    """
    with closing(_Hook([], kafka_config_id=conn_id).get_conn) as consumer:
        yield consumer


def plan(
    consumer: Consumer, topic: str, stored: Mapping[str, int], start: str, patience: float
) -> dict[int, Range]:
    """Return what is to be read of each partition: up to where it ends now.

    Args:
        stored: offset by partition, as text, from which to go on; a negative one is the
            beginning, and so is none where other partitions have one: the partition is new.
        start: `earliest`, `latest` or `committed`: where partitions begin if none has an offset.
        patience: seconds to wait for the brokers.

    Raises:
        RunError: there is no such topic, or it no longer has the offsets.
        RetryableError: the brokers did not answer.
    """
    with named(topic):
        found = consumer.list_topics(topic, timeout=patience).topics[topic]
        if found.error is not None:
            raise KafkaException(found.error)
        ranges = {}
        for number in sorted(found.partitions):
            partition = TopicPartition(topic, number)
            low, high = consumer.get_watermark_offsets(partition, timeout=patience)
            if stored:
                begin = stored.get(str(number), -1)
                if begin >= 0:
                    _check_there(topic, number, begin, Range(low, high))
                begin = max(begin, low)
            else:
                begin = _begin(consumer, partition, Range(low, high), start, patience)
            ranges[number] = Range(begin, high)
    return ranges


def read(
    consumer: Consumer, topic: str, ranges: Mapping[int, Range], most: int, patience: float
) -> Iterator[list[Any]]:
    """Yield messages, some thousands at a time, in the order of each partition.

    Args:
        ranges: what to read by partition.
        most: messages in all.
        patience: seconds without any after which the brokers count as gone.

    Raises:
        RunError: a message cannot be had.
        RetryableError: the brokers do not answer any more.
    """
    open_ = {number: part for number, part in ranges.items() if part.start < part.end}
    if not open_:
        return
    with named(topic):
        consumer.assign([TopicPartition(topic, n, part.start) for n, part in open_.items()])
        heard, left = time.monotonic(), most
        while open_ and left:
            expected = sum(part.end - part.start for part in open_.values())
            some = consumer.consume(min(left, expected, _AT_ONCE), timeout=_POLL_SECONDS)
            if some:
                heard = time.monotonic()
            elif time.monotonic() - heard > patience:
                raise RetryableError(
                    f"the topic {topic}: nothing came for {patience:g} s, and partitions "
                    f"{', '.join(map(str, sorted(open_)))} have not ended; run the task again."
                )
            taken = [message for message in some if _is_wanted(message, open_)]
            left -= len(taken)
            if taken:
                yield taken


def commit(conn_id: str, topic: str, reached: Mapping[str, int]) -> None:
    """Tell the brokers how far the connection's group has read.

    Raises:
        RunError, RetryableError: they did not take it.
    """
    offsets = [TopicPartition(topic, int(number), at) for number, at in reached.items()]
    if not offsets:
        return
    with named(topic), open_consumer(conn_id) as consumer:
        for partition in consumer.commit(offsets=offsets, asynchronous=False):
            if partition.error is not None:
                raise KafkaException(partition.error)


@contextmanager
def named(topic: str) -> Iterator[None]:
    """Say of Kafka's errors whether the same may work next time."""
    try:
        yield
    except KafkaException as error:
        raise _translated(topic, error.args[0]) from error


def _translated(topic: str, error: KafkaError) -> DataOpsError:
    kind = RunError if error.code() in _HOPELESS else RetryableError
    return kind(f"the topic {topic}: {error.str()} ({error.name()}).")


def _is_wanted(message: Any, open_: dict[int, Range]) -> bool:
    """Tell whether a message is one to load; close its partition where it was the last."""
    error, number = message.error(), message.partition()
    if error is not None:
        if error.code() != KafkaError._PARTITION_EOF:
            raise KafkaException(error)
        open_.pop(number, None)
        return False
    if number not in open_:
        return False
    end = open_[number].end
    if message.offset() + 1 < end:
        open_[number] = Range(message.offset() + 1, end)
    else:
        del open_[number]
    return bool(message.offset() < end)


def _begin(
    consumer: Consumer, partition: TopicPartition, there: Range, start: str, patience: float
) -> int:
    if start == "latest":
        return there.end
    if start == "committed":
        [committed] = consumer.committed([partition], timeout=patience)
        if committed.offset >= 0:
            _check_there(partition.topic, partition.partition, committed.offset, there)
            return int(committed.offset)
        assert committed.offset == OFFSET_INVALID  # noqa: S101 - the group has none
    return there.start


def _check_there(topic: str, number: int, begin: int, there: Range) -> None:
    if begin < there.start:
        raise RunError(
            f"the topic {topic}, partition {number}: the next message to load is {begin}, and the "
            f"oldest that is kept is {there.start}: {there.start - begin} messages are lost. Load "
            "them from elsewhere, then set the watermark of this partition in dataops_watermarks."
        )
    if begin > there.end:
        raise RunError(
            f"the topic {topic}, partition {number}: the next message to load is {begin}, and it "
            f"ends at {there.end}: it is not the topic that it was. Delete its rows in "
            "dataops_watermarks to load it from its beginning."
        )


def _check(config: Mapping[str, Any], conn_id: str) -> None:
    if str(config.get("enable.auto.commit", "false")).lower() not in ("false", "0"):
        raise ConfigError(
            f"connection {conn_id!r}: enable.auto.commit would tell Kafka of messages before they "
            "are in the target; take it out, or set it to false."
        )
    if not config.get("group.id"):
        raise ConfigError(
            f"connection {conn_id!r}: set group.id, the group that is told how far was read."
        )


def _told(error: KafkaError) -> None:
    """Log what librdkafka says; what matters comes with the calls as well."""
    log.warning("Kafka: %s (%s)", mask(error.str()), error.name())
