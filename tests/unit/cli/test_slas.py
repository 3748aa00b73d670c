"""`airflow-dataops slas`, as a user calls it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from airflow_dataops.cli.app import app
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


def run(*arguments: object) -> str:
    result = CliRunner().invoke(app, ["slas", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_a_good_file_has_nothing_wrong(tmp_path: Path) -> None:
    file = tmp_path / "slas.yaml"
    file.write_text("slas:\n  - {dag: shop, by: 17:30}\n")
    assert run("check", file) == f"{file}: 1 SLAs, nothing wrong\n"


def test_what_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "slas.yaml"
    file.write_text("timezone: Mars\nslas: [{dag: shop}]\n")
    with pytest.raises(ConfigError, match="2 mistakes"):
        run("check", file)
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        run("check", tmp_path / "none.yaml")


def test_the_schema_names_what_an_sla_takes() -> None:
    found = json.loads(run("schema"))
    assert {"dag", "by", "calendar", "on_sla_miss"} <= set(found["$defs"]["Rule"]["properties"])
