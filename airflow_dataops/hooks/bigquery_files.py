"""Files in Google Cloud Storage that BigQuery itself reads: load jobs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_dataops.core.engines.error_codes import Fate
from airflow_dataops.core.engines.errors import kind_of
from airflow_dataops.core.engines.statements import send
from airflow_dataops.core.loads.checks import LoadEmptyError
from airflow_dataops.core.loads.sources import Placement
from airflow_dataops.core.sql import bulk
from airflow_dataops.errors import ConfigError, RetryableError, RunError
from airflow_dataops.hooks.bigquery_jobs import wait
from airflow_dataops.hooks.choices import Missing, chosen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from google.cloud.bigquery import LoadJobConfig

    from airflow_dataops.core.model import Relation
    from airflow_dataops.core.ports import SqlRunner
    from airflow_dataops.core.sql.watermarks import Since

_FORMATS = {"csv": "CSV", "jsonl": "NEWLINE_DELIMITED_JSON", "parquet": "PARQUET"}
_CSV = (
    "allow_jagged_rows",
    "allow_quoted_newlines",
    "encoding",
    "field_delimiter",
    "null_marker",
    "null_markers",
    "preserve_ascii_control_characters",
    "quote_character",
    "skip_leading_rows",
)
_TIMES = ("date_format", "datetime_format", "time_format", "time_zone", "timestamp_format")
_ALL = ("decimal_target_types", "ignore_unknown_values", "max_bad_records")
_OPTIONS = {
    "csv": (*_CSV, *_TIMES, *_ALL),
    "jsonl": ("encoding", *_TIMES, *_ALL),
    "parquet": _ALL,
}
_SHOWN = 3


@dataclass
class BigQueryFiles:
    """Files in Google Cloud Storage that BigQuery loads by itself: no row passes the worker.

    Args:
        url: such as `gs://lake/orders/{{ ds }}/*.csv`, or several; each may hold one `*`. Jinja
            is rendered.
        format: csv, jsonl or parquet.
        columns: type of each column by name, such as `{"id": "text", "price":
            "decimal(18,2)"}`; the types of docs/loads/transfer.md. Without them BigQuery finds
            out, from Parquet's own schema or a sample of the rows.
        options: of the load job, by the names of
            https://cloud.google.com/python/docs/reference/bigquery/latest/google.cloud.bigquery.job.LoadJobConfig.
        missing: `fail`, or `skip` the load, where there is no file.
    """

    url: str | Sequence[str]
    format: str
    columns: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    missing: Missing | str = Missing.FAIL

    template_fields: ClassVar[Sequence[str]] = ("url",)

    @property
    def placement(self) -> Placement:
        """See `Source.placement`: a load job is part of no session."""
        return Placement.SHARED

    @property
    def origin(self) -> str:
        """See `Named.origin`."""
        return str(self.url)

    def since(self, since: Since) -> BigQueryFiles:
        """See `Source.since`: files are read whole."""
        del since
        return self

    def stage(self, runner: SqlRunner, staging: Relation) -> int | None:
        """See `Source.stage`.

        Raises:
            ConfigError: the target is not on BigQuery, or the URL, the format or an option is
                none.
            RetryableError: BigQuery was not to be had.
            RunError: there are no such files, or BigQuery cannot load them; the message says
                which and why.
        """
        config = self._config(runner)
        if self.columns:
            self._create(runner, staging)
        rows = self._load(runner, staging, config)
        if not self.columns:
            send(bulk.expire_table(staging), runner)
        return rows

    def stage_columns(self, runner: SqlRunner, staging: Relation) -> None:
        """See `Source.stage_columns`; raises what `stage` does."""
        if self.columns:
            self._config(runner)
            self._create(runner, staging)
            return
        self.stage(runner, staging)
        send(bulk.empty_table(staging), runner)

    def _create(self, runner: SqlRunner, staging: Relation) -> None:
        import pyarrow as pa

        from airflow_dataops.hooks.bulk.arrow_types import bulk_columns
        from airflow_dataops.hooks.file_formats import read_types

        columns = bulk_columns(pa.schema(list(read_types(self.columns).items())))
        runner.execute(bulk.create_bulk_table(staging, columns, runner.dialect))

    def _config(self, runner: SqlRunner) -> LoadJobConfig:
        if runner.dialect != "bigquery":
            raise ConfigError(
                f"{self._said}: the target is on {runner.dialect}, and BigQueryFiles are for "
                "BigQuery alone; use Files."
            )
        from google.cloud.bigquery import LoadJobConfig, WriteDisposition

        self._check()
        config = LoadJobConfig(
            source_format=_FORMATS[self.format],
            write_disposition=WriteDisposition.WRITE_APPEND,
        )
        if not self.columns:
            config.autodetect = True
        options = dict(self.options)
        if self.format == "csv":
            options = {"allow_quoted_newlines": True} | options
            if self.columns and options.setdefault("skip_leading_rows", 1):
                # By the names in the header, not by place.
                config.source_column_match = "NAME"
        for name, value in options.items():
            setattr(config, name, value)
        return config

    def _check(self) -> None:
        if self.format not in _FORMATS:
            raise ConfigError(f"format {self.format!r}: choose one of {', '.join(_FORMATS)}.")
        unknown = sorted(set(self.options) - set(_OPTIONS[self.format]))
        if unknown:
            known = ", ".join(sorted(_OPTIONS[self.format]))
            raise ConfigError(f"options {', '.join(unknown)}: {self.format} has {known}.")
        for url in self._urls:
            if not url.startswith("gs://") or url.count("*") > 1 or not url[5:].strip("/*"):
                raise ConfigError(
                    f"{url!r}: write files of Google Cloud Storage, such as "
                    "gs://bucket/folder/*.csv, with at most one '*'."
                )

    def _load(self, runner: Any, staging: Relation, config: LoadJobConfig) -> int | None:
        from google.api_core.exceptions import GoogleAPICallError, NotFound

        missing = chosen(Missing, self.missing, "missing")
        client = runner.client
        config.labels = runner.labels
        table = f"{staging.database or client.project}.{staging.schema}.{staging.identifier}"
        try:
            job = client.load_table_from_uri(self._urls, table, job_config=config)
            wait(job)
        except GoogleAPICallError as error:
            # "Not found: URI gs://..", where it may as well be a table.
            gone = isinstance(error, NotFound) and "gs://" in str(error)
            if gone and missing is Missing.SKIP:
                raise LoadEmptyError from error
            kind = kind_of(error)
            if kind is not None and kind.fate is Fate.RETRYABLE:
                told = f"{self._said}: BigQuery did not load it: {error}"
                raise RetryableError(told) from error
            raise RunError(
                f"{self._said}: BigQuery cannot load it: {_reasons(error)}. The table is as it was."
            ) from error
        return None if job.output_rows is None else int(job.output_rows)

    @property
    def _urls(self) -> list[str]:
        return [self.url] if isinstance(self.url, str) else list(self.url)

    @property
    def _said(self) -> str:
        return ", ".join(self._urls)


def _reasons(error: Any) -> str:
    """Return what a job says went wrong: the first errors name the file and the place in it."""
    said = [str(each.get("message", "")) for each in error.errors or ()]
    return "; ".join(dict.fromkeys(filter(None, said[:_SHOWN]))) or str(error)
