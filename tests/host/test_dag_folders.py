"""Folders as users have them: relative, dbt's own `target/`; schedules in a named time zone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.serialization.serialized_objects import DagSerialization
from airflow.timetables.base import TimeRestriction
from pendulum import datetime

from tests.host.manifests import manifest, model, write
from tests.host.test_load_dags import good

if TYPE_CHECKING:
    from pathlib import Path

SLAS = "slas:\n  - {dag: good, task: a, within: 10m}\n"
CALLS = {
    "relative to the file": 'load_dags("manifests", globals(), conn_id="w", slas="slas.yaml")',
    "from __file__": (
        "from pathlib import Path\nhere = Path(__file__).parent\n"
        'load_dags(here / "manifests", globals(), conn_id="w", slas=here / "slas.yaml")'
    ),
    "one manifest": (
        "import os\nhere = os.path.dirname(__file__)\n"
        'good = dbt_dag(manifest=os.path.join(here, "manifests/good/manifest.json"), conn_id="w", '
        'slas=os.path.join(here, "slas.yaml"))'
    ),
    "one manifest relative to the file": (
        'good = dbt_dag(manifest="manifests/good/manifest.json", conn_id="w", slas="slas.yaml")'
    ),
}


@pytest.mark.parametrize("place", ["dags/", "dags", "./dags", "absolute"])
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_folder_of_dags_may_be_given_relatively(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, place: str
) -> None:
    """`DagBag("dags/")` as in tests of DAG folders, and what a DAG file makes of `__file__`."""
    dags = tmp_path / "dags"
    good(dags)
    (dags / "slas.yaml").write_text(SLAS)
    (dags / "file.py").write_text(
        f"from airflow_dataops import dbt_dag, load_dags  # airflow DAG\n{call}\n"
    )
    monkeypatch.chdir(tmp_path)
    folder = str(dags) if place == "absolute" else place
    found = DagBag(dag_folder=folder, bundle_path=dags, bundle_name="test")
    assert found.import_errors == {}
    assert list(found.dags) == ["good"]
    dag = found.dags["good"]
    assert len(dag.default_args["slas"]) == 1
    assert dag.get_task("a").manifest == str(dags / "manifests" / "good" / "manifest.json")


def test_dbts_own_target_folder_gives_its_manifest_alone(tmp_path: Path) -> None:
    target = tmp_path / "target"
    write(target / "manifest.json", manifest(model("a"), project="shop"))
    for name in ("run_results", "catalog", "sources", "semantic_manifest", "graph_summary"):
        write(target / f"{name}.json", '{"metadata": {}}')
    write(target / "perf_info.json", "{}")
    write(target / "compiled" / "shop" / "m.sql", "select 1")
    (tmp_path / "file.py").write_text(
        'from airflow_dataops import load_dags  # airflow DAG\nload_dags("target", globals(), '
        'conn_id="w")\n'
    )
    found = DagBag(dag_folder=str(tmp_path), bundle_path=tmp_path, bundle_name="test")
    assert found.import_errors == {}
    assert list(found.dags) == ["shop"]


ZONED = {
    "in metadata": ("0 7 * * * Europe/Berlin", "start_date=START"),
    "a preset in metadata": ("@daily Europe/Berlin", "start_date=START"),
    "as argument": ("0 7 * * *", 'timezone="Europe/Berlin", start_date=datetime(2026, 1, 1)'),
    "as argument, with a schedule of the caller's": (
        None,
        'timezone="Europe/Berlin", schedule="0 7 * * *", start_date=START',
    ),
    "in the caller's schedule": (None, 'schedule="0 7 * * * Europe/Berlin", start_date=START'),
}


def parsed(folder: Path, cron: str | None, arguments: str) -> DagBag:
    meta = {"schedule": cron} if cron else {}
    node = model("a", config={"materialized": "table", "meta": meta})
    write(folder / "m" / "manifest.json", manifest(node, project="shop"))
    (folder / "file.py").write_text(
        "from datetime import datetime, timezone\n"
        "from airflow_dataops import load_dags  # airflow DAG\n"
        "START = datetime(2026, 1, 1, tzinfo=timezone.utc)\n"
        f'load_dags("m", globals(), conn_id="w", {arguments})\n'
    )
    return DagBag(dag_folder=str(folder), bundle_path=folder, bundle_name="test")


@pytest.mark.parametrize(("cron", "arguments"), ZONED.values(), ids=ZONED)
def test_a_schedule_keeps_to_the_clock_of_its_time_zone(
    tmp_path: Path, cron: str | None, arguments: str
) -> None:
    """Over the change of the clock at the end of March the hour on the wall stays."""
    found = parsed(tmp_path, cron, arguments)
    assert found.import_errors == {}
    dag = DagSerialization.from_dict(DagSerialization.to_dict(found.dags["shop"]))
    restriction = TimeRestriction(earliest=datetime(2026, 3, 27), latest=None, catchup=True)
    hours, last = [], None
    for _ in range(5):
        info = dag.timetable.next_dagrun_info(
            last_automated_data_interval=last, restriction=restriction
        )
        assert info is not None
        last = info.data_interval
        hours.append(info.run_after.in_timezone("Europe/Berlin").hour)
    assert hours == [0 if cron and cron.startswith("@") else 7] * 5


def test_a_time_zone_that_is_none_is_told(tmp_path: Path) -> None:
    found = parsed(tmp_path, None, 'timezone="Europe/Berln"')
    [text] = found.import_errors.values()
    assert "timezone='Europe/Berln': write the name of a time zone" in text
