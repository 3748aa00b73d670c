"""The side of `process_guard` that asks for processes, watches them and has them ended."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import psutil

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

GUARD = Path(__file__).with_name("process_guard.py")
# Seconds that the guard may take for killing, after the grace it gives.
GUARD_MARGIN = 10.0


class ProcessError(Exception):
    """A process ended that should run, or failed; the text shows the end of its log."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """A process to run.

    Attributes:
        argv: program and arguments.
        cwd: folder to run in.
        log: file that its standard output and error are appended to.
    """

    name: str
    argv: tuple[str, ...]
    cwd: Path
    log: Path


class GuardedProcesses:
    """Processes that end with the `with` block, or with this program if it dies first.

    Args:
        commands: what to run, in this order.
        environment: the whole environment of the processes.
        log: file for the guard's own complaints.
        grace: seconds between asking the processes to end and killing them.
    """

    def __init__(
        self,
        commands: tuple[Command, ...],
        *,
        environment: Mapping[str, str],
        log: Path,
        grace: float = 5.0,
    ) -> None:
        self._commands = {command.name: command for command in commands}
        self._environment = dict(environment)
        self._log = log
        self._grace = grace
        self._changed = threading.Condition()
        self.pids: dict[str, int] = {}
        self.exit_codes: dict[str, int] = {}
        self._guard: subprocess.Popen[bytes] | None = None

    @property
    def guard_pid(self) -> int:
        """Process id of the guard, the ancestor of all that runs."""
        if self._guard is None:
            raise ProcessError("The processes have not been started.")
        return self._guard.pid

    def start(self) -> None:
        """Start the guard and have it start the processes."""
        with self._log.open("ab") as complaints:
            self._guard = subprocess.Popen(
                [sys.executable, str(GUARD)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
                env=self._environment,
                start_new_session=True,  # Ctrl-C on the terminal is ours to handle
            )
        threading.Thread(target=self._read_events, args=[self._guard], daemon=True).start()
        if self._guard.stdin:
            self._guard.stdin.write(self._order())
            self._guard.stdin.flush()

    def _order(self) -> bytes:
        processes = [
            {"name": each.name, "argv": each.argv, "cwd": str(each.cwd), "log": str(each.log)}
            for each in self._commands.values()
        ]
        return json.dumps({"grace": self._grace, "processes": processes}).encode() + b"\n"

    def _read_events(self, guard: subprocess.Popen[bytes]) -> None:
        for line in guard.stdout or ():
            event = json.loads(line)
            with self._changed:
                if event["event"] == "started":
                    self.pids[event["name"]] = event["pid"]
                elif event["event"] == "ended":
                    self.exit_codes[event["name"]] = event["code"]
                self._changed.notify_all()

    def check(self) -> None:
        """Raise ProcessError if the guard or any process has ended."""
        for name, code in list(self.exit_codes.items()):
            raise ProcessError(
                f"{name} ended with exit code {code}.\n{describe_log(self._commands[name].log)}"
            )
        if self._guard is None or self._guard.poll() is not None:
            raise ProcessError(f"The process guard ended.\n{describe_log(self._log)}")

    def wait(self, name: str, timeout: float) -> None:
        """Wait until a process has ended with code 0, at most `timeout` seconds.

        Raises:
            ProcessError: it failed, or did not end in time.
        """
        log = self._commands[name].log
        with self._changed:
            if not self._changed.wait_for(lambda: name in self.exit_codes, timeout):
                raise ProcessError(
                    f"{name} did not end within {timeout:.0f} s.\n{describe_log(log)}"
                )
        if code := self.exit_codes[name]:
            raise ProcessError(f"{name} failed with exit code {code}.\n{describe_log(log)}")

    def stop(self) -> None:
        """End all processes and everything they started; returns when they are gone."""
        guard = self._guard
        if guard is None:
            return
        family = _family(guard.pid)
        try:
            if guard.stdin:
                guard.stdin.close()
            guard.terminate()
            guard.wait(self._grace + GUARD_MARGIN)
        except subprocess.TimeoutExpired:
            guard.kill()
            guard.wait()
        finally:
            _kill(family)
        self._guard = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


def _family(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _kill(processes: list[psutil.Process]) -> None:
    """Kill what still runs; psutil compares start times, so a reused id is not touched."""
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue


def describe_log(path: Path, lines: int = 25) -> str:
    """The last lines of a log, under a heading that names the file."""
    if not path.exists():
        return f"There is no log {path}."
    tail = path.read_text(encoding="utf-8", errors="replace").rstrip().splitlines()[-lines:]
    return "\n".join([f"The last lines of {path}:", *(f"  {line}" for line in tail)])


def wait_until_gone(pids: list[int], timeout: float) -> list[int]:
    """Wait at most `timeout` seconds for processes to end; return those that have not."""
    deadline = time.monotonic() + timeout
    while (left := [pid for pid in pids if psutil.pid_exists(pid)]) and (
        time.monotonic() < deadline
    ):
        time.sleep(0.1)
    return left
