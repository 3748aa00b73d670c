"""The page on generated DAG files."""

from __future__ import annotations

import ast
import shlex
from typing import TYPE_CHECKING

from airflow.sdk import DAG
from typer.testing import CliRunner

import airflow_dataops
from airflow_dataops.cli.dag_gen import app
from tests.docs.blocks import block
from tests.docs.running import run
from tests.host.manifests import manifest, model, write

if TYPE_CHECKING:
    from tests.docs.running import Desk

COMMAND = block("docs/generated.md", 1)
TASK = block("docs/generated.md", 2)
REGION = block("docs/generated.md", 3)


def test_the_command_makes_a_dag_that_runs_and_keeps_what_is_mine(desk: Desk) -> None:
    orders = model(
        "orders",
        project="shop",
        compiled_code="select 1 as id",
        description="One row per order.",
        meta={"owner": "finance"},
    )
    write(desk.folder / "target" / "manifest.json", manifest(orders, project="shop"))
    name, *arguments = shlex.split(COMMAND.text)
    assert name == "airflow-dag-gen"
    assert CliRunner().invoke(app, arguments).exit_code == 0
    (file,) = (desk.folder / "dags").glob("dbt_*.py")
    begin, mine, end = REGION.text.splitlines()
    assert f"{begin}\n{end}" in file.read_text()

    mine = mine.replace("NotifyOperator(", "EmptyOperator(")
    kept = file.read_text().replace(f"{begin}\n{end}", f"{begin}\n{mine}\n{end}")
    more = "from airflow.providers.standard.operators.empty import EmptyOperator"
    kept = kept.replace("# region keep: imports\n", f"# region keep: imports\n{more}\n")
    file.write_text(kept)
    assert CliRunner().invoke(app, arguments).exit_code == 0
    assert file.read_text() == kept

    space = {"__file__": str(file)}
    exec(compile(kept, file, "exec"), space)
    dag = space["dag"]
    assert isinstance(dag, DAG)
    assert dag.get_task("tell").upstream_task_ids == {"orders"}
    run(dag, only={"orders"})
    assert desk.rows("FROM main.orders") == [(1,)]


def test_a_task_looks_like_the_one_of_the_page() -> None:
    call = ast.parse(TASK.text).body[0].value  # type: ignore[attr-defined]
    operator = getattr(airflow_dataops, call.func.id)
    given = {each.arg: ast.literal_eval(each.value) for each in call.keywords if each.arg}
    with DAG("x"):
        built = operator(**given, manifest="/m.json", conn_id="w")
    assert built.task_id == "orders"
