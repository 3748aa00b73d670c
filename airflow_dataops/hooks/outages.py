"""Whether an error means that a service is down, and whether the same call may work later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.engines.error_codes import ErrorKind, Fate
from airflow_dataops.core.engines.errors import kind_of
from airflow_dataops.errors import (
    ConfigError,
    ManifestError,
    MissingExtraError,
    RetryableError,
    RunError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_DOWN = (ErrorKind.LOST, ErrorKind.BUSY)
_ANSWERS = (FileNotFoundError, FileExistsError, PermissionError, NotADirectoryError)
"""What the system says of files; other OSErrors are of networks."""
_FINAL = (RunError, ConfigError, ManifestError, MissingExtraError)
_SERVER_ERROR, _TOO_MANY = 500, 429


def is_outage(error: BaseException) -> bool:
    """Tell whether a service does not answer, or says that it cannot just now.

    Looks at what an error came from as well.
    """
    return any(_is_down(each) for each in _chain(error))


def fate_of(error: BaseException) -> Fate:
    """Return what running the same again would bring, from what the error came from."""
    for each in _chain(error):
        if isinstance(each, _FINAL):
            return Fate.FINAL
        if isinstance(each, RetryableError) or _is_down(each):
            return Fate.RETRYABLE
        kind = kind_of(each)
        if kind is not None and kind.fate is not Fate.UNKNOWN:
            return kind.fate
    return Fate.UNKNOWN


def _is_down(error: BaseException) -> bool:
    kind = kind_of(error)
    if kind is not None and kind is not ErrorKind.OTHER:
        return kind in _DOWN
    status = _status(error)
    if status is not None:
        return status >= _SERVER_ERROR or status == _TOO_MANY
    is_network = isinstance(error, OSError) and not isinstance(error, _ANSWERS)
    return is_network or _is_transport(error)


def _status(error: BaseException) -> int | None:
    """Return the HTTP status of an error of requests, httpx, aiohttp or botocore."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    else:
        status = getattr(response, "status_code", getattr(error, "status", None))
    return status if isinstance(status, int) and not isinstance(status, bool) else None


def _is_transport(error: BaseException) -> bool:
    """Tell errors of HTTP's clients that no answer came; they are not imported for this."""
    names = {
        f"{type_.__module__.partition('.')[0]}.{type_.__name__}" for type_ in type(error).__mro__
    }
    return bool(names & _TRANSPORT)


_TRANSPORT = {
    "httpx.TransportError",
    "aiohttp.ClientConnectionError",
    "botocore.EndpointConnectionError",
    "botocore.ConnectionError",
    "botocore.HTTPClientError",
}


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield found
        found = found.__cause__ or (None if found.__suppress_context__ else found.__context__)
