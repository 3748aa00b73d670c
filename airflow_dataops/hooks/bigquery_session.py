"""A session with BigQuery, over the client of Airflow's hook.

The hook's own DB-API connection knows no transactions, binds no values and loses labels.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from airflow_dataops.core.masking import mask
from airflow_dataops.core.sql import tags
from airflow_dataops.errors import ConfigError
from airflow_dataops.hooks.bigquery_errors import stated
from airflow_dataops.hooks.bigquery_jobs import wait

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from google.cloud.bigquery import Client, QueryJob

    from airflow_dataops.core.sql.tags import Tag

log = logging.getLogger(__name__)

_SESSION = "session_id"


class BigQuerySession:
    """A `SqlRunner` over jobs, each labelled with the task that runs it.

    A BigQuery session is made when the first transaction begins; from then on every statement
    is one of its own, and `close` ends it.
    """

    dialect = "bigquery"
    placeholder = "?"

    def __init__(
        self, client: Client, tag: Tag | None = None, labels: Mapping[str, str] | None = None
    ) -> None:
        """Start without a job.

        Args:
            labels: of every job, besides the tag's.
        """
        self._client = client
        self._labels = {**(labels or {}), **({} if tag is None else tags.labels(tag))}
        self._limits: dict[str, Any] = {}
        self._session: str | None = None
        # Where the last job ran. A session is of one location, and a statement that reads no
        # table runs in the US by default.
        self._place: str | None = None
        self._job: QueryJob | None = None

    @property
    def client(self) -> Client:
        """Google's client, for what no `SqlRunner` does: load jobs."""
        return self._client

    @property
    def labels(self) -> dict[str, str]:
        """The labels of every job."""
        return dict(self._labels)

    def bound_by(self, settings: Mapping[str, Any]) -> None:
        """Bound every query by what a dbt profile sets; see `SessionSql` of `core/engines`."""
        self._limits = _limits(settings)

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Run one statement; see `SqlRunner.execute`."""
        job = self._query(sql, parameters)
        rows = job.num_dml_affected_rows
        return -1 if rows is None else int(rows)

    def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one query; see `SqlRunner.fetch`."""
        return [tuple(row.values()) for row in self._query(sql, parameters).result()]

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> QueryJob:
        """Run one statement and return its job, which has ended: for what reads rows in bulk."""
        return self._query(sql, parameters)

    def submit(self, sql: str) -> str:
        """Begin one statement outside of the session; see `JobRunner.submit`."""
        from google.cloud.bigquery import QueryJobConfig

        # An id of ours: a request that is sent twice makes one job.
        job = self._client.query(
            sql,
            job_config=QueryJobConfig(labels=self._labels, use_legacy_sql=False, **self._limits),
            job_id=f"airflow_dataops_{uuid4().hex}",
        )
        return f"{job.project}:{job.location}.{job.job_id}"

    def ended(self, job: str) -> bool:
        """Tell whether a statement has ended, well or not."""
        return str(self._get(job).state) == "DONE"

    def result(self, job: str) -> list[tuple[Any, ...]]:
        """Return the rows of a statement that has ended; raise what it raised."""
        with stated():
            return [tuple(row.values()) for row in self._get(job).result()]

    def cancel(self, job: str) -> None:
        """Stop a statement; one that has ended stays as it is."""
        self._get(job).cancel()

    def _get(self, job: str) -> Any:
        # A project may hold a colon (of a domain), a location and an id neither colon nor dot.
        project, _, rest = job.rpartition(":")
        location, _, job_id = rest.partition(".")
        return self._client.get_job(job_id, project=project, location=location)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Open a transaction in this session; see `SqlRunner.transaction`."""
        self._ensure_session()
        self.execute("begin transaction")
        try:
            yield
        except BaseException:
            self._rollback()
            raise
        self.execute("commit transaction")

    def interrupt(self) -> None:
        """Cancel the job that is running."""
        if self._job is not None:
            self._job.cancel()

    def close(self) -> None:
        """End the BigQuery session, which rolls back what a transaction left unfinished."""
        try:
            if self._session is not None:
                self._abort()
        finally:
            self._session = None
            self._client.close()  # type: ignore[no-untyped-call]

    def _rollback(self) -> None:
        from google.api_core.exceptions import GoogleAPIError

        try:
            self.execute("rollback transaction")
        except GoogleAPIError as error:
            # Some errors end a transaction by themselves; the one that did is passed on.
            log.info("BigQuery had rolled back already: %s", mask(str(error)))

    def _abort(self) -> None:
        from google.api_core.exceptions import GoogleAPIError

        try:
            self.execute("call bq.abort_session()")
        except GoogleAPIError as error:
            log.warning(
                "A BigQuery session ends only after a day without use: %s", mask(str(error))
            )

    def _ensure_session(self) -> None:
        if self._session is not None:
            return
        job = self._query("select 1", (), create_session=True)
        info = job.session_info
        if info is None or info.session_id is None:
            raise ConfigError(
                "BigQuery did not start a session, without which it knows no transactions; let "
                "the connection's account create sessions (bigquery.jobs.create)."
            )
        self._session = info.session_id

    def _query(
        self, sql: str, parameters: Sequence[Any], *, create_session: bool = False
    ) -> QueryJob:
        from google.cloud.bigquery import ConnectionProperty, QueryJobConfig

        config = QueryJobConfig(
            labels=self._labels,
            use_legacy_sql=False,
            query_parameters=[_parameter(value) for value in parameters],
            **self._limits,
        )
        if create_session:
            config.create_session = True
        elif self._session is not None:
            config.connection_properties = [ConnectionProperty(_SESSION, self._session)]
        with stated():
            place = self._place if create_session or self._session is not None else None
            self._job = job = self._client.query(sql, job_config=config, location=place)
            try:
                wait(job)
                self._place = job.location or self._place
            finally:
                self._job = None
        return job


def _limits(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a query's configuration dbt's profile sets, as Google's client calls it."""
    limits: dict[str, Any] = {}
    if billed := settings.get("maximum_bytes_billed"):
        limits["maximum_bytes_billed"] = int(billed)
    if priority := settings.get("priority"):
        limits["priority"] = str(priority).upper()
    if seconds := settings.get("job_execution_timeout_seconds"):
        limits["job_timeout_ms"] = int(seconds) * 1000
    return limits


def _parameter(value: Any) -> Any:
    from google.cloud.bigquery import ArrayQueryParameter, ScalarQueryParameter

    if isinstance(value, list | tuple):
        first = next((item for item in value if item is not None), "")
        return ArrayQueryParameter(None, _type(first), list(value))
    return ScalarQueryParameter(None, _type(value), value)


def _type(value: Any) -> str:
    """Return the BigQuery type of a Python value; NULL is a STRING, to be cast in the SQL."""
    if isinstance(value, datetime):
        return "DATETIME" if value.tzinfo is None else "TIMESTAMP"
    for kind, name in _TYPES:
        if isinstance(value, kind):
            return name
    return "STRING"


_TYPES: tuple[tuple[type, str], ...] = (
    (bool, "BOOL"),
    (int, "INT64"),
    (float, "FLOAT64"),
    (Decimal, "BIGNUMERIC"),
    (date, "DATE"),
    (time, "TIME"),
    (bytes, "BYTES"),
)
