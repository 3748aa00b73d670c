"""`defer` against `dbt build --defer`: what is not here is read from where prod has it."""

from __future__ import annotations

import json
import shutil
from collections import defaultdict
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from airflow_dataops import DbtConfig, dbt_dag
from airflow_dataops.cli.compile import compile_project
from tests.host.runs import Run, Store, Ti
from tests.oracle.recording import WAYS, Recording, files_of, lasting, recording
from tests.unit.execution.dbt_process import dbt_process

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROFILES = """
p:
  target: dev
  outputs:
    dev: {{type: duckdb, path: '{file}', schema: dev, threads: 1}}
    prod: {{type: duckdb, path: '{file}', schema: prod, threads: 1}}
"""
ORIGIN = "select '{{ target.name }}' as origin"
FILES = {
    "dbt_project.yml": "name: tiny\nversion: '1.0'\nprofile: p\nmodels: {+materialized: table}\n",
    # Its name is another one in each environment.
    "models/stg.sql": "{{ config(alias='stg_' ~ target.name) }} " + ORIGIN,
    "models/other.sql": "{{ config(materialized='view') }} " + ORIGIN,
    "models/unused.sql": ORIGIN,
    "models/eph.sql": (
        "{{ config(materialized='ephemeral') }} select stg_x.origin from {{ ref('stg') }} as stg_x"
    ),
    "models/mart.sql": (
        "-- depends_on: {{ ref('unused') }}\n"
        "with other as (select * from {{ ref('other') }} /* 'é */)\n"
        "select e.origin as a, other.origin as b, c.code, 'other' as c\n"
        "from {{ ref('eph') }} e, other, {{ ref('codes') }} as c"
    ),
    "models/inc.sql": (
        "-- depends_on: {{ ref('other') }}\n"
        "{{ config(materialized='incremental') }} select origin from {{ ref('mart') }} m, "
        "{{ ref('stg') }} {% if is_incremental() %} union all select origin from "
        "{{ ref('other') }} {% endif %}"
    ),
    "snapshots/snap.sql": (
        "{% snapshot snap %} {{ config(unique_key='code', strategy='check', check_cols='all') }} "
        "select a, b, code from {{ ref('mart') }} {% endsnapshot %}"
    ),
    "seeds/codes.csv": "code\nx\n",
    "tests/known.sql": (
        "{{ config(severity='warn') }} select a from {{ ref('mart') }} "
        "where a not in (select origin from {{ ref('other') }})"
    ),
}
SCENARIOS = {
    # What is in dev before; what is selected; whether the state is favored.
    "nothing here": ("", "mart", False),
    "some here": ("stg codes", "mart", False),
    "some here, favored": ("stg codes", "mart", True),
    "built in the same run": ("other", "stg+", False),
    "built in the same run, favored": ("other", "stg+", True),
    "incremental": ("+inc", "inc", False),
    "incremental, favored": ("+inc", "inc", True),
    "snapshot alone": ("", "snap", True),
    "test alone": ("", "known", False),
}


class Prod:
    """The project, as prod's last run left it.

    Attributes:
        manifests: what `compile` wrote, by target.
        state: the folder that is deferred to.
    """

    def __init__(self, folder: Path, recorded: Recording) -> None:
        self.folder, self.project, self.recorded = folder, folder / "tiny", recorded
        for name, text in FILES.items():
            (self.project / name).parent.mkdir(parents=True, exist_ok=True)
            (self.project / name).write_text(text)
        self.files = files_of(self.project)
        self._answers: dict[str, dict[str, list[tuple[Any, ...]]]] = {}
        compiled, earlier = recorded.answer(["compiled", self.files], self._compiled)
        self.manifests = {}
        for target, text in compiled.items():
            self.manifests[target] = folder / f"{target}.json"
            self.manifests[target].write_text(text)
        self.state = folder / "state"
        self.state.mkdir()
        (self.state / "manifest.json").write_text(earlier)

    def _compiled(self) -> tuple[dict[str, str], str]:
        place = self.profile("compiling")
        texts = {}
        for target in ("dev", "prod"):
            output = place / f"{target}.json"
            compile_project(self.project, output=output, profiles_dir=place, target=target)
            texts[target] = lasting(output.read_bytes(), self.project)
        # dbt, which compiled in this process, keeps its file open.
        self.dbt("build", self.profile("earlier"), "--target", "prod")
        written = (self.project / "target" / "manifest.json").read_bytes()
        return texts, lasting(written, self.project)

    def profile(self, name: str) -> Path:
        """Return a folder with a `profiles.yml` of a warehouse of its own."""
        place = self.folder / name
        place.mkdir(exist_ok=True)
        (place / "profiles.yml").write_text(PROFILES.format(file=place / "wh.duckdb"))
        return place

    def dbt(self, command: str, place: Path, *options: str) -> None:
        dbt_process().invoke(self.project, place, command, *options)

    def built(self, scenario: str) -> dict[str, list[tuple[Any, ...]]]:
        """Return what dbt leaves in dev, each relation's rows by name."""
        if scenario not in self._answers:
            question = ["defer", self.files, SCENARIOS[scenario]]
            answer = self.recorded.answer(question, lambda: self._built(scenario))
            self._answers[scenario] = dict(answer)
        return self._answers[scenario]

    def _built(self, scenario: str) -> list[tuple[str, list[tuple[Any, ...]]]]:
        before, select, favored = SCENARIOS[scenario]
        place = self.profile(f"dbt {scenario}")
        self.dbt("build", place, "--target", "prod")
        if before:
            self.dbt("build", place, "--select", before, "--indirect-selection", "empty")
        flags = ["--defer", "--state", str(self.state), *(["--favor-state"] * favored)]
        self.dbt("build", place, "--select", select, *flags)
        dbt_process().execute(place / "wh.duckdb", ["force checkpoint"])
        shutil.copy(place / "wh.duckdb", place / "left.duckdb")
        return sorted(rows_of(place / "left.duckdb").items())


def rows_of(file: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows in dev, without the times of snapshots."""
    names = (
        "select table_name, list(column_name order by ordinal_position) from "
        "information_schema.columns where table_schema = 'dev' and column_name not like 'dbt\\_%' "
        "escape '\\' group by 1"
    )
    with duckdb.connect(str(file)) as connection:
        connection.execute("create schema if not exists dev; use dev")
        return {
            name: sorted(connection.table(name).select(*columns).fetchall())
            for name, columns in connection.execute(names).fetchall()
        }


@pytest.fixture(scope="module", params=WAYS)
def prod(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prod]:
    with recording(request, "defer") as recorded:
        yield Prod(tmp_path_factory.mktemp("defer"), recorded)


@pytest.fixture(scope="module")
def of_prod(prod: Prod, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse as prod's last run left it."""
    file = tmp_path_factory.mktemp("of_prod") / "wh.duckdb"
    with pytest.MonkeyPatch.context() as patch:
        connect(patch, file)
        well(Run(dbt_dag(manifest=prod.manifests["prod"], conn_id="w"), mode="build").all())
    with duckdb.connect(str(file)) as connection:
        connection.execute("force checkpoint")
    return file


@pytest.fixture
def file(of_prod: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The warehouse of a test, which the connection `w` leads to."""
    file = tmp_path / "wh.duckdb"
    shutil.copy(of_prod, file)
    connect(monkeypatch, file)
    return file


def connect(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_W", json.dumps({"conn_type": "duckdb", "host": str(file)}))


def well(run: Run) -> None:
    assert set(run.states.values()) == {"success"}, run.errors


@pytest.mark.sample(2)
@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("granularity", ["node", "dag"])
def test_engine_sql(prod: Prod, file: Path, granularity: str, scenario: str) -> None:
    before, select, favored = SCENARIOS[scenario]
    dev: Any = {"manifest": prod.manifests["dev"], "conn_id": "w", "granularity": granularity}
    if before:
        well(Run(dbt_dag(**dev, select=before), mode="build").all())
    defer: Any = {"state": prod.state, "defer": True, "favor_state": favored}
    well(Run(dbt_dag(**dev, select=select, **defer)).all())
    assert rows_of(file) == prod.built(scenario)


@pytest.mark.sample(2)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_trigger_form(prod: Prod, file: Path, scenario: str) -> None:
    """A run of the whole DAG that is narrowed to the same nodes defers the same references."""
    before, select, favored = SCENARIOS[scenario]
    defer: Any = {"state": prod.state, "defer": True, "favor_state": favored}
    dev: Any = {"manifest": prod.manifests["dev"], "conn_id": "w"}
    if before:
        well(Run(dbt_dag(**dev), mode="build", select=before).all())
    well(Run(dbt_dag(**dev, **defer), select=select).all())
    assert rows_of(file) == prod.built(scenario)


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_engine_dbt(
    prod: Prod, file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, scenario: str
) -> None:
    before, select, favored = SCENARIOS[scenario]
    (tmp_path / "profiles.yml").write_text(PROFILES.format(file=file))
    dev: Any = {"manifest": prod.manifests["dev"], "conn_id": "w"}
    if before:
        well(Run(dbt_dag(**dev, select=before), mode="build").all())
    dbt = DbtConfig(
        project_dir=str(prod.project), profile="p", target="dev", profiles_dir=str(tmp_path)
    )
    defer: Any = {"state": prod.state, "defer": True, "favor_state": favored}
    dag = dbt_dag(**dev, select=select, engine="dbt", dbt=dbt, **defer)
    for task in dag.topological_sort():
        operator: Any = task
        operator.full_refresh = False
        operator.execute(
            {
                "ti": Ti(task.task_id, 1),
                "run_id": "r",
                "params": dict(dag.params.dump()),
                "outlet_events": defaultdict(SimpleNamespace),
                "task_state_store": Store(),
            }
        )
    assert rows_of(file) == prod.built(scenario)
