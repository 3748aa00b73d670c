"""Rows of files on local disk and in object storage."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_dataops.adapters.addresses import shown
from airflow_dataops.core.loads.checks import LoadEmptyError
from airflow_dataops.errors import ConfigError, RunError
from airflow_dataops.hooks.arrow_source import ArrowSource
from airflow_dataops.hooks.choices import Missing, chosen
from airflow_dataops.hooks.file_settings import check_texts, check_time_zone, options_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa

    from airflow_dataops.core.sql.watermarks import Since
    from airflow_dataops.hooks.bulk.batches import Batches
    from airflow_dataops.hooks.file_listing import Listing
    from airflow_dataops.hooks.file_rows import FileRows


@dataclass
class Files(ArrowSource):
    """Files whose rows go to a table, in the order of their paths.

    They are read in Arrow record batches, so memory does not grow with their size. What they
    hold is read by the rules of docs/loads/files.md; what would be lost is an error.

    Args:
        url: a path or a URI such as `s3://lake/orders/{{ ds }}/*.csv`; `*`, `?`, `[ab]` and `**`
            match. Jinja is rendered; `..` is refused.
        format: csv, jsonl or parquet.
        conn_id: the Airflow connection of the storage.
        columns: types of columns by name, such as `{"id": "text", "price": "decimal(18,2)"}`;
            the types of docs/loads/transfer.md. Those of others come from the file, or from
            its first 4 MB.
        options: of JSON lines: encoding. Of CSV: delimiter, quote_char, escape_char,
            double_quote, newlines_in_values, encoding, skip_rows, column_names, null_values,
            true_values, false_values, decimal_point, strings_can_be_null, timestamp_parsers;
            see pyarrow.csv.
        formats: of dates and times by column, such as `{"day": "%d.%m.%Y"}`; strptime's codes.
            Others are in ISO 8601.
        time_zone: of timestamps without an offset in columns that have a zone, and the zone to
            which those with an offset are converted in columns that have none, such as `UTC`.
            Without it both are errors.
        compression: infer (from the name: .gz, .zst, .bz2), none, gzip, zstd or bz2.
        partitions: types of columns that are in the path, as `day=2026-01-01/`, such as
            `{"day": "date"}`.
        schemas: `same`: all files have the columns of the first one, in whatever order. `union`:
            columns that a file lacks are NULL.
        missing: `fail`, or `skip` the load, where no file matches.
    """

    url: str
    format: str
    conn_id: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    formats: Mapping[str, str] = field(default_factory=dict)
    time_zone: str | None = None
    compression: str = "infer"
    partitions: Mapping[str, str] = field(default_factory=dict)
    schemas: str = "same"
    missing: Missing | str = Missing.FAIL

    template_fields: ClassVar[Sequence[str]] = ("url", "conn_id")

    def __post_init__(self) -> None:
        """Check what can be checked without a look at the files. Raises `ConfigError`."""
        self.options = options_of(self.format, self.options)
        for what in ("columns", "formats", "partitions"):
            check_texts(getattr(self, what), what)
        check_time_zone(self.time_zone)

    @property
    def origin(self) -> str:
        """See `Named.origin`."""
        return f"{self.conn_id} {self.url}"

    def since(self, since: Since) -> Files:
        """See `Source.since`: files are read whole."""
        del since
        return self

    @contextmanager
    def _rows(self) -> Iterator[Batches]:
        from airflow_dataops.hooks.bulk.batches import Batches
        from airflow_dataops.hooks.file_listing import list_files

        missing = chosen(Missing, self.missing, "missing")
        files = self._files(list_files(self.url, self.conn_id))
        if not files.listing.marks:
            if missing is Missing.SKIP:
                raise LoadEmptyError
            raise RunError(
                f"{shown(self.url)}: there is no such file. Mend the path, wait for the file "
                "with a sensor, or set missing='skip' where that is fine."
            )
        schema = files.schema
        yield Batches(schema, self._read(files, schema))

    def _files(self, listing: Listing) -> FileRows:
        from airflow_dataops.hooks.file_formats import FileFormat, Reading, read_types
        from airflow_dataops.hooks.file_rows import FileRows, Schemas
        from airflow_dataops.hooks.value_rules import Rule

        reading = Reading(
            format=chosen(FileFormat, self.format, "format"),
            types=read_types(self.columns),
            options=self.options,
            formats=self.formats,
            zone=self.time_zone,
            compression=self.compression,
        )
        both = sorted(set(self.columns) & set(self.partitions))
        if both:
            raise ConfigError(
                f"columns and partitions both name {', '.join(both)}: a column in the path goes "
                "into partitions alone."
            )
        partitions = {
            name: Rule(type_, zone=self.time_zone)
            for name, type_ in read_types(self.partitions).items()
        }
        return FileRows(listing, reading, chosen(Schemas, self.schemas, "schemas"), partitions)

    def _read(self, files: FileRows, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        from airflow_dataops.hooks.file_listing import check_unchanged

        yield from files.rows(schema)
        check_unchanged(self.url, self.conn_id, files.listing)
