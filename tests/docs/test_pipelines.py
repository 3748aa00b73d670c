"""The page on pipelines in YAML, and its block in the README."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typer.testing import CliRunner

from airflow_dataops.cli.app import app
from airflow_dataops.cli.lint import schema_text
from tests.docs.blocks import ROOT, block
from tests.docs.running import run, slas_of

if TYPE_CHECKING:
    import pytest

    from tests.docs.blocks import Block
    from tests.docs.running import Desk

FILE = block("docs/yaml.md", 1)
ORDERS = block("docs/yaml.md", 2)
FAMILY = block("docs/yaml.md", 3)
DEFAULTS = block("docs/yaml.md", 4)
LINT = block("docs/yaml.md", 5)
ERRORS = block("docs/yaml.md", 6)
README = block("README.md", 10)


def _put(desk: Desk, *blocks: Block) -> None:
    (desk.folder / "pipelines").mkdir()
    for each in blocks:
        name = each.text.split("\n")[0].rpartition("/")[2]
        (desk.folder / "pipelines" / name).write_text(each.text)


def test_the_first_pipeline_runs(desk: Desk) -> None:
    desk.sql("CREATE TABLE raw_orders AS SELECT 1 AS order_id, 5 AS amount")
    desk.sql("CREATE TABLE orders AS FROM raw_orders LIMIT 0")
    _put(desk, ORDERS)
    (dag,) = desk.dags(FILE).values()
    assert dag.dag_id == "orders"
    assert slas_of(dag)[0].dag_id == "orders"
    run(dag)
    assert desk.rows("FROM main.orders") == [(1, 5)]


def test_the_pipeline_of_the_readme_runs(desk: Desk) -> None:
    desk.sql("CREATE TABLE raw_orders AS SELECT 1 AS id, 5 AS amount")
    desk.sql("CREATE TABLE orders AS FROM raw_orders LIMIT 0")
    _put(desk, README)
    (dag,) = desk.dags(FILE).values()
    run(dag)
    assert desk.rows("FROM orders") == [(1, 5)]


def test_a_family_with_the_defaults_of_its_folder(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.sql("CREATE TABLE users AS SELECT 1 AS id; CREATE TABLE products AS SELECT 1 AS id")
    _put(desk, FAMILY, DEFAULTS)
    for retries in (1, 5):
        dags = desk.dags(FILE)
        assert list(dags) == ["sync_products", "sync_users"]
        task = dags["sync_users"].get_task("count")
        assert (task.owner, task.retries) == ("data-team", retries)
        run(dags["sync_users"])
        monkeypatch.setenv("AIRFLOW__DATAOPS__ENVIRONMENT", "prod")


def test_the_linter_says_what_the_page_shows(desk: Desk) -> None:
    (desk.folder / "dags" / "pipelines").mkdir(parents=True)
    (desk.folder / "dags" / "pipelines" / "bad.pipeline.yaml").write_text(
        "shedule: daily\ntasks:\n  a: {operator: bash, bash_comand: x}\n"
        "  b: {operator: empty, depends_on: aa}\n"
    )
    program, *arguments = LINT.text.split()
    assert program == "airflow-dataops"
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 1
    assert done.stdout.replace("dags/pipelines/", "") == ERRORS.text


def test_the_published_schema_is_that_of_this_release() -> None:
    """`make pipeline-schema` writes it: short names of operators are in it."""
    is_same = (ROOT / "docs" / "pipeline.schema.json").read_text() == schema_text()
    assert is_same, "run `make pipeline-schema`, and commit docs/pipeline.schema.json"


def test_the_pipelines_of_the_demo_have_no_faults() -> None:
    done = CliRunner().invoke(app, ["lint", "--import", str(ROOT / "dags" / "pipelines")])
    assert (done.exit_code, done.stdout) == (0, "")
