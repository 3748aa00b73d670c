"""Rows of files on local disk and in object storage."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_dataops.adapters.addresses import shown
from airflow_dataops.adapters.downloads import OriginError
from airflow_dataops.errors import ConfigError, RetryableError, RunError
from airflow_dataops.hooks.arrow_source import ArrowSource
from airflow_dataops.hooks.object_storage import storage_path, told

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa

    from airflow_dataops.core.sql.watermarks import Since
    from airflow_dataops.hooks.bulk.batches import Batches

_PATTERN = frozenset("*?[")


@dataclass
class Files(ArrowSource):
    """Files whose rows go to a table, in the order of their paths.

    All have the columns of the first one, in whatever order. They are read in Arrow record
    batches, so memory does not grow with their size.

    Args:
        url: a path or a URI such as `s3://lake/orders/{{ ds }}/*.csv`; `*`, `?`, `[ab]` and `**`
            match. Jinja is rendered; `..` is refused.
        format: csv, jsonl or parquet.
        conn_id: the Airflow connection of the storage.
        columns: types of columns by name, such as `{"id": "text", "price": "decimal(18,2)"}`;
            the types of docs/loads/transfer.md. Those of others come from the file, or from
            its first 4 MB.
        options: of CSV: delimiter, quote_char, escape_char, double_quote, newlines_in_values,
            encoding, skip_rows, column_names, null_values, true_values, false_values,
            decimal_point, strings_can_be_null, timestamp_parsers; see pyarrow.csv.
    """

    url: str
    format: str
    conn_id: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)

    template_fields: ClassVar[Sequence[str]] = ("url", "conn_id")

    def since(self, since: Since) -> Files:
        """See `Source.since`: files are read whole."""
        del since
        return self

    @contextmanager
    def _rows(self) -> Iterator[Batches]:
        from airflow_dataops.hooks.bulk.batches import Batches
        from airflow_dataops.hooks.file_reading import FileReader

        reader = FileReader(self.format, self.columns, self.options)
        files = self._find()
        first = reader.open(*files[0])
        try:
            yield Batches(first.schema, _rows_of(reader, first, files[1:]))
        finally:
            first.close()

    def _find(self) -> list[tuple[Any, str]]:
        """Return storage and path of each file, sorted by path."""
        if ".." in self.url.replace("\\", "/").split("/"):
            raise ConfigError(
                f"{shown(self.url)}: a path may not hold '..'; write where the files are."
            )
        with _named(shown(self.url)):
            place = storage_path(self.url, self.conn_id)
            place.fs.invalidate_cache()
            many = bool(_PATTERN & set(place.path))
            found = sorted(place.fs.glob(place.path)) if many else [place.path]
            paths = [str(path) for path in found if place.fs.isfile(path)]
        if not paths:
            raise RunError(
                f"{shown(self.url)}: there is no such file. Mend the path, or wait for the file "
                "with a sensor."
            )
        return [(place.fs, path) for path in paths]


def _rows_of(reader: Any, first: Any, others: list[tuple[Any, str]]) -> Iterator[pa.RecordBatch]:
    yield from first
    first.close()
    for storage, path in others:
        with reader.open(storage, path) as file:
            yield from file.like(first.schema)


@contextmanager
def _named(name: str) -> Iterator[None]:
    try:
        with told():
            yield
    except OriginError as error:
        kind = RetryableError if error.may_pass else RunError
        raise kind(f"{name}: {error}") from error
