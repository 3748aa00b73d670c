"""What the documentation says works: its code runs, its links lead somewhere."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from airflow.dag_processing.dagbag import DagBag

from airflow_dataops.core.sla.rules import read_rules

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
MAKERS = ("load_dags", "dbt_dag", "dbt_task_group", "DAG")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


SLA_FILE = (ROOT / "docs" / "slas.md").read_text().split("```yaml\n")[2].split("```")[0]


def blocks(language: str) -> Iterator[tuple[str, str]]:
    """Yield (page and number, text) of each code block in a language."""
    for page in PAGES:
        found = re.findall(
            rf"^```{language}\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE
        )
        for number, text in enumerate(found, 1):
            yield f"{page.name}-{number}", text


@pytest.mark.parametrize(("name", "text"), blocks("python"), ids=lambda value: value[:40])
def test_python_is_a_dag_file_that_loads(name: str, text: str, tmp_path: Path) -> None:
    """Beside the folders of manifests that it names; code that makes no DAG is only compiled."""
    if not any(f"{maker}(" in text for maker in MAKERS):
        compile(text, name, "exec")
        return
    for folder in {"manifests", *re.findall(r"load_dags\(\s*\"([\w./]+)\"", text)}:
        target = tmp_path / folder / "shop"
        target.mkdir(parents=True)
        shutil.copy(ROOT / "dags" / "manifests" / "shop" / "manifest.json", target)
    (tmp_path / "slas.yaml").write_text(SLA_FILE)
    (tmp_path / "dags.py").write_text(f"# an airflow dag file\n{text}")
    bag = DagBag(dag_folder=str(tmp_path), bundle_path=tmp_path, bundle_name="docs")
    assert bag.import_errors == {}
    assert bag.dags


@pytest.mark.parametrize(("name", "text"), blocks("yaml"), ids=lambda value: value[:40])
def test_yaml_is_yaml(name: str, text: str) -> None:
    assert yaml.safe_load(text), name


def test_the_sla_file_is_one() -> None:
    assert len(read_rules(SLA_FILE, "docs/slas.md")) == 4


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []
