"""Loads of a topic, some of which kill themselves; see `killing`.

`python -m tests.contract.killing_topics` is a nursery. The connection is in its environment.
"""

from __future__ import annotations

import os
import signal
from typing import Any

import duckdb

from airflow_dataops.core.loads.run import run_load
from airflow_dataops.core.loads.specs import Append, Attempt, Load
from airflow_dataops.core.model import Relation
from airflow_dataops.hooks import kafka_reading
from airflow_dataops.hooks.kafka_topic import KafkaTopic
from tests.contract.killing import serve
from tests.duckdb_runner import DuckDBRunner


def source(topic: str, **settings: Any) -> KafkaTopic:
    columns = {"id": "bigint", "name": "text"}
    return KafkaTopic("queue", topic, **{"columns": columns, "metadata": (), **settings})


def numbered(topic: str) -> KafkaTopic:
    return source(topic, metadata=("kafka_partition", "kafka_offset"))


def load(
    runner: Any, topic: KafkaTopic, verb: Any = None, try_number: int = 1, **settings: Any
) -> Any:
    wanted = Load(
        target=Relation(identifier="arrived", schema="topics"),
        verb=verb or Append(),
        attempt=Attempt(owner="shop.arrived", run_id="monday", try_number=try_number),
        create=True,
        **settings,
    )
    return run_load(wanted, topic, runner)


def _die(file: str, topic: str, at: str) -> None:
    """Load and die: before the rows are published, before Kafka is told, or after."""
    plain, runner = kafka_reading.commit, DuckDBRunner(duckdb.connect(file))

    def die(*arguments: Any) -> None:
        if at == "told":
            plain(*arguments)
        os.kill(os.getpid(), signal.SIGKILL)

    kafka_reading.commit = die
    if at == "staged":
        runner.transaction = die  # type: ignore[method-assign]
    load(runner, numbered(topic))


if __name__ == "__main__":
    serve(_die)
