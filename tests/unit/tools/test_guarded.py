"""Whatever happens to the program that asked for them, its processes end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.pace import at_most
from tools.guarded import Command, GuardedProcesses, ProcessError, describe_log, wait_until_gone

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[3]
SLEEP = "import time; print('sleeping', flush=True); time.sleep(600)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + SLEEP
# A grandchild in a session of its own, whose parent is gone: no process group finds it.
DAEMON = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open(sys.argv[1], "w").write(str(os.getpid()))
        time.sleep(600)
    os._exit(0)
time.sleep(600)
"""
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's prctl")


def command(folder: Path, code: str, *arguments: str, name: str = "sleeper") -> Command:
    return Command(
        name=name,
        argv=(sys.executable, "-c", code, *arguments),
        cwd=folder,
        log=folder / f"{name}.log",
    )


def guarded(folder: Path, *commands: Command, grace: float = 5.0) -> GuardedProcesses:
    return GuardedProcesses(commands, environment=os.environ, log=folder / "guard.log", grace=grace)


def wait_for(condition: Callable[[], object], timeout: float = 10.0) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)


def sleeping(folder: Path, name: str = "sleeper") -> bool:
    log = folder / f"{name}.log"
    return log.exists() and "sleeping" in log.read_text()


def test_the_processes_run_in_the_block_and_end_with_it(tmp_path: Path) -> None:
    with guarded(
        tmp_path, command(tmp_path, SLEEP), command(tmp_path, SLEEP, name="other")
    ) as processes:
        wait_for(lambda: sleeping(tmp_path) and sleeping(tmp_path, "other"))
        pids = list(processes.pids.values())
        processes.check()
        assert len(pids) == 2
        assert all(psutil.pid_exists(pid) for pid in pids)
    assert wait_until_gone(pids, 0.5) == []


def test_they_end_when_the_block_raises(tmp_path: Path) -> None:
    processes = guarded(tmp_path, command(tmp_path, SLEEP))
    with pytest.raises(AssertionError, match="it never came"), processes:
        wait_for(lambda: False, timeout=0.5)
    assert wait_until_gone(list(processes.pids.values()), 0.5) == []


def test_a_process_that_ignores_sigterm_is_killed_after_the_grace(tmp_path: Path) -> None:
    with guarded(tmp_path, command(tmp_path, STUBBORN), grace=0.5) as processes:
        wait_for(lambda: sleeping(tmp_path))
        pids = list(processes.pids.values())
        began = time.monotonic()
    assert wait_until_gone(pids, 0.5) == []
    assert 0.5 <= time.monotonic() - began < at_most(5)


@LINUX
def test_a_daemon_that_left_its_session_and_lost_its_parent_is_ended_too(tmp_path: Path) -> None:
    pidfile = tmp_path / "pid"
    with guarded(tmp_path, command(tmp_path, DAEMON, str(pidfile)), grace=0.5):
        wait_for(lambda: pidfile.exists() and pidfile.read_text())
        pid = int(pidfile.read_text())
        assert psutil.pid_exists(pid)
    assert wait_until_gone([pid], 0.5) == []


@LINUX
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_they_end_when_the_program_that_asked_is_ended(tmp_path: Path, number: int) -> None:
    program = f"""
import sys, time
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from tests.unit.tools.test_guarded import DAEMON, STUBBORN, command, guarded
folder = Path({str(tmp_path)!r})
commands = command(folder, STUBBORN), command(folder, DAEMON, str(folder / "pid"), name="daemon")
with guarded(folder, *commands, grace=0.5) as processes:
    time.sleep(600)
"""
    asker = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: sleeping(tmp_path) and (tmp_path / "pid").exists())
        family = [process.pid for process in psutil.Process(asker.pid).children(recursive=True)]
        assert len(family) >= 3
    finally:
        asker.send_signal(number)
        asker.wait(10)
    assert wait_until_gone(family, 10) == []


@LINUX
def test_they_end_when_the_guard_itself_is_killed(tmp_path: Path) -> None:
    with guarded(tmp_path, command(tmp_path, SLEEP)) as processes:
        wait_for(lambda: sleeping(tmp_path))
        pids = list(processes.pids.values())
        os.kill(processes.guard_pid, signal.SIGKILL)
        assert wait_until_gone(pids, 5) == []
        with pytest.raises(ProcessError, match="guard ended"):
            processes.check()


def test_a_process_that_ends_early_is_reported_with_the_end_of_its_log(tmp_path: Path) -> None:
    code = "print('port 8080 is taken'); raise SystemExit(3)"
    with guarded(tmp_path, command(tmp_path, code, name="api-server")) as processes:
        wait_for(lambda: processes.exit_codes)
        with pytest.raises(ProcessError) as error:
            processes.check()
    assert "api-server ended with exit code 3" in str(error.value)
    assert "port 8080 is taken" in str(error.value)


def test_waiting_for_a_process_tells_success_failure_and_lateness_apart(tmp_path: Path) -> None:
    commands = (
        command(tmp_path, "pass", name="good"),
        command(tmp_path, "raise SystemExit('broken')", name="bad"),
        command(tmp_path, SLEEP, name="slow"),
    )
    with guarded(tmp_path, *commands) as processes:
        processes.wait("good", 10)
        with pytest.raises(ProcessError, match=r"bad failed with exit code 1(?s:.*)broken"):
            processes.wait("bad", 10)
        with pytest.raises(ProcessError, match="slow did not end within"):
            processes.wait("slow", 0.1)


def test_a_program_that_does_not_exist_ends_the_guard_with_a_reason(tmp_path: Path) -> None:
    missing = Command(name="x", argv=("/no/such/thing",), cwd=tmp_path, log=tmp_path / "x.log")
    with guarded(tmp_path, missing) as processes:
        wait_for(lambda: not psutil.pid_exists(processes.guard_pid) or _ended(processes))
        with pytest.raises(ProcessError, match="/no/such/thing"):
            processes.check()


def _ended(processes: GuardedProcesses) -> bool:
    return psutil.Process(processes.guard_pid).status() == psutil.STATUS_ZOMBIE


def test_a_log_is_shown_by_its_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("".join(f"line {number}\n" for number in range(100)))
    shown = describe_log(log, lines=2).splitlines()
    assert shown == [f"The last lines of {log}:", "  line 98", "  line 99"]
    assert "no log" in describe_log(tmp_path / "b.log")
