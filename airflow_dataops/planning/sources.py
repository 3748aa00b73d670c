"""Where manifests come from: paths of this host, and addresses of anywhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_dataops.adapters.addresses import is_address, shown
from airflow_dataops.core.arguments import optional_text, seconds, text
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from airflow_dataops.core.arguments import Duration


@dataclass(frozen=True, slots=True)
class ManifestSource:
    """A remote manifest, or a folder of them, and how to get at it.

    Durations are timedeltas or seconds. What is None comes from the section `[dataops]` of
    Airflow's configuration, under the names in parentheses.

    Attributes:
        uri: what Airflow's `ObjectStoragePath` takes (`s3://`, `gs://`, `file://`, ...), or
            `http(s)://`. `conn_id@` may go before the host.
        conn_id: the Airflow connection with the credentials; beats the one in the URI.
        check_every: least time between two requests of one host for one file
            (`source_check_seconds`; 30).
        max_age: time for which the last good copy serves while requests fail
            (`source_max_age_seconds`; 24 h).
        connect_timeout: time until an HTTP connection stands (`source_connect_seconds`; 5).
        read_timeout: time between two pieces of an HTTP answer (`source_read_seconds`; 60).
        validator: the file's validator, where a listing told it; then it is not asked for.
    """

    uri: str
    conn_id: str | None = None
    check_every: Duration | None = None
    max_age: Duration | None = None
    connect_timeout: Duration | None = None
    read_timeout: Duration | None = None
    validator: str = ""

    def __post_init__(self) -> None:
        """Check the forms. Raises `ConfigError`."""
        text(self.uri, "ManifestSource: uri")
        optional_text(self.conn_id, "ManifestSource: conn_id")
        for name in ("check_every", "max_age", "connect_timeout", "read_timeout"):
            if (given := getattr(self, name)) is not None:
                seconds(given, f"ManifestSource: {name}")

    def __str__(self) -> str:
        return shown(self.uri)

    def __repr__(self) -> str:
        return f"ManifestSource({shown(self.uri)!r})"


def as_source(place: str | Path | ManifestSource) -> ManifestSource | Path:
    """Tell a remote place from a path: a string with `://` in it is remote."""
    if isinstance(place, ManifestSource):
        return place
    return ManifestSource(place) if is_address(place) else Path(place)


Fetch = Callable[[ManifestSource], Path]
"""Brings what is at an address to this host; raises `ConfigError` where it cannot be had. Whoever
plans brings it along, for it knows where credentials are."""


def only_here(source: ManifestSource) -> Path:
    """Refuse whatever is far away: the `Fetch` of who has no credentials."""
    raise ConfigError(f"{source} is far away, and nothing is here to bring it; name a path.")
