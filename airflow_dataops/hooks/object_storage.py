"""Files in object storage, over Airflow's `ObjectStoragePath` and its connections."""

from __future__ import annotations

import json
import re
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from airflow_dataops.adapters.addresses import shown
from airflow_dataops.adapters.downloads import OriginError
from airflow_dataops.core.manifests.files import is_manifest
from airflow_dataops.core.masking import mask

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow.sdk import ObjectStoragePath

    from airflow_dataops.adapters.downloads import Sink

_MARKS = ("ETag", "etag", "generation", "VersionId", "content_hash", "md5Hash")
"""What storages call a mark of the content, best first."""
_QUERY = re.compile(r"\?\S+")
_TIMES = ("mtime", "LastModified", "last_modified", "updated", "modified", "created")


class StorageOrigin:
    """A file at a URI that `ObjectStoragePath` takes.

    Args:
        uri: such as `s3://bucket/shop/manifest.json`, also with `conn_id@` before the bucket.
        conn_id: the Airflow connection; it beats the one in the URI.
    """

    def __init__(self, uri: str, conn_id: str | None = None) -> None:
        self.name = shown(uri)
        self.identity = f"{uri} {conn_id or ''}"
        self._uri = uri
        self._conn_id = conn_id

    def bring(self, validator: str, into: Sink) -> str | None:
        """Write the file's content unless it is unchanged; see `Origin.bring`."""
        with told():
            path = storage_path(self._uri, self._conn_id)
            path.fs.invalidate_cache()
            info = path.fs.info(path.path)
            if info.get("type", "file") != "file":
                raise OriginError("it is no regular file", may_pass=False)
            found = content_mark(info)
            if found == validator:
                return None
            with path.open("rb") as file:
                shutil.copyfileobj(file, cast("Any", into), 1 << 20)
        return found


class ListingOrigin:
    """The manifests in a folder of object storage, as JSON: `{"shop/manifest.json": validator}`.

    Which files are manifests is what `is_manifest` says.
    """

    def __init__(self, uri: str, conn_id: str | None = None) -> None:
        self.name = shown(uri)
        self.identity = f"{uri} {conn_id or ''} listing"
        self._uri = uri
        self._conn_id = conn_id

    def bring(self, validator: str, into: Sink) -> str | None:
        """Write the listing unless it is unchanged; see `Origin.bring`."""
        with told():
            root = storage_path(self._uri, self._conn_id)
            root.fs.invalidate_cache()
            found = cast("dict[str, Any]", root.fs.find(root.path, detail=True))
        start = root.path.rstrip("/") + "/"
        files = {
            path.removeprefix(start): content_mark(info)
            for path, info in found.items()
            if info.get("type", "file") == "file"
            and path.startswith(start)
            and is_manifest(path.removeprefix(start))
        }
        text = json.dumps(files, sort_keys=True)
        if text == validator:
            return None
        into.write(text.encode())
        return text


def storage_path(uri: str, conn_id: str | None) -> ObjectStoragePath:
    """Return Airflow's path of a URI."""
    from airflow.sdk import ObjectStoragePath

    return ObjectStoragePath(uri, conn_id=conn_id) if conn_id else ObjectStoragePath(uri)


@contextmanager
def told() -> Iterator[None]:
    """Turn whatever a storage raises into an `OriginError`; each has errors of its own."""
    try:
        yield
    except OriginError:
        raise
    except FileNotFoundError:
        raise OriginError("there is no such file", may_pass=False) from None
    except PermissionError:
        raise OriginError("the connection may not read it", may_pass=False) from None
    except ImportError as error:
        text = f"{error.name or error} is not installed, which this storage needs"
        raise OriginError(text, may_pass=False) from error
    except Exception as error:
        raise OriginError(_reason(error), may_pass=isinstance(error, OSError)) from error


def _reason(error: Exception) -> str:
    """Say what a storage raised, without what signed URLs carry in their queries."""
    text = mask(_QUERY.sub("?[hidden]", str(error)))[:300]
    if text.startswith("No filesystem registered"):
        text += "; install the Airflow provider of this storage, such as "
        text += "apache-airflow-providers-amazon[s3fs] for s3:// or "
        text += "apache-airflow-providers-google for gs://"
    return f"{type(error).__name__}: {text}"


def content_mark(info: Mapping[str, Any]) -> str:
    """Return what changes with a file's content, from what its storage tells of it."""
    for mark in _MARKS:
        if info.get(mark):
            return f"{mark} {info[mark]}"
    time = next((info[name] for name in _TIMES if info.get(name)), "")
    return f"{info.get('size')} {time}"
