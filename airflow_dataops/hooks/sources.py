"""Manifests from anywhere: a URI -> a file of this host.

dbt_dag(manifest="s3://aws_default@bucket/shop/manifest.json", ...)
dbt_dag(manifest=ManifestSource("https://ci.example.com/manifest.json", conn_id="ci"), ...)
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from airflow_dataops.adapters.addresses import is_http
from airflow_dataops.adapters.downloads import OriginError, Policy, local_copy
from airflow_dataops.adapters.local_files import read_regular
from airflow_dataops.core.arguments import seconds
from airflow_dataops.core.deprecation import renamed
from airflow_dataops.core.manifests.files import SUFFIXES
from airflow_dataops.errors import ConfigError
from airflow_dataops.planning.places import beside, caller_file
from airflow_dataops.planning.sources import ManifestSource, as_source

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from airflow_dataops.adapters.http_source import HttpOrigin
    from airflow_dataops.core.arguments import Duration
    from airflow_dataops.hooks.object_storage import StorageOrigin


def locate(path: str | Path | ManifestSource) -> Path:
    """Return an absolute path, relative ones taken from the folder of the calling file.

    The calling file is the first one up the stack that is not of this package: a DAG file,
    wherever the process that parses it happens to stand. A remote file is brought here first.

    Raises:
        ConfigError: a remote file cannot be had.
    """
    path = as_source(path)
    if isinstance(path, ManifestSource):
        return local_manifest(path)
    return beside(caller_file(), path)


def local_manifest(source: ManifestSource) -> Path:
    """Return a file of this host with the content of a remote manifest.

    Raises:
        ConfigError: it cannot be had, and there is no copy that is young enough.
    """
    return local_copy(_origin(source), _policy(source), source.validator)


def find_sources(source: ManifestSource) -> list[ManifestSource]:
    """Return the manifests in a remote folder, sorted; one manifest if the URI ends like one.

    Raises:
        ConfigError: the folder cannot be listed, or has none.
    """
    if urlsplit(source.uri).path.endswith(SUFFIXES):
        return [source]
    if is_http(source.uri):
        raise ConfigError(
            f"{source}: folders cannot be listed over HTTP; name a manifest, which ends in .json, "
            "or put the folder into object storage"
        )
    from airflow_dataops.hooks.object_storage import ListingOrigin

    listing = local_copy(ListingOrigin(source.uri, source.conn_id), _policy(source))
    files: dict[str, str] = json.loads(read_regular(listing))
    if not files:
        raise ConfigError(f"{source}: no manifest in this folder, or no such folder")
    return [_below(source, path, validator) for path, validator in sorted(files.items())]


def _below(folder: ManifestSource, path: str, validator: str) -> ManifestSource:
    uri = f"{folder.uri.rstrip('/')}/{path}"
    return replace(folder, uri=uri, validator=validator)


def _origin(source: ManifestSource) -> HttpOrigin | StorageOrigin:
    if not is_http(source.uri):
        from airflow_dataops.hooks.object_storage import StorageOrigin

        return StorageOrigin(source.uri, source.conn_id)
    from airflow_dataops.adapters.http_source import HttpOrigin

    url, conn_id = _split_connection(source)
    return HttpOrigin(
        url,
        headers=lambda: _headers(conn_id),
        key=conn_id or "",
        connect=_setting(source.connect_timeout, "source_connect_seconds", 5.0),
        read=_setting(source.read_timeout, "source_read_seconds", 60.0),
        hosts=_hosts(),
    )


def _split_connection(source: ManifestSource) -> tuple[str, str | None]:
    """Take `conn_id@` out of a URL; `user:password@` stays, for it is no connection."""
    parts = urlsplit(source.uri)
    user, _, host = parts.netloc.rpartition("@")
    if not user or ":" in user:
        return source.uri, source.conn_id
    return urlunsplit(parts._replace(netloc=host)), source.conn_id or user


def _headers(conn_id: str | None) -> Mapping[str, str]:
    if conn_id is None:
        return {}
    from airflow_dataops.hooks.http_headers import connection_headers

    try:
        return connection_headers(conn_id)
    except Exception as error:
        text = f"the connection {conn_id!r} cannot be read ({type(error).__name__})"
        raise OriginError(text, may_pass=False) from error


def _policy(source: ManifestSource) -> Policy:
    connect = _setting(source.connect_timeout, "source_connect_seconds", 5.0)
    read = _setting(source.read_timeout, "source_read_seconds", 60.0)
    return Policy(
        every=_setting(source.check_every, "source_check_seconds", 30.0),
        max_age=_setting(source.max_age, "source_max_age_seconds", 24 * 3600.0),
        patience=2 * (connect + read),
        largest=int(_setting(None, "downloads_megabytes", 2048.0) * 1024**2),
        largest_file=int(_setting(None, "source_largest_megabytes", 256.0) * 1024**2),
    )


def _hosts() -> tuple[str, ...]:
    """Return the hosts that may be asked over HTTP, none for any."""
    from airflow.sdk.configuration import conf

    return tuple(conf.get("dataops", "source_hosts", fallback="").replace(",", " ").split())


def _setting(given: Duration | None, name: str, default: float) -> float:
    if given is not None:
        return seconds(given, name)
    from airflow.sdk.configuration import conf

    return float(conf.getfloat("dataops", name, fallback=default))


__getattr__ = renamed(__name__, {"Source": "ManifestSource"})
