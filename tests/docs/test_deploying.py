"""The page on what is looked at before a deployment."""

from __future__ import annotations

import os
import shlex
import subprocess
from typing import TYPE_CHECKING

from typer.testing import CliRunner

from airflow_dataops.cli.app import app
from tests.docs.blocks import block
from tests.host.manifests import manifest, model, write

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.docs.blocks import Block

DIFF = block("docs/deploying.md", 1)
TOLD = block("docs/deploying.md", 2)
GRAPH = block("docs/deploying.md", 3)


def run(command: Block) -> str:
    name, *arguments = shlex.split(command.text)
    assert name == "airflow-dataops"
    return CliRunner().invoke(app, arguments, catch_exceptions=False).output


def git(*arguments: str) -> None:
    who = {
        f"GIT_{role}_{what}": "a@b"
        for role in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    subprocess.run(["git", *arguments], check=True, capture_output=True, env={**os.environ, **who})


def test_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    place = tmp_path / "dags" / "manifests" / "shop.json"
    place.parent.mkdir(parents=True)
    stg = model("stg_orders", project="shop", compiled_code="select 1")
    fct = model("fct_orders", project="shop", compiled_code="select 1")
    write(place, manifest(stg, fct, project="shop"))
    git("init", "-q", "-b", "main")
    git("add", ".")
    git("commit", "-qm", "first")
    fct = model("fct_orders", "stg_orders", project="shop", compiled_code="select 2")
    fct["checksum"] = {"name": "sha256", "checksum": "2"}
    dim = model("dim_customers", project="shop", compiled_code="select 1")
    write(place, manifest(stg, fct, dim, project="shop"))
    assert run(DIFF) == TOLD.text
    assert run(GRAPH).startswith("flowchart LR\n")
