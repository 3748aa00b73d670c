"""Pipelines in YAML beside dag-factory: CPU time for the same DAGs, each in a fresh process.

python -m benchmarks.pipelines [--count 1000] [--repeats 3]

dag-factory gets an environment of its own in `.cache/dag-factory`, made at the first run.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
CACHE = ROOT / ".cache" / "benchmarks" / "pipelines"
VENV = ROOT / ".cache" / "dag-factory"
PEER = "dag-factory>=1.1,<1.2"
TASKS = 8

_OURS = """\
owner: data
start_date: 2024-01-01
default_args: {{retries: 2, retry_delay: 300}}
schedule: "0 3 * * *"
catchup: false
description: pipeline {n}
tags: [a, b]
tasks:
"""
_THEIRS = """\
p{n}:
  default_args: {{owner: data, start_date: 2024-01-01, retries: 2, retry_delay_sec: 300}}
  schedule: "0 3 * * *"
  catchup: false
  description: pipeline {n}
  tags: [a, b]
  tasks:
"""
_CHILD = """
import json, logging, os, resource, sys
logging.disable(logging.WARNING)
sys.path[:0] = [{root!r}]
import airflow.sdk.execution_time.task_runner
from airflow.sdk import DAG, Asset, BaseOperator, Param, TaskGroup
from airflow.providers.standard.operators.bash import BashOperator
DAG("empty", schedule=None)
def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
names = {{"__file__": {file!r}}}
{setup}
before = cpu()
{work}
after = cpu()
count = sum(isinstance(each, DAG) and len(each.task_dict) == {tasks} for each in names.values())
print("RESULT " + json.dumps([after - before, count]))
"""
_LOAD = 'from airflow_dataops import load_dags\nload_dags("ours", names)'


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pipelines", description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    _write(arguments.count)
    _make_peer()
    found: dict[str, list[float]] = {}
    for _ in range(arguments.repeats):
        for name in ("cold", "warm", "dag-factory", "start"):
            seconds = _measured(name, arguments.count)
            found.setdefault(name, []).append(seconds)
            print(f"{name:12} {seconds:8.3f} CPU s", file=sys.stderr, flush=True)
    middle = {name: statistics.median(values) for name, values in found.items()}
    peer = middle["dag-factory"]
    print(f"{arguments.count} pipelines of {TASKS} tasks, medians of {arguments.repeats}:")
    print(
        f"dag-factory {peer:.2f} s; cold {middle['cold']:.2f} s, {middle['cold'] / peer:.3f} of it;"
    )
    print(f"warm {middle['warm']:.2f} s, {middle['warm'] / peer:.3f} of it;")
    print(f"a task's start on a worker {middle['start'] * 1000:.0f} ms, imports of ours included")


def _write(count: int) -> None:
    shutil.rmtree(CACHE, ignore_errors=True)
    ours, theirs = CACHE / "ours", CACHE / "theirs"
    ours.mkdir(parents=True)
    theirs.mkdir()
    for n in range(count):
        mine, other = _OURS.format(n=n), _THEIRS.format(n=n)
        for i in range(TASKS):
            mine += f"  task_{i}:\n    operator: bash\n    bash_command: echo {n} {i}\n"
            other += (
                f"    - task_id: task_{i}\n"
                "      operator: airflow.providers.standard.operators.bash.BashOperator\n"
                f"      bash_command: echo {n} {i}\n"
            )
            if i:
                mine += f"    depends_on: [task_{i - 1}]\n"
                other += f"      dependencies: [task_{i - 1}]\n"
        (ours / f"p{n}.pipeline.yaml").write_text(mine)
        (theirs / f"p{n}.yaml").write_text(other)
    # Files that changed a moment ago are not known by their time of change.
    time.sleep(3)


def _make_peer() -> None:
    if (VENV / ".ready").exists():
        return
    subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=True)
    uv = Path(sys.executable).with_name("uv")
    command = [uv, "pip", "install", "--quiet", "--python", VENV / "bin" / "python"]
    subprocess.run([*command, "--constraint", ROOT / "constraints.txt", PEER], check=True)
    (VENV / ".ready").touch()


def _measured(name: str, count: int) -> float:
    home = CACHE / ("home-theirs" if name == "dag-factory" else "home-ours")
    if name == "cold":
        shutil.rmtree(home / "dataops", ignore_errors=True)
    setup, work, python = "", _LOAD, Path(sys.executable)
    expected = count
    kept = {key: value for key, value in os.environ.items() if "AIRFLOW" not in key}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    env = kept | {"AIRFLOW_HOME": str(home), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
    if name == "dag-factory":
        python = VENV / "bin" / "python"
        setup = "from dagfactory import load_yaml_dags"
        folder = str(CACHE / "theirs")
        work = f"load_yaml_dags(globals_dict=names, dags_folder={folder!r}, suffix=['.yaml'])"
    elif name == "start":
        # How Airflow tells a DAG file on a worker which task it is parsed for.
        env["_AIRFLOW_PARSING_CONTEXT_DAG_ID"] = f"p{count // 2}"
        env["_AIRFLOW_PARSING_CONTEXT_TASK_ID"] = "task_3"
        expected = 1
    else:
        setup = "from airflow_dataops.dag_factory import load_dags"
    code = _CHILD.format(
        root=str(ROOT), file=str(CACHE / "dag.py"), setup=setup, work=work, tasks=TASKS
    )
    done = subprocess.run(
        [python, "-c", code], env=env, capture_output=True, text=True, check=False
    )
    marked = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    if not marked:
        raise SystemExit(f"{name}:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    seconds, dags = json.loads(marked[-1].removeprefix("RESULT "))
    assert dags == expected, (name, dags)
    return float(seconds)


if __name__ == "__main__":
    main()
