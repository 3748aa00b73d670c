"""What a node costs as a task: all processes of an Airflow under the LocalExecutor, beside dbt.

    python -m benchmarks.worker [--engine postgres|duckdb] [--models 40] [--repeats 5] [--cosmos]

The same project, models with a test each, in turns: Airflow's own task that does nothing, as many
as the project has nodes; each node a task; tests with their model; by layer; one task; `dbt build`.
Writes docs/benchmarks-worker.md; figures of the other engine stay there.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

import psutil

from benchmarks.dbt_project import write_project
from tests.functional import metadata
from tests.postgres import postgres_uri
from tools.airflow_settings import Settings
from tools.local_airflow import LocalAirflow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks-worker.md"
SLOTS = 4
TIMEOUT = 1800.0
EMPTY, APART, DBT = "empty", "apart", "dbt build"
WAYS = {
    EMPTY: "Airflow's own tasks that do nothing",
    APART: "a task per node",
    "with_model": '`tests="with model"`',
    "layer": '`granularity="layer"`',
    "whole": '`granularity="dag"`',
    "cosmos": "Cosmos, local, a task per node",
    DBT: "`dbt build`, four threads",
}
DAGS = """
from airflow.sdk import dag, task

from airflow_dataops import dbt_dag

@dag("empty", schedule=None)
def empty():
    @task
    def nothing():
        pass

    for number in range({tasks}):
        nothing.override(task_id=f"t{{number}}")()

empty()
given = {{"manifest": {manifest!r}, "conn_id": "warehouse"}}
apart = dbt_dag(dag_id="apart", **given)
with_model = dbt_dag(dag_id="with_model", tests="with model", **given)
layer = dbt_dag(dag_id="layer", granularity="layer", **given)
whole = dbt_dag(dag_id="whole", granularity="dag", **given)
"""
COSMOS = """
from cosmos import DbtDag, ExecutionConfig, ProfileConfig, ProjectConfig, RenderConfig
from cosmos.constants import LoadMode

cosmos = DbtDag(
    dag_id="cosmos",
    schedule=None,
    project_config=ProjectConfig({project!r}, manifest_path={manifest!r}, project_name="bench"),
    profile_config=ProfileConfig("bench", "dev", profiles_yml_filepath={profiles!r}),
    render_config=RenderConfig(load_method=LoadMode.DBT_MANIFEST),
)
"""


class Sample(NamedTuple):
    """One run: seconds from its start to its end, and CPU seconds of all processes."""

    wall: float
    cpu: float
    tasks: int = 1


def cpu_of(pid: int) -> float:
    """Return the CPU seconds of a process and all that descend from it, ended ones too."""
    total, root = 0.0, psutil.Process(pid)
    for process in (root, *root.children(recursive=True)):
        try:
            total += sum(process.cpu_times()[:4])
        except psutil.NoSuchProcess:
            continue
    return total


def run_dag(airflow: LocalAirflow, dag_id: str) -> Sample:
    """Run a DAG once; what Airflow does meanwhile for itself counts."""
    # On a busy machine Airflow may have taken the DAG for stale.
    airflow.api.wait_for_dags([dag_id], TIMEOUT, airflow.check)
    before = cpu_of(airflow.guard_pid)
    run = airflow.api.wait_for_run(airflow.api.trigger(dag_id), TIMEOUT, check=airflow.check)
    after = cpu_of(airflow.guard_pid)
    tasks = airflow.api.task_instances(dag_id, run.run_id)
    if failed := sorted(task.task_id for task in tasks if task.state != "success"):
        raise SystemExit(f"{dag_id}: {', '.join(failed[:5])} did not succeed")
    if run.start is None or run.end is None:
        raise SystemExit(f"{dag_id}: its run has no times")
    return Sample((run.end - run.start).total_seconds(), after - before, len(tasks))


def run_dbt(project: Path) -> Sample:
    """Run `dbt build` once."""
    dbt = Path(sys.executable).with_name("dbt")
    before, began = os.times(), time.monotonic()
    command = [str(dbt), "--quiet", "build", "--threads", str(SLOTS), "--profiles-dir", "."]
    subprocess.run(command, cwd=project, check=True)
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user
    return Sample(time.monotonic() - began, cpu - before.children_system)


def measure(engine: str, models: int, repeats: int, ways: Sequence[str]) -> dict[str, list[Sample]]:
    """Run each way in turns, once more than is counted: the first fills caches."""
    with tempfile.TemporaryDirectory(prefix="worker-") as name:
        folder = Path(name)
        project = write_project(folder / "project", engine, models, postgres_uri())
        dags = folder / "dags"
        dags.mkdir()
        text = DAGS.format(tasks=2 * models, manifest=str(project.manifest))
        if "cosmos" in ways:
            text += COSMOS.format(
                project=str(project.folder),
                manifest=str(project.manifest),
                profiles=str(project.folder / "profiles.yml"),
            )
        (dags / "bench.py").write_text(text)
        environment = metadata.environment(metadata.database("worker"))
        settings = Settings(
            home=folder / "home",
            dags_folder=dags,
            parallelism=SLOTS,
            scheduled=False,
            environment={**environment, "AIRFLOW_CONN_WAREHOUSE": project.connection},
        )
        with LocalAirflow(settings) as airflow:
            own = [way for way in ways if way != DBT]
            airflow.api.wait_for_dags(own, 300, airflow.check)
            for way in own:
                airflow.api.unpause(way)
            samples: dict[str, list[Sample]] = {way: [] for way in ways}
            for number in range(repeats + 1):
                for way in ways:
                    found = run_dbt(project.folder) if way == DBT else run_dag(airflow, way)
                    print(number, way, found, file=sys.stderr, flush=True)
                    if number:
                        samples[way].append(found)
    return samples


def rows(samples: Mapping[str, Sequence[Sample]]) -> list[str]:
    """Return the table of one engine."""
    each = {way: [one.cpu / one.tasks for one in found] for way, found in samples.items()}
    lines = [
        "| | Tasks | Wall, s | CPU, s | CPU a task, ms | beyond the empty task, ms |",
        "| --- | --: | --: | --: | --: | --: |",
    ]
    for way, found in samples.items():
        wall, cpu = ([one[place] for one in found] for place in (0, 1))
        mine = "", ""
        if way != DBT:
            beyond = [1000 * (a - b) for a, b in zip(each[way], each[EMPTY], strict=True)]
            mine = f"{1000 * median(each[way]):.0f}", "" if way == EMPTY else _spread(beyond, 0)
        count = "" if way == DBT else str(found[0].tasks)
        cells = WAYS[way], count, _spread(wall, 1), _spread(cpu, 1), *mine
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _spread(values: Sequence[float], digits: int) -> str:
    told = (f"{value:.{digits}f}" for value in (median(values), min(values), max(values)))
    middle, least, most = told
    return f"{middle} ({least} to {most})"


def section(engine: str, models: int, samples: Mapping[str, Sequence[Sample]]) -> str:
    """Return what the page says of one engine."""
    day = datetime.datetime.now(datetime.UTC).date().isoformat()
    repeats = len(samples[EMPTY])
    return "\n".join(
        [
            f"## {engine}",
            "",
            f"{models} models and {models} tests, {repeats} rounds, {os.cpu_count()} processors "
            f"(load {os.getloadavg()[0]:.1f} at the end), {day}: median (least to most).",
            "",
            *rows(samples),
            "",
        ]
    )


HEAD = """# What a task costs

Written by `python -m benchmarks.worker`; do not edit. LocalExecutor with four slots, metadata in
Postgres, the plugins of this package on. CPU seconds are those of all of Airflow's processes during
a run, what the scheduler, the api-server and the dag-processor do among them, but not the
warehouse's. Ways are run in turns; "beyond the empty task" is the difference to Airflow's own task
of the same round. The aim is 150 ms.

"""


def page(earlier: str, engine: str, text: str) -> str:
    """Put a section into the page, in the place of the one of that engine."""
    sections = {}
    for part in earlier.split("\n## ")[1:]:
        sections[part.partition("\n")[0]] = f"## {part.strip()}\n"
    return HEAD + "\n".join(each for _, each in sorted((sections | {engine: text}).items()))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.worker", description=__doc__)
    parser.add_argument("--engine", choices=("postgres", "duckdb"), default="postgres")
    parser.add_argument("--models", type=int, default=40)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--cosmos", action="store_true", help="beside the others; takes minutes")
    parser.add_argument("--output", type=Path, default=PAGE)
    arguments = parser.parse_args()
    ways = [way for way in WAYS if way != "cosmos" or arguments.cosmos]
    samples = measure(arguments.engine, arguments.models, arguments.repeats, ways)
    text = section(arguments.engine, arguments.models, samples)
    earlier = arguments.output.read_text() if arguments.output.exists() else ""
    arguments.output.write_text(page(earlier, arguments.engine, text))
    print(text)
    print(json.dumps({way: [list(one) for one in found] for way, found in samples.items()}))


if __name__ == "__main__":
    main()
