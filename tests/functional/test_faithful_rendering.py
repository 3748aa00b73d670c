"""Code that is rendered otherwise at every run: each table is dbt's, or dbt builds it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from airflow_dataops.adapters import dbt_recording
from airflow_dataops.cli.compile import compile_project
from airflow_dataops.core.manifests import read_manifest
from airflow_dataops.core.plan import make_plan, plan_options
from airflow_dataops.core.plan.structs import Engine as PlannedEngine
from tests.oracle.databases import DuckDBFile
from tests.oracle.dbt_process import Dbt, environment
from tests.oracle.engine_side import Engine
from tests.oracle.projects import Databases, OracleProject

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_dataops.core.ports import SqlRunner

PROFILES = """
moment:
  target: dev
  outputs:
    dev: {type: duckdb, path: "{{ env_var('MOMENT_DUCKDB') }}", threads: 2}
"""
APPEND = "{{ config(materialized='incremental', incremental_strategy='append') }}"
ASKING = {
    "asked": APPEND
    + """
        {% if is_incremental() %}
        {% set last = run_query("select max(d) from " ~ this).columns[0].values()[0] %}
        select d from raw.days where d > {{ last }}
        {% else %} select d from raw.days {% endif %}""",
    "stated": """
        {% call statement('n', fetch_result=true) %} select count(*) from raw.days {% endcall %}
        select {{ load_result('n')['data'][0][0] if execute else 0 }} as n""",
    "columned": """
        select {% for column in adapter.get_columns_in_relation(
            api.Relation.create(schema='raw', identifier='days')
        ) %} max({{ column.name }}) as {{ column.name }}, {% endfor %} 1 as one from raw.days""",
    "loaded": """{{ config(materialized='table') }}
        select {{ 1 if load_relation(this) is none else 2 }} as x""",
    "by_macro": "select {{ last_day() }} as d",
    "flagged": "select {{ 1 if flags.FULL_REFRESH else 2 }} as x, '{{ flags.WHICH }}' as y",
}
"""Their tables are the same on both sides."""
OF_THE_RUN = {
    "compared": "select {{ 1 if run_started_at.year > 2001 else 2 }} as x",
    "cut": "select '{{ (run_started_at ~ '')[:10] }}' as x",
    "zoned": "select '{{ modules.datetime.datetime.now(modules.pytz.utc) }}' as x",
    "threaded": "select '{{ thread_id }}' as x",
    "random": "select {{ range(10000) | random }} as x",
    "hooked": """{{ config(materialized='table',
        post_hook="create or replace table hooks as select '" ~ run_started_at ~ "' as x") }}
        select 1 as x""",
}
"""Their tables are of one run of dbt."""
PRINTED = {
    "started": "select '{{ run_started_at }}' as x",
    "now": "select '{{ modules.datetime.datetime.now() }}' as x",
    "today": "select '{{ modules.datetime.date.today() }}' as x",
    "invoked": "select '{{ invocation_id }}' as x",
    "looked_up": "select '{{ context['run_started_at'] }}' as x",
    "built_in": "select '{{ builtins.invocation_id }}' as x",
    "by_variable": "select '{{ var('since') }}' as x",
    "onto_ephemeral": "select * from {{ ref('momentary') }}",
    "refreshed": "select {{ 1 if should_full_refresh() else 2 }} as x",
}
"""Values of the run that are only printed: they run from compiled SQL, with those of each run."""
PLAIN = {
    "plain": APPEND
    + """
        select d from raw.days
        {% if is_incremental() %} where d > (select max(d) from {{ this }}) {% endif %}""",
    "dated": """
        select '{{ modules.datetime.datetime(2026, 1, 5).strftime('%Y-%m-%d') }}' as x,
            cast('{{ target.schema }}' as {{ dbt.type_string() }}) as y,
            {{ var('n') }} as n, {{ dbt.dateadd('day', 1, "date '2026-01-05'") }} as next""",
}
"""They run from compiled SQL."""
FILES = {
    "dbt_project.yml": "name: moment\nprofile: moment\n"
    "vars: {n: 7, since: '{{ run_started_at }}'}\n",
    "profiles.yml": PROFILES,
    "models/momentary.sql": "{{ config(materialized='ephemeral') }} "
    "select '{{ run_started_at }}' as x",
    "macros/last_day.sql": """{% macro last_day() %}
        {{ return(run_query('select max(d) from raw.days').columns[0].values()[0]
            if execute else 0) }}{% endmacro %}""",
    "models/tests.yml": """
models:
  - name: plain
    columns:
      - name: d
        data_tests: [unique, not_null, {accepted_values: {values: [1, 2], quote: false}}]
  - name: dated
    columns:
      - name: n
        data_tests:
          - accepted_values: {values: [7, "{{ run_started_at.year }}"], quote: false}
          - not_null: {config: {where: "n < {{ run_started_at.year + 1 }}"}}
""",
    **{f"models/{name}.sql": sql for name, sql in (ASKING | OF_THE_RUN | PRINTED | PLAIN).items()},
}


def load(runner: SqlRunner, day: int) -> None:
    """Put days 1 to `day` into the source."""
    runner.execute("create schema if not exists raw")
    days = ", ".join(f"({each})" for each in range(1, day + 1))
    runner.execute(f"create or replace table raw.days as select * from (values {days}) as v(d)")


def write(folder: Path) -> Path:
    for name, text in FILES.items():
        path = folder / "moment" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder / "moment"


def tables(database: DuckDBFile, names: set[str]) -> dict[str, list[Any]]:
    with database.open() as runner:
        return {n: sorted(runner.fetch(f"select * from main.{n}")) for n in sorted(names)}


@pytest.mark.slow
def test_nothing_is_what_it_was_when_it_was_compiled(tmp_path: Path) -> None:
    """Compiled on day 1 and run on day 2; the append model that asks its own table as well."""
    project = write(tmp_path)
    sides = {name: tmp_path / name for name in ("dbt", "ours")}
    for folder in sides.values():
        folder.mkdir()
    theirs, ours = (DuckDBFile.create("moment", folder) for folder in sides.values())
    oracle = OracleProject(
        "moment", "duckdb", project, load, lambda *_: Databases(theirs, ours, ours)
    )
    dbt = Dbt(oracle, project, theirs, tmp_path / "files-dbt")
    manifest = None
    for day in (1, 2):
        for database in (theirs, ours):
            with database.open() as runner:
                load(runner, day)
        if manifest is None:
            with environment(oracle.variable, ours.value):
                output = compile_project(project, output=tmp_path / "manifest.json").output
            manifest = read_manifest(output.read_bytes(), source="manifest.json")
            engine = Engine(manifest, ours, Dbt(oracle, project, ours, tmp_path / "files-ours"))
        outcomes = dbt.build()
        found, errors = engine.build(set(outcomes), full_refresh=False)
        assert errors == {}
        assert found == outcomes
        assert tables(ours, {*ASKING, *PLAIN}) == tables(theirs, {*ASKING, *PLAIN})

    assert tables(ours, {"asked", "plain"}) == {"asked": [(1,), (2,)], "plain": [(1,), (2,)]}
    plan = make_plan(manifest.project, plan_options(engine="auto"))
    by_dbt = {
        node
        for task in plan.tasks.values()
        if task.engine is PlannedEngine.DBT
        for node in task.nodes
    }
    models = {id_.removeprefix("model.moment.") for id_ in by_dbt if id_.startswith("model.")}
    assert models == {*ASKING, *OF_THE_RUN}
    tests = sorted(id_.split(".")[2] for id_ in by_dbt if id_.startswith("test."))
    assert [name.split("_dated")[0] for name in tests] == ["not_null"]
    kept = json.loads(output.read_bytes())["nodes"]
    assert kept["model.moment.dated"]["dataops_touched"] == ["target:target.schema", "var:n"]


@pytest.mark.slow
def test_a_package_that_dispatch_searches_first_gives_its_tables_to_dbt(tmp_path: Path) -> None:
    """What it makes of a table is not what dbt's materialization makes."""
    files = {
        "dbt_project.yml": "name: moment\nprofile: moment\npackages-install-path: kits\n"
        "dispatch: [{macro_namespace: dbt, search_order: [moment, shim, dbt]}]\n",
        "profiles.yml": PROFILES,
        "models/made.sql": "{{ config(materialized='table') }} select 1 as x",
        "models/seen.sql": "select 1 as x",
        "kits/shim/dbt_project.yml": "name: shim\nversion: 1.0.0\n",
        "kits/shim/macros/shim.sql": "{% macro duckdb__create_table_as(temporary, relation, "
        "compiled_code, language='sql') %}"
        "create table {{ relation }} as select 2 as x{% endmacro %}",
    }
    for name, text in files.items():
        path = tmp_path / "moment" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    with environment("MOMENT_DUCKDB", str(tmp_path / "moment.duckdb")):
        output = compile_project(tmp_path / "moment", output=tmp_path / "manifest.json").output
    nodes = read_manifest(output.read_bytes(), source="manifest.json").project.nodes
    found = {node.name: getattr(node.spec, "unsupported", ()) for node in nodes.values()}
    assert found == {
        "made": ("a package's `shim.duckdb__create_table_as` in place of dbt's",),
        "seen": (),
    }


@pytest.mark.slow
def test_where_dbt_is_built_otherwise_words_tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dbt whose insides changed must not make everything seem to touch nothing."""
    monkeypatch.setattr(dbt_recording, "_SEAMS", (("dbt.compilation", "Compiler", "gone", 1),))
    project = write(tmp_path)
    database = DuckDBFile.create("moment", tmp_path)
    with database.open() as runner:
        load(runner, 1)
    with environment("MOMENT_DUCKDB", database.value):
        # Without a recording, a later rendering that asks its own table is an error: leave it out.
        (project / "models" / "asked.sql").unlink()
        result = compile_project(project, output=tmp_path / "manifest.json")
    nodes = read_manifest(result.output.read_bytes(), source="manifest.json").project.nodes
    by_dbt = {node.name for node in nodes.values() if getattr(node.spec, "unsupported", ())}
    # What a variable holds is not in the code.
    assert by_dbt >= {*ASKING, *OF_THE_RUN} - {"asked", "zoned"}
    assert "plain" not in by_dbt
    assert any("could not be recorded" in note for note in result.notes)
