"""The commands `graph` and `diff`: pictures of DAGs, and what a deployment changes."""

from __future__ import annotations

import json
import os
import re
import subprocess
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from airflow_dataops.cli.app import app
from airflow_dataops.errors import ConfigError
from tests.host.manifests import manifest, model, write

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = 'a"]; click d0t0 "javascript:x" %%{init}%% \\" <b>|x|\n#quot;'


def run(*arguments: str | Path) -> str:
    done = CliRunner().invoke(app, [str(each) for each in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return str(done.output)


def put(path: Path, *nodes: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return write(path, manifest(*nodes, project="shop"))


def nodes() -> list[dict[str, Any]]:
    """Two layers."""
    found = []
    for name, parents, folder in (("stg", (), "staging"), ("fct", ("stg",), "marts")):
        place = {"fqn": ["shop", folder, name], "path": f"{folder}/{name}.sql"}
        found.append(model(name, *parents, project="shop", compiled_code="select 1", **place))
    return found


def test_a_flowchart_has_every_task_and_edge(tmp_path: Path) -> None:
    place = put(tmp_path / "m.json", *nodes())
    assert run("graph", place) == (
        "flowchart LR\n"
        '  subgraph d0["shop"]\n'
        '    d0t0["fct"]\n'
        '    d0t1["stg"]\n'
        "    d0t1 --> d0t0\n"
        "  end\n"
        "  classDef dbt stroke-dasharray: 4\n"
    )


def test_dags_that_start_each_other(tmp_path: Path) -> None:
    place = put(tmp_path / "m.json", *nodes())
    drawn = run("graph", place, "--split-by", "layer")
    assert drawn.count("subgraph") == 2
    names = re.findall(r'subgraph (d\d)\["(.*)"\]', drawn)
    places = {name: key for key, name in names}
    assert f"  {places['shop__staging']} -.-> {places['shop__marts']}\n" in drawn
    drawn = run("graph", place, "--split-by", "layer", "--format", "dot")
    assert "style=dashed, ltail=cluster_" in drawn


def test_names_are_text_in_pictures(tmp_path: Path) -> None:
    project = deepcopy(nodes())
    place = write(tmp_path / "m.json", manifest(*project, project=HOSTILE))
    drawn = run("graph", place)
    (label,) = re.findall(r'subgraph d0\["(.*)"\]', drawn)
    assert set(re.sub(r"#\d+;", "", label)) <= set("abcdefghijklmnopqrstuvwxyzQ0 :-,./+_")
    assert drawn.count("\n") == run("graph", put(tmp_path / "n.json", *project)).count("\n")
    drawn = run("graph", place, "--format", "dot")
    (label,) = re.findall(r"    label=(.*);\n", drawn)
    assert re.fullmatch(r'"(?:[^"\\]|\\.)*"', label)


def test_what_a_deployment_changes_and_why(tmp_path: Path) -> None:
    before = put(tmp_path / "old" / "shop.json", *nodes())
    changed = nodes()
    changed[1] |= {"checksum": {"name": "sha256", "checksum": "2"}, "compiled_code": "select 2"}
    changed[1]["depends_on"] = {"nodes": [], "macros": []}
    changed.append(model("extra", project="shop", compiled_code="select 1"))
    after = put(tmp_path / "new" / "shop.json", *changed)
    told = run("diff", before.parent, after.parent)
    assert told.splitlines() == [
        "~ shop: changed, 3 tasks",
        "  + extra",
        "  ~ fct: code or configuration; what it waits for",
    ]
    found = json.loads(run("diff", before, after, "--format", "json"))
    assert [task["id"] for task in found[0]["tasks"]][:2] == ["extra", "fct"]
    assert run("diff", before, before) == "The DAGs are the same.\n"
    one = CliRunner().invoke(app, ["diff", str(before), str(after), "--exit-code"])
    assert one.exit_code == 1


def test_dags_come_and_go_and_markup_is_text(tmp_path: Path) -> None:
    before = put(tmp_path / "old" / "shop.json", *nodes())
    after = write(tmp_path / "m.json", manifest(*nodes(), project="<b>|x|\n*y*"))
    told = run("diff", before, after, "--format", "markdown").splitlines()
    assert told[2].startswith("| &#60;b&#62;&#124;x&#124;")
    assert told[2].endswith("| added |  | 2 tasks |")
    assert told[3] == "| shop | removed |  | 2 tasks |"
    assert len(told) == 4


def test_a_revision_of_git_is_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    who = {
        f"GIT_{role}_{what}": "a@b"
        for role in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }

    def git(*arguments: str) -> None:
        subprocess.run(
            ["git", *arguments], check=True, capture_output=True, env={**os.environ, **who}
        )

    git("init", "-q")
    put(tmp_path / "manifests" / "shop.json", *nodes())
    git("add", ".")
    git("commit", "-qm", "first")
    put(tmp_path / "manifests" / "shop.json", *nodes()[:1])
    told = run("diff", "HEAD:manifests", "manifests")
    assert told.splitlines() == ["~ shop: changed, 1 tasks", "  - fct"]
    for wrong in ("nowhere:manifests", "HEAD:nowhere", "--output=x:manifests", "absent"):
        with pytest.raises(ConfigError, match=re.escape(wrong)):
            CliRunner().invoke(app, ["diff", "--", wrong, "manifests"], catch_exceptions=False)
    assert not (tmp_path / "x").exists()
