"""Marks for values of a run: Jinja itself, given the values, is the oracle."""

from __future__ import annotations

import datetime as clock
import json
import random
import re
from typing import Any

import pytest
import pytz
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment

from airflow_dataops.adapters.dbt_placeholders import COMPILED_AT, Moment, Placeholders
from airflow_dataops.adapters.dbt_watching import Watching, call_arguments, filters
from airflow_dataops.core.execution.values import RunValues, filled
from airflow_dataops.core.model import RunValue
from airflow_dataops.errors import ConfigError
from tests.oracle.jinja_models import MACROS, models

LATER = clock.datetime(2026, 3, 29, 0, 30, 1, 5, tzinfo=pytz.utc)
COMPILED = {"run_day": "2026-01-05", "region": "us", "n": 3}
GIVEN = {"run_day": "2026-02-11", "region": "asia", "n": 40}


class Rendering:
    """Jinja with what the models ask of dbt, with values or with marks."""

    def __init__(self, *, marks: bool, started_at: clock.datetime, given: dict[str, Any]) -> None:
        self.seen: set[str] = set()
        self.placeholders = Placeholders(frozenset(given))
        self.given = given
        self.environment = SandboxedEnvironment(extensions=["jinja2.ext.do"])
        self.started_at: Any = started_at
        self.id: Any = str(started_at.year) * 4
        if marks:
            self._mark()

    def render(self, sql: str) -> str:
        modules = {"datetime": {"timedelta": clock.timedelta}, "pytz": pytz, "re": re}
        dbt = {"string_literal": "'{}'".format}
        known = {"run_started_at": self.started_at, "invocation_id": self.id, "var": self.var}
        known |= {"modules": modules, "source": "{}.{}".format, "tojson": json.dumps, "dbt": dbt}
        known |= {"config": lambda **_: "", "is_incremental": lambda: False, "execute": True}
        known |= {"flags": {"FULL_REFRESH": False}, "should_full_refresh": lambda: False}
        known |= {"target": {"name": "dev", "schema": "me"}, "env_var": "value of {}".format}
        known["return"] = str
        return self.environment.from_string(MACROS + sql).render(known).lstrip()

    def var(self, name: str, default: Any = None) -> Any:
        value = self.given.get(name, default or "fixed")
        if name not in self.placeholders.variables or self._is_plain():
            return value
        return self.placeholders.mark(RunValue(source="var", name=name), value)

    def _is_plain(self) -> bool:
        return not isinstance(self.started_at, Moment)

    def _record(self, kind: Any, name: str) -> None:
        del kind
        self.seen.add(name)

    def _mark(self) -> None:
        rendering, marks = self, self.placeholders

        class Marked(Context):
            def call(__self, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805
                if getattr(__obj, "__name__", "") == "var":
                    return __obj(*args, **kwargs)
                found = call_arguments(__obj, args, kwargs, marks, lambda: rendering._record)
                return super().call(__obj, *found[0], **found[1])

        inner = self.environment._generate

        def generate(source: Any, *args: Any, **kwargs: Any) -> Any:
            seeing = Watching().visit(source)
            seeing.set_environment(self.environment)
            return inner(seeing, *args, **kwargs)

        self.environment._generate = generate  # type: ignore[method-assign]
        self.environment.context_class = Marked
        self.environment.filters |= filters(marks, lambda _: self._record)
        self.started_at = Moment.begin(marks, "run_started_at", self._record)
        self.id = marks.mark(RunValue(source="invocation_id"), self.id)


def usable(sql: str) -> bool:
    """Leave out what this small Jinja has not: other clocks, and what asks dbt itself."""
    return "modules.datetime.date" not in sql


@pytest.mark.parametrize("seed", range(120))
def test_code_is_that_of_the_values_or_somebody_looked(seed: int) -> None:
    """120 times a random model: compiled with marks, filled with other values."""
    sql = next(code for _, code in models(random.Random(seed), 50) if usable(code))
    marked = Rendering(marks=True, started_at=COMPILED_AT, given=COMPILED)
    text = marked.render(sql)
    now = Rendering(marks=False, started_at=COMPILED_AT.replace(tzinfo=pytz.utc), given=COMPILED)
    assert marked.placeholders.real_text(text) == now.render(sql)
    found = marked.placeholders.found(text, "duckdb")
    if marked.seen or found.unplaced:
        return
    later = Rendering(marks=False, started_at=LATER, given=GIVEN)
    run = RunValues(variables=GIVEN, started_at=LATER, invocation_id=later.id)
    try:
        assert filled(found.text, found.slots, run, "duckdb", "m") == later.render(sql)
    except ConfigError as error:
        assert "where it must be" in str(error)  # noqa: PT017 - few are refused


def test_enough_of_them_are_text_alone() -> None:
    codes = [code for _, code in models(random.Random(1), 300) if usable(code)]
    plain = 0
    for sql in codes:
        marked = Rendering(marks=True, started_at=COMPILED_AT, given=COMPILED)
        marked.render(sql)
        plain += not marked.seen
    assert plain > len(codes) // 3


@pytest.mark.parametrize(
    "sql",
    [
        "{{ 1 if var('run_day') == '2026-01-05' else 2 }}",
        "{% set x %}{{ var('run_day') }}{% endset %}{{ 1 if x == '2026-01-05' else 2 }}",
        "{% for c in var('run_day') %}{{ c }} {% endfor %}",
        "{{ (var('run_day') ~ '')[:4] }}",
        "{{ {'2026-01-05': 1}[var('run_day')] }}",
        "{{ var('n') + 1 }}{{ -var('n') }}{{ var('n') * 2 }}",
        "{{ [1, 2, 3, 4][var('n')] }}",
        "{{ range(var('n')) | list | length }}",
        "{% filter replace('0', 'o') %}{{ var('run_day') }}{% endfilter %}",
        "{{ '%05d' % var('n') }}",
        "{{ '{:>12}'.format(var('region')) }}",
        "{{ run_started_at.hour > 3 }}",
        "{{ var('n') is divisibleby(3) }}",
        "{{ [var('n'), 2] | sum }}",
        "{{ 'us' in [var('region')] }}",
        "{{ {'k': [var('region')]} | tojson }}",
    ],
)
def test_who_looks_is_noticed_and_sees_the_value(sql: str) -> None:
    marked = Rendering(marks=True, started_at=COMPILED_AT, given=COMPILED)
    plain = Rendering(marks=False, started_at=COMPILED_AT, given=COMPILED)
    assert marked.placeholders.real_text(marked.render(sql)) == plain.render(sql)
    assert marked.seen
