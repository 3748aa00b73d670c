"""Code whose result is that of one moment: who touches what, and that it goes to dbt."""

from __future__ import annotations

import pytest

from airflow_dataops.core.plan import make_plan, plan_options
from airflow_dataops.errors import ManifestError
from tests.unit.manifests.built import entry, macro, model, read, reasons

OURS = {"dataops": {"version": 2}}


@pytest.mark.parametrize(
    ("raw_code", "said"),
    [
        ("'{{ run_started_at }}'", "reads the clock while it is rendered: run_started_at"),
        (
            "{% set now = modules.datetime.datetime.now() %}",
            "reads the clock while it is rendered: modules.datetime.datetime.now",
        ),
        ("{% set m = modules %}{{ m.datetime }}", "reads the clock while it is rendered: modules"),
        ("{% do run_query('x') %}", "asks the warehouse while it is rendered: run_query"),
        (
            "{% call statement('x', fetch_result=true) %} select 1 {% endcall %}",
            "asks the warehouse while it is rendered: statement",
        ),
        ("{{ load_result('x') }}", "asks the warehouse while it is rendered: load_result"),
        (
            "{{ adapter.get_columns_in_relation(this) }}",
            "asks the warehouse while it is rendered: adapter.get_columns_in_relation",
        ),
        ("{% set a = adapter %}", "asks the warehouse while it is rendered: adapter"),
        ("{{ invocation_id }}", "values of the run that renders it: invocation_id"),
        ("{{ flags.WHICH }}", "values of the run that renders it: flags.WHICH"),
        ("{{ should_full_refresh() }}", "otherwise on a full refresh: should_full_refresh"),
        ("{{ flags.FULL_REFRESH }}", "otherwise on a full refresh: flags.FULL_REFRESH"),
        ("{{ [1, 2] | random }}", "at random: | random"),
    ],
)
def test_words_that_tell_of_a_moment_send_a_model_of_dbts_own_manifest_to_dbt(
    raw_code: str, said: str
) -> None:
    node = {"model.shop.m": entry("model.shop.m", raw_code=raw_code)}
    (reason,) = reasons(node)
    assert said in reason


@pytest.mark.parametrize(
    "raw_code",
    [
        "select invocation_id, statement, flags, run_started_at, adapter from runs",
        "{# {{ run_started_at }} #} select 1",
        "{{ adapter.dispatch('x')() }} {{ adapter.quote('x') }}",
        "{{ modules.re.sub('a', 'b', 'c') }}",
        "{{ dbt_utils.generate_surrogate_key(['a']) }} {{ is_incremental() }}",
    ],
)
def test_other_words_do_not(raw_code: str) -> None:
    """Columns may have such names; what asks nothing of anybody is of no moment."""
    assert reasons({"model.shop.m": entry("model.shop.m", raw_code=raw_code)}) == ()


def test_a_macro_that_a_node_calls_may_touch_through_others() -> None:
    macros = (
        macro("macro.dbt.statement", "{{ adapter.execute(x) }}")
        | macro("macro.dbt.run_query", "", "macro.dbt.statement")
        | macro("macro.dbt_utils.get_column_values", "", "macro.dbt.run_query")
        | macro("macro.dbt_utils.pivot", "")
    )
    asking = entry("model.shop.m", depends_on={"macros": ["macro.dbt_utils.get_column_values"]})
    silent = entry("model.shop.m", depends_on={"macros": ["macro.dbt_utils.pivot"]})
    assert reasons({"model.shop.m": asking}, macros=macros) == (
        "SQL that asks the warehouse while it is rendered: dbt_utils.get_column_values",
    )
    assert reasons({"model.shop.m": silent}, macros=macros) == ()


def test_asking_is_incremental_touches_nothing() -> None:
    """Both answers have their rendering, whatever dbt asks for them."""
    asked = macro(
        "macro.dbt.is_incremental", "{{ adapter.get_relation(this) }}", "macro.dbt.should"
    ) | macro("macro.dbt.should", "{{ flags.FULL_REFRESH }}")
    asking = entry("model.shop.m", depends_on={"macros": ["macro.dbt.is_incremental"]})
    assert reasons({"model.shop.m": asking}, macros=asked) == ()


def test_what_was_recorded_is_believed_in_our_own_manifests() -> None:
    """Values that the compilation was given (target, variables) may stay."""
    touched = ["clock:run_started_at", "warehouse:run_query", "warehouse:statement", "var:day"]
    node = entry("model.shop.m", raw_code=None, dataops_touched=touched)
    given = entry("model.shop.m", raw_code="{{ run_started_at }}", dataops_touched=["var:day"])
    assert reasons({"model.shop.m": node}, metadata=OURS) == (
        "SQL that asks the warehouse while it is rendered: run_query, statement",
        "SQL that reads the clock while it is rendered: run_started_at",
    )
    assert reasons({"model.shop.m": given}, metadata=OURS) == ()


@pytest.mark.parametrize("id_", ["test.shop.t.1", "snapshot.shop.s", "seed.shop.s"])
def test_tests_snapshots_and_seeds_go_to_dbt_too(id_: str) -> None:
    config = {"strategy": "check", "check_cols": "all", "unique_key": "id"}
    node = entry(id_, config=config, dataops_touched=["run:invocation_id"])
    assert reasons({id_: node}, metadata=OURS) == (
        "SQL with values of the run that renders it: invocation_id",
    )


def test_what_an_ephemeral_model_touches_its_readers_do() -> None:
    """Its SQL is part of theirs, through other ephemeral models as well."""

    def ephemeral(name: str, *parents: str, **fields: object) -> dict[str, object]:
        config = {"materialized": "ephemeral"}
        found = model(name, **config)[f"model.shop.{name}"]
        return found | {"depends_on": {"nodes": list(parents)}} | fields

    nodes = {
        "model.shop.low": ephemeral("low", dataops_touched=["clock:run_started_at"]),
        "model.shop.high": ephemeral("high", "model.shop.low"),
        "model.shop.m": entry("model.shop.m", depends_on={"nodes": ["model.shop.high"]}),
        "model.shop.next": entry("model.shop.next", depends_on={"nodes": ["model.shop.m"]}),
        "test.shop.t.1": entry("test.shop.t.1", depends_on={"nodes": ["model.shop.high"]}),
    }
    found = read(nodes, metadata=OURS).project.nodes
    assert {id_ for id_, node in found.items() if getattr(node.spec, "unsupported", ())} == {
        "model.shop.m",
        "test.shop.t.1",
    }


def test_arguments_of_tests_and_configuration_are_looked_at() -> None:
    by_argument = entry(
        "test.shop.t.1",
        test_metadata={"name": "accepted_values", "kwargs": {"values": ["{{ run_started_at }}"]}},
    )
    by_configuration = entry(
        "test.shop.t.1", unrendered_config={"where": "d > '{{ run_started_at }}'"}
    )
    for node in (by_argument, by_configuration):
        (reason,) = reasons({"test.shop.t.1": node})
        assert reason == "SQL that reads the clock while it is rendered: run_started_at"


def test_engine_sql_refuses_it_with_the_reason() -> None:
    nodes = {"model.shop.m": entry("model.shop.m", dataops_touched=["warehouse:run_query"])}
    project = read(nodes, metadata=OURS).project
    said = "asks the warehouse while it is rendered: run_query"
    with pytest.raises(ManifestError, match=said):
        make_plan(project, plan_options(engine="sql"))
    with pytest.raises(ManifestError, match=f"needs dbt to run it .*{said}"):
        make_plan(project)
    (task,) = make_plan(project, plan_options(engine="auto")).tasks.values()
    assert (task.engine, task.reason) == ("dbt", f"SQL that {said}")


def test_a_manifest_from_before_it_was_recorded_says_so() -> None:
    (warning,) = read(metadata={"dataops": {"version": 1}}).project.warnings
    assert "did not record what asks the clock or the warehouse" in warning
