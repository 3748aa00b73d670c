"""Files over HTTP from a real server, through the store of downloads."""

from __future__ import annotations

import contextlib
import gzip
import logging
import multiprocessing
import socket
import threading
import time
import tracemalloc
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from airflow_dataops.adapters.download_cache import DownloadCache, DownloadState
from airflow_dataops.adapters.downloads import Policy, local_copy
from airflow_dataops.adapters.http_source import HttpOrigin, _is_among, basic
from airflow_dataops.errors import ConfigError
from tests.fakes.http_server import Server, http_server
from tests.pace import at_most

if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

EAGER = Policy(every=0)
PATH = "/shop/manifest.json"
FIRST = b'{"a": 1}'
SECOND = b'{"a": 2}\n'


@pytest.fixture
def server() -> Iterator[Server]:
    with http_server() as running:
        running.content[PATH] = FIRST
        yield running


def origin(server: Server, query: str = "", **arguments: object) -> HttpOrigin:
    return HttpOrigin(server.url + PATH + query, connect=2, read=1, **arguments)  # type: ignore[arg-type]


def fetch(server: Server, policy: Policy = EAGER) -> Path:
    return local_copy(origin(server), policy)


def test_an_unchanged_file_is_asked_for_and_not_sent(server: Server) -> None:
    first = fetch(server)
    assert first.read_bytes() == FIRST
    assert [fetch(server) for _ in range(3)] == [first] * 3
    assert server.statuses() == [200, 304, 304, 304]


def test_last_modified_does_where_there_is_no_etag(server: Server) -> None:
    server.etag, server.modified = "", "Wed, 21 Oct 2026 07:28:00 GMT"
    assert fetch(server) == fetch(server)
    assert server.statuses() == [200, 304]


def test_without_a_validator_it_is_sent_each_time_and_stays_the_same_file(server: Server) -> None:
    server.etag = ""
    assert fetch(server) == fetch(server)
    assert server.statuses() == [200, 200]


@pytest.mark.foreign_clock
def test_a_changed_file_is_another_copy_and_the_old_one_stays_for_who_reads_it(
    server: Server,
) -> None:
    old = fetch(server)
    server.content[PATH], server.etag = SECOND, '"2"'
    new = fetch(server)
    assert (old.read_bytes(), new.read_bytes()) == (FIRST, SECOND)


def test_nobody_asks_again_within_the_time_that_was_set(server: Server) -> None:
    for _ in range(5):
        fetch(server, Policy(every=60))
    assert server.statuses() == [200]


def test_a_server_that_is_down_leaves_the_last_good_copy_with_a_warning(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    fetch(server)
    server.content.clear()
    server.behave = failing(503)
    with caplog.at_level(logging.WARNING):
        assert fetch(server).read_bytes() == FIRST
    assert f"{server.url}{PATH} cannot be had: it answered 503" in caplog.text
    assert server.statuses() == [200, 503, 503, 503]


def test_a_copy_that_is_too_old_is_an_error_with_address_and_reason(server: Server) -> None:
    fetch(server)
    server.content.clear()
    time.sleep(0.05)
    with pytest.raises(ConfigError) as raised:
        fetch(server, Policy(every=0, max_age=0.01))
    assert f"{server.url}{PATH} cannot be had: it answered 404 Not Found" in str(raised.value)
    assert "last good copy" in str(raised.value)


def test_a_failure_is_remembered_so_that_a_hundred_parses_do_not_ask(server: Server) -> None:
    server.content.clear()
    for _ in range(5):
        with pytest.raises(ConfigError, match="404"):
            fetch(server, Policy(every=60))
    assert server.statuses() == [404]


def test_a_passing_failure_is_tried_again_at_once(server: Server) -> None:
    answers = iter([503, 502])
    server.behave = lambda request: failing(code)(request) if (code := next(answers, 0)) else False
    assert fetch(server).read_bytes() == FIRST
    assert server.statuses() == [503, 502, 200]


def test_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/manifest.json"
    with pytest.raises(ConfigError, match=r"manifest\.json cannot be had: Connection refused"):
        local_copy(HttpOrigin(url), EAGER)


def test_a_server_that_hangs_is_given_up(server: Server) -> None:
    release = threading.Event()
    server.behave = lambda _: release.wait(20)
    began = time.monotonic()
    hasty = HttpOrigin(server.url + PATH, read=0.2)
    with pytest.raises(ConfigError, match="did not answer in time"):
        local_copy(hasty, EAGER)
    release.set()
    assert time.monotonic() - began < at_most(5)


def test_a_server_that_hangs_within_the_body_is_given_up(server: Server) -> None:
    release = threading.Event()

    def hang(request: BaseHTTPRequestHandler) -> bool:
        begin(request, 100)
        return release.wait(20)

    server.behave = hang
    with pytest.raises(ConfigError, match="did not answer in time"):
        local_copy(HttpOrigin(server.url + PATH, read=0.2), EAGER)
    release.set()


def test_a_server_that_drips_is_given_up(server: Server) -> None:
    """Each piece comes in time, the whole never does."""

    def drip(request: BaseHTTPRequestHandler) -> bool:
        begin(request, 10_000)
        for _ in range(200):
            time.sleep(0.02)
            request.wfile.write(b" ")
        return True

    server.behave = drip
    with pytest.raises(ConfigError, match="took too long"):
        local_copy(HttpOrigin(server.url + PATH, read=0.1), EAGER)


def test_half_a_body_is_refused(server: Server) -> None:
    def cut(request: BaseHTTPRequestHandler) -> bool:
        begin(request, len(FIRST) + 5)
        request.wfile.write(FIRST)
        return True

    server.behave = cut
    with pytest.raises(ConfigError, match="cut off: 8 bytes came of the 13 announced"):
        fetch(server)


def test_half_a_body_without_a_length_is_refused(server: Server) -> None:
    server.content[PATH] = FIRST[:-1]
    with pytest.raises(ConfigError, match="the JSON has no end"):
        fetch(server)


def test_a_login_page_is_told_as_one(server: Server) -> None:
    server.content[PATH] = b"\xef\xbb\xbf\n<!DOCTYPE html><title>Sign in</title>"
    with pytest.raises(ConfigError, match="login page"):
        fetch(server)


def test_a_login_page_does_not_replace_the_last_good_copy(server: Server) -> None:
    good = fetch(server)
    server.content[PATH], server.etag = b"<html></html>", '"2"'
    assert fetch(server) == good
    server.content[PATH], server.etag = SECOND, '"3"'
    assert fetch(server).read_bytes() == SECOND


def test_gzip_is_unpacked(server: Server) -> None:
    body = gzip.compress(FIRST)

    def packed(request: BaseHTTPRequestHandler) -> bool:
        begin(request, len(body), "gzip")
        request.wfile.write(body)
        return True

    server.behave = packed
    assert fetch(server).read_bytes() == FIRST


def test_redirects_are_followed_and_keep_the_credentials_on_the_same_host(server: Server) -> None:
    server.behave = redirecting({PATH: "/elsewhere.json"})
    server.content["/elsewhere.json"] = SECOND
    secret = {"Authorization": "Bearer x"}
    path = local_copy(origin(server, headers=lambda: secret), EAGER)
    assert path.read_bytes() == SECOND
    assert [asked.headers.get("authorization") for asked in server.asked] == ["Bearer x"] * 2


def test_redirects_to_another_host_take_no_credentials_along(server: Server) -> None:
    with http_server() as other:
        other.content["/there.json"] = SECOND
        server.behave = redirecting({PATH: f"{other.url}/there.json"})
        secret = {"Authorization": "Bearer x"}
        allowed = origin(server, headers=lambda: secret, hosts=("127.0.0.1",))
        assert local_copy(allowed, EAGER).read_bytes() == SECOND
        assert "authorization" not in other.asked[0].headers


def test_redirects_to_another_place_are_not_followed_unasked(server: Server) -> None:
    with http_server() as other:
        other.content["/there.json"] = SECOND
        for url in (other.url, other.url.replace("127.0.0.1", "localhost")):
            server.behave = redirecting({PATH: f"{url}/there.json?token=hidden"})
            with pytest.raises(
                ConfigError, match=r"it redirects to .*/there.json\?\[hidden\], another"
            ):
                fetch(server)
        port = other.url.rpartition(":")[2]
        hosts = ("127.0.0.1:1", f"localhost:{port}", "*.example.com")
        with pytest.raises(ConfigError, match="its host is none of source_hosts"):
            local_copy(origin(server, hosts=hosts), EAGER)
        assert other.asked == []


@pytest.mark.parametrize(
    ("named", "url", "is_among"),
    [
        ("ci.example.com", "https://CI.example.com/x", True),
        ("ci.example.com", "https://ci.example.com.evil.net/x", False),
        ("*.example.com", "https://ci.example.com/x", True),
        ("*.example.com", "https://example.com/x", False),
        ("*.example.com", "https://evilexample.com/x", False),
        ("ci.example.com:8443", "https://ci.example.com:8443/x", True),
        ("ci.example.com:8443", "https://ci.example.com/x", False),
        ("ci.example.com", "https://ci.example.com@evil.net/x", False),
    ],
)
def test_hosts_are_compared_whole(named: str, url: str, *, is_among: bool) -> None:
    assert _is_among((named,), urlsplit(url)) is is_among


def test_a_server_that_drips_its_headers_is_given_up(server: Server) -> None:
    """Each byte comes in time, the headers never end."""

    def drip(request: BaseHTTPRequestHandler) -> bool:
        with contextlib.suppress(OSError):
            request.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
            for _ in range(600):
                time.sleep(0.02)
                request.wfile.write(b"x")
                request.wfile.flush()
        return True

    server.behave = drip
    began = time.monotonic()
    with pytest.raises(ConfigError, match="the download took too long"):
        local_copy(HttpOrigin(server.url + PATH, read=0.1), EAGER)
    assert time.monotonic() - began < 8


@pytest.mark.parametrize("levels", [1, 2])
def test_what_unpacks_to_more_than_is_allowed_is_refused(server: Server, levels: int) -> None:
    """A bomb of 64 MB in 64 kB, never in memory or on disk as a whole."""
    body = b"{" + b" " * (64 << 20) + b"}"
    for _ in range(levels):
        body = gzip.compress(body)

    def packed(request: BaseHTTPRequestHandler) -> bool:
        begin(request, len(body), "gzip")
        request.wfile.write(body)
        return True

    server.behave = packed
    small = Policy(every=0, largest_file=1 << 20)
    text = "it is larger than 1 MB; raise source_largest_megabytes" if levels == 1 else "no JSON"
    tracemalloc.start()
    with pytest.raises(ConfigError, match=text):
        fetch(server, small)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 16 << 20


def test_a_body_without_end_is_refused(server: Server) -> None:
    def endless(request: BaseHTTPRequestHandler) -> bool:
        request.send_response(200)
        request.end_headers()
        with contextlib.suppress(OSError):
            while True:
                request.wfile.write(b"{" * (1 << 16))
        return True

    server.behave = endless
    with pytest.raises(ConfigError, match="it is larger than 1 MB"):
        fetch(server, Policy(every=0, largest_file=1 << 20))


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x"])
def test_redirects_out_of_http_are_refused(server: Server, target: str) -> None:
    server.behave = redirecting({PATH: target})
    with pytest.raises(ConfigError, match="cannot be had"):
        fetch(server)


def test_secrets_of_the_address_are_sent_and_never_shown(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    url = server.url.replace("http://", "http://ci:s3cret@") + PATH + "?token=hidden-token"
    fetched = HttpOrigin(url)
    with caplog.at_level(logging.DEBUG):
        path = local_copy(fetched, EAGER)
        server.content.clear()
        assert local_copy(fetched, EAGER) == path
        with pytest.raises(ConfigError) as raised:
            local_copy(fetched, Policy(every=0, max_age=0))
    assert server.asked[0].headers["authorization"] == basic("ci", "s3cret")
    assert server.asked[0].path == f"{PATH}?token=hidden-token"
    kept = "".join(
        f"{file.name}{file.read_bytes()!r}" for file in path.parent.iterdir() if file.is_file()
    )
    for text in (caplog.text, str(raised.value), kept, repr(path)):
        assert "s3cret" not in text
        assert "hidden-token" not in text


def test_refused_credentials_say_what_to_do(server: Server) -> None:
    server.behave = failing(401)
    with pytest.raises(ConfigError, match="401 Unauthorized; name an Airflow connection"):
        fetch(server)
    assert server.statuses() == [401]


def test_processes_share_one_download(server: Server) -> None:
    server.content[PATH] = b"{" + b" " * 2_000_000 + b"}"
    slow = server.behave = lambda _: time.sleep(0.3) or False  # type: ignore[func-returns-value]
    assert slow
    context = multiprocessing.get_context("fork")
    with context.Pool(6) as pool:
        paths = pool.map(copy_of, [server.url + PATH] * 6)
    assert len(set(paths)) == 1
    assert server.statuses() == [200]


def copy_of(url: str) -> str:
    return str(local_copy(HttpOrigin(url), Policy()))


def test_a_copy_of_long_ago_is_not_used_because_a_request_was_cut_off(server: Server) -> None:
    """The process that asked was killed while it waited: the next one asks again."""
    long_ago = time.time() - 3 * Policy().max_age
    name = fetch(server).name
    copies = DownloadCache(f"{server.url}{PATH} ", server.url + PATH)
    copies.write(DownloadState(name, '{"ETag":"\\"1\\""}', checked=time.time(), good=long_ago))
    fetch(server, Policy())
    assert server.statuses() == [200, 304]
    assert copies.read().good > long_ago


def test_a_download_that_is_killed_leaves_nothing_locked(server: Server) -> None:
    release = threading.Event()
    server.behave = lambda _: release.wait(20) and False
    process = multiprocessing.get_context("fork").Process(target=copy_of, args=(server.url + PATH,))
    process.start()
    while not server.asked:
        time.sleep(0.01)
    process.kill()
    process.join()
    server.behave = lambda _: False
    assert fetch(server, Policy()).read_bytes() == FIRST
    release.set()


def test_who_has_a_copy_does_not_wait_for_who_downloads(server: Server) -> None:
    good = fetch(server)
    release = threading.Event()
    server.behave = lambda _: release.wait(20) and False
    server.etag = '"2"'
    patient = HttpOrigin(server.url + PATH, read=20)
    other = threading.Thread(target=local_copy, args=(patient, EAGER))
    other.start()
    while len(server.asked) < 2:
        time.sleep(0.01)
    began = time.monotonic()
    assert local_copy(patient, EAGER) == good
    assert time.monotonic() - began < at_most(1)
    release.set()
    other.join()


def test_the_folder_is_bounded_and_what_was_used_last_stays(server: Server) -> None:
    for number in range(6):
        path = f"/{number}/manifest.json"
        server.content[path] = b"{" + b" " * 1000 + b"}"
        local_copy(HttpOrigin(server.url + path), Policy(every=0, largest=3500))
        time.sleep(0.02)
        first = local_copy(HttpOrigin(server.url + "/0/manifest.json"), Policy(every=0))
    left = sorted(file.name for file in first.parent.glob("*.json"))
    assert len(left) <= 3
    assert first.is_file()


def test_a_file_larger_than_the_bound_is_refused(server: Server) -> None:
    server.content[PATH] = b"{" + b" " * 5000 + b"}"
    with pytest.raises(ConfigError, match="downloads_megabytes"):
        fetch(server, Policy(every=0, largest=4000))


def test_nothing_but_copies_and_their_states_is_left(server: Server) -> None:
    fetch(server)
    server.content.clear()
    folder = fetch(server).parent
    assert sorted(file.suffix for file in folder.iterdir()) == [".json", ".lock", ".state"]


def failing(code: int):  # type: ignore[no-untyped-def]
    def answer(request: BaseHTTPRequestHandler) -> bool:
        request.send_response(code)
        request.send_header("Content-Length", "0")
        request.end_headers()
        return True

    return answer


def redirecting(targets: dict[str, str]):  # type: ignore[no-untyped-def]
    def answer(request: BaseHTTPRequestHandler) -> bool:
        if request.path not in targets:
            return False
        request.send_response(302)
        request.send_header("Location", targets[request.path])
        request.send_header("Content-Length", "0")
        request.end_headers()
        return True

    return answer


def begin(request: BaseHTTPRequestHandler, length: int, encoding: str = "") -> None:
    request.send_response(200)
    request.send_header("Content-Length", str(length))
    if encoding:
        request.send_header("Content-Encoding", encoding)
    request.end_headers()
    request.wfile.flush()
