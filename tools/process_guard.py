"""Run processes so that none of them outlives the program that asked for them.

Run as a program, it reads one line of JSON from standard input, `{"grace": seconds, "processes":
[{"name", "argv", "cwd", "log"}]}`, starts the processes, and ends all of them and everything
that they started as soon as standard input closes. Standard input is a pipe held by the program
that asked, so the operating system closes it however that program ends, SIGKILL included.

It writes one line of JSON per event to standard output: `{"event": "started", "name", "pid"}`,
`{"event": "ended", "name", "code"}` and, last, `{"event": "stopped", "killed": count}`.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import Any

import psutil

# From Linux's <linux/prctl.h>.
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
KILL_ATTEMPTS = 50


def _prctl(option: int, value: int) -> None:
    """Set a property of this process; does nothing on other systems than Linux."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def _end_with_guard() -> None:
    """In a child: be asked to end if the guard itself is killed."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass
class Guard:
    """The running processes, by process id.

    Attributes:
        grace: seconds between asking the processes to end and killing them.
        names: name of each process that still runs.
        children: kept so that Python does not reap them behind our back.
    """

    grace: float
    names: dict[int, str] = field(default_factory=dict)
    children: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, name: str, argv: list[str], cwd: str, log: str) -> None:
        """Start one process in a session of its own; its output is appended to `log`."""
        with open(log, "ab") as output:
            child = subprocess.Popen(
                argv,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_end_with_guard,
            )
        self.children.append(child)
        self.names[child.pid] = name
        report(event="started", name=name, pid=child.pid)

    def reap(self) -> None:
        """Collect everything that ended: our processes and the orphans we adopted."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if name := self.names.pop(pid, None):
                report(event="ended", name=name, code=os.waitstatus_to_exitcode(status))

    def stop(self) -> int:
        """End all processes, politely and then not; return how many had to be killed."""
        sessions = list(self.names)
        for pid in sessions:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + self.grace
        while _descendants() and time.monotonic() < deadline:
            self.reap()
            time.sleep(0.05)
        killed = len(_descendants())
        for _ in range(KILL_ATTEMPTS):
            if not _kill_all(sessions):
                break
            time.sleep(0.05)
            self.reap()
        return killed


def _descendants() -> list[psutil.Process]:
    living = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.status() != psutil.STATUS_ZOMBIE:
                living.append(process)
    return living


def _kill_all(sessions: list[int]) -> bool:
    """Send SIGKILL to every descendant and process group; return whether any was left."""
    found = _descendants()
    for process in found:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    if sys.platform != "linux":  # without adopted orphans, the groups find more of them
        for pid in sessions:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
    return bool(found)


def report(**event: Any) -> None:
    """Write one event; whoever read them may be gone."""
    with contextlib.suppress(OSError):
        os.write(1, json.dumps(event).encode() + b"\n")


def _wait_for_the_end(guard: Guard, wakeup: int) -> None:
    """Sleep until standard input closes or a signal asks us to end."""
    while True:
        ready, _, _ = select.select([0, wakeup], [], [])
        guard.reap()
        if wakeup in ready:
            signals = os.read(wakeup, 512)
            if set(signals) & {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}:
                return
        if 0 in ready and not os.read(0, 512):
            return


def _watch_signals() -> int:
    """Turn the signals that matter into bytes on a pipe; return its reading end."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    return reading


def main() -> None:
    """Read the order, run it, and end all of it when standard input closes."""
    wakeup = _watch_signals()
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    order = json.loads(_read_line())
    guard = Guard(grace=order["grace"])
    try:
        for process in order["processes"]:
            guard.start(**process)
        _wait_for_the_end(guard, wakeup)
    finally:
        report(event="stopped", killed=guard.stop())


def _read_line() -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        chunk = os.read(0, 65536)
        if not chunk:
            sys.exit("no order came")
        line += chunk
    return line


if __name__ == "__main__":
    main()
