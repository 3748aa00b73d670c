"""Addresses of remote files: what may be shown of them."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TypeGuard
from urllib.parse import urlsplit

_HTTP = ("http", "https")
_ODD = re.compile(r"[^A-Za-z0-9._]+")


def is_address(place: object) -> TypeGuard[str]:
    """Tell a URI from a path."""
    return isinstance(place, str) and "://" in place


def is_http(uri: str) -> bool:
    """Tell whether a URI is fetched over HTTP."""
    return urlsplit(uri).scheme.lower() in _HTTP


def shown(uri: str) -> str:
    """Return a URI without what may be secret: user, password, query, fragment; a path as it is."""
    if not is_address(uri):
        return uri
    parts = urlsplit(uri)
    host = parts.netloc.rpartition("@")[2]
    query = "?[hidden]" if parts.query else ""
    return f"{parts.scheme}://{host}{parts.path}{query}"


def slug(uri: str) -> str:
    """Return a file name that reminds of a URI; it does not tell URIs apart."""
    parts = urlsplit(uri)
    words = (parts.netloc.rpartition("@")[2], *PurePosixPath(parts.path).parts[-2:])
    return _ODD.sub("_", "_".join(words).removesuffix(".json")).strip("_.")[-60:] or "manifest"
