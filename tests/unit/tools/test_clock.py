"""What holds today holds at the ends of days, months and years, and on weekends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ROOMS = ("alerts", "cli", "cost", "health", "ledger", "metrics", "sla", "watch")
TIMED = ("alert", "deferred", "ledger", "metrics", "set_sla", "sla", "slas")
"""Beginnings of the files of `tests/host` that tell the time."""
MOMENTS = {
    "the end of a year": "2027-12-31T23:59:30+00:00",
    "the last tenth of a second of a day": "2027-12-31T23:59:59.9+00:00",
    "after a leap day": "2028-03-01T00:00:30+00:00",
    "a leap day": "2028-02-29T12:00:00+00:00",
    "a Sunday, two seconds before Europe's clocks go back": "2027-10-31T00:59:58+00:00",
    "the first seconds of a Monday": "2026-11-02T00:00:05+00:00",
}


def test_a_test_has_its_own_present(pytester: pytest.Pytester) -> None:
    """And what was read at import is years before."""
    pytester.makeconftest('pytest_plugins = ["tests.clock"]')
    pytester.makeini("[pytest]\nmarkers = foreign_clock: of a database")
    pytester.makepyfile(
        """
        from datetime import UTC, datetime
        import pytest
        NOW = datetime.now(UTC)

        def test_the_present():
            assert datetime.now(UTC).year == 2040
            assert NOW.year < 2040

        @pytest.mark.foreign_clock
        def test_a_database():
            assert False
        """
    )
    done = pytester.runpytest_subprocess("--clock", "2040-05-01T00:00:00+00:00")
    done.assert_outcomes(passed=1, skipped=1)


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS)
def test_what_tells_the_time_holds_at_any(moment: str) -> None:
    host = (path for word in TIMED for path in (ROOT / "tests" / "host").glob(f"test_{word}_*.py"))
    rooms = [ROOT / "tests" / "unit" / room for room in ROOMS]
    command = [sys.executable, "-m", "pytest", "-q", "-m", "not slow", "--clock", moment]
    done = subprocess.run(
        [*command, *rooms, *sorted({*host})], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-5000:]
