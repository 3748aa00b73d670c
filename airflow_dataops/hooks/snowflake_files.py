"""Rows of files that Snowflake reads itself: from a stage, or from cloud storage."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_dataops.core.loads.checks import LoadEmptyError
from airflow_dataops.core.loads.sources import Placement
from airflow_dataops.core.sql.copying import Copy, copy_files, create_for_copy
from airflow_dataops.errors import ConfigError, RunError
from airflow_dataops.hooks.choices import Missing, chosen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_dataops.core.model import Relation
    from airflow_dataops.core.ports import SqlRunner
    from airflow_dataops.core.sql.watermarks import Since

log = logging.getLogger(__name__)

_STATUS, _PARSED, _LOADED, _FIRST_ERROR = 1, 2, 3, 6
_SHOWN = 5


@dataclass
class SnowflakeFiles:
    """Files whose rows Snowflake copies (`COPY INTO`); none of them comes through the worker.

    They go into a new staging table each time, so that it does not matter which files
    Snowflake remembers to have loaded before: a load that runs again reads the same files,
    and its verb sees to it that no row is there twice.

    Args:
        location: a stage and a path in it, such as `@raw.landing/sales/{{ ds }}/`, or a URL
            such as `s3://lake/sales/{{ ds }}/`. Jinja is rendered.
        format: csv, json, parquet, avro or orc.
        columns: Snowflake's types by name. Of CSV without a header in the order of the
            fields, else the names are looked up in the files in any case. May be left out
            for a stage with `format_name`: Snowflake finds them in the files.
        pattern: a regular expression that a file's whole path matches.
        files: names of files below the location instead.
        format_name: a file format of Snowflake's instead of `format`.
        options: of the file format, such as `{"skip_header": 1, "field_delimiter": "|"}`.
        on_error: `abort_statement`, or what is wrong is left out, with a warning: `continue`,
            `skip_file`, `skip_file_<n>`, `skip_file_<n>%`.
        storage_integration: by which Snowflake reads a URL.
        missing: `fail`, or `skip` the load, where there is no file.
    """

    location: str
    format: str = "csv"
    columns: Mapping[str, str] = field(default_factory=dict)
    pattern: str | None = None
    files: Sequence[str] = ()
    format_name: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    on_error: str = "abort_statement"
    storage_integration: str | None = None
    missing: Missing | str = Missing.FAIL

    template_fields: ClassVar[Sequence[str]] = ("location", "pattern", "files")

    @property
    def placement(self) -> Placement:
        """See `Source.placement`."""
        return Placement.SESSION

    @property
    def origin(self) -> str:
        """See `Named.origin`."""
        return f"{self.location} {self.pattern} {list(self.files)}"

    def since(self, since: Since) -> SnowflakeFiles:
        """See `Source.since`: files are read whole."""
        del since
        return self

    def stage(self, runner: SqlRunner, staging: Relation) -> int | None:
        """See `Source.stage`.

        Raises:
            ConfigError: a setting is wrong, or the target is not on Snowflake.
            RunError: there is no such file.
        """
        missing = chosen(Missing, self.missing, "missing")
        self.stage_columns(runner, staging)
        found = runner.fetch(copy_files(staging, self._copy()))
        files = [row for row in found if len(row) > _FIRST_ERROR]
        if not files:
            if missing is Missing.SKIP:
                raise LoadEmptyError
            raise RunError(
                f"{self.location}: there is no such file{self._among()}. Mend the location, "
                "wait for the file with a sensor, or set missing='skip' where that is fine."
            )
        self._warn([row for row in files if str(row[_STATUS]).upper() != "LOADED"])
        return sum(int(row[_LOADED]) for row in files)

    def stage_columns(self, runner: SqlRunner, staging: Relation) -> None:
        """See `Source.stage_columns`."""
        if runner.dialect != "snowflake":
            raise ConfigError(
                f"{self.location}: SnowflakeFiles are read by Snowflake, and the target is on "
                f"{runner.dialect}; use Files."
            )
        runner.execute(create_for_copy(staging, self._copy()))

    def _copy(self) -> Copy:
        return Copy(
            location=self.location,
            format=self.format.lower(),
            format_name=self.format_name,
            options=dict(self.options),
            columns=dict(self.columns),
            pattern=self.pattern,
            files=tuple(self.files),
            on_error=self.on_error,
            integration=self.storage_integration,
        )

    def _among(self) -> str:
        if self.pattern:
            return f" that matches {self.pattern!r}"
        return f" among {', '.join(self.files)}" if self.files else ""

    def _warn(self, wrong: Sequence[tuple[Any, ...]]) -> None:
        for row in wrong[:_SHOWN]:
            log.warning(
                "%s: %s; %s of %s rows are loaded; the first error: %s",
                *(row[0], row[_STATUS], row[_LOADED], row[_PARSED], row[_FIRST_ERROR]),
            )
        if len(wrong) > _SHOWN:
            log.warning("%d more files were not loaded as a whole", len(wrong) - _SHOWN)
