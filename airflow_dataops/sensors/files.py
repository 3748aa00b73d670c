"""Wait until files are written whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from airflow_dataops.core.arguments import count, optional_text, seconds, text
from airflow_dataops.core.health.watches import FilesWatch
from airflow_dataops.errors import ConfigError
from airflow_dataops.sensors.base import WatchSensor

if TYPE_CHECKING:
    from airflow_dataops.core.arguments import Duration
    from airflow_dataops.sensors.base import WatchArguments


class FileCompleteSensor(WatchSensor):
    """Waits until files are there and written whole.

    That is when they stay the same for so long, when a marker is beside them, or when all that a
    manifest lists are there; what is asked for of these must all hold.

    Args:
        url: a path or a URI such as `s3://lake/orders/{{ ds }}/*.csv`; as in `Files`.
        conn_id: the Airflow connection of the storage.
        steady_for: seconds, or a timedelta, for which names, sizes and contents stay the same; by
            default a minute without marker and manifest, else 0.
        min_files: fewer are waited for.
        marker: the name of a file in the same folder that is written last, such as `_SUCCESS`.
        manifest: the name of a file in the same folder that lists the others: a JSON list of
            names, or `{"entries": [{"url": ..., "meta": {"content_length": ...}}]}`.
    """

    def __init__(
        self,
        *,
        url: str,
        conn_id: str | None = None,
        steady_for: Duration | None = None,
        min_files: int = 1,
        marker: str | None = None,
        manifest: str | None = None,
        **arguments: Unpack[WatchArguments],
    ) -> None:
        watch = {
            "type": FilesWatch.__name__,
            "url": text(url, "url"),
            "min_files": count(min_files, "min_files", least=1),
            "marker": _beside(marker, "marker"),
            "manifest": _beside(manifest, "manifest"),
        }
        if steady_for is None:
            steady_for = 0 if marker or manifest else 60
        elif not seconds(steady_for, "steady_for") and not marker and not manifest:
            raise ConfigError("steady_for=0: a file that was just begun is there too. Say more.")
        super().__init__(conn_id=conn_id, watch=watch, steady_for=steady_for, **arguments)


def _beside(name: str | None, what: str) -> str | None:
    if name is not None and ("/" in text(name, what) or "*" in name):
        raise ConfigError(f"{what}={name!r}: write the name of a file in the folder of url=.")
    return optional_text(name, what)
