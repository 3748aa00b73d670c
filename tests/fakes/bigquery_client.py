"""A BigQuery client without BigQuery: it remembers its jobs."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from google.cloud.bigquery import QueryJobConfig


class FakeJob:
    """A job that is done, or that ends with an error when it is awaited."""

    def __init__(self, sql: str, config: QueryJobConfig, error: BaseException | None) -> None:
        self.sql = sql
        self.config = config
        self.cancelled = False
        self.location = ""
        self.num_dml_affected_rows = 2 if sql.startswith("delete") else None
        self.session_info = SimpleNamespace(session_id="s1") if config.create_session else None
        self._error = error

    def result(self) -> list[Any]:
        if self._error is not None:
            raise self._error
        return []

    def cancel(self) -> None:
        self.cancelled = True


class FakeBigQueryClient:
    """Attributes:
    jobs: what was run.
    errors: the error of each statement that has one, by its text.
    """

    def __init__(self, errors: dict[str, BaseException] | None = None) -> None:
        self.jobs: list[FakeJob] = []
        self.errors = errors or {}
        self.closed = False

    def query(self, sql: str, job_config: QueryJobConfig, location: str | None) -> FakeJob:
        self.jobs.append(FakeJob(sql, job_config, self.errors.get(sql)))
        self.jobs[-1].location = location or ("EU" if "from" in sql else "US")
        return self.jobs[-1]

    def close(self) -> None:
        self.closed = True
