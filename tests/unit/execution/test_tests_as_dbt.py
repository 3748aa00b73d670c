"""Data tests against `dbt test`: every verdict, every table of kept failures."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest

from airflow_dataops.core.execution.tests import run_test
from airflow_dataops.errors import RunError
from tests.oracle.recording import WAYS, recording
from tests.unit.execution.side_by_side import SideBySide

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_dataops.core.execution.results import TestResult
    from tests.unit.execution.dbt_process import Verdict

THRESHOLDS = (
    {},
    {"warn_if": "> 2", "error_if": ">10"},
    {"warn_if": ">10", "error_if": "> 2"},
    {"warn_if": "= 0", "error_if": "between 3 and 6"},
    {"error_if": "is null"},
)
CALCULATIONS = (
    {},
    {"fail_calc": "coalesce(sum(n), 0)"},
    {"fail_calc": "coalesce(max(n) - min(n) + 1, 0)"},
)
KEPT = ({}, {"store_failures": True}, {"store_failures_as": "view"})
CONFIGS = [
    *({"severity": s, **t} for s, t in product(("error", "warn"), THRESHOLDS)),
    *({**c, **k, **li} for c, k, li in product(CALCULATIONS, KEPT, ({}, {"limit": 2}))),
    {"severity": "warn", "store_failures": True, "limit": 3, "warn_if": ">3"},
]
ROWS = (0, 1, 5)
CASES = {f"t{i}_{rows}": (c, rows) for (i, c), rows in product(enumerate(CONFIGS), ROWS)}
BROKEN = {
    "null": ("fail_calc='sum(n)'", "where false", "gave None instead of a whole number"),
    "warned_null": ("fail_calc='sum(n)', severity='warn'", "where false", "gave None"),
    "fraction": ("fail_calc='avg(n)'", "where n < 3", "gave 1.5 instead"),
    "boolean": ("fail_calc='bool_or(n > 1)'", "", "gave True instead"),
    "many": ("fail_calc='n'", "", "gave 5 rows instead of one"),
    "none": ("fail_calc='n'", "where false", "gave 0 rows instead of one"),
}
FILES = {
    **{
        f"tests/{name}.sql": f"{{{{ config(enabled=true, **{config}) }}}}\n"
        f"select n, 'x' as label from raw.numbers where n <= {rows} order by n desc -- worst first"
        for name, (config, rows) in CASES.items()
    },
    **{
        f"tests/{name}.sql": f"{{{{ config({config}) }}}}\nselect n from raw.numbers {where}"
        for name, (config, where, _) in BROKEN.items()
    },
}


@pytest.fixture(scope="module", params=WAYS)
def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SideBySide]:
    with recording(request, "data_tests") as recorded:
        both = SideBySide(tmp_path_factory.mktemp("tests"), FILES, recorded)
        both.execute("create schema raw", "create table raw.numbers as from range(1, 6) t(n)")
        yield both


@pytest.fixture(scope="module")
def verdicts(pair: SideBySide) -> dict[str, Verdict]:
    return {id_.split(".")[-1]: verdict for id_, verdict in pair.dbt("test").items()}


def run(pair: SideBySide, name: str) -> TestResult:
    manifest, id_ = pair.manifest(), f"test.pair.{name}"
    return pair.ours(lambda r: run_test(manifest.project.nodes[id_], manifest.code[id_], r))


@pytest.mark.sample(2)
@pytest.mark.parametrize("name", CASES)
def test_a_verdict_is_dbts(pair: SideBySide, verdicts: dict[str, Verdict], name: str) -> None:
    expected = verdicts[name]
    for _ in range(2):  # the second time over the failures kept by the first
        result = run(pair, name)
        assert (result.status, result.message) == (expected.status, expected.message)
        if expected.status != "pass":  # dbt reports 0 failures of a test that passes
            assert result.failures == expected.failures
        if result.stored_in:
            theirs, ours = pair.tables(result.stored_in)
            assert ours == theirs
    assert bool(result.stored_in) == bool(
        {"store_failures", "store_failures_as"} & {*CASES[name][0]}
    )


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_number_is_an_error_of_the_test(
    pair: SideBySide, verdicts: dict[str, Verdict], name: str
) -> None:
    assert verdicts[name].status == "error"
    with pytest.raises(RunError, match=BROKEN[name][2]):
        run(pair, name)


def test_the_cases_pass_warn_and_fail(verdicts: dict[str, Verdict]) -> None:
    assert {verdicts[name].status for name in CASES} == {"pass", "warn", "fail"}
