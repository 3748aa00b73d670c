"""BigQuery's bulk paths: its Storage API reads, load jobs of Parquet write."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.sql.bulk import create_bulk_table
from airflow_dataops.hooks.bigquery_jobs import wait
from airflow_dataops.hooks.bulk.arrow_types import bulk_columns
from airflow_dataops.hooks.bulk.batches import Batches
from airflow_dataops.hooks.bulk.parquet import parquet_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

    from airflow_dataops.core.model import Relation


@contextmanager
def read(session: Any, sql: str, parameters: Sequence[Any]) -> Iterator[Batches]:
    """Run a query and yield its rows as they arrive.

    BIGNUMERIC has more digits than most engines; cast it in the query.
    """
    rows = session.query(sql, parameters).result()
    arrived = iter(rows.to_arrow_iterable())
    first = next(arrived, None)
    schema = rows.to_arrow().schema if first is None else first.schema
    yield Batches(schema, _batches(first, arrived))


def fill(session: Any, staging: Relation, batches: Batches) -> None:
    """Make a staging table of the rows."""
    session.execute(create_bulk_table(staging, bulk_columns(batches.schema), "bigquery"))
    for path in parquet_files(batches):
        _load(session, staging, path)


def _load(session: Any, staging: Relation, path: Path) -> None:
    from google.cloud.bigquery import LoadJobConfig, SourceFormat, WriteDisposition

    client = session.client
    table = f"{staging.database or client.project}.{staging.schema}.{staging.identifier}"
    config = LoadJobConfig(
        source_format=SourceFormat.PARQUET,
        write_disposition=WriteDisposition.WRITE_APPEND,
        schema=client.get_table(table).schema,
        labels=session.labels,
    )
    with path.open("rb") as file:
        job = client.load_table_from_file(file, table, job_config=config)
    wait(job)


def _batches(first: Any, others: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    if first is not None:
        yield first
    yield from others
