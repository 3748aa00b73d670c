"""What the package tells of itself: to Airflow, to package indexes, to whoever imports it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from airflow_dataops.config_section import config_section
from airflow_dataops.get_provider_info import get_provider_info

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "airflow_dataops"
OPTIONS = config_section()["dataops"]["options"]
PREFIXES = {"_get": "metrics_", "_number": "metrics_", "_setting": ""}
"""Functions of `plugins/configured.py` and `hooks/sources.py` that read a setting by its name."""


def names_read(path: Path) -> set[str]:
    """Return the settings that a module reads from the section `[dataops]`."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        texts = [
            arg.value
            for arg in node.args
            if isinstance(arg, ast.Constant) and isinstance(arg.value, str)
        ]
        if called.startswith("conf.get") and node.args:
            section = ast.unparse(node.args[0]).strip("'")
            if section in ("dataops", "_SECTION", "SECTION"):
                found |= {arg.value for arg in node.args[1:2] if isinstance(arg, ast.Constant)}
        elif path.parent.name in ("plugins", "hooks") and called in PREFIXES and texts:
            found.add(PREFIXES[called] + texts[0])
    return found


def test_the_section_declares_the_settings_that_are_read() -> None:
    """No fewer, and no more."""
    read = set().union(*(names_read(path) for path in PACKAGE.rglob("*.py")))
    assert {"ledger", "metrics_sinks", "source_read_seconds"} <= read
    declared = set(OPTIONS)
    assert read == declared


def test_the_defaults_are_those_of_the_code() -> None:
    code = (PACKAGE / "hooks" / "sources.py").read_text()
    for name, default in re.findall(r'"(\w+)", ([\d.* ]+)\)', code):
        assert float(OPTIONS[name]["default"]) == eval(default)


def test_the_page_of_sources_lists_them_all() -> None:
    page = (ROOT / "docs" / "sources.md").read_text()
    ours = [name for name in OPTIONS if name.startswith(("source_", "downloads_"))]
    assert len(ours) >= 5
    assert [name for name in ours if f"| `{name}` |" not in page] == []


def test_nothing_is_promised_that_is_not_there() -> None:
    """SQLMesh and YAML may be named again once their readers exist."""
    readers = {path.name for path in (PACKAGE / "core" / "manifests").iterdir()}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    promises = " ".join(
        [
            project["description"],
            get_provider_info()["description"],
            (ROOT / "README.md").read_text().split("## See it run")[0],
        ]
    ).lower()
    for format_, room in {"sqlmesh": "sqlmesh", "yaml": "pipeline"}.items():
        assert (format_ in promises) is (room in readers)


def test_the_project_says_where_it_lives() -> None:
    """README is shown on package indexes as well, where relative links lead nowhere."""
    urls = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]
    home = urls["Homepage"]
    assert all(url.startswith(home) for url in urls.values())
    readme = (ROOT / "README.md").read_text()
    links = re.findall(r"\]\(([^)]+)\)|^\[[^\]]+\]: (\S+)$", readme, re.MULTILINE)
    links = [one or other for one, other in links]
    names = set(re.findall(r"^\[([^\]]+)\]: ", readme, re.MULTILINE))
    assert set(re.findall(r"\]\[([^\]]+)\]", readme)) == names
    assert len(links) > 10
    assert [link for link in links if not link.startswith("https://")] == []
    for link in links:
        if link.startswith(f"{home}/blob/main/"):
            assert (ROOT / link.removeprefix(f"{home}/blob/main/").partition("#")[0]).exists()


def test_everything_imports_without_a_warning() -> None:
    code = (
        "import importlib, pkgutil, airflow_dataops\n"
        "for module in pkgutil.walk_packages(airflow_dataops.__path__, 'airflow_dataops.'):\n"
        "    if not module.name.endswith('__main__') and 'migrations' not in module.name:\n"
        "        importlib.import_module(module.name)\n"
        "from airflow_dataops import load_dags\n"
        f"assert load_dags({str(ROOT / 'dags' / 'manifests')!r}, {{}}, conn_id='warehouse')\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_airflow_reads_the_form_without_a_deprecated_method() -> None:
    from airflow_dataops.hooks.duckdb import DuckDBHook

    assert "get_ui_field_behaviour" not in vars(DuckDBHook)
    (connection,) = get_provider_info()["connection-types"]
    assert connection["ui-field-behaviour"]["relabeling"]["host"] == "File path"


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_has_a_default_of_its_type(name: str) -> None:
    option = OPTIONS[name]
    reads = {"boolean": ("True", "False"), "string": None}.get(option["type"], "number")
    if reads == "number":
        assert float(option["default"]) >= 0
    elif reads is not None:
        assert option["default"] in reads


def test_the_stub_names_what_is_exported() -> None:
    """Type checkers read the one, Python the other."""
    import airflow_dataops

    stub = (PACKAGE / "__init__.pyi").read_text()
    told = {
        (module, name)
        for module, name, again in re.findall(r"^from (\S+) import (\w+) as (\w+)$", stub, re.M)
        if name == again
    }
    assert told == {(home, name) for name, home in airflow_dataops._HOMES.items()}
    assert [name for name in airflow_dataops._HOMES if not hasattr(airflow_dataops, name)] == []


BASES = {"operators.session", "operators.node", "operators.loads.base"}
BEHIND_THE_SCENES = {
    *("operators.ready", "operators.dbt"),
    *("operators.run_hooks", "operators.dbt_run_hooks", "operators.run_outcome"),
}
"""Operators that only DAGs of manifests have: Cosmos's, of asked tasks, and around a run."""


def test_the_provider_names_the_modules_of_all_its_kinds() -> None:
    info = get_provider_info()
    listed = [
        each for kind in ("operators", "sensors", "triggers", "bundles") for each in info[kind]
    ]
    named = {module for each in listed for module in each["python-modules"]}
    of_airflow = re.compile(r"^class [A-Z]\w*(Operator|Sensor|Trigger|Bundle)\(", re.M)
    defined = {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        for path in PACKAGE.rglob("*.py")
        if path.parts[-2] != "selection" and of_airflow.search(path.read_text())
    }
    assert {f"airflow_dataops.{name}" for name in defined - BASES - BEHIND_THE_SCENES} == named
    integrations = {each["integration-name"] for each in info["integrations"]}
    assert {each["integration-name"] for each in [*listed, *info["hooks"]]} <= integrations
