"""A file for the textfile collector of Prometheus's node exporter."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from airflow_dataops.adapters.sinks.exposition import registry_of
from airflow_dataops.adapters.sinks.options import options_of
from airflow_dataops.adapters.sinks.totals import Totals, locked, replace
from airflow_dataops.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:
    from airflow_dataops.core.metrics.batch import Batch
    from airflow_dataops.core.metrics.settings import SinkSpec


class TextfileSink:
    """Keeps the totals of this host in a `.prom` file and, for itself, beside it as JSON."""

    limit = 10_000

    def __init__(self, path: Path) -> None:
        self._path = path
        self._totals = path.with_name(f"{path.name}.totals.json")

    def send(self, batch: Batch) -> None:
        """Add a batch to the file.

        Raises:
            RetryableError: another process keeps the file locked.
            OSError: the folder cannot be written to.
        """
        from prometheus_client import generate_latest

        with locked(self._path):
            totals = Totals.read(self._totals)
            totals.add(batch)
            text = generate_latest(registry_of(totals))
            totals.write(self._totals)
            replace(self._path, text)


def open_sink(spec: SinkSpec) -> TextfileSink:
    """Open `textfile:///var/lib/node_exporter/airflow.prom`."""
    options_of(spec, ())
    if not spec.path.endswith(".prom") or spec.host:
        raise ConfigError(
            "sink textfile: node exporter reads files that end in .prom. Write "
            "textfile:///var/lib/node_exporter/airflow.prom"
        )
    try:
        import prometheus_client  # noqa: F401 - said here rather than with the first batch
    except ModuleNotFoundError as error:
        raise MissingExtraError("sink textfile", "prometheus") from error
    return TextfileSink(Path(spec.path))
