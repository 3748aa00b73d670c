"""`airflow-dataops compile` with the real dbt."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from airflow_dataops.cli.compile import compile_project
from airflow_dataops.errors import ManifestError
from tests.oracle.dbt_process import environment
from tests.oracle.projects import REPOSITORY, SHOP

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST = REPOSITORY / "dags" / "manifests" / "shop" / "manifest.json"
PROFILES = """
small:
  target: dev
  outputs:
    dev: {type: duckdb, path: "{{ env_var('SMALL_DUCKDB') }}", schema: main}
"""


def a_project(folder: Path, files: dict[str, str]) -> Path:
    """Write a dbt project named `small`."""
    settings = "name: small\nversion: 1.0.0\nprofile: small\npackages-install-path: kits\n"
    for name, text in {"dbt_project.yml": settings, "profiles.yml": PROFILES, **files}.items():
        path = folder / "small" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder / "small"


def compiled(project: Path, **options: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Compile a project; return its manifest's nodes and the notes."""
    output = project.parent / "out" / "manifest.json"
    with environment("SMALL_DUCKDB", str(project.parent / "small.duckdb")):
        result = compile_project(project, output=output, **options)
    return json.loads(output.read_bytes())["nodes"], result.notes


def test_the_demos_manifest_is_of_the_demos_files() -> None:
    """If this fails: `make manifests`. The next test asks dbt."""
    committed = json.loads(MANIFEST.read_bytes())
    found = {
        node["original_file_path"]: node["checksum"]["checksum"]
        for node in committed["nodes"].values()
        if node["original_file_path"].endswith((".sql", ".csv"))
    }
    folders = ("models", "seeds", "tests")
    assert found == {
        file.relative_to(SHOP.directory).as_posix(): sha256(file.read_text().strip().encode())
        for folder in folders
        for file in (SHOP.directory / folder).rglob("*")
        # A generic test is a macro, no node.
        if file.suffix in (".sql", ".csv") and file.parent.name != "generic"
    }


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.mark.slow
def test_the_demos_manifest_is_up_to_date_and_compiling_leaves_nothing_behind(
    tmp_path: Path,
) -> None:
    """If this fails: `make manifests`."""
    before = {path for path in SHOP.directory.rglob("*") if "target" not in path.parts}

    with environment(SHOP.variable, str(tmp_path / "shop.duckdb")):
        result = compile_project(SHOP.directory, output=tmp_path / "manifest.json")

    content = result.output.read_bytes()
    assert content == MANIFEST.read_bytes()
    assert result.counts["model"] == 22
    assert result.renderings == 4
    assert str(REPOSITORY).encode() not in content
    assert str(tmp_path).encode() not in content
    assert {path for path in SHOP.directory.rglob("*") if "target" not in path.parts} == before


LATER = (
    "select '{{ \"later\" if is_incremental() else \"first\" }}' as rendering, {{ var('n', 0) }}"
)


def test_both_renderings_whatever_macros_of_the_same_name_there_are(tmp_path: Path) -> None:
    """The project has an `is_incremental` of its own, a package has one that asks dbt's."""
    project = a_project(
        tmp_path,
        {
            "models/plain.sql": LATER,
            "models/fct.sql": "{{ config(materialized='incremental') }}" + LATER,
            "models/kept.sql": "{{ config(materialized='incremental', full_refresh=true) }}"
            + LATER,
            "macros/own.sql": "{% macro is_incremental() %}"
            "{{ return(load_relation(this) is none) }}{% endmacro %}",
            "kits/kit/dbt_project.yml": "name: kit\nversion: 1.0.0\n",
            "kits/kit/models/kit_fct.sql": "{{ config(materialized='incremental') }}" + LATER,
            "kits/kit/macros/asks.sql": "{% macro is_incremental() %}"
            "{{ return(dbt.is_incremental() and var('n') == 7) }}{% endmacro %}",
            "kits/kit/seeds/kit_codes.csv": 'code,n\r\n007,1\r\n"a\r\nb",2\r\n',
        },
    )

    nodes, notes = compiled(project, variables={"n": 7})

    first, later = "select 'first' as rendering, 7", "select 'later' as rendering, 7"
    assert nodes["model.small.plain"]["compiled_code"] == first
    assert "compiled_code_incremental" not in nodes["model.small.plain"]
    for name in ("model.small.fct", "model.kit.kit_fct"):
        assert nodes[name]["compiled_code"] == first
        assert nodes[name]["compiled_code_incremental"] == later
    assert nodes["model.small.kept"]["compiled_code_incremental"] == first
    assert nodes["seed.kit.kit_codes"]["dataops_csv"] == 'code,n\r\n007,1\r\n"a\r\nb",2\r\n'
    assert nodes["seed.kit.kit_codes"]["dataops_column_types"] == {"code": "text", "n": "integer"}
    assert sorted(note.split(":")[0] for note in notes) == [
        "macros/asks.sql has a macro is_incremental of its own",
        "macros/own.sql has a macro is_incremental of its own",
    ]


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("select * from {{ ref('nowhere') }}", "nowhere"),
        ("{% set x = run_query('select * from missing_table') %} select 1", "missing_table"),
        ("select {{ 1", "unexpected end of template"),
    ],
    ids=["unknown ref", "introspection fails", "broken Jinja"],
)
def test_what_dbt_finds_wrong_is_told_and_the_old_manifest_stays(
    tmp_path: Path, model: str, expected: str
) -> None:
    project = a_project(tmp_path, {"models/broken.sql": model})
    output = tmp_path / "out" / "manifest.json"
    output.parent.mkdir()
    output.write_text("old")

    with pytest.raises(ManifestError) as caught:
        compiled(project)

    assert expected in str(caught.value)
    assert "broken" in str(caught.value)
    assert output.read_text() == "old"
    assert list(output.parent.iterdir()) == [output]
