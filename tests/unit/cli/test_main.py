"""The command line's manners: exit codes, and what is said on stderr."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from airflow_dataops.cli.main import FAILED, MISUSED, run

if TYPE_CHECKING:
    from pathlib import Path


def test_without_the_extra_it_says_what_to_install() -> None:
    """Asked in a fresh process, in which typer cannot be imported."""
    code = (
        "import sys; sys.modules['typer'] = None; from airflow_dataops.cli.main import run; run()"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == MISUSED
    assert done.stderr == (
        "Error: airflow-dataops on the command line needs an extra: "
        "pip install 'airflow-dataops[cli]'\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["compile", "--project-dir", "nowhere"], "nowhere holds no dbt_project.yml"),
        (["compile", "--vars", "{a: ["], "--vars is not YAML"),
        (["compile", "--vars", "[1, 2]"], "--vars must be a mapping"),
    ],
)
def test_what_is_wrong_is_said_in_one_paragraph(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["airflow-dataops", *arguments])

    with pytest.raises(SystemExit) as stopped:
        run()

    assert stopped.value.code == FAILED
    error = capsys.readouterr().err
    assert error.startswith("Error: ")
    assert message in error
    assert "Traceback" not in error


def test_the_commands_are_listed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["airflow-dataops", "--help"])

    with pytest.raises(SystemExit) as stopped:
        run()

    assert not stopped.value.code
    assert {"compile", "plan"} <= set(capsys.readouterr().out.split())
