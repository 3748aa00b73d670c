"""`airflow-dataops lint`: every error of a file at once, at its place, with the nearest name."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from airflow_dataops.cli.app import app

if TYPE_CHECKING:
    from pathlib import Path

BROKEN = """\
schedule: "0 25 * * *"
start_date: 2024-02-30
owmer: me
default_args: {retries: -1, retry_dely: 5m}
tasks:
  a:
    operator: bash
    bash_comand: echo
  b:
    operator: bahs
    depends_on: [aa, c]
  c:
    operator: empty
    depends_on: b
    password: hunter2
  d: {operator: their_tasks.extrac, source: 3}
  e: {operator: their_tasks.extract, sorce: 3}
environments:
  prod: {tasks: {c: {retires: 3}}}
"""
FOUND = [
    ("bad-schedule", 1, 11, "$.schedule", "no hour"),
    ("wrong-value", 2, 13, "$.start_date", "2024-02-30"),
    ("unknown-key", 3, 1, "$.owmer", "'owner'?"),
    ("wrong-value", 4, 25, "$.default_args.retries", "from 0 on"),
    ("unknown-argument", 4, 29, "$.default_args.retry_dely", "'retry_delay'?"),
    ("missing-argument", 7, 5, "$.tasks.a", "bash_command"),
    ("unknown-argument", 8, 5, "$.tasks.a.bash_comand", "'bash_command'?"),
    ("unknown-operator", 10, 15, "$.tasks.b.operator", "'bash'?"),
    ("unknown-dependency", 11, 18, "$.tasks.b.depends_on[0]", "'a'?"),
    ("cycle", 14, 17, "$.tasks.c.depends_on", "c -> b -> c"),
    ("unknown-argument", 15, 5, "$.tasks.c.password", "no argument"),
    ("secret", 15, 15, "$.tasks.c.password", "var.value"),
    ("unknown-operator", 16, 17, "$.tasks.d.operator", "'extract'?"),
    ("missing-argument", 17, 6, "$.tasks.e", "source"),
    ("unknown-argument", 17, 38, "$.tasks.e.sorce", "'source'?"),
    ("unknown-argument", 19, 22, "$.environments.prod.tasks.c.retires", "'retries'?"),
]
TASKS = """\
raise SystemExit("it was imported")
from airflow.sdk import task

@task
def extract(source): ...
"""


def _lint(*arguments: Any) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["lint", *map(str, arguments)])
    return done.exit_code, done.stdout


def test_everything_wrong_is_told_at_once_and_nothing_is_imported(tmp_path: Path) -> None:
    (tmp_path / "bad.pipeline.yaml").write_text(BROKEN)
    (tmp_path / "their_tasks.py").write_text(TASKS)
    code, out = _lint("--format", "json", "--python-path", tmp_path, tmp_path)
    found = json.loads(out)
    assert code == 1
    told = [(f["rule"], f["line"], f["column"], f["path"]) for f in found]
    assert sorted(told) == sorted(each[:4] for each in FOUND)
    for rule, line, _, path, words in FOUND:
        assert any(
            words in f["message"]
            for f in found
            if (f["rule"], f["line"], f["path"]) == (rule, line, path)
        )
    assert "their_tasks" not in sys.modules


def test_the_formats_of_machines(tmp_path: Path) -> None:
    (tmp_path / "bad.pipeline.yaml").write_text("tasks: {a: {operator: bahs}}\nodd: 1\n")
    code, out = _lint("--format", "sarif", tmp_path)
    run = json.loads(out)["runs"][0]
    assert code == 1
    assert [r["ruleId"] for r in run["results"]] == ["unknown-operator", "unknown-key"]
    region = run["results"][1]["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 2, "startColumn": 1}
    code, out = _lint("--format", "github", tmp_path)
    assert code == 1
    assert out.startswith("::error file=")
    assert "line=1,col=23,title=unknown-operator::$.tasks.a.operator: There is no" in out


def test_a_good_file_and_import(tmp_path: Path) -> None:
    (tmp_path / "good.pipeline.yaml").write_text("tasks: {a: {operator: empty}}\n")
    assert _lint(tmp_path) == (0, "")
    assert _lint("--import", tmp_path) == (0, "")
    (tmp_path / "worse.pipeline.yaml").write_text(
        "tasks:\n  a: {operator: file_sensor, filepath: x, mode: poek}\n"
    )
    assert _lint(tmp_path)[0] == 0
    code, out = _lint("--import", tmp_path)
    assert code == 1
    assert "worse.pipeline.yaml:2:6: The task 'a' cannot be made" in out


def test_two_files_with_one_dag_id(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.pipeline.yaml").write_text(
            "dag_id: x\ntasks: {a: {operator: empty}}\n"
        )
    code, out = _lint(tmp_path)
    assert code == 1
    assert "b.pipeline.yaml:1:1: The dag_id 'x' is taken by" in out


@pytest.mark.parametrize("place", ["nowhere", "."])
def test_no_pipelines_is_an_error(tmp_path: Path, place: str) -> None:
    assert CliRunner().invoke(app, ["lint", str(tmp_path / place)]).exit_code == 1
