"""Projects that read each other: DAGs that would wait for each other for ever are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.host.manifests import manifest, model, write
from tests.host.test_load_dags import CALL, bag, error_of

if TYPE_CHECKING:
    from pathlib import Path


def there(project: str, name: str) -> dict[str, Any]:
    """A model of another project, as dbt writes those of `dependencies.yml`: without a path."""
    return model(name, project=project, original_file_path="", path="", compiled_code=None)


def two_projects(folder: Path) -> None:
    """Project `a` makes a_raw and reads b_mart; project `b` makes b_mart of a_raw."""
    reads_b = model("a_mart", project="a", depends_on={"nodes": ["model.b.b_mart"]})
    reads_a = model("b_mart", project="b", depends_on={"nodes": ["model.a.a_raw"]})
    a = manifest(model("a_raw", project="a"), reads_b, there("b", "b_mart"), project="a")
    b = manifest(reads_a, there("a", "a_raw"), project="b")
    write(folder / "manifests" / "a.json", a)
    write(folder / "manifests" / "b.json", b)


def test_projects_that_wait_for_each_other_are_an_error_with_the_way_round(tmp_path: Path) -> None:
    """The DAGs stay, so that their runs do; they can be started by hand."""
    two_projects(tmp_path)
    found = bag(tmp_path)
    assert {"a", "b"} <= found.dags.keys()
    said = error_of(found)
    assert "the DAGs a, b wait for each other in a cycle" in said
    assert "a waits for wh.main.b_mart of b" in said
    assert "b waits for wh.main.a_raw of a" in said


@pytest.mark.parametrize("more", ["start_on=()", "schedule='@daily'"])
def test_projects_that_do_not_wait_are_none(tmp_path: Path, more: str) -> None:
    two_projects(tmp_path)
    found = bag(tmp_path, f"{CALL[:-1]}, {more})")
    assert not found.import_errors


def test_one_that_reads_the_other_is_none(tmp_path: Path) -> None:
    reads = model("b_mart", project="b", depends_on={"nodes": ["model.a.a_raw"]})
    a = manifest(model("a_raw", project="a"), project="a")
    write(tmp_path / "manifests" / "a.json", a)
    b = manifest(reads, there("a", "a_raw"), project="b")
    write(tmp_path / "manifests" / "b.json", b)
    found = bag(tmp_path)
    assert not found.import_errors
    assert sorted(found.dags) == ["a", "b"]
