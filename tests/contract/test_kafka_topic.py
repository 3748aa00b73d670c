"""Topics into tables (conformance list 20), on librdkafka's mock cluster.

Offsets are committed after the target, and kept with its rows: whatever dies, each message is
loaded once.
"""

from __future__ import annotations

import asyncio
import json
import signal
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

pytest.importorskip("confluent_kafka")

from confluent_kafka import Consumer, Producer, TopicPartition

from airflow_dataops.core.loads import run
from airflow_dataops.core.loads.choices import Duplicates, EmptiedTarget
from airflow_dataops.core.loads.detached import Detached
from airflow_dataops.core.loads.publish import publish
from airflow_dataops.core.loads.specs import (
    Append,
    ApplyChanges,
    Attempt,
    Envelope,
    Increment,
    Load,
    LoadPartition,
    LoadResult,
    Merge,
    Replace,
)
from airflow_dataops.core.model import Relation
from airflow_dataops.errors import ConfigError, RetryableError, RunError
from airflow_dataops.hooks import kafka_reading
from airflow_dataops.hooks.kafka_topic import KafkaTopic
from airflow_dataops.triggers.kafka import KafkaArrivalTrigger
from tests.contract.killing import Nursery
from tests.contract.killing_topics import load, numbered, source
from tests.contract.loading import Spy
from tests.duckdb_runner import DuckDBRunner
from tests.postgres import open_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MESSAGES = [{"id": i, "name": f"name {i}"} for i in range(10)]
ROWS = [(i, f"name {i}") for i in range(10)]
GROUP = "loads"


class Broker:
    """A cluster in this process; topics appear with their first message, with 4 partitions."""

    def __init__(self) -> None:
        # "bootstrap.servers" is ignored; without it librdkafka warns.
        mocked = {"test.mock.num.brokers": 1, "bootstrap.servers": "mock", "log_level": 2}
        self._producer = Producer(mocked)
        [broker] = self._producer.list_topics(timeout=30).brokers.values()
        self.address = f"{broker.host}:{broker.port}"
        self._made = 0

    def topic(self) -> str:
        self._made += 1
        return f"orders_{self._made}"

    def send(self, topic: str, *values: Any, key: str | None = None, partition: int = 0) -> None:
        for value in values:
            raw = value if value is None or isinstance(value, bytes) else json.dumps(value)
            self._producer.produce(topic, raw, key=key, partition=partition)
        assert self._producer.flush(30) == 0

    def committed(self, topic: str, partition: int = 0) -> int:
        consumer = Consumer({"bootstrap.servers": self.address, "group.id": GROUP})
        [found] = consumer.committed([TopicPartition(topic, partition)], timeout=30)
        consumer.close()
        return int(found.offset)


@pytest.fixture(scope="module")
def broker() -> Broker:
    return Broker()


@pytest.fixture(scope="module")
def nursery(broker: Broker) -> Iterator[Nursery]:
    """Forks the processes that load and kill themselves."""
    with pytest.MonkeyPatch.context() as patch:
        connect(patch, {"bootstrap.servers": broker.address, "group.id": GROUP})
        with Nursery("tests.contract.killing_topics") as opened:
            yield opened


@pytest.fixture
def topic(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> str:
    connect(monkeypatch, {"bootstrap.servers": broker.address, "group.id": GROUP})
    return broker.topic()


@pytest.fixture
def database() -> Iterator[DuckDBRunner]:
    with duckdb.connect() as opened:
        opened.execute("create schema topics")
        yield DuckDBRunner(opened)


def connect(monkeypatch: pytest.MonkeyPatch, extra: dict[str, Any]) -> None:
    connection = json.dumps({"conn_type": "kafka", "extra": extra})
    monkeypatch.setenv("AIRFLOW_CONN_QUEUE", connection)


@pytest.fixture(params=["duckdb", "postgres"])
def runner(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "duckdb":
        with duckdb.connect() as database:
            database.execute("create schema topics")
            yield DuckDBRunner(database)
        return
    with open_postgres() as opened:
        opened.execute("create schema topics")
        yield opened
        opened.execute("drop schema topics cascade")


def rows(runner: Any, names: str = "*") -> list[tuple[Any, ...]]:
    return sorted(runner.fetch(f"select {names} from topics.arrived"))


def offsets(runner: Any) -> dict[str, str]:
    return dict(runner.fetch("select scope, watermark from topics.dataops_watermarks"))


def test_nr_20_offsets_are_committed_with_the_rows_and_told_afterwards(
    broker: Broker, topic: str, runner: Any
) -> None:
    broker.send(topic, *MESSAGES[:3])
    broker.send(topic, *MESSAGES[3:5], partition=2)
    assert load(runner, source(topic)).staged == 5
    assert rows(runner) == ROWS[:5]
    assert offsets(runner) == {"0": "3", "1": "0", "2": "2", "3": "0"}
    assert [broker.committed(topic, n) for n in range(4)] == [3, 0, 2, 0]
    assert load(runner, source(topic)).staged == 0
    broker.send(topic, *MESSAGES[5:7])
    result = load(runner, source(topic))
    assert (result.staged, json.loads(result.watermark)["0"]) == (2, 5)
    assert rows(runner) == ROWS[:7]


def test_nr_20_the_targets_offsets_count_not_the_groups(
    broker: Broker, topic: str, runner: Any
) -> None:
    """Kafka's may lag, if the process died between the two, or be anything."""
    broker.send(topic, *MESSAGES[:4])
    load(runner, source(topic))
    for wrong in (0, 2, 4):
        kafka_reading.commit("queue", topic, {"0": wrong})
        assert load(runner, source(topic)).staged == 0
        assert broker.committed(topic) == 4, "a load with nothing new mends what Kafka knows"
    broker.send(topic, MESSAGES[4])
    assert load(runner, source(topic)).staged == 1
    assert rows(runner) == ROWS[:5]
    assert broker.committed(topic) == 5


def test_nr_20_rows_that_could_not_be_published_are_read_again(
    broker: Broker, topic: str, runner: Any
) -> None:
    broker.send(topic, *MESSAGES[:4])
    with pytest.raises(ZeroDivisionError):
        load(Spy(runner, '"fences" + 1', lambda: 1 / 0), streamed(source(topic), runner))
    assert (rows(runner), broker.committed(topic)) == ([], -1001)
    assert load(runner, source(topic), try_number=2).staged == 4
    assert rows(runner) == ROWS[:4]


def streamed(topic: KafkaTopic, runner: Any) -> Any:
    """A source that stages over the runner that a spy stands before."""

    class Direct(KafkaTopic):
        def stage(self, spy: Any, staging: Relation) -> int | None:
            return super().stage(runner, staging)

        def stage_columns(self, spy: Any, staging: Relation) -> None:
            super().stage_columns(runner, staging)

    return Direct(topic.conn_id, topic.topic, columns=topic.columns, metadata=())


def test_nr_20_a_later_load_tells_kafka_of_a_publication_that_nobody_waited_for(
    broker: Broker, topic: str, runner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it waits for its own or not. Here each is published before it counts as under way."""

    def published(job: Any, lease: Any, publication: Any, runner: Any) -> Detached:
        result = publish(job, lease, publication)
        return Detached(
            job="q1",
            script="",
            target=result.target,
            partition="",
            leases=Relation(identifier="l"),
            token=1,
            seconds=60,
            staged=result.staged,
            effects=(),
        )

    monkeypatch.setattr(run, "has_scripts", lambda dialect: True)
    monkeypatch.setattr(run, "detach", published)
    for last in (2, 5):
        broker.send(topic, *MESSAGES[broker_known(broker, topic) : last])
        before = broker.committed(topic)
        assert isinstance(begin(runner, source(topic)), Detached)
        assert rows(runner) == ROWS[:last]
        assert broker.committed(topic) == before
        if last == 2:
            assert isinstance(begin(runner, source(topic)), LoadResult)
            assert broker.committed(topic) == 2, "there is nothing new, and what is there is told"
    broker.send(topic, MESSAGES[5])
    assert isinstance(begin(runner, source(topic)), Detached)
    assert broker.committed(topic) == 5, "the one before is told, its own is under way"
    assert load(runner, source(topic)).staged == 0
    assert broker.committed(topic) == 6


def test_what_arrives_is_one_event_until_more_comes(
    broker: Broker, topic: str, database: DuckDBRunner
) -> None:
    """From where loads told the group that they are; nobody is told that anything was read."""
    broker.send(topic, *MESSAGES[:3])
    load(database, source(topic))
    broker.send(topic, *MESSAGES[3:5])
    _, arguments = KafkaArrivalTrigger("queue", topic, poll_interval=0.01).serialize()

    async def listen() -> list[Any]:
        trigger = KafkaArrivalTrigger(**arguments)
        events = aiter(trigger.run())
        found = [(await anext(events)).payload]
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(
                asyncio.shield(quiet := asyncio.ensure_future(anext(events))), 0.2
            )
        broker.send(topic, *MESSAGES[5:8])
        broker.send(topic, *MESSAGES[8:10], partition=3)
        while len(found) == 1 or found[-1]["ends"].get("3") is None:
            found.append((await (quiet if len(found) == 1 else anext(events))).payload)
        await events.aclose()
        await trigger.cleanup()
        return found

    first, *more = asyncio.run(listen())
    assert first == {"topic": topic, "ends": {"0": 5}}
    ends = {n: end for each in more for n, end in each["ends"].items()}
    assert ends == {"0": 8, "3": 2}
    assert len(more) <= 5
    assert broker.committed(topic) == 3


def test_a_restarted_trigger_tells_nothing_twice_that_is_loaded(
    broker: Broker, topic: str, database: DuckDBRunner
) -> None:
    broker.send(topic, *MESSAGES[:3])

    async def next_event() -> Any:
        trigger = KafkaArrivalTrigger("queue", topic, poll_interval=0.01)
        events = aiter(trigger.run())
        try:
            return (await asyncio.wait_for(anext(events), 5 if unloaded else 0.5)).payload
        except TimeoutError:
            return None
        finally:
            await trigger.cleanup()

    unloaded = True
    assert asyncio.run(next_event())["ends"] == {"0": 3}
    assert asyncio.run(next_event())["ends"] == {"0": 3}
    load(database, source(topic))
    unloaded = False
    assert asyncio.run(next_event()) is None


def begin(runner: Any, topic: KafkaTopic) -> Any:
    target = Relation(identifier="arrived", schema="topics")
    attempt = Attempt(owner="shop.arrived", run_id="monday")
    wanted = Load(target=target, verb=Append(), attempt=attempt, create=True)
    return run.begin_load(wanted, topic, runner)


def broker_known(broker: Broker, topic: str) -> int:
    return max(broker.committed(topic), 0)


def test_nr_20_a_commit_of_offsets_that_fails_does_no_harm(
    broker: Broker,
    topic: str,
    runner: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    broker.send(topic, *MESSAGES[:2])

    def fails(*_: object) -> None:
        raise RetryableError("the group has other members")

    with monkeypatch.context() as patch:
        patch.setattr(kafka_reading, "commit", fails)
        load(runner, source(topic))
    assert f"Could not tell kafka queue {topic} how far it was read" in caplog.text
    assert (rows(runner), broker.committed(topic)) == (ROWS[:2], -1001)
    broker.send(topic, MESSAGES[2])
    assert load(runner, source(topic)).staged == 1
    assert (rows(runner), broker.committed(topic)) == (ROWS[:3], 3)


def test_nr_20_equal_messages_are_as_many_rows(broker: Broker, topic: str, runner: Any) -> None:
    """Without a key, and without columns that tell them apart; also across loads."""
    for expected in (5, 10):
        broker.send(topic, *([MESSAGES[1]] * 5))
        load(runner, source(topic))
        assert rows(runner) == [ROWS[1]] * expected
        assert load(runner, source(topic)).staged == 0
    broker.send(topic, *([{**MESSAGES[1], "more": 1}] * 2))
    load(runner, source(topic, unknown_fields="ignore"), Increment(cursor="id"))
    assert rows(runner) == [ROWS[1]] * 12
    broker.send(topic, *([MESSAGES[1]] * 2))
    load(runner, source(topic), Append(duplicates=Duplicates.ONCE))
    assert rows(runner) == [ROWS[1]] * 12, "by choice"


def test_nr_20_a_topic_is_read_again_where_its_rows_are_gone(
    broker: Broker, topic: str, runner: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Emptied, or dropped and made anew; the offsets say that they were loaded."""
    broker.send(topic, *MESSAGES[:3])
    load(runner, source(topic))
    for statement in ("delete from topics.arrived where true", "drop table topics.arrived"):
        runner.execute(statement)
        broker.send(topic, MESSAGES[3], partition=1)
        with pytest.raises(RunError, match="has no rows, and "):
            load(runner, source(topic), emptied_target=EmptiedTarget.FAIL)
        assert load(runner, source(topic)).staged == len(rows(runner)) > 3
        assert "the source is read from its beginning" in caplog.text
    runner.execute("delete from topics.arrived where true")
    kept = load(runner, source(topic), emptied_target=EmptiedTarget.CONTINUE)
    assert (kept.staged, rows(runner)) == (0, [])


def test_nr_20_what_comes_after_a_first_load_that_found_nothing_is_loaded(
    broker: Broker, topic: str, runner: Any
) -> None:
    """With `latest` the first load says where the topic begins, also without a message."""
    broker.send(topic, *MESSAGES[:2])
    latest = source(topic, start="latest")
    assert load(runner, latest).staged == 0
    broker.send(topic, *MESSAGES[2:4])
    assert load(runner, latest).staged == 2
    assert rows(runner) == ROWS[2:4]


def test_nr_20_a_partition_that_is_new_is_read_from_its_beginning(
    broker: Broker, topic: str, runner: Any
) -> None:
    """Its messages all came since the last load, wherever the first one began."""
    broker.send(topic, MESSAGES[0])
    latest = source(topic, start="latest")
    load(runner, latest)
    runner.execute("delete from topics.dataops_watermarks where scope = '3'")
    broker.send(topic, *MESSAGES[1:3], partition=3)
    assert load(runner, latest).staged == 2
    assert rows(runner) == ROWS[1:3]


def test_a_topics_news_are_no_partition(broker: Broker, topic: str, runner: Any) -> None:
    """They would take the place of what was loaded of it before."""
    broker.send(topic, MESSAGES[0])
    with pytest.raises(ConfigError, match="LoadPartition would put that in the place"):
        load(runner, source(topic), LoadPartition(values={"name": "name 0"}))


@pytest.mark.parametrize("at", ["staged", "published", "told"])
def test_nr_20_a_killed_process_neither_loses_nor_doubles_messages(
    nursery: Nursery, broker: Broker, topic: str, tmp_path: Path, at: str
) -> None:
    """Without a key: a message that is loaded twice would be there twice."""
    broker.send(topic, *([{"id": 1, "name": "same"}] * 3), *MESSAGES[:2])
    file = str(tmp_path / "queue.duckdb")
    with duckdb.connect(file) as database:
        database.execute("create schema topics")
    assert nursery.run(file, topic, at) == signal.SIGKILL
    assert broker.committed(topic) == (5 if at == "told" else -1001)
    with duckdb.connect(file) as database:
        runner = DuckDBRunner(database)
        assert load(runner, numbered(topic), try_number=2).staged == (5 if at == "staged" else 0)
        found = rows(runner, "kafka_offset, id, name")
        assert found == [*((n, 1, "same") for n in range(3)), (3, *ROWS[0]), (4, *ROWS[1])]
        broker.send(topic, MESSAGES[2])
        assert load(runner, numbered(topic), try_number=3).staged == 1
    assert broker.committed(topic) == 6


def test_a_load_is_bounded_by_what_is_there_when_it_begins_and_by_a_number(
    broker: Broker, topic: str, runner: Any
) -> None:
    broker.send(topic, *MESSAGES[:5])
    broker.send(topic, *MESSAGES[5:], partition=1)
    bounded = source(topic, max_messages=4)
    assert [load(runner, bounded).staged for _ in range(4)] == [4, 4, 2, 0]
    assert rows(runner) == ROWS
    with kafka_reading.open_consumer("queue") as consumer:
        ranges = kafka_reading.plan(consumer, topic, {}, "earliest", 30)
        broker.send(topic, {"id": 99, "name": "late"})
        found = [m for some in kafka_reading.read(consumer, topic, ranges, 100, 30) for m in some]
    assert len(found) == 10


def test_messages_of_one_key_are_merged_and_applied_in_their_order(
    broker: Broker, topic: str, runner: Any
) -> None:
    broker.send(topic, {"id": 1, "name": "old"}, {"id": 1, "name": "new"}, {"id": 2, "name": "x"})
    merge = Merge(keys=("id",), order_by=("kafka_offset",))
    load(runner, source(topic, metadata=("kafka_offset",)), merge)
    assert rows(runner) == [(1, "new", 1), (2, "x", 2)]


def test_debeziums_messages_are_applied(broker: Broker, topic: str, runner: Any) -> None:
    runner.execute("create table topics.arrived (id bigint, name varchar, _sequence bigint)")
    created = {"before": None, "after": {"id": 1, "name": "ü"}, "op": "c", "ts_ms": 1}
    wrapped = {"schema": {}, "payload": {"after": {"id": 2, "name": "b"}, "op": "r"}}
    deleted = {"before": {"id": 1}, "after": None, "op": "d"}
    broker.send(topic, created, wrapped, key="1")
    verb = ApplyChanges(keys=("id",), sequence="kafka_offset", envelope=Envelope.DEBEZIUM)
    changes = KafkaTopic("queue", topic, values="debezium")
    assert load(runner, changes, verb).staged == 2
    assert rows(runner) == [(1, "ü", 0), (2, "b", 1)]
    broker.send(topic, deleted, None, key="1")
    load(runner, changes, verb)
    assert rows(runner) == [(2, "b", 1)]
    broker.send(topic, {"ddl": "alter table orders add colour text"})
    with pytest.raises(RunError, match="changes of the source's schema"):
        load(runner, changes, verb)
    assert rows(runner) == [(2, "b", 1)]


def test_texts_and_what_kafka_knows_of_a_message(broker: Broker, topic: str, runner: Any) -> None:
    broker.send(topic, b"a\nb", None, key="k", partition=3)
    metadata = ("kafka_key", "kafka_partition", "kafka_offset", "kafka_timestamp")
    load(runner, KafkaTopic("queue", topic, values="text", metadata=metadata))
    names = "kafka_offset, value, kafka_key, kafka_partition"
    assert rows(runner, names) == [(0, "a\nb", "k", 3), (1, None, "k", 3)]
    [(stamped,)] = runner.fetch(
        "select count(*) from topics.arrived where kafka_timestamp > current_timestamp"
        " - interval '1 hour' and kafka_timestamp < current_timestamp + interval '1 hour'"
    )
    assert stamped == 2


@pytest.mark.parametrize(
    ("value", "settings", "message"),
    [
        (b"{", {}, r"partition 0, message 1: it is no such JSON object"),
        (b'{"id": "x"}', {}, r"message 1: .*Expected `int \| null`, got `str` - at `\$\.id`"),
        (b'{"id": 1} {"id": 2}', {}, r"message 1: it is no such JSON object"),
        (b'{"id": 1, "id": 2}', {}, r"message 1: it names 'id' twice"),
        (b'{"id": 1, "size": 2}', {}, r"message 1: .* unknown field `size`"),
        (None, {}, r"message 1: it has no value, which deletes its key; take values='debezium'"),
        (b"[]", {"values": "debezium", "columns": {}}, r"message 1: it is no envelope"),
        (b"\xff", {"values": "text", "columns": {}}, r"message 1: its value is not UTF-8"),
    ],
    ids=["broken", "type", "two", "twice", "unknown field", "tombstone", "no envelope", "no text"],
)
def test_a_message_that_cannot_be_read_is_named(
    broker: Broker,
    topic: str,
    database: DuckDBRunner,
    value: bytes | None,
    settings: dict[str, Any],
    message: str,
) -> None:
    broker.send(topic, {"id": 0}, value)
    with pytest.raises(RunError, match=message):
        load(database, source(topic, **settings))
    assert rows(database) == []
    assert broker.committed(topic) == -1001


def test_fields_can_be_left_out_by_choice(broker: Broker, topic: str, runner: Any) -> None:
    broker.send(topic, {"id": 1, "size": 2}, {"name": "a"})
    load(runner, source(topic, unknown_fields="ignore"))
    found = runner.fetch("select id, name from topics.arrived")
    assert set(found) == {(1, None), (None, "a")}


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"enable.auto.commit": True}, "enable.auto.commit would tell Kafka of messages before"),
        ({"enable.auto.commit": "true"}, "enable.auto.commit would tell Kafka"),
        ({"group.id": ""}, "set group.id"),
    ],
)
def test_nr_20_a_connection_that_commits_by_itself_is_refused(
    broker: Broker,
    topic: str,
    database: DuckDBRunner,
    monkeypatch: pytest.MonkeyPatch,
    extra: dict[str, Any],
    message: str,
) -> None:
    given = {"bootstrap.servers": broker.address, "group.id": GROUP, **extra}
    connect(monkeypatch, given)
    with pytest.raises(ConfigError, match=message):
        load(database, source(topic))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"values": "avro"}, "values='avro': choose one of json, debezium, text"),
        ({"start": "now"}, "start='now': choose one of earliest, latest, committed"),
        ({"columns": {}}, "name them for values='json'"),
        ({"columns": {"id": "int8"}}, "'id' is 'int8'; choose one of"),
        ({"metadata": ("offset",)}, "metadata 'offset': choose among kafka_partition"),
    ],
)
def test_settings_that_are_none_are_refused(
    topic: str, database: DuckDBRunner, settings: dict[str, Any], message: str
) -> None:
    database.execute("create table topics.arrived (id bigint)")
    with pytest.raises(ConfigError, match=message):
        load(database, source(topic, **settings))


def test_a_topic_cannot_be_staged_where_its_offsets_are_not_kept(topic: str) -> None:
    with duckdb.connect() as database, pytest.raises(ConfigError, match="not to one that stages"):
        source(topic).stage(DuckDBRunner(database), Relation(identifier="t"))


def test_offsets_that_the_topic_has_no_longer_or_not_yet_are_told(
    broker: Broker, topic: str, runner: Any
) -> None:
    broker.send(topic, *MESSAGES[:2])
    load(runner, source(topic))
    runner.execute("update topics.dataops_watermarks set watermark = '7' where scope = '0'")
    with pytest.raises(RunError, match=r"next message to load is 7, and it ends at 2.*Delete"):
        load(runner, source(topic))
    with pytest.raises(RunError, match=r"is 3, and the oldest that is kept is 5: 2 messages"):
        kafka_reading._check_there(topic, 0, 3, kafka_reading.Range(5, 9))
    assert rows(runner) == ROWS[:2]


@pytest.mark.parametrize(("start", "expected"), [("earliest", 4), ("latest", 0), ("committed", 1)])
def test_where_a_load_begins_that_has_nothing_yet(
    broker: Broker, topic: str, runner: Any, start: str, expected: int
) -> None:
    broker.send(topic, *MESSAGES[:4])
    kafka_reading.commit("queue", topic, {"0": 3})
    assert load(runner, source(topic, start=start)).staged == expected


def test_brokers_that_cannot_be_reached_can_be_tried_again(
    topic: str, database: DuckDBRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(monkeypatch, {"bootstrap.servers": "127.0.0.1:1", "group.id": GROUP, "log_level": 0})
    with pytest.raises(RetryableError, match=f"the topic {topic}:"):
        load(database, source(topic, patience=1))


def test_consumers_are_closed_whatever_happens(
    broker: Broker, topic: str, database: DuckDBRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Any] = []

    class Seen(Consumer):
        def close(self) -> None:
            opened.append(self)
            super().close()

    monkeypatch.setattr(kafka_reading, "Consumer", Seen)
    broker.send(topic, {"id": 1}, b"{")
    with pytest.raises(RunError):
        load(database, source(topic))
    assert len(opened) == 1
    with pytest.raises(RuntimeError, match="closed"):
        opened[0].consume(1, timeout=0)


@pytest.mark.sample(2)
def test_a_replacement_by_what_is_new_is_what_it_says(
    broker: Broker, topic: str, runner: Any
) -> None:
    for number in range(2):
        broker.send(topic, MESSAGES[number])
        load(runner, source(topic), Replace())
        assert rows(runner) == [ROWS[number]]
