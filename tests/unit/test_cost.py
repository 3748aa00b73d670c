"""A quick test that got slow is told, and what tests share is nobody's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests import cost

if TYPE_CHECKING:
    import pytest

TESTS = """
    import pytest

    def work():
        sum(range(3_000_000))

    @pytest.fixture(scope="module")
    def shared():
        work()

    def test_dear():
        work()

    def test_of_what_is_shared(shared):
        pass

    @pytest.mark.slow
    def test_slow():
        work()
"""


def test_a_dear_test_fails_unless_it_is_slow(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makeini("[pytest]\nmarkers = slow\n")
    pytester.makepyfile(TESTS)
    with monkeypatch.context() as patch:  # this test is told by it, too
        patch.setattr(cost, "MOST", 0.02)
        result = pytester.runpytest_inprocess("-p", "tests.cost", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*test_dear took 0 CPU seconds*marked `slow`*"])


def test_the_dearest_files_are_listed(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(**{f"test_{n}": "def test_it(): pass" for n in range(cost.LISTED)})
    result = pytester.runpytest_inprocess("-p", "tests.cost", "-p", "no:cacheprovider")
    result.stdout.fnmatch_lines(["*CPU seconds of the dearest files*", "*test_1*.py", "*passed*"])
