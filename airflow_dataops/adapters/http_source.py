"""Files over HTTP, by conditional requests.

`If-None-Match` and `If-Modified-Since` with what the last answer told (RFC 9110, 13.1), so that
a file that did not change costs one answer 304 without a body. From the standard library: its
client writes no URL into any log.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
import urllib.error
import urllib.request
import zlib
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

import msgspec

from airflow_dataops.adapters.addresses import shown
from airflow_dataops.adapters.downloads import OriginError
from airflow_dataops.core.masking import mask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from airflow_dataops.adapters.downloads import Sink

_CHUNK = 1 << 18
_LONGEST = 10
"""How many times the time of one read a whole download may take."""
_TOO_LONG = "the download took too long"
_NOT_MODIFIED = 304
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_CREDENTIALS = frozenset({401, 403, 407})


class HttpOrigin:
    """A file at a URL.

    Args:
        url: `http://` or `https://`; user and password in it are sent as basic auth.
        headers: are asked for before each request, such as `{"Authorization": ...}`; they go to
            this host alone, not to one that it redirects to.
        key: what else tells it from others, such as the connection's id.
        connect, read: seconds until there is a connection, and between two pieces of the answer.
            All of it, redirects included, takes ten times `read` at most.
        hosts: the only hosts that are asked, such as `ci.example.com`, `*.example.com` or
            `ci.example.com:8443`; they may redirect to each other. Empty for any host, which
            then redirects to itself alone.
    """

    def __init__(
        self,
        url: str,
        *,
        headers: Callable[[], Mapping[str, str]] = dict,
        key: str = "",
        connect: float = 5.0,
        read: float = 60.0,
        hosts: tuple[str, ...] = (),
    ) -> None:
        self.name = shown(url)
        self.identity = f"{url} {key}"
        self._url, self._own = _without_user(url)
        self._headers = headers
        self._connect = connect
        self._read = read
        self._hosts = hosts

    def bring(self, validator: str, into: Sink) -> str | None:
        """Write the file's content unless it is unchanged; see `Origin.bring`."""
        request = urllib.request.Request(self._url, headers=_conditions(validator))  # noqa: S310
        for name, value in {**self._own, **self._headers()}.items():
            request.add_unredirected_header(name, value)
        if self._hosts and not _is_among(self._hosts, urlsplit(self._url)):
            text = f"its host is none of source_hosts ({', '.join(self._hosts)})"
            raise OriginError(text, may_pass=False)
        with _Deadline(_LONGEST * self._read) as deadline:
            try:
                opener = _opener(self._read, deadline, self._hosts)
                with opener.open(request, timeout=self._connect) as answer:
                    return _received(answer, into, deadline)
            except urllib.error.HTTPError as error:
                with error:
                    if error.code == _NOT_MODIFIED:
                        return None
                    raise _refusal(error) from None
            except urllib.error.URLError as error:
                raise deadline.told(_reason(error.reason)) from None
            except (OSError, ValueError, http.client.HTTPException, zlib.error) as error:
                raise deadline.told(_reason(error)) from None


class _Deadline:
    """Ends the connections of a request when its time is over, whatever they wait for.

    The time-out of a socket begins anew with each byte, so a server that drips one a second
    would hold a process for hours.
    """

    def __init__(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self._sockets: list[socket.socket] = []
        self._is_over = False

    def __enter__(self) -> _Deadline:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def watch(self, opened: socket.socket) -> None:
        """End this one too. Raises `TimeoutError` when the time is over already."""
        self._sockets.append(opened)
        self.check()

    def check(self) -> None:
        """Raise `TimeoutError` when the time is over: then an answer looks as if it had ended."""
        if self._is_over:
            raise TimeoutError

    def told(self, reason: str) -> OriginError:
        """Return the error to raise."""
        if self._is_over:
            return OriginError(_TOO_LONG, may_pass=False)
        return OriginError(reason, may_pass=True)

    def _end(self) -> None:
        self._is_over = True
        for opened in self._sockets:
            with contextlib.suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)


def basic(user: str, password: str) -> str:
    """Return the value of the header `Authorization` for a user and a password (RFC 7617)."""
    import base64

    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _without_user(url: str) -> tuple[str, dict[str, str]]:
    parts = urlsplit(url)
    user, _, host = parts.netloc.rpartition("@")
    if not user:
        return url, {}
    name, _, password = user.partition(":")
    header = {"Authorization": basic(unquote(name), unquote(password))}
    return urlunsplit(parts._replace(netloc=host)), header


def _conditions(validator: str) -> dict[str, str]:
    known: dict[str, str] = msgspec.json.decode(validator) if validator else {}
    conditions = {
        "If-None-Match": known.get("ETag"),
        "If-Modified-Since": known.get("Last-Modified"),
    }
    given = {name: value for name, value in conditions.items() if value}
    return {"Accept": "application/json, */*;q=0.5", "Accept-Encoding": "gzip", **given}


def _received(answer: Any, into: Sink, deadline: _Deadline) -> str:
    """Copy the body, piece by piece; return the validator."""
    is_packed = answer.headers.get("Content-Encoding", "").lower() == "gzip"
    unpack = zlib.decompressobj(zlib.MAX_WBITS | 16) if is_packed else None
    size = 0
    while piece := answer.read1(_CHUNK):
        size += len(piece)
        for part in _unpacked(unpack, piece) if unpack else (piece,):
            into.write(part)
    deadline.check()
    _check_whole(answer, size, is_whole=unpack is None or unpack.eof)
    told = {name: answer.headers.get(name) for name in ("ETag", "Last-Modified")}
    return msgspec.json.encode({name: value for name, value in told.items() if value}).decode()


def _unpacked(unpack: Any, piece: bytes) -> Iterator[bytes]:
    """Unpack bit by bit: a few bytes of gzip may be gigabytes."""
    while piece:
        yield unpack.decompress(piece, _CHUNK)
        piece = unpack.unconsumed_tail


def _check_whole(answer: Any, size: int, *, is_whole: bool) -> None:
    promised = answer.headers.get("Content-Length")
    if promised is not None and promised.isdigit() and int(promised) != size:
        text = f"the answer was cut off: {size} bytes came of the {promised} announced"
        raise OriginError(text, may_pass=True)
    if not is_whole:
        raise OriginError("the answer was cut off within its gzip encoding", may_pass=True)


def _refusal(error: urllib.error.HTTPError) -> OriginError:
    text = f"it answered {error.code} {http.client.responses.get(error.code, '')}".rstrip()
    if error.code in _CREDENTIALS:
        text += "; name an Airflow connection that may read it by conn_id"
    return OriginError(text, may_pass=error.code in _PASSING)


def _reason(error: object) -> str:
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    if isinstance(error, http.client.IncompleteRead):
        return "the answer was cut off"
    if isinstance(error, http.client.HTTPException | zlib.error):
        return f"its answer is no good HTTP ({type(error).__name__})"
    return mask(str(getattr(error, "strerror", None) or error))


def _opener(
    read: float, deadline: _Deadline, hosts: tuple[str, ...]
) -> urllib.request.OpenerDirector:
    """Return a client of http and https alone; `read` seconds hold once it is connected."""

    class Plain(http.client.HTTPConnection):
        def connect(self) -> None:
            super().connect()
            self.sock.settimeout(read)
            deadline.watch(self.sock)

    class Secure(http.client.HTTPSConnection):
        def connect(self) -> None:
            super().connect()
            self.sock.settimeout(read)
            deadline.watch(self.sock)

    class OverHttp(urllib.request.HTTPHandler):
        def http_open(self, request: urllib.request.Request) -> Any:
            return self.do_open(Plain, request)

    class OverHttps(urllib.request.HTTPSHandler):
        def https_open(self, request: urllib.request.Request) -> Any:
            return self.do_open(Secure, request)

    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.UnknownHandler(),
        OverHttp(),
        OverHttps(),
        urllib.request.HTTPDefaultErrorHandler(),
        _Redirects(hosts),
        urllib.request.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects within one host, and to those that are allowed.

    What authorizes goes along only to the same host, by no worse scheme.
    """

    def __init__(self, hosts: tuple[str, ...]) -> None:
        self._hosts = hosts

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str):  # type: ignore[no-untyped-def]
        old, new = urlsplit(req.full_url), urlsplit(newurl)
        is_same = _is_safe(old, new)
        if not is_same and not self._is_allowed(old, new):
            raise OriginError(
                f"it redirects to {shown(newurl)}, another place; where that is right, name both "
                "hosts in source_hosts in the section [dataops] of Airflow's configuration",
                may_pass=False,
            )
        request = super().redirect_request(req, fp, code, msg, headers, newurl)
        if request is not None and is_same:
            request.unredirected_hdrs.update(
                {k: v for k, v in req.unredirected_hdrs.items() if k.lower() != "host"}
            )
        return request

    def _is_allowed(self, old: SplitResult, new: SplitResult) -> bool:
        is_worse = (old.scheme, new.scheme) == ("https", "http")
        return not is_worse and _is_among(self._hosts, new)


def _is_among(hosts: tuple[str, ...], place: SplitResult) -> bool:
    """Tell whether a URL's host is named: `host`, `host:port` or `*.domain`."""
    host = (place.hostname or "").lower().rstrip(".")
    for named in map(str.lower, hosts):
        name, _, port = named.partition(":")
        is_host = host.endswith(name[1:]) if name.startswith("*.") else host == name
        if is_host and (not port or port == str(place.port)):
            return True
    return False


def _is_safe(old: SplitResult, new: SplitResult) -> bool:
    if old.hostname != new.hostname:
        return False
    is_same = (old.scheme, old.port) == (new.scheme, new.port)
    return is_same or (old.scheme, new.scheme, old.port, new.port) == ("http", "https", None, None)
