"""What a DAG gives to dbt beside what its manifest was compiled with."""

from __future__ import annotations

import json
from typing import Any

import pytest

from airflow_dataops.core.model import Compilation
from airflow_dataops.core.plan.variables import check_given, check_run_vars, digest_of
from airflow_dataops.errors import ConfigError

COMPILED = Compilation(
    target="dev",
    variables={"n": 7, "unused": 1},
    runtime_vars=("run_day",),
    given={
        "var:n": ("7",),
        "var:region": ('"eu"',),
        "env_var:PLACE": (json.dumps(digest_of("here")),),
    },
)


def check(**given: Any) -> None:
    arguments: dict[str, Any] = {"target": "dev", "variables": {}, "env": {}, "run_vars": {}}
    check_given(COMPILED, **(arguments | {"is_moved": False} | given))


def test_what_is_as_it_was_compiled_is_taken() -> None:
    check(variables={"n": 7, "region": "eu", "new": 3}, env={"PLACE": "here", "OTHER": "x"})
    check(target="prod", is_moved=True)
    check_run_vars({"run_day": "{{ ds }}", "nobody_asks": 1}, COMPILED)
    check_run_vars({}, None)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"target": "prod"}, "target='prod'.*compiled for target 'dev'"),
        ({"variables": {"n": 8}}, "'n' is 8, and the manifest was compiled with 7"),
        ({"variables": {"unused": 2}}, "'unused' is 2, and the manifest was compiled with 1"),
        ({"variables": {"region": "us"}}, '\'region\' is "us".*compiled with "eu"'),
        ({"variables": {"run_day": "x"}}, "'run_day' is a var of the run; set it in vars="),
        ({"env": {"PLACE": "there"}}, "PLACE is 'there'.*another value"),
        ({"variables": {"new": 1}, "run_vars": {"new": 2}}, "both set 'new'"),
    ],
)
def test_two_values_of_one_thing_are_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        check(**given)


def test_a_var_without_a_place_in_the_sql_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"'region'.*compiled with \"eu\".*--runtime-vars region"):
        check_run_vars({"region": "us"}, COMPILED)
    with pytest.raises(ConfigError, match=r"'day' is not a var of the run.*--runtime-vars day"):
        check_run_vars({"day": 1}, None)
