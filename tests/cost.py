"""What tests cost in CPU seconds, which a loaded machine hardly changes.

After a run the dearest files are listed. A test without the mark `slow` that takes more than
`MOST` by itself fails: mark it, or make it cheaper. Fixtures that tests share are not counted to
the one that asks first; what daemons take that nobody waits for is not counted at all.
"""

from __future__ import annotations

import resource
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _pytest.terminal import TerminalReporter

MOST = 20.0
"""CPU seconds of a quick test. Two is what one should take at most; this is for bad days."""

LISTED = 15
_KEY = "cpu_seconds"


def cpu_seconds() -> float:
    """Return what this process and its ended children have taken."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


class Cost:
    """Counts what each test takes, in the process that runs it."""

    def __init__(self) -> None:
        self._begun = 0.0
        self._shared = 0.0

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._begun = cpu_seconds()
        self._shared = 0.0
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Iterator[None]:
        begun, before = cpu_seconds(), self._shared
        try:
            return (yield)
        finally:
            if fixturedef.scope != "function":  # what it asked for itself is counted once
                self._shared = before + cpu_seconds() - begun

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Iterator[None]:
        report: Any = yield
        used = cpu_seconds() - self._begun
        if call.when == "call":
            self._refuse_dear(item, report, used - self._shared)
        if call.when == "teardown":
            report.user_properties = [*report.user_properties, (_KEY, used)]
        return report

    def _refuse_dear(self, item: pytest.Item, report: pytest.TestReport, used: float) -> None:
        if report.passed and used > MOST and not item.get_closest_marker("slow"):
            report.outcome = "failed"
            report.longrepr = (
                f"{item.nodeid} took {used:.0f} CPU seconds; a test of more than {MOST:.0f} is to "
                "be marked `slow` (see CONTRIBUTING.md), or made cheaper"
            )


class Dearest:
    """Lists the dearest files after the run."""

    def __init__(self) -> None:
        self._by_file: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._by_file[report.nodeid.partition("::")[0]] += dict(report.user_properties).get(_KEY, 0)

    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> None:
        if len(self._by_file) < LISTED:
            return
        total = sum(self._by_file.values())
        terminalreporter.section(f"CPU seconds of the dearest files, of {total:.0f} in all")
        for file, used in self._by_file.most_common(LISTED):
            terminalreporter.write_line(f"{used:7.1f} {file}")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Cost())
    config.pluginmanager.register(Dearest())
