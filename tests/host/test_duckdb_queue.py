"""One DuckDB file, many processes and threads: all get their turn, or a clear error."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from airflow_dataops.errors import ConfigError, RetryableError
from airflow_dataops.hooks.duckdb import DuckDBHook
from airflow_dataops.hooks.duckdb_lock import FileQueue
from tests.host.duckdb_processes import Started

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "shop.duckdb"


@pytest.fixture
def connect(path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., DuckDBHook]:
    """Define the connection `warehouse` to the file and return a hook on it."""

    def connect(**extra: Any) -> DuckDBHook:
        connection = {"conn_type": "duckdb", "host": str(path), "extra": extra}
        monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps(connection))
        return DuckDBHook("warehouse", log_sql=False)

    return connect


@pytest.fixture
def hook(connect: Callable[..., DuckDBHook]) -> DuckDBHook:
    hook = connect()
    hook.run("create table counter as select 0 as n")
    return hook


@pytest.fixture
def run() -> Iterator[Callable[..., Started]]:
    """Start processes of `duckdb_processes`; end at the test's end what still runs."""
    processes: list[Started] = []

    def run(verb: str, *arguments: object) -> Started:
        processes.append(Started(verb, *arguments))
        return processes[-1]

    yield run
    for process in processes:
        process.kill()
        process.wait()


def said(process: Started) -> str:
    """Wait for a process to say something."""
    line = process.readline()
    assert line, "it ended without a word; what it raised is above"
    return line


def count(hook: DuckDBHook) -> int:
    return int(hook.get_first("select n from counter")[0])


def hammer(run: Callable[..., Started], *, processes: int, seconds: float) -> int:
    """Let processes count up in parallel; return how often they did."""
    started = [run("hammer", seconds) for _ in range(processes)]
    ended = [process.end() for process in started]
    assert {code for _, code in ended} == {0}
    done = [int(out.split()[-1]) for out, _ in ended]
    assert all(done), "one process never got the file"
    return sum(done)


def test_parallel_processes_lose_nothing(hook: DuckDBHook, run: Callable[..., Started]) -> None:
    assert hammer(run, processes=5, seconds=2) == count(hook)


@pytest.mark.slow
def test_parallel_processes_lose_nothing_for_long(
    hook: DuckDBHook, run: Callable[..., Started]
) -> None:
    assert hammer(run, processes=8, seconds=90) == count(hook)


def test_when_the_holder_is_killed_the_next_gets_the_file(
    hook: DuckDBHook, run: Callable[..., Started]
) -> None:
    for _ in range(3):
        holder = run("hold")
        assert said(holder) == "holding"
        threading.Timer(0.5, holder.kill).start()
        assert count(hook) == 0
    hook.run("update counter set n = n + 1")
    assert count(hook) == 1


def test_a_wait_that_ends_in_time_is_logged_once(
    hook: DuckDBHook,
    run: Callable[..., Started],
    caplog: pytest.LogCaptureFixture,
    path: Path,
) -> None:
    holder = run("hold")
    said(holder)
    threading.Timer(1.0, holder.kill).start()
    with caplog.at_level(logging.INFO, logger="airflow_dataops"):
        count(hook)
    waiting, got = caplog.messages
    assert waiting == f"Waiting up to 600 s for {path}, held by process {holder.pid}"
    assert got.startswith(f"Got {path} after ")


def test_a_holder_that_stays_is_named(
    connect: Callable[..., DuckDBHook],
    hook: DuckDBHook,
    run: Callable[..., Started],
    path: Path,
) -> None:
    holder = run("hold")
    said(holder)
    started = time.monotonic()
    with pytest.raises(RetryableError) as caught:
        connect(lock_timeout=1).get_conn()
    assert time.monotonic() - started > 0.9
    assert str(caught.value) == (
        f"{path} was not free within 1 s, held by process {holder.pid}. DuckDB lets one process "
        "write at a time: stop the program that holds the file, shorten the tasks ahead, or raise "
        "the connection's extra `lock_timeout` (seconds); then run the task again."
    )


@pytest.mark.parametrize("extra", [{}, {"database": "other"}])
def test_a_program_outside_of_the_queue_is_waited_for(
    connect: Callable[..., DuckDBHook],
    hook: DuckDBHook,
    run: Callable[..., Started],
    path: Path,
    caplog: pytest.LogCaptureFixture,
    extra: dict[str, str],
) -> None:
    said(run("hold_outside", path, 2))
    with caplog.at_level(logging.INFO, logger="airflow_dataops"):
        assert count(connect(**extra)) == 0
    assert caplog.messages == [
        f"Waiting for {path}, which a program outside of Airflow's queue holds"
    ]


@pytest.mark.parametrize("extra", [{}, {"database": "other"}])
def test_a_program_outside_of_the_queue_that_stays_is_named(
    connect: Callable[..., DuckDBHook],
    hook: DuckDBHook,
    run: Callable[..., Started],
    path: Path,
    extra: dict[str, str],
) -> None:
    holder = run("hold_outside", path, 60)
    said(holder)
    with pytest.raises(RetryableError) as caught:
        connect(lock_timeout=1, **extra).get_conn()
    message = str(caught.value)
    assert message.startswith(f"{path} was not free within 1 s. DuckDB says: IO Error: Could not")
    assert f"PID {holder.pid}" in message
    assert "raise the connection's extra `lock_timeout`" in message
    holder.kill()
    holder.wait()
    assert count(connect(lock_timeout=5, **extra)) == 0


def test_sessions_of_one_process_share_the_file(
    connect: Callable[..., DuckDBHook], hook: DuckDBHook
) -> None:
    """Nested sessions neither wait for each other nor see what is not committed."""
    outer_, inner_ = hook.get_conn(), connect(lock_timeout=1).get_conn()
    with closing(outer_) as outer, closing(inner_) as inner:
        outer.cursor().execute("update counter set n = 5")
        cursor = inner.cursor()
        assert cursor.execute("from counter").fetchall() == [(0,)]
        outer.commit()
        inner.commit()
        assert cursor.execute("from counter").fetchall() == [(5,)]


def test_threads_share_the_file(hook: DuckDBHook) -> None:
    errors = []

    def work() -> None:
        try:
            for _ in range(20):
                assert count(DuckDBHook("warehouse", log_sql=False)) == 0
        except BaseException as error:  # noqa: BLE001 - reported by the test
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert errors == []


def test_a_forgotten_session_does_not_hold_the_file(
    hook: DuckDBHook, run: Callable[..., Started]
) -> None:
    hook.get_conn().cursor().execute("update counter set n = 7")
    reader = run("hold")
    assert said(reader) == "holding"


def test_one_thread_cannot_mix_settings(
    connect: Callable[..., DuckDBHook], hook: DuckDBHook
) -> None:
    with closing(hook.get_conn()), pytest.raises(ConfigError, match="with other settings"):
        connect(database="other").get_conn()
    assert count(connect(database="other")) == 0


def test_another_thread_with_other_settings_waits_its_turn(
    connect: Callable[..., DuckDBHook], hook: DuckDBHook
) -> None:
    session = hook.get_conn()
    threading.Timer(0.5, session.close).start()
    other = connect(database="other", lock_timeout=20)
    seen = []
    thread = threading.Thread(target=lambda: seen.append(count(other)))
    thread.start()
    thread.join(30)
    assert seen == [0]


def test_another_thread_that_holds_on_is_an_error(
    connect: Callable[..., DuckDBHook], hook: DuckDBHook
) -> None:
    raised = []

    def work() -> None:
        try:
            other.get_conn()
        except RetryableError as error:
            raised.append(str(error))

    with closing(hook.get_conn()):
        other = connect(database="other", lock_timeout=0.5)
        thread = threading.Thread(target=work)
        thread.start()
        thread.join(30)
    assert "another thread of this process held the file for longer than 0.5 s" in raised[0]


def test_readers_run_side_by_side_and_writers_wait_for_them(
    connect: Callable[..., DuckDBHook],
    hook: DuckDBHook,
    run: Callable[..., Started],
) -> None:
    connect(read_only=True)
    readers = [run("read_slowly") for _ in range(3)]
    assert [said(reader) for reader in readers] == ["0", "0", "0"]
    with pytest.raises(RetryableError):
        connect(lock_timeout=0.5).get_conn()
    for reader in readers:
        reader.end()
    connect(lock_timeout=20).run("update counter set n = 1")
    assert count(connect(read_only=True)) == 1


def test_exclusive_lets_another_program_use_the_file(
    hook: DuckDBHook, path: Path, run: Callable[..., Started]
) -> None:
    """As a dbt process does, while other tasks wait."""
    with hook.exclusive(), hook.exclusive():
        waiting = run("hold")
        script = f"import duckdb; duckdb.connect({str(path)!r}).execute('update counter set n=3')"
        subprocess.run([sys.executable, "-c", script], check=True)
        assert count(hook) == 3
        assert waiting.is_running()
    assert said(waiting) == "holding"


def test_exclusive_is_waited_for(
    connect: Callable[..., DuckDBHook],
    hook: DuckDBHook,
    run: Callable[..., Started],
) -> None:
    holder = run("exclusive")
    said(holder)
    with pytest.raises(RetryableError, match=f"held by process {holder.pid}"):
        connect(lock_timeout=0.5).get_conn()
    holder.kill()
    assert count(connect(lock_timeout=20)) == 0


def test_exclusive_refuses_a_thread_that_has_the_file_open(hook: DuckDBHook) -> None:
    with (
        closing(hook.get_conn()),
        pytest.raises(ConfigError, match="Close the session first"),
        hook.exclusive(),
    ):
        pass


def test_exclusive_means_nothing_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_MEMORY", json.dumps({"conn_type": "duckdb"}))
    with DuckDBHook("memory").exclusive():
        pass


def test_a_reader_needs_no_right_to_write(
    connect: Callable[..., DuckDBHook], hook: DuckDBHook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a volume that is mounted to be read; root may write anywhere, so it is told so."""

    def refuse(*_: object) -> None:
        pytest.fail("a lock was written")

    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    monkeypatch.setattr(FileQueue, "enter", refuse)
    assert count(connect(read_only=True)) == 0


def test_a_link_to_the_file_is_the_same_file(
    connect: Callable[..., DuckDBHook],
    hook: DuckDBHook,
    tmp_path: Path,
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "other").mkdir()
    link = tmp_path / "other" / "link.duckdb"
    link.symlink_to(path)
    connection = {"conn_type": "duckdb", "host": str(link)}
    with closing(hook.get_conn()):
        monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps(connection))
        with pytest.raises(ConfigError, match="with other settings"):
            DuckDBHook("warehouse").get_conn()
    assert count(DuckDBHook("warehouse")) == 0


def in_child(work: Callable[[], None]) -> int:
    """Run something in a forked child; return its exit status."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return os.waitpid(pid, 0)[1]


def test_a_forked_child_queues_like_any_other(
    connect: Callable[..., DuckDBHook], hook: DuckDBHook
) -> None:
    """The child neither uses nor harms what its parent has open."""
    patient, short = connect(), connect(lock_timeout=0.5)
    patient.settings  # noqa: B018 - read while the connection says so
    session = patient.get_conn()
    session.cursor().execute("update counter set n = 4")

    def inherit_and_wait() -> None:
        session.close()
        with pytest.raises(RetryableError):
            short.get_conn()

    assert in_child(inherit_and_wait) == 0
    session.commit()
    session.close()
    assert in_child(lambda: short.run("update counter set n = n + 1")) == 0
    assert count(short) == 5


def test_a_child_that_outlives_its_parents_session_holds_nothing(
    hook: DuckDBHook, run: Callable[..., Started]
) -> None:
    session = hook.get_conn()
    pid = os.fork()
    if pid == 0:
        time.sleep(30)
        os._exit(0)
    try:
        session.close()
        assert said(run("hold")) == "holding"
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
